"""A class list: every name under which a learning platform may know a student, and the one id."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ID_COLUMNS = ("id", "student", "student_id", "username", "login")  # the first that is there counts


@dataclass(frozen=True)
class Roster:
    """The students of a class.

    Attributes
    ----------
    ids
        In the list's order.
    known
        Any name, in one spelling → the id.
    ambiguous
        Names that two students share: nobody is found by them.
    """

    ids: tuple[str, ...] = ()
    known: dict[str, str] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()

    def find(self, names: Iterable[str]) -> str | None:
        """Return the id that belongs to one of some names; None: not in the list."""
        return next((self.known[key] for key in map(spelling, names) if key in self.known), None)


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
    rows = _rows(path)
    columns = {name.strip().casefold(): name for name in rows[0]} if rows else {}
    column = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if column is None:
        raise ValueError(
            f"--roster: {path} has the columns {', '.join(columns) or '(none)'}; expected one with "
            "the name id in its first line, and below it one line for each student"
        )
    owners: dict[str, set[str]] = {}
    ids = []
    for row in rows:
        student = (row[column] or "").strip()
        if student:
            ids.append(student)
            for name in row.values():
                owners.setdefault(spelling(name or ""), set()).add(student)
    owners.pop("", None)
    known = {name: min(students) for name, students in owners.items() if len(students) == 1}
    ambiguous = frozenset(name for name, students in owners.items() if len(students) > 1)
    return Roster(tuple(dict.fromkeys(ids)), known, ambiguous)


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the lines of a table, each by the names of the columns."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252", errors="replace")  # what Excel writes in Europe
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    found = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="")
    return [{k: v for k, v in row.items() if isinstance(v, str) and k} for row in found]
