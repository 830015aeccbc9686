"""Find notebooks in folders; what looks into zip archives is `nst_edu.classroom.archives`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from nst_edu.classroom.archives import JUNK, Arrival, in_zip, open_file, wanted
from nst_edu.classroom.reading import Problem, read_bytes

__all__ = ["Arrival", "find_arrivals"]


def find_arrivals(source: Path) -> tuple[list[Arrival], list[Problem]]:
    """Return the notebooks in a folder, an archive or a file, and what was refused.

    Raises
    ------
    ValueError
        If there is nothing of that name, or it is something else.
    """
    problems: list[Problem] = []
    if source.is_dir():
        return list(_in_folder(source, problems)), problems
    if not source.is_file():
        raise ValueError(f"FROM: there is no {source}: give a folder, a .zip or a notebook")
    if source.suffix.lower() == ".zip":
        return list(in_zip(partial(open_file, source), str(source), (), problems)), problems
    if source.suffix.lower() != ".ipynb":
        raise ValueError(f"FROM: {source} is no folder, no .zip and no .ipynb")
    return [_file(source, source.parent, source.name)], problems


def _file(path: Path, root: Path, origin: str) -> Arrival:
    parts = path.relative_to(root).parts
    return Arrival(parts, origin, path.lstat().st_mtime, partial(read_bytes, path, root))


def _in_folder(root: Path, problems: list[Problem]) -> Iterator[Arrival]:
    """Yield the notebooks below a folder; no link is followed."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if name not in JUNK)
        for name in sorted([*inner, *names]):
            path = Path(folder, name)
            origin = str(path.relative_to(root))
            ending = wanted(name)
            if path.is_symlink() and (ending or name in inner):
                problems.append(Problem("link", f"{origin} is a link. Links are not followed."))
            elif name in inner or not ending:
                continue
            elif ending == ".zip":
                parts = path.relative_to(root).with_suffix("").parts
                yield from in_zip(partial(open_file, path), origin, parts, problems)
            else:
                yield _file(path, root, origin)
