"""List the notebooks in a zip archive, and read them one at a time, not beyond a limit.

Nothing is unpacked to a disk. An archive in an archive is listed as it is: it is a student's, and
`nst_edu.classroom.unwrapping` opens it when it is known whose.
"""

from __future__ import annotations

import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from nst_edu.classroom.reading import LARGEST, Problem, UnreadableError, shown

LARGEST_INNER = 80_000_000  # bytes of a student's archive
MOST_ENTRIES = 100_000
LONGEST_NAME, MOST_FOLDERS = 1000, 20  # of an entry: thousands of long names take minutes
JUNK = ("__MACOSX", ".ipynb_checkpoints", ".git")
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError),
    *(ValueError, MemoryError),
)


@dataclass(frozen=True)
class Arrival:
    """A notebook that was found, or a student's archive.

    Attributes
    ----------
    parts
        The folders and the name, below where the search began.
    origin
        Where it is, for people.
    modified
        Seconds since 1970, as the platform says.
    size
        Not more bytes than this are read.
    read
        Returns its content, or raises `UnreadableError`.
    claimed
        Seconds since 1970, as the student says: tells which of their own is the latest.
    """

    parts: tuple[str, ...]
    origin: str
    modified: float
    size: int
    read: Callable[[], bytes] = field(compare=False)
    claimed: float = 0.0

    @property
    def name(self) -> str:
        """The file's name."""
        return self.parts[-1]


def wanted(name: str) -> str:
    """Return ``.ipynb`` or ``.zip`` if a file is one to look at."""
    last = name.rpartition("/")[2].lower()
    endings = (ending for ending in (".ipynb", ".zip") if last.endswith(ending) and last != ending)
    return "" if last.startswith("._") else next(endings, "")


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive.

    Raises
    ------
    UnreadableError
        If it is none, or too long a list.
    """
    try:
        archive = zipfile.ZipFile(file)
    except ZIP_ERRORS as error:
        text = f"It is no readable zip archive: {error}."
        raise UnreadableError("damaged-zip", text) from None
    if len(archive.infolist()) > MOST_ENTRIES:
        text = f"It has more than {MOST_ENTRIES:,} entries: it was not opened."
        raise UnreadableError("zip-bomb", text)
    return archive


def in_zip(
    archive: zipfile.ZipFile, origin: str, problems: list[Problem], inner: bool = False
) -> Iterator[Arrival]:
    """Yield the notebooks and the archives in an archive.

    Parameters
    ----------
    archive
        Stays open while they are read.
    origin
        What to call it in messages.
    problems
        Gets what was refused.
    inner
        Whether it is a student's: in such a one is no further archive.
    """
    for entry in archive.infolist():
        ending = wanted(entry.filename)
        parts = PurePosixPath(entry.filename[: LONGEST_NAME + 1]).parts if ending else ()
        if not ending or set(parts) & set(JUNK):
            continue
        if (fault := _fault(entry, ending, inner)) is not None:
            text = f"{origin}: {shown(entry.filename)} {fault[1]} It was refused."
            problems.append(Problem(fault[0], text))
            continue
        largest = LARGEST_INNER if ending == ".zip" else LARGEST
        read = partial(_entry, archive, entry, largest)
        name = f"{origin}/{entry.filename}"
        yield Arrival(parts, name, _modified(entry), entry.file_size, read)


def _fault(entry: zipfile.ZipInfo, ending: str, inner: bool) -> tuple[str, str] | None:
    """Return why an entry is refused; None if it is not."""
    name = entry.orig_filename
    if len(name) > LONGEST_NAME or name.count("/") > MOST_FOLDERS:
        return "long-name", "has too long a name, or lies in too many folders."
    if name.startswith(("/", "\\")) or ":" in name[:2] or "\0" in name:
        return "zip-slip", "has an absolute name."
    if ".." in name.replace("\\", "/").split("/"):
        return "zip-slip", "points out of its folder."
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "zip-link", "is a link."
    if entry.flag_bits & 1:
        return "encrypted", "is locked with a password."
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed", "is packed in an unusual way, which may take much memory."
    if ending == ".zip" and inner:
        return "zip-in-zip", "is an archive in an archive in an archive."
    if ending == ".ipynb" and entry.file_size > LARGEST:
        size = f"{entry.file_size / 1e6:,.0f} MB; {LARGEST / 1e6:g} are read."
        return "zip-bomb", f"unpacks to {size}"
    return None


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, largest: int) -> bytes:
    """Read one entry, and not more than its limit, whatever size it states."""
    try:
        with archive.open(entry) as content:
            data = content.read(largest + 1)
    except ZIP_ERRORS as error:
        raise UnreadableError("damaged-zip", f"It cannot be unpacked: {error}.") from None
    if len(data) > largest:
        raise UnreadableError("zip-bomb", f"It unpacks to more than {largest / 1e6:g} MB.")
    return data


def _modified(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
