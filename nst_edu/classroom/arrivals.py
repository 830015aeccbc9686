"""Find notebooks in folders; what looks into zip archives is `nst_edu.classroom.archives`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from nst_edu.classroom.archives import JUNK, LARGEST_INNER, Arrival, in_zip, open_zip, wanted
from nst_edu.classroom.reading import LARGEST, Problem, UnreadableError, read_bytes

__all__ = ["Arrival", "find_arrivals"]


def find_arrivals(
    source: Path, opened: ExitStack, without: Path | None = None
) -> tuple[list[Arrival], list[Problem]]:
    """Return the notebooks and students' archives in what a platform made, and what was refused.

    Parameters
    ----------
    source
        A folder, an archive or a notebook.
    opened
        Closes the archive when all is read.
    without
        A folder that is left out: what is collected is not collected again.

    Raises
    ------
    ValueError
        If there is nothing of that name, or it is something else.
    """
    problems: list[Problem] = []
    if source.is_dir():
        apart = None if without is None else without.resolve()
        return list(_in_folder(source, apart, problems)), problems
    if not source.is_file():
        raise ValueError(f"FROM: there is no {source}: give a folder, a .zip or a notebook")
    if source.suffix.lower() == ".zip":
        return list(_in_archive(source, opened, problems)), problems
    if source.suffix.lower() != ".ipynb":
        raise ValueError(f"FROM: {source} is no folder, no .zip and no .ipynb")
    return [_file(source, source.parent, source.name)], problems


def _in_archive(source: Path, opened: ExitStack, problems: list[Problem]) -> Iterator[Arrival]:
    """Yield what is in a platform's archive."""
    try:
        archive = opened.enter_context(open_zip(opened.enter_context(source.open("rb"))))
    except (UnreadableError, OSError) as error:
        kind = error.problem.kind if isinstance(error, UnreadableError) else "unreadable"
        problems.append(Problem(kind, f"{source}: {error}"))
        return
    yield from in_zip(archive, str(source), problems)


def _file(path: Path, root: Path, origin: str) -> Arrival:
    """Return a file on the disk."""
    status = path.lstat()
    largest = LARGEST_INNER if wanted(path.name) == ".zip" else LARGEST
    size = status.st_size if wanted(path.name) == ".zip" else min(status.st_size, LARGEST)
    read = partial(read_bytes, path, root, largest)
    return Arrival(path.relative_to(root).parts, origin, status.st_mtime, size, read)


def _in_folder(root: Path, without: Path | None, problems: list[Problem]) -> Iterator[Arrival]:
    """Yield the notebooks and archives below a folder; no link is followed."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(
            name for name in inner if name not in JUNK and Path(folder, name).resolve() != without
        )
        for name in sorted([*inner, *names]):
            path = Path(folder, name)
            origin = str(path.relative_to(root))
            ending = wanted(name)
            if path.is_symlink() and (ending or name in inner):
                problems.append(Problem("link", f"{origin} is a link. Links are not followed."))
            elif name not in inner and ending:
                yield _file(path, root, origin)
