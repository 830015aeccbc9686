"""A student's notebook beside the assignment: which cell is which, and what is to be executed.

Cells are found by nbgrader's grade_id; where an editor dropped it, answers by the names that they
define, and texts by what stands above them. The student's test cells are left out. Everything else
stays, in the student's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst_edu.classroom.answers import match_cells
from nst_edu.classroom.assignment import Assignment
from nst_edu.classroom.cells import ANSWER, BY_HAND, GIVEN
from nst_edu.classroom.matching import Match
from nst_edu.classroom.raw_cells import RawCell, read_contents
from nst_edu.classroom.reading import Problem, shown

__all__ = ["Cell", "Problem", "Submission", "read_submission"]

OWN = "own"
CLAIM = re.compile(r"^STUDENT[ \t]*=[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)')", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell to be shown, and executed if it is code.

    Attributes
    ----------
    id
        Unique in the submission: letters, digits, ``_ - .``
    kind
        ``code``, ``markdown`` or ``raw``.
    source
        What the student wrote; of a given cell what the teacher wrote.
    grade_id
        The assignment's cell that it answers or is; None for the student's own.
    role
        ``answer``, ``by hand``, ``given`` or ``own``.
    outputs
        As they were handed in: anything may be in them. Of a text cell, its attached pictures.
    """

    id: str
    kind: str
    source: str
    grade_id: str | None = None
    role: str = OWN
    outputs: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Submission:
    """What a student sent, read as data.

    Attributes
    ----------
    student, path
        Whose it is, by the folder or the roster, and the file.
    cells
        In the student's order, without test cells.
    problems
        A sentence for each.
    digest
        SHA-256 of the file; empty if it could not be read.
    claimed
        The id that the notebook itself states; None: none, or a blank.
    found
        grade_id → the ids of the cells that answer it.
    blank
        The grade_ids of answers that are as they were handed out.
    version
        Of the release that the notebook was made from; None: it does not say.
    """

    student: str
    path: Path
    cells: tuple[Cell, ...] = ()
    problems: tuple[Problem, ...] = ()
    digest: str = ""
    claimed: str | None = None
    found: tuple[tuple[str, tuple[str, ...]], ...] = ()
    blank: tuple[str, ...] = ()
    version: str | None = None

    @property
    def readable(self) -> bool:
        """Whether there is something to grade."""
        return not any(problem.fatal for problem in self.problems)

    @property
    def code(self) -> tuple[Cell, ...]:
        """The cells to be executed, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def answers(self, grade_id: str) -> tuple[Cell, ...]:
        """Return the cells that answer a cell of the assignment; more than one if it was split."""
        wanted = dict(self.found).get(grade_id, ())
        return tuple(cell for cell in self.cells if cell.id in wanted)


def read_submission(
    path: Path, student: str, assignment: Assignment, within: Path | None = None
) -> Submission:
    """Read what a student sent; never raise for what is in it.

    Parameters
    ----------
    path
        The file; if it is a link, a folder or no notebook, `Submission.problems` says so.
    student
        The student's id, from the folder or the roster.
    assignment
        What was asked for.
    within
        A folder above `path`: no link on the way from there is followed.
    """
    contents = read_contents(path, within)
    if any(problem.fatal for problem in contents.problems):
        return Submission(student, path, problems=contents.problems, digest=contents.digest)
    match = match_cells(contents.cells, assignment.slots)
    cells = _put_together(contents.cells, match)
    if not assignment.by_hand:  # nobody will look at them, and they can be large
        cells = tuple(replace(c, outputs=()) if c.kind == "code" else c for c in cells)
    claimed = claimed_id(contents.cells)
    version = (contents.release or {}).get("version")
    return Submission(
        student=student,
        path=path,
        cells=cells,
        problems=(*contents.problems, *match.problems, *_claim_problems(claimed, student)),
        digest=contents.digest,
        claimed=claimed,
        found=tuple((slot, tuple(ids)) for slot, ids in match.answers.items()),
        blank=_blank(contents.cells, match),
        version=version if isinstance(version, str) else None,
    )


def _put_together(raw: Sequence[RawCell], match: Match) -> tuple[Cell, ...]:
    """Return the cells to be shown and executed; given ones as the teacher wrote them."""
    slot_of = {cell: slot for slot, cells in match.answers.items() for cell in cells}
    taken = {cell.id for cell in raw}
    cells: list[Cell] = []
    for place in range(len(raw) + 1):
        for slot in match.put_back.get(place, ()):
            new = f"given-{slot.grade_id[:40]}".replace(":", "-")
            while new in taken:
                new += "-"
            taken.add(new)
            cells.append(Cell(new, slot.kind, slot.source, slot.grade_id, GIVEN))
        if place == len(raw) or raw[place].id in match.tests:
            continue
        cell = raw[place]
        if (given := match.given.get(cell.id)) is not None:
            parts = (given.kind, given.source, given.grade_id, GIVEN)
            cells.append(Cell(cell.id, *parts, cell.outputs))
        else:
            grade_id = slot_of.get(cell.id)
            role = OWN if grade_id is None else match.roles[grade_id]
            cells.append(Cell(cell.id, cell.kind, cell.source, grade_id, role, cell.outputs))
    return tuple(cells)


def _blank(raw: Sequence[RawCell], match: Match) -> tuple[str, ...]:
    """Return the answers that are as they were handed out, or not there."""
    sources = {cell.id: cell.source.strip() for cell in raw}
    return tuple(
        grade_id
        for grade_id, stub in match.stubs.items()
        if match.roles[grade_id] in (ANSWER, BY_HAND)
        and all(sources[cell] in ("", stub.strip()) for cell in match.answers[grade_id])
    )


def claimed_id(raw: Sequence[RawCell]) -> str | None:
    """Return the last id that the notebook gives to STUDENT."""
    texts = [text for cell in raw if cell.kind == "code" for text in CLAIM.findall(cell.source)]
    claims = [(double or single).strip() for double, single in texts]
    filled = [claim for claim in claims if claim.strip(".… ")]
    return filled[-1] if filled else None


def _claim_problems(claimed: str | None, student: str) -> list[Problem]:
    """Say so if the notebook is not filled in, or in somebody else's name."""
    if claimed is None:
        text = f'STUDENT is not filled in. The notebook was handed in by "{student}".'
        return [Problem("no-id", text)]
    if claimed.casefold() == student.casefold():
        return []
    text = f"The notebook says STUDENT = {shown(claimed)}, but it was handed in by {student!r}."
    return [Problem("other-id", f"{text} Marks are for {student!r}, with that student's numbers.")]
