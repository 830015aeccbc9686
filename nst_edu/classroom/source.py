"""Read the teacher's notebook: its tasks, its answers to be marked by hand, and its faults."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nst_edu.classroom import regions
from nst_edu.classroom.assignment import Assignment, HandMarked, SourceTask
from nst_edu.classroom.cells import ANSWER, BY_HAND, FREE, QUESTION, TEST, noted, released, role_of
from nst_edu.classroom.hidden import HiddenTestError, load_task, points_fault
from nst_edu.classroom.regions import KINDS, MARK_SCHEME, STUB
from nst_edu.classroom.source_rules import label, structure_faults

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Assignment", "HandMarked", "SourceError", "SourceTask", "read_assignment"]


STUDENTS = (
    "this looks like the students' version: it has no solution, hidden test or mark scheme. Give "
    "the teacher's notebook"
)


class SourceError(ValueError):
    """A teacher's notebook that cannot be used; the message names every fault that was found."""

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{path} cannot be used as an assignment:\n- " + "\n- ".join(faults))


def read_assignment(path: Path) -> Assignment:
    """Read a teacher's notebook, and execute its hidden tests to get at the tasks.

    Parameters
    ----------
    path
        ``<name>.ipynb`` with nbgrader's metadata and regions.

    Raises
    ------
    SourceError
        If something about it is wrong; every fault is named with its cell.
    """
    cells = read_cells(path)
    faults = structure_faults(cells)
    if faults:
        raise SourceError(path, [STUDENTS] if _is_students(cells) else faults)
    tasks, faults = _tasks(cells)
    if faults:
        raise SourceError(path, faults)
    by_hand = tuple(_by_hand(cells))
    return Assignment(path.stem, path, digest_of(cells), tuple(tasks), by_hand, tuple(cells))


def read_cells(path: Path) -> list[NotebookNode]:
    """Return the cells of the teacher's notebook."""
    import nbformat

    if not path.is_file():
        raise SourceError(path, ["there is no such file: give the teacher's notebook"])
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise SourceError(path, [f"it is no notebook: {type(error).__name__}: {error}"]) from error
    return list(notebook.cells)


def _is_students(cells: Sequence[NotebookNode]) -> bool:
    """Tell whether nothing is hidden in a notebook, and it shows that something was taken away."""
    if any(f"BEGIN {kind}" in cell.source for cell in cells for kind in KINDS):
        return False
    graded = [cell for cell in cells if role_of(cell) != FREE]
    return any("checksum" in noted(cell) or STUB in cell.source for cell in graded)


def digest_of(cells: Sequence[NotebookNode]) -> str:
    """Return a SHA-256 over what the cells say and are for; outputs and ids do not count."""
    parts = [[cell.cell_type, cell.source, noted(cell)] for cell in cells]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _tasks(cells: Sequence[NotebookNode]) -> tuple[list[SourceTask], list[str]]:
    """Return the tasks, and what is wrong with those that are not among them."""
    tasks, faults = [], []
    for number, cell in enumerate(cells, 1):
        if role_of(cell) != TEST:
            continue
        try:
            task = load_task(cells, number)
        except HiddenTestError as error:
            faults.append(str(error))
            continue
        solutions = _cells_defining(task.name, cells)
        if (fault := points_fault(cell, task, number)) is not None:
            faults.append(fault)
        elif len(solutions) != 1:
            text = f"{label(number, cell)}: {len(solutions) or 'no'} answer cells define"
            faults.append(f"{text} {task.name}, the name of its Task; exactly one must")
        else:
            grade_id = noted(cell)["grade_id"]
            tasks.append(SourceTask(grade_id, solutions[0], task, float(task.points)))
    for name, count in Counter(one.task.name for one in tasks).items():
        if count > 1:
            faults.append(f"{count} test cells have a Task with the name {name}: one is enough")
    return tasks, faults


def _cells_defining(name: str, cells: Sequence[NotebookNode]) -> list[str]:
    """Return the grade_id of each answer cell that defines a name."""
    from nst_edu.authoring.solutions import defined_names

    answers = [cell for cell in cells if role_of(cell) == ANSWER]
    return [noted(cell)["grade_id"] for cell in answers if name in defined_names(cell.source)]


def _by_hand(cells: Sequence[NotebookNode]) -> list[HandMarked]:
    """Return the answers that a person marks, with the text above them as the question."""
    found = []
    question = ""
    for cell in cells:
        role = role_of(cell)
        if role in (BY_HAND, QUESTION):
            parts = regions.find_regions(cell.source, MARK_SCHEME)
            texts = [regions.inside(cell.source, part).strip() for part in parts]
            rubric = "\n\n".join(map(_uncommented, texts) if cell.cell_type == "code" else texts)
            asked = released(cell) if role == QUESTION else question
            points = float(noted(cell)["points"])
            found.append(HandMarked(noted(cell)["grade_id"], points, rubric, asked))
        elif cell.cell_type == "markdown":
            question = cell.source
    return found


def _uncommented(text: str) -> str:
    """Return a text that stands in comments, because its cell is code."""
    lines = (line.strip().removeprefix("#") for line in text.split("\n"))
    return "\n".join(line.removeprefix(" ") for line in lines)
