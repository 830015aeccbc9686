"""What an attack is, and the ways to hand one in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from nst_edu.classroom.records import GRADED, HUMAN, UNREADABLE
from tests import classroom_samples as samples

__all__ = ["GRADED", "HUMAN", "UNREADABLE"]

FULL, NOT_SCALED, ONLY_FIRST, NOTHING = (6, 4, 3), (6, 0, 3), (6, 0, 0), (0, 0, 0)
# s for a cell, and for a task: more than a machine may stand still while somebody answers honestly.
SECONDS = 6.0
TIMED = (f"the cell with it stopped with CellTimeLimit: stopped after {SECONDS:g} s",)
ZEROS = "def my_scaled(features, factor):\n    return torch.zeros_like(features)\n"


@dataclass(frozen=True)
class Field:
    """Where attacks take place, and what an attacker may know.

    Attributes
    ----------
    submissions
        The folder with the class's notebooks.
    places
        Files of the teacher's and of other students: the attacker knows all their paths.
    port
        Somebody listens there on this machine.
    trap
        A file that appears if the teacher's process runs or unpickles anything.
    victim
        A neighbour's id.
    constants
        The right results of the neighbour's second task, as lists.
    """

    submissions: Path
    places: tuple[Path, ...]
    port: int
    trap: Path
    victim: str
    constants: tuple[list[object], ...]


Make = Callable[[Field, str], None]
Outcome = tuple[tuple[float, ...], tuple[str, ...], str]  # the marks, the words, the status


@dataclass(frozen=True)
class Attack:
    """A submission that does harm, or wants points for nothing.

    Attributes
    ----------
    student
        The id under which it is found.
    tries
        What it does, in words.
    make
        Writes it into the field.
    marks
        The right points for the three tasks.
    says
        Words in the notes and messages of the result.
    shows
        Words that the feedback page or the log must have.
    status
        As in `records`.
    elsewhere
        Where the machine is slower or faster, other limits may come first: the marks, words and
        status that are as right.
    """

    student: str
    tries: str
    make: Make
    marks: tuple[float, ...] = NOT_SCALED
    says: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    status: str = GRADED
    elsewhere: tuple[Outcome, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The ways in which it may end."""
        return ((self.marks, self.says, self.status), *self.elsewhere)


def path_of(field: Field, student: str) -> Path:
    """Return where a notebook is handed in as usual."""
    return field.submissions / student / samples.NAME / f"{samples.NAME}.ipynb"


def answer(**answers: str) -> Make:
    """Hand in code in place of honest answers."""

    def make(field: Field, student: str) -> None:
        samples.write(samples.submission(answers, student), path_of(field, student))

    return make


def own_cell(code: str, **answers: str) -> Make:
    """Hand in a cell that runs before all answers, which are honest but for `answers`."""

    def make(field: Field, student: str) -> None:
        notebook = samples.submission(answers, student)
        notebook.cells.insert(3, nbformat.v4.new_code_cell(code, id="mine"))
        samples.write(notebook, path_of(field, student))

    return make


def with_places(code: str) -> Make:
    """Hand in code that knows the teacher's paths, and an answer of zeros."""

    def make(field: Field, student: str) -> None:
        known = f"PLACES = {[str(place) for place in field.places]!r}\n"
        own_cell(known + code, scaled=ZEROS)(field, student)

    return make


def raw(content: bytes | Callable[[str], bytes]) -> Make:
    """Hand in a file with these bytes."""

    def make(field: Field, student: str) -> None:
        path = path_of(field, student)
        path.parent.mkdir(parents=True)
        path.write_bytes(content if isinstance(content, bytes) else content(student))

    return make
