"""What is kept of a graded submission, as plain data that goes to a file and comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMAT = 3  # of result.json; a file with another number is graded again

GRADED, HUMAN, UNREADABLE, NOTHING = "graded", "needs a human", "unreadable", "no submission"


@dataclass(frozen=True)
class Key:
    """All that a result depends on: while it stays the same, nothing is graded again.

    Attributes
    ----------
    submission
        SHA-256 of the file's bytes, or of the problem if there is no file to read.
    assignment
        Digest of the source assignment.
    grader
        Version of the package and of the grading.
    seed
        Tells which secret the inputs came from, without giving it away.
    sandbox
        False if the code ran without one.
    """

    submission: str
    assignment: str
    grader: str
    seed: str
    sandbox: bool = True


@dataclass(frozen=True)
class TaskMark:
    """The marks for one task, and why.

    Attributes
    ----------
    task
        The name of the function or value that was asked for.
    points, out_of
        What was earned, of what could be.
    message
        For the student.
    misconception
        The name of the mistake, if it was recognised.
    attempted
        False for an untouched stub.
    lesson
        The lesson that treats it; 0: none in particular.
    human
        Somebody must look: the answer may be there, but it was not found; or the code has a word in
        it that the task forbids.
    proposed
        What the program would give if it had not to ask a person; None: it cannot tell.
    """

    task: str
    points: float
    out_of: float
    message: str
    misconception: str | None = None
    attempted: bool = True
    lesson: int = 0
    human: bool = False
    proposed: float | None = None


@dataclass(frozen=True)
class ByHand:
    """A part that only a person can mark; `points` is None until somebody has."""

    task: str
    out_of: float
    points: float | None = None
    comment: str = ""


@dataclass(frozen=True)
class Graded:
    """What came of one submission.

    Attributes
    ----------
    status
        "graded", "needs a human", "unreadable" or "no submission".
    notes
        What happened, in words for the teacher.
    """

    student: str
    assignment: str
    key: Key
    status: str
    marks: tuple[TaskMark, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Points of all tasks that are marked by the program."""
        return sum(mark.points for mark in self.marks)

    @property
    def out_of(self) -> float:
        """Points that could have been earned in them."""
        return sum(mark.out_of for mark in self.marks)

    @property
    def given(self) -> float:
        """Points that a person has given in the parts marked by hand."""
        return sum(part.points or 0.0 for part in self.by_hand)

    @property
    def open(self) -> float:
        """Points that a person may still give."""
        return sum(part.out_of - (part.points or 0.0) for part in self.waiting)

    @property
    def waiting(self) -> list[TaskMark | ByHand]:
        """What a person is to mark: what only a person can, and what the program could not."""
        if self.status == NOTHING:
            return []
        parts = [part for part in self.by_hand if part.points is None]
        lost = [mark for mark in self.marks if mark.human]
        if self.status == HUMAN and not lost:  # the run was cut off, or is in another name
            lost = [mark for mark in self.marks if mark.points < mark.out_of] or [*self.marks]
        return [*parts, *lost]


def to_json(graded: Graded) -> str:
    """Write a result down; the same result always gives the same text."""
    data = {"format": FORMAT, **asdict(graded)}
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"


def from_json(text: str) -> Graded:
    """Read a result.

    Raises
    ------
    ValueError
        If this is not what `to_json` writes.
    """
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError("it was written by another version")
        key = _made(Key, data.pop("key"))
        marks = tuple(_made(TaskMark, mark) for mark in data.pop("marks"))
        by_hand = tuple(_made(ByHand, part) for part in data.pop("by_hand"))
        notes = tuple(map(str, data.pop("notes")))
        return Graded(**data, key=key, marks=marks, by_hand=by_hand, notes=notes)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"this is not a result of grading: {error}") from error


def _made(kind: type[Any], data: Mapping[str, Any]) -> Any:
    """Build a record; a missing or surplus entry is an error."""
    if set(data) != {field.name for field in fields(kind)}:
        raise ValueError(f"{kind.__name__} has the entries {sorted(data)}")
    return kind(**data)
