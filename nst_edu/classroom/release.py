"""Write the students' version of an assignment: ``nst-edu classroom release``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.classroom.assignment import Assignment

MANIFEST = "manifest.json"
NOT_RELEASED = {".ipynb", ".py", ".pyc", ".db"}  # endings of files beside the notebook
# The solution may be in one of these, and nobody would see it.
PACKED = {".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z", ".rar", ".whl", ".jar"}


def release(sources: Sequence[Path], to: Path, *, check: bool = True) -> list[Path]:
    """Write the students' version of each assignment to ``to/<name>/``; all or nothing.

    Parameters
    ----------
    sources
        The teacher's notebooks.
    to
        A folder; it is made if it is missing.
    check
        Whether to run each solution first: it must earn full marks.

    Returns
    -------
    list of Path
        The notebooks that were written. Beside each stands a manifest.

    Raises
    ------
    ValueError
        If a source has a fault, its solution does not earn full marks, or something would leak.
        Then nothing is written.
    """
    from nst_edu.classroom.files import write_atomic
    from nst_edu.classroom.solution import check_solution
    from nst_edu.classroom.source import read_assignment
    from nst_edu.classroom.student_version import manifest_of

    contents: dict[Path, bytes] = {}
    notebooks = []
    for source in sources:
        assignment = read_assignment(source)
        folder = to / assignment.name
        if (folder / source.name).resolve() == source.resolve():
            raise ValueError(f"--to {to} would overwrite the source {source}: give another folder")
        if folder / source.name in contents:
            raise ValueError(f"two sources have the name {assignment.name}: rename one of them")
        files = _files(assignment)
        manifest = json.dumps(manifest_of(assignment, files), indent=1, ensure_ascii=False) + "\n"
        files[MANIFEST] = manifest.encode()
        contents |= {folder / name: data for name, data in files.items()}
        notebooks.append(folder / source.name)
        if check:
            check_solution(assignment)
    for path, data in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    return notebooks


def _files(assignment: Assignment) -> dict[str, bytes]:
    """Return the notebook, and the files beside it if it has a folder of its own, by name."""
    import nbformat

    from nst_edu.classroom import leaks
    from nst_edu.classroom.student_version import refusal, student_version

    notebook = student_version(assignment)
    text: str = nbformat.writes(notebook)
    files = {assignment.path.name: (text.rstrip("\n") + "\n").encode()}
    secrets = leaks.secrets_in(assignment.cells)
    for path in _beside(assignment):
        if path.suffix.lower() in PACKED:
            raise ValueError(
                f"{path} lies beside the notebook and would be handed out: unpack it, so that it "
                "can be searched for solutions, or put it into another folder"
            )
        data = path.read_bytes()
        texts = (data.decode(encoding, errors="ignore") for encoding in ("utf-8", "utf-16"))
        found = [leak for text in texts for leak in leaks.leaks_in_text(secrets, text, path.name)]
        if found:
            raise leaks.LeakError(refusal(assignment, found))
        files[path.name] = data
    return files


def _beside(assignment: Assignment) -> Iterator[Path]:
    """Yield the files that nbgrader would hand out, too: data and pictures in the same folder."""
    folder = assignment.path.resolve().parent
    if folder.name != assignment.name:
        return
    for path in sorted(folder.iterdir()):
        usual = path.suffix not in NOT_RELEASED and not path.name.startswith(".")
        if usual and path.is_file() and not path.is_symlink() and path.name != MANIFEST:
            yield path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``nst-edu classroom release``."""
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+", type=Path, help="the teacher's notebook (.ipynb)"
    )
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, required=True, help="where to write FOLDER/NAME/"
    )
    text = "do not run the solution to see whether it earns full marks"
    parser.add_argument("--no-check", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    """Run ``nst-edu classroom release``; a fault in a source is a ValueError."""
    for path in release(args.sources, args.to, check=not args.no_check):
        manifest = json.loads((path.parent / MANIFEST).read_text(encoding="utf-8"))
        by_hand = f" and {manifest['points_by_hand']:g} by hand" if manifest["by_hand"] else ""
        points = f"{manifest['points']:g} points{by_hand}, {len(manifest['tasks'])} tasks"
        print(f"{path}: {points}, version {manifest['version']}")
        more = sorted({one.name for one in path.parent.iterdir()} - {path.name, MANIFEST})
        if more:
            print(f"  with it: {', '.join(more)}")
    return 0
