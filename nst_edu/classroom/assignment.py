"""An assignment: its tasks, its answers to be marked by hand, and the cells they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nst_edu.classroom import regions
from nst_edu.classroom.cells import FREE, Slot, noted, released, role_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nst_edu.classroom.tasks import Task


@dataclass(frozen=True)
class SourceTask:
    """A task, and where it stands.

    Attributes
    ----------
    grade_id
        Of its test cell: nbgrader's gradebook knows the marks by this name.
    solution
        The grade_id of the cell in which students answer.
    task, points
        The checks, and what a right answer earns.
    """

    grade_id: str
    solution: str
    task: Task
    points: float


@dataclass(frozen=True)
class HandMarked:
    """An answer that a person marks.

    Attributes
    ----------
    grade_id, points
        As in nbgrader's gradebook.
    rubric
        The mark scheme, for the person.
    question
        What students were asked.
    """

    grade_id: str
    points: float
    rubric: str
    question: str


@dataclass(frozen=True)
class Assignment:
    """An assignment as the teacher wrote it.

    Attributes
    ----------
    name, path
        The file's name without its ending, and the file.
    digest
        Of all that matters for the marks: changes when a cell changes, not when it is executed.
    tasks, by_hand
        In the notebook's order.
    cells
        The teacher's cells, solutions and hidden tests included: never show them to students.
    """

    name: str
    path: Path
    digest: str
    tasks: tuple[SourceTask, ...]
    by_hand: tuple[HandMarked, ...]
    cells: tuple[NotebookNode, ...]

    @property
    def points(self) -> float:
        """What all tasks together earn."""
        return sum(task.points for task in self.tasks)

    @property
    def points_by_hand(self) -> float:
        """What a person gives at most."""
        return sum(answer.points for answer in self.by_hand)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The cells that must be in a student's notebook, in order."""
        names: dict[str, list[str]] = {}
        for task in self.tasks:
            names.setdefault(task.solution, []).append(task.task.name)
        above = ["", *map(released, self.cells)]
        return tuple(
            Slot(
                grade_id=(grade_id := str(noted(cell)["grade_id"])),
                role=role_of(cell),
                kind=cell.cell_type,
                source=released(cell),
                names=tuple(names.get(grade_id) or regions.names_defined(released(cell))),
                before=before,
            )
            for cell, before in zip(self.cells, above, strict=False)
            if role_of(cell) != FREE
        )
