"""A class list: every name under which a learning platform may know a student, and the one id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nst_edu.classroom.spreadsheet import numbered_rows

ID_COLUMNS = ("id", "student", "student_id", "username", "login")  # the first that is there counts
PARTICIPANT = re.compile(r"Participant ([0-9]+)")  # in the grading worksheet of Moodle


@dataclass(frozen=True)
class Roster:
    """The students of a class.

    Attributes
    ----------
    ids
        In the list's order.
    owners
        Any name, in one spelling → the ids of those who have it.
    about
        The id → the other columns of the list.
    """

    ids: tuple[str, ...] = ()
    owners: dict[str, set[str]] = field(default_factory=dict)
    about: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, names: Iterable[str]) -> str | None:
        """Return the id that some names of one student have in common; None: no one has it."""
        fitting = self.fitting(names)
        common = set.intersection(*fitting) if fitting else set()
        return common.pop() if len(common) == 1 else None

    def fitting(self, names: Iterable[str]) -> list[set[str]]:
        """Return, for each of some names that is in the list, the ids of those who have it.

        Examples
        --------
        >>> roster = Roster(("s1", "s2"), {"kim": {"s1", "s2"}, "12": {"s2"}, "lee": {"s1"}})
        >>> roster.find(["Kim", "12"]), roster.find(["Kim"]), roster.find(["Lee", "12"])
        ('s2', None, None)
        """
        keys = map(spelling, names)
        return [self.owners[key] for key in keys if key in self.owners]


def spelling(name: str) -> str:
    """Return a name in one spelling: case, accents' encoding and spaces do not count.

    Examples
    --------
    >>> spelling(" Jane  DOE") == spelling("jane_doe")
    True
    """
    text = unicodedata.normalize("NFC", name).casefold().replace("_", " ")
    return " ".join(text.split())


def read_roster(path: Path) -> Roster:
    """Read a class list: CSV with a column ``id``, and any others under which a student is known.

    The columns ``name``, ``email``, ``login``, ``number`` … are all taken as names. So is the
    number in ``Participant 10460``, as Moodle's grading worksheet has it. Between the columns may
    stand a comma, a semicolon or a tab.

    Raises
    ------
    ValueError
        If the file is no such list, or not every student in it has an id of their own.
    """
    if not path.exists() or path.is_dir():
        raise ValueError(f"--roster: there is no file {path}: give the class list, a CSV file")
    rows = numbered_rows(path)
    columns = {name.strip().casefold(): name for name in rows[0][1]} if rows else {}
    column = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if column is None:
        raise ValueError(
            f"--roster: {path} has the columns {', '.join(columns) or '(none)'}; expected one with "
            "the name id in its first line, and below it one line for each student"
        )
    students = _by_id(path, column, rows)
    owners: dict[str, set[str]] = {}
    about: dict[str, dict[str, str]] = {}
    for student, row in students.items():
        about[student] = {name: text for name, text in row.items() if name != column}
        for name in _names_in(row):
            owners.setdefault(spelling(name), set()).add(student)
    owners.pop("", None)
    return Roster(tuple(about), owners, about)


def _by_id(
    path: Path, column: str, rows: Sequence[tuple[int, dict[str, str]]]
) -> dict[str, dict[str, str]]:
    """Return the id → the line of each student; empty lines do not count.

    Raises
    ------
    ValueError
        If a student has no id, or two have the same.
    """
    lines: dict[str, list[int]] = {}
    students: dict[str, dict[str, str]] = {}
    for number, row in rows:
        if any(text.strip() for text in row.values()):
            student = row.get(column, "").strip()
            lines.setdefault(student, []).append(number)
            students[student] = row
    if "" in lines:
        raise ValueError(
            f"--roster: {path} has no {column} in {_lines(lines[''])}, but something in other "
            "columns: give each student an id, or remove the line"
        )
    twice = [f"{one!r} in {_lines(found)}" for one, found in lines.items() if len(found) > 1]
    if twice:
        raise ValueError(
            f"--roster: {path} has the same {column} more than once: {'; '.join(twice[:5])}: "
            "give each student one line and an id of their own"
        )
    return students


def _lines(numbers: Sequence[int]) -> str:
    """Return the numbers of some lines as text: the first few are enough."""
    few = ", ".join(map(str, numbers[:5])) + ", …" * (len(numbers) > 5)
    return f"line {few}" if len(numbers) == 1 else f"lines {few}"


def _names_in(row: Mapping[str, str]) -> Iterator[str]:
    """Yield every name in a line of the class list.

    Examples
    --------
    >>> list(_names_in({"id": "s1", "Identifier": "Participant 10460"}))
    ['s1', 'Participant 10460', '10460']
    """
    for text in row.values():
        yield text
        if (found := PARTICIPANT.fullmatch(text.strip())) is not None:
            yield found[1]
