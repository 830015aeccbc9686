"""Write files that are whole or not there, and make folder names of anything."""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from nst_edu.classroom.leftovers import clean

LONGEST = 100  # characters of a folder's name; most file systems take 255 bytes
CLASS = "class.csv"  # the class list as it was last given, beside the marks
PART = ".part"  # ends the name of a file that is being written
SCRATCH = "nst-edu-grade-"  # begins the name of a folder for temporary files


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that after a crash the old or the new content is there, never a mixture."""
    # A lone surrogate, which JSON knows and UTF-8 does not, is written as JSON's escape.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    part = path.with_name(f".{path.name}{PART}")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last through a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def safe_name(text: str) -> str:
    """Return a name that is one folder below where it is put, and the same for the same text.

    Letters, digits, ``_ - . ~ @`` stay; all else is written as ``%`` and two digits. No name begins
    with a dot, and none is that of a file which the grader writes beside the students' folders:
    those have a dot or are listed in `RESERVED`.

    Examples
    --------
    >>> safe_name("amina"), safe_name("../secret"), safe_name("secret"), safe_name("")
    ('amina', '%2E.%2Fsecret', '%73ecret', '%')
    """
    name = quote(unicodedata.normalize("NFC", text), safe="@", errors="surrogatepass")
    if not name:
        return "%"
    if len(name) > LONGEST:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
        name = f"{name[: LONGEST - 17].rstrip('%')}%-{digest}"
    if name.startswith(".") or name.lower() in RESERVED:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    return name


# Names in the folder of the marks that no student's folder may have.
RESERVED = frozenset(
    {
        *("secret", "assignment.json", "marks.csv", "junit.xml", "report.html"),
        *("by_hand.csv", "by_hand.html", CLASS),
    }
)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second grader out of `folder`; the lock ends with the process, however it ends.

    Raises
    ------
    ValueError
        If another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where there is no sandbox either
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another 'nst-edu classroom grade' writes to {folder}: wait until it has ended"
            ) from None
        yield


@contextmanager
def scratch_folder(note: Path) -> Iterator[Path]:
    """Make a folder for temporary files, and remove it at the end with all that is in it.

    Parameters
    ----------
    note
        A file in which its path stands meanwhile: if the process is killed, the next one that
        gives the same `note` removes what was left.
    """
    with suppress(OSError):
        left = Path(note.read_text(encoding="utf-8").strip())
        if left.name.startswith(SCRATCH) and left.lstat().st_uid == os.geteuid():
            clean(left)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    try:
        write_atomic(note, f"{folder}\n")
        yield folder
    finally:
        clean(folder)
        note.unlink(missing_ok=True)
