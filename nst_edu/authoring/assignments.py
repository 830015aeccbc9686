"""Build assignments: ``python -m nst_edu.authoring.assignments [--check] [--folder F] [NAME …]``.

Each text ``F/text/NAME.py`` is executed and becomes ``F/NAME/NAME.ipynb``: the teacher's notebook
in nbgrader's format, with solutions, hidden tests and outputs. With ``--check`` nothing is executed
or written: it says which notebook disagrees with its text, and which solution does not earn its
points. How to write a text: ``notebooks/instructor/writing_an_assignment.md``.

In the text the metadata of a cell are short, ``# %% nbgrader={"grade_id": "gram", "solution":
true}``; what is missing there is false.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

try:
    import nbformat
    from nbclient.exceptions import CellExecutionError
    from nbformat import NotebookNode

    from nst_edu.authoring.build import tidy_outputs
    from nst_edu.authoring.execute import execute
    from nst_edu.authoring.texts import NOTEBOOKS, find_texts, read_text
except ModuleNotFoundError as missing:
    if __name__ != "__main__":
        raise
    sys.exit(
        f"{missing.name} is not installed. In the folder of the course, run: "
        'python -m pip install --editable ".[lab,classroom]"'
    )

ASSIGNMENTS = NOTEBOOKS / "assignments"
DEFAULTS = {
    "schema_version": 3,
    "grade": False,
    "locked": False,
    "solution": False,
    "task": False,
}
PARTS = ("cell_type", "source", "metadata", "id")
# In the code: the name of a Task; the name with which a student's own numbers are drawn.
TASK = re.compile(r"""\bTask\(\s*name\s*=\s*["'](?:my_)?(\w+)["']""")
DRAWN = re.compile(r"""\bpersonal\(\s*\w+\s*,\s*["'](?:my_)?(\w+)["']""")
LONGEST = 300  # characters of what a test printed


def assignment_path(text: Path) -> Path:
    """Return the notebook that belongs to ``F/text/NAME.py``: ``F/NAME/NAME.ipynb``."""
    return text.parent.parent / text.stem / f"{text.stem}.ipynb"


def read_assignment_text(text: Path) -> NotebookNode:
    """Read an assignment's text as a notebook with stable cell ids and nbgrader's full metadata.

    Parameters
    ----------
    text
        ``text/NAME.py``, in any folder.
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
    for folder in (NOTEBOOKS.parent, text.parent.parent):
        tidy_outputs(notebook, folder.resolve())
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
    return [*found, *lost_points(stored)]


def lost_points(notebook: NotebookNode) -> Iterator[str]:
    """Say where a solution does not earn all points, and what the cause may be."""
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    for grade_id, points, mark in marks(notebook):
        if mark != points:
            cause = _cause(cells[grade_id], notebook, mark)
            yield f"{grade_id}: the solution earned {mark} of {points:g} points. {cause}"


def _cause(cell: NotebookNode, notebook: NotebookNode, mark: float | None) -> str:
    """Return the likeliest cause for lost points."""
    if mark is None:
        return "The last line of its hidden tests must be TASK.mark(globals()), without a semicolon"
    code = "\n".join(other.source for other in notebook.cells if other.cell_type == "code")
    name = TASK.search(cell.source)
    strange = sorted({*DRAWN.findall(code)} - {*TASK.findall(code)})
    if name is not None and strange and not re.search(r"\bcases\s*=", cell.source):
        return (
            f'A likely cause: the notebook draws with tasks.personal(STUDENT, "{strange[0]}"), and '
            f"no Task is named my_{strange[0]}. The Task here is named my_{name[1]}: the two must "
            f'agree, as in tasks.personal(STUDENT, "{name[1]}")'
        )
    streams = (o.text for o in cell.outputs if o.output_type == "stream")
    printed = " ".join("".join(streams).split())[-LONGEST:]
    return f'Its test printed: "{printed}"' if printed else "Its test printed nothing"


def check(folder: Path, names: list[str]) -> list[str]:
    """Return one line for each disagreement between the assignments in `folder` and their texts."""
    found = [
        f"{text.stem}: {difference}. Run: {_command(folder)} {text.stem}"
        for text in find_texts(folder, names)
        for difference in differences(text)
    ]
    known = {text.stem for text in find_texts(folder)}
    orphans = [path for path in sorted(folder.glob("*/*.ipynb")) if path.stem not in known]
    return found + [f"{path.name}: has no text/{path.stem}.py to be built from" for path in orphans]


def _command(folder: Path) -> str:
    """Return how to build what is in a folder."""
    own = "" if folder == ASSIGNMENTS else f" --folder {folder}"
    return f"python -m nst_edu.authoring.assignments{own}"


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
    text = "where text/NAME.py lies, and NAME/NAME.ipynb is written (default: the course's own)"
    parser.add_argument("--folder", metavar="F", type=Path, default=ASSIGNMENTS, help=text)
    options = parser.parse_args(arguments)
    if not find_texts(options.folder):
        parser.error(f"--folder: there is no text in {options.folder / 'text'}: write text/NAME.py")
    try:
        problems = (check if options.check else build)(options.folder, options.names)
    except ValueError as error:
        parser.error(str(error))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
