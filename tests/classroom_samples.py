"""A tiny assignment in nbgrader's format, and notebooks as students send them in.

Two function tasks (6 and 4 points), one value task (3), one answer marked by hand (5).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

NAME = "sample"
STUDENT = "ada"
POINTS = {"my_masked_mean": 6.0, "my_scaled": 4.0, "my_sizes": 3.0}  # by task
TESTS = {name: f"{name.removeprefix('my_')}_test" for name in POINTS}  # the test cells' grade_id
BY_HAND = "opinion"

SET_UP = """\
import torch

from nst_edu.classroom import tasks
from nst_edu.exercises.checking import Misconception"""

STUDENT_CELL = """\
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION"""

MASKED_MEAN = """\
def my_masked_mean(features, mask):
    ### BEGIN SOLUTION
    weighted = features * mask
    return weighted.sum() / mask.sum()
    ### END SOLUTION"""

MASKED_MEAN_TEST = """\
example = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 1.0, 0.0])
print("example right:", tasks.agrees(my_masked_mean, example, torch.tensor(1.5)))
### BEGIN HIDDEN TESTS
def masked_mean(features, mask):
    hidden_total = (features * mask).sum()
    return hidden_total / mask.sum()


def cases(generator):
    shapes = [(2, 3, 5, 7), (1, 2, 4, 3)]
    types = [torch.float64, torch.float32]
    return [
        (
            torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype),
            (torch.rand(shape, generator=generator) > 0.5).to(dtype).clamp(min=0.25),
        )
        for shape, dtype in zip(shapes, types)
    ]


TASK = tasks.Task(
    name="my_masked_mean",
    points=6,
    reference=masked_mean,
    cases=cases,
    misconceptions=(
        Misconception(
            "divided-by-all",
            "You divided by the number of all entries. How many does the mask let through?",
            wrong=lambda features, mask: (features * mask).mean(),
        ),
    ),
    credit={"divided-by-all": 0.5},
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS"""

SCALED = """\
def my_scaled(features, factor):
    ### BEGIN SOLUTION
    scaled_features = factor * features
    return scaled_features
    ### END SOLUTION"""

SCALED_TEST = """\
print("example right:", tasks.agrees(my_scaled, (torch.ones(2), 3.0), torch.full((2,), 3.0)))
### BEGIN HIDDEN TESTS
def scaled_cases(generator):
    return [
        (torch.randn(3, 5, generator=generator), 2.5),
        (torch.randn(4, generator=generator, dtype=torch.float64), -0.75),
    ]


TASK = tasks.Task(
    name="my_scaled",
    points=4,
    reference=lambda features, factor: factor * features,
    cases=scaled_cases,
    misconceptions=(
        Misconception(
            "added", "You added the factor.", wrong=lambda features, factor: features + factor
        ),
    ),
    credit={"added": 0.25},
    lesson=1,
    forbidden=("einsum",),
)
TASK.mark(globals())
### END HIDDEN TESTS"""

SIZES = """\
generator = tasks.personal(STUDENT, "sizes")
my_height, my_width = torch.randint(5, 50, (2,), generator=generator).tolist()
my_sizes = ...
### BEGIN SOLUTION
my_sizes = {"height": my_height // 2, "width": my_width // 2}
### END SOLUTION"""

SIZES_TEST = """\
print("a dictionary:", isinstance(my_sizes, dict))
### BEGIN HIDDEN TESTS
def right_sizes(generator):
    whole = torch.randint(5, 50, (2,), generator=generator).tolist()
    return {"height": whole[0] // 2, "width": whole[1] // 2}


TASK = tasks.Task(name="my_sizes", points=3, reference=right_sizes, lesson=3)
TASK.mark(globals())
### END HIDDEN TESTS"""

OPINION = """\
Style is what the mean over all positions keeps: a model answer that no student may see.

### BEGIN MARK SCHEME
Three points for naming the positions, two for an example.
### END MARK SCHEME"""

# What a good student writes in each cell.
HONEST = {
    "student": f'STUDENT = "{STUDENT}"',
    "masked_mean": "def my_masked_mean(features, mask):\n"
    "    return (features * mask).sum() / mask.sum()",
    "scaled": "def my_scaled(features, factor):\n    return features * factor",
    "sizes": 'generator = tasks.personal(STUDENT, "sizes")\n'
    "my_height, my_width = torch.randint(5, 50, (2,), generator=generator).tolist()\n"
    'my_sizes = {"height": my_height // 2, "width": my_width // 2}',
    BY_HAND: "The mean over all positions keeps the style.",
}
# A mistake that is recognised: 3 of 6 points.
HALF = "def my_masked_mean(features, mask):\n    return (features * mask).mean()"


