"""Take what a run has written: plain files only, and no more than the limits say; and clean up."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

from nst_edu.classroom.limits import Limits

DEEPEST = 4  # folders in folders in `out` that are taken
CHUNK = 1 << 20


class _FullError(Exception):
    """There is more than the limits allow."""


def fetch(folder: int, to: Path, limits: Limits) -> bool:
    """Copy the plain files below an open folder; leave links, pipes and devices where they are.

    Parameters
    ----------
    folder
        A file descriptor of the sandbox's ``out``, all of whose processes have ended.
    to
        A folder of the teacher's, in which nobody else writes.

    Returns
    -------
    bool
        Whether there was no more than the limits allow. The rest was not copied.
    """
    try:
        _fetch(folder, to, _Room(limits), DEEPEST)
    except _FullError:
        return False
    return True


class _Room:
    """How much may still be copied."""

    def __init__(self, limits: Limits) -> None:
        self.size, self.files, self.largest = limits.space, limits.files, limits.file_size

    def take(self, size: int) -> None:
        """Count an entry of so many bytes."""
        self.size -= size
        self.files -= 1
        if self.size < 0 or self.files < 0 or size > self.largest:
            raise _FullError


def _fetch(folder: int, to: Path, room: _Room, deepest: int) -> None:
    """Copy the files of one folder, and its folders."""
    with os.scandir(folder) as entries:
        for entry in entries:
            room.take(0)
            with contextlib.suppress(OSError):  # its owner has taken the right to read it away
                if entry.is_dir(follow_symlinks=False) and deepest > 0:
                    _fetch_folder(folder, entry.name, to, room, deepest)
                elif entry.is_file(follow_symlinks=False):
                    _fetch_file(folder, entry.name, to, room)


def _fetch_folder(parent: int, name: str, to: Path, room: _Room, deepest: int) -> None:
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        (to / name).mkdir(exist_ok=True)
        _fetch(folder, to / name, room, deepest - 1)
    finally:
        os.close(folder)


def _fetch_file(parent: int, name: str, to: Path, room: _Room) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    with os.fdopen(source, "rb") as file:
        state = os.fstat(source)
        if stat.S_ISREG(state.st_mode):
            room.take(state.st_size)
            with (to / name).open("wb") as copy:
                shutil.copyfileobj(file, copy, CHUNK)


def clean(scratch: Path) -> None:
    """Remove a scratch folder with all that is in it, whatever it is.

    The tools of the system go as deep as the folders do, and never follow a link.
    """
    if scratch.is_symlink() or not scratch.is_dir():
        scratch.unlink(missing_ok=True)
        return
    for tool in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        subprocess.run([*tool, "--", str(scratch)], capture_output=True, check=False)
    if scratch.exists():
        raise OSError(f"{scratch} cannot be removed: look who owns it, and remove it by hand")
