"""Build the assignments: ``python -m nst_edu.authoring.assignments [--check] [NAME …]``.

Each text ``notebooks/assignments/text/NAME.py`` is executed and becomes
``notebooks/assignments/NAME/NAME.ipynb``: the teacher's notebook in nbgrader's format, with
solutions, hidden tests and outputs. With ``--check`` nothing is executed or written: it says which
notebook disagrees with its text.

In the text the metadata of a cell are short, ``# %% nbgrader={"grade_id": "gram", "solution":
true}``; what is missing there is false.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from nst_edu.authoring.build import tidy_outputs
from nst_edu.authoring.execute import execute
from nst_edu.authoring.texts import NOTEBOOKS, find_texts, read_text

ASSIGNMENTS = NOTEBOOKS / "assignments"
DEFAULTS = {
    "schema_version": 3,
    "grade": False,
    "locked": False,
    "solution": False,
    "task": False,
}
PARTS = ("cell_type", "source", "metadata", "id")


def assignment_path(text: Path) -> Path:
    """Return the notebook that belongs to ``text/NAME.py``: ``NAME/NAME.ipynb``."""
    return text.parent.parent / text.stem / f"{text.stem}.ipynb"


def read_assignment_text(text: Path) -> NotebookNode:
    """Read an assignment's text as a notebook with stable cell ids and nbgrader's full metadata.

    Parameters
    ----------
    text
        ``notebooks/assignments/text/NAME.py``.
    """
    notebook = read_text(text)
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader = nbformat.from_dict({**DEFAULTS, **cell.metadata.nbgrader})
    return notebook


def build_assignment(text: Path) -> None:
    """Execute an assignment's text, and write its notebook.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails. An older notebook is then left as it was.
    """
    path = assignment_path(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = read_assignment_text(text)
    execute(notebook, path.parent)
    tidy_outputs(notebook, text.parents[3].resolve())
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def marks(notebook: NotebookNode) -> Iterator[tuple[str, float, float | None]]:
    """Yield (grade_id, points, mark in the outputs) for each test cell.

    The mark is None where the cell returned no number.
    """
    for cell in notebook.cells:
        found = cell.metadata.get("nbgrader", {})
        if found.get("grade") and not found.get("solution"):
            yield found["grade_id"], float(found["points"]), _mark(cell)


def _mark(cell: NotebookNode) -> float | None:
    """Return the number that a cell's last line returned."""
    for output in cell.outputs:
        if output.output_type == "execute_result":
            try:
                return float(ast.literal_eval(output.data["text/plain"]))
            except (KeyError, SyntaxError, TypeError, ValueError):
                return None
    return None


def differences(text: Path) -> list[str]:
    """Say where a notebook disagrees with its text, or its solutions do not earn full marks.

    Nothing is executed here.
    """
    path = assignment_path(text)
    if not path.exists():
        return ["the notebook is missing"]
    wanted, stored = read_assignment_text(text), nbformat.read(path, as_version=4)
    found = []
    if stored.metadata != wanted.metadata:
        found.append("its metadata are not those that the builder writes")
    if len(stored.cells) != len(wanted.cells):
        found.append(f"it has {len(stored.cells)} cells, the text has {len(wanted.cells)}")
    for number, (cell, model) in enumerate(zip(stored.cells, wanted.cells, strict=False), 1):
        parts = [part for part in PARTS if cell.get(part) != model[part]]
        if parts:
            found.append(f"cell {number}: another {', '.join(parts)} than in the text")
        if cell.cell_type == "code" and cell.execution_count is None:
            found.append(f"cell {number}: was not executed")
    return found + [
        f"{grade_id}: the solution earned {mark} of {points:g} points"
        for grade_id, points, mark in marks(stored)
        if mark != points
    ]


def check(folder: Path, names: list[str]) -> list[str]:
    """Return one line for each disagreement between the assignments in `folder` and their texts."""
    found = [
        f"{text.stem}: {difference}. Run: python -m nst_edu.authoring.assignments {text.stem}"
        for text in find_texts(folder, names)
        for difference in differences(text)
    ]
    known = {text.stem for text in find_texts(folder)}
    orphans = [path for path in sorted(folder.glob("*/*.ipynb")) if path.stem not in known]
    return found + [f"{path.name}: has no text/{path.stem}.py to be built from" for path in orphans]


def build(folder: Path, names: list[str]) -> list[str]:
    """Build notebooks, say what each earned, and return what is still to be put right."""
    problems = []
    for text in find_texts(folder, names):
        try:
            build_assignment(text)
        except CellExecutionError as error:
            problems.append(f"{text.stem}: not built, a cell failed.\n{error}")
            continue
        notebook = nbformat.read(assignment_path(text), as_version=4)
        earned = sum(mark or 0 for _, _, mark in marks(notebook))
        print(f"{text.stem}: {earned:g} points", flush=True)
        problems += [f"{text.stem}: {difference}" for difference in differences(text)]
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all is well, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="python -m nst_edu.authoring.assignments", description=__doc__
    )
    parser.add_argument("names", nargs="*", help="assignments, or how they begin (default: all)")
    parser.add_argument("--check", action="store_true", help="compare only, execute nothing")
    parser.add_argument("--folder", type=Path, default=ASSIGNMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        problems = (check if options.check else build)(options.folder, options.names)
    except ValueError as error:
        parser.error(str(error))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
