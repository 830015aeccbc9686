"""A folder as bytes, to be sent to another machine and back.

What comes out of a sandbox is an enemy's: links, pipes, deep trees and huge files are left behind.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath

MOST_FILES, LARGEST, DEEPEST = 500, 200_000_000, 3  # files, bytes in all, folders in folders


def pack(folder: Path) -> dict[str, bytes]:
    """Return the content of each ordinary file below `folder`, as far as there is room."""
    parcel: dict[str, bytes] = {}
    room = LARGEST
    for path in _files(folder, DEEPEST):
        if len(parcel) == MOST_FILES:
            break
        content = _content(path, room)
        if content is not None:
            parcel[path.relative_to(folder).as_posix()] = content
            room -= len(content)
    return parcel


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Yield what looks like a file, in the order of the names; no link is followed."""
    with os.scandir(folder) as entries:
        some = sorted(islice(entries, MOST_FILES), key=lambda entry: entry.name)
    for entry in some:
        if entry.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from _files(Path(entry.path), depth - 1)
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _content(path: Path, room: int) -> bytes | None:
    """Read one file; None if it is no file any more, or too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_size > room:
            return None
        content = file.read(room + 1)
    return content if len(content) <= room else None


def unpack(parcel: Mapping[str, bytes], folder: Path) -> None:
    """Write a parcel into `folder`.

    Raises
    ------
    ValueError
        If a name in it leads somewhere else.
    """
    for name, content in parcel.items():
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\0" in name:
            raise ValueError(f"the parcel has a file with the name {name!r}")
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
