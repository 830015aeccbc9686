"""A class list: every name under which a learning platform may know a student, and the one id."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nst_edu.classroom.spreadsheet import read_rows

ID_COLUMNS = ("id", "student", "student_id", "username", "login")  # the first that is there counts


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

    The columns ``name``, ``email``, ``login``, ``number`` … are all taken as names. Between the
    columns may stand a comma, a semicolon or a tab.

    Raises
    ------
    ValueError
        If the file is no such list.
    """
    rows = read_rows(path)
    columns = {name.strip().casefold(): name for name in rows[0]} if rows else {}
    column = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if column is None:
        raise ValueError(
            f"--roster: {path} has the columns {', '.join(columns) or '(none)'}; expected one with "
            "the name id in its first line, and below it one line for each student"
        )
    owners: dict[str, set[str]] = {}
    about: dict[str, dict[str, str]] = {}
    for row in rows:
        student = (row[column] or "").strip()
        if student:
            about[student] = {name: text for name, text in row.items() if name != column}
            for name in row.values():
                owners.setdefault(spelling(name or ""), set()).add(student)
    owners.pop("", None)
    return Roster(tuple(about), owners, about)
