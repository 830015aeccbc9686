"""Read a notebook that somebody sent as data: every fault becomes a sentence, never an exception.

Nothing of it is executed, unpickled, rendered or followed.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST = 20_000_000  # bytes of a notebook
MOST_BRACKETS = 1_500_000  # [ and {: each takes a hundred bytes of memory, and 20 MB hold millions
# No link at the end of the path is followed, and a named pipe does not keep us waiting.
FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
DISGUISES = {
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF",
    b"<": "a web page",
    b"\x89PNG": "a picture",
    b"\xff\xd8": "a picture",
    b"\x80": "a pickle",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a submission, in a sentence for the teacher.

    Attributes
    ----------
    kind
        A short name, the same for the same fault.
    text
        The sentence. It may quote the submission: escape it before it goes into a page.
    fatal
        Whether nothing can be graded.
    """

    kind: str
    text: str
    fatal: bool = False

    def __str__(self) -> str:
        return self.text


class UnreadableError(ValueError):
    """A file of which nothing can be graded."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(kind, text, fatal=True)


def read_bytes(path: Path, within: Path | None = None, largest: int = LARGEST) -> bytes:
    """Return a file's content.

    Raises
    ------
    UnreadableError
        If it is no regular file of a sensible size.
    """
    if within is not None:
        for parent in path.relative_to(within).parents:
            if (within / parent).is_symlink() and parent != Path():
                raise UnreadableError(
                    "link", f"The folder {parent} is a link. Links are not followed."
                )
    try:
        status = path.lstat()
        _check_kind(status)
        handle = os.open(path, os.O_RDONLY | FLAGS)
        with os.fdopen(handle, "rb") as file:
            _check_kind(os.fstat(handle))  # it may have been exchanged in between
            data = file.read(largest + 1)
    except OSError as error:
        raise UnreadableError("unreadable", f"The file cannot be read: {error.strerror}.") from None
    if len(data) > largest:
        text = f"The file is larger than {largest / 1e6:g} MB. Most of that is usually outputs: "
        raise UnreadableError(
            "too-large", f"{text}clear them (Edit, Clear Outputs) and save again."
        )
    return data


def _check_kind(status: os.stat_result) -> None:
    """Refuse what is not a regular file."""
    kinds = {
        stat.S_IFLNK: ("link", "a link. Links are not followed; send the notebook itself"),
        stat.S_IFDIR: ("folder", "a folder, not a notebook"),
        stat.S_IFIFO: ("special-file", "a named pipe, not a notebook"),
    }
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        name, text = kinds.get(kind, ("special-file", "a device or a socket, not a notebook"))
        raise UnreadableError(name, f"This is {text}.")


def parse(data: bytes) -> dict[str, Any]:
    """Return the JSON of a notebook of format 4.

    Raises
    ------
    UnreadableError
        If it is something else.
    """
    if not data.strip():
        raise UnreadableError("empty", "The file is empty.")
    for start, what in DISGUISES.items():
        if data.startswith(start):
            raise UnreadableError("not-a-notebook", f"This is {what}, renamed to .ipynb.")
    if data.count(b"[") + data.count(b"{") > MOST_BRACKETS:
        raise UnreadableError("malformed", "The file has millions of lists: it is no notebook.")
    try:
        found = json.loads(data)
    except RecursionError:
        text = "The file nests lists in lists thousands of times: it is no notebook."
        raise UnreadableError("malformed", text) from None
    except MemoryError:
        raise UnreadableError("malformed", "Reading the file takes too much memory.") from None
    except ValueError as error:
        text = f"The file is not valid JSON ({shown(str(error), 120)}): damaged, or cut off."
        raise UnreadableError("malformed", text) from None
    return _checked_format(found)


def _checked_format(found: Any) -> dict[str, Any]:
    """Refuse JSON that is no notebook of format 4."""
    if not isinstance(found, dict):
        raise UnreadableError("not-a-notebook", "The file is JSON, but not a notebook.")
    major = found.get("nbformat", 4)
    if isinstance(found.get("worksheets"), list) or (type(major) is int and major < 4):
        text = "The notebook has the format of before 2015 (nbformat 3 or older)."
        raise UnreadableError("old-format", f"{text} Open it in JupyterLab and save it again.")
    if type(major) is not int or major != 4:
        text = f"The notebook has the format {shown(major)}; this program knows format 4."
        raise UnreadableError("unknown-format", text)
    if not isinstance(found.get("cells"), list):
        raise UnreadableError("no-cells", "The file has no list of cells: it is no notebook.")
    return found


def shown(value: Any, longest: int = 60) -> str:
    """Quote something from a submission, in one line and not too long.

    Examples
    --------
    >>> shown("a" * 100, 10)
    "'aaaaaaaaa…"
    """
    text = repr(value[: 2 * longest]) if isinstance(value, str) else type(value).__name__
    text = repr(value) if type(value) in (int, float, bool) else text
    return text if len(text) <= longest else f"{text[:longest]}…"