def nbgrader(
    grade_id: str, *, points: float | None = None, solution: bool = False, locked: bool = False
) -> dict[str, Any]:
    """Return the metadata of a cell; one with `points` is graded."""
    found: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
    }
    return {"nbgrader": found if points is None else {**found, "points": points}}


def code(source: str, **metadata: Any) -> NotebookNode:
    """Return a code cell without an id; `finished` gives one."""
    cell: NotebookNode = nbformat.v4.new_code_cell(source, metadata=metadata)
    return cell


def markdown(source: str, **metadata: Any) -> NotebookNode:
    """Return a markdown cell."""
    cell: NotebookNode = nbformat.v4.new_markdown_cell(source, metadata=metadata)
    return cell


def finished(cells: list[NotebookNode]) -> NotebookNode:
    """Return a notebook with the same cell ids each time."""
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat_minor = 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


def source() -> NotebookNode:
    """Return the teacher's notebook, with solutions and hidden tests."""
    return finished(
        [
            markdown("# A tiny assignment", **nbgrader("title", locked=True)),
            code(SET_UP, **nbgrader("set_up", locked=True)),
            code(STUDENT_CELL, **nbgrader("student", solution=True)),
            markdown("## 1. The mean under a mask\n\nWrite `my_masked_mean`."),
            code(MASKED_MEAN, **nbgrader("masked_mean", solution=True)),
            code(MASKED_MEAN_TEST, **nbgrader("masked_mean_test", points=6, locked=True)),
            markdown("## 2. A multiple\n\nWrite `my_scaled`."),
            code(SCALED, **nbgrader("scaled", solution=True)),
            code(SCALED_TEST, **nbgrader("scaled_test", points=4, locked=True)),
            markdown("## 3. Sizes\n\nHalve your sizes, rounded down."),
            code(SIZES, **nbgrader("sizes", solution=True)),
            code(SIZES_TEST, **nbgrader("sizes_test", points=3, locked=True)),
            markdown("## 4. What is style?\n\nAnswer in two sentences."),
            markdown(OPINION, **nbgrader(BY_HAND, points=5, solution=True)),
        ]
    )


def cleared() -> NotebookNode:
    """Return what a student gets, made here without `nst_edu.classroom.release`."""
    notebook = source()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == BY_HAND:
            cell.source = "YOUR ANSWER HERE"
        given_above = "STUDENT =" in cell.source or "my_sizes = ..." in cell.source
        stub = None if given_above else "...  # your answer"
        cell.source = _without(cell.source, "SOLUTION", stub)
        cell.source = _without(cell.source, "HIDDEN TESTS")
    return notebook


def _without(text: str, region: str, stub: str | None = None) -> str:
    """Cut a region out of a cell, and put `stub` in its place."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        if f"BEGIN {region}" in line:
            inside = True
            if stub is not None:
                lines.append(line[: len(line) - len(line.lstrip())] + stub)
        elif f"END {region}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def submission(
    answers: Mapping[str, str] | None = None, student: str | None = STUDENT
) -> NotebookNode:
    """Return a student's notebook.

    Parameters
    ----------
    answers
        By grade_id, in place of the honest ones.
    student
        What the notebook says; None: left blank.
    """
    notebook = cleared()
    named = {} if student is None else {"student": f'STUDENT = "{student}"'}
    written = {**HONEST, **named, **(answers or {})}
    if student is None:
        del written["student"]
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in written:
            cell.source = written[grade_id]
    return copy.deepcopy(notebook)


def cell_of(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell with a grade_id."""
    cells: list[NotebookNode] = notebook.cells
    return next(c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def write(notebook: NotebookNode, path: Path) -> Path:
    """Write a notebook, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_source(folder: Path) -> Path:
    """Write the teacher's notebook as nbgrader keeps it: ``folder/sample/sample.ipynb``."""
    return write(source(), folder / NAME / f"{NAME}.ipynb")


def write_submission(
    folder: Path, student: str = STUDENT, answers: Mapping[str, str] | None = None
) -> Path:
    """Write a student's notebook: ``folder/STUDENT/sample/sample.ipynb``."""
    return write(submission(answers, student), folder / student / NAME / f"{NAME}.ipynb")
