"""Find notebooks in zip archives that students or learning platforms made.

Archives are never unpacked to a disk: their entries are read one at a time, and not beyond a limit.
"""

from __future__ import annotations

import io
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from nst_edu.classroom.reading import LARGEST, Problem, UnreadableError, shown

LARGEST_INNER = 100_000_000  # bytes of an archive in an archive
MOST_ENTRIES = 100_000
JUNK = ("__MACOSX", ".ipynb_checkpoints", ".git")
ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError),
    *(ValueError, MemoryError),
)


@dataclass(frozen=True)
class Arrival:
    """A notebook that was found.

    Attributes
    ----------
    parts
        The folders and the name, below where the search began.
    origin
        Where it is, for people.
    modified
        Seconds since 1970.
    read
        Returns its content, or raises `UnreadableError`.
    """

    parts: tuple[str, ...]
    origin: str
    modified: float
    read: Callable[[], bytes] = field(compare=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.parts[-1]


def open_file(path: Path) -> IO[bytes]:
    """Open an archive, and no pipe or device of that name."""
    if not path.is_file():
        raise UnreadableError("special-file", "It is no regular file.")
    return path.open("rb")


def _open_entry(opened: Callable[[], IO[bytes]], entry: zipfile.ZipInfo) -> IO[bytes]:
    """Open an archive in an archive."""
    return io.BytesIO(_entry(opened, entry, LARGEST_INNER))


def wanted(name: str) -> str:
    """Return ``.ipynb`` or ``.zip`` if a file is one to look at."""
    path = PurePosixPath(name)
    ending = path.suffix.lower()
    return ending if ending in (".ipynb", ".zip") and not path.name.startswith("._") else ""


def in_zip(
    opened: Callable[[], IO[bytes]],
    origin: str,
    above: Sequence[str],
    problems: list[Problem],
) -> Iterator[Arrival]:
    """Yield the notebooks in an archive.

    Parameters
    ----------
    opened
        Opens it anew.
    origin
        What to call it in messages.
    above
        The folders of an archive that was itself found somewhere, and its name without ``.zip``. In
        such a one no further archive is opened.
    """
    try:
        with opened() as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except UnreadableError as error:
        problems.append(Problem(error.problem.kind, f"{origin}: {error}"))
        return
    except ZIP_ERRORS as error:
        problems.append(Problem("damaged-zip", f"{origin} is no readable zip archive: {error}."))
        return
    if len(entries) > MOST_ENTRIES:
        text = f"{origin} has {len(entries):,} entries: it was not opened."
        problems.append(Problem("zip-bomb", text))
        return
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if entry.is_dir() or set(parts) & set(JUNK) or not wanted(entry.filename):
            continue
        where = f"{origin}: {shown(entry.filename)}"
        if (fault := _fault(entry, bool(above))) is not None:
            problems.append(Problem(fault[0], f"{where} {fault[1]} It was refused."))
        elif wanted(entry.filename) == ".zip":
            inner = partial(_open_entry, opened, entry)
            name = f"{origin}/{entry.filename}"
            yield from in_zip(inner, name, (*above, *parts[:-1], parts[-1][:-4]), problems)
        else:
            read = partial(_entry, opened, entry, LARGEST)
            name = f"{origin}/{entry.filename}"
            yield Arrival((*above, *parts), name, _modified(entry), read)


def _fault(entry: zipfile.ZipInfo, inner: bool) -> tuple[str, str] | None:
    """Return why an entry is refused; None if it is not."""
    name = entry.orig_filename
    if name.startswith(("/", "\\")) or ":" in name[:2] or "\0" in name:
        return "zip-slip", "has an absolute name."
    if ".." in name.replace("\\", "/").split("/"):
        return "zip-slip", "points out of its folder."
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "zip-link", "is a link."
    if entry.flag_bits & 1:
        return "encrypted", "is locked with a password."
    is_zip = wanted(name) == ".zip"
    if is_zip and inner:
        return "zip-in-zip", "is an archive in an archive in an archive."
    largest = LARGEST_INNER if is_zip else LARGEST
    if entry.file_size > largest:
        return (
            "zip-bomb",
            f"unpacks to {entry.file_size / 1e6:,.0f} MB; {largest / 1e6:g} are read.",
        )
    return None


def _entry(opened: Callable[[], IO[bytes]], entry: zipfile.ZipInfo, largest: int) -> bytes:
    """Read one entry, and not more than its limit, whatever size it states."""
    try:
        with opened() as file, zipfile.ZipFile(file) as archive, archive.open(entry) as content:
            data = content.read(largest + 1)
    except UnreadableError:
        raise
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
