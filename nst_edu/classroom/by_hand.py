"""Points that a person gives: entered in a table, and put into the results.

``by_hand.csv`` stands in the folder of the marks. It asks for everything that the program could not
mark. Nothing that somebody entered is ever taken out of it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nst_edu.classroom.gradebook import cell, lines, uncell
from nst_edu.classroom.records import GRADED, HUMAN, UNREADABLE, ByHand, Graded, TaskMark
from nst_edu.classroom.safe_html import points
from nst_edu.classroom.spreadsheet import delimiter_of, read_columns, read_rows, read_text

FORM = "by_hand.csv"
COLUMNS = ("student", "task", "points", "out_of", "comment", "program", "submission")
SHORT = 12  # characters of a submission's digest: enough to tell two apart
MARKED = "Marked by a person."


@dataclass(frozen=True)
class Entry:
    """A line of the table.

    Attributes
    ----------
    student, task
        As in ``marks.csv``: in its first column, and in its first line.
    points
        None: not marked yet.
    submission
        The points are for the notebook with this digest; empty: for any.
    """

    student: str
    task: str
    points: float | None = None
    comment: str = ""
    submission: str = ""

    def fits(self, graded: Graded) -> bool:
        """Tell whether this line is about this result."""
        digest = graded.key.submission
        return self.student == _name(graded) and digest.startswith(self.submission)


def read_entries(path: Path, results: Sequence[Graded]) -> list[Entry]:
    """Read the table; an empty list if there is none yet.

    Raises
    ------
    ValueError
        If a line cannot be meant: a name that is not there, points that cannot be.
    """
    if not path.is_file():
        return []
    columns = [name.casefold() for name in read_columns(path)]
    lacking = [name for name in ("student", "task", "points") if name not in columns]
    if columns and lacking:
        raise ValueError(f"{path} lacks the column {lacking[0]}: its first line must name it")
    possible = {
        _name(graded): {name: part.out_of for name, part in _parts(graded).items()}
        for graded in results
    }
    rows = [{k.strip().casefold(): v for k, v in row.items()} for row in read_rows(path)]
    wanted = ({name: uncell(row.get(name, "").strip()) for name in COLUMNS} for row in rows)
    return [_entry(path, row, possible) for row in wanted if any(row.values())]


def _entry(
    path: Path, row: Mapping[str, str], possible: Mapping[str, Mapping[str, float]]
) -> Entry:
    """Read one line."""
    student, task = row["student"], row["task"]
    where = f"{path}, {student!r}, {task!r}:"
    given = _points(row["points"], where)
    if given is not None:
        if student not in possible:
            raise ValueError(f"{where} there is no result of this student; see marks.csv")
        tasks = possible[student]
        if task not in tasks:
            raise ValueError(f"{where} no such task; there are {', '.join(tasks)}")
        if given > tasks[task]:
            raise ValueError(f"{where} {points(given)} points of {points(tasks[task])}")
    return Entry(student, task, given, row["comment"], row["submission"])


def _points(text: str, where: str) -> float | None:
    """Read points; in some countries people write 2,5."""
    if not text:
        return None
    try:
        given = float(text.replace(",", "."))
    except ValueError:
        given = math.nan
    if not 0 <= given < math.inf:
        raise ValueError(f"{where} expected points, 0 or more, or nothing; not {text!r}")
    return given


def with_points(graded: Graded, entries: Sequence[Entry]) -> Graded:
    """Return a result with the points that a person has given.

    They stand above the program's. Who has marked a submission has looked at it.
    """
    found = {e.task: e for e in entries if e.points is not None and e.fits(graded)}
    if not found:
        return graded
    marks = tuple(_marked(mark, found.get(mark.task)) for mark in graded.marks)
    parts = tuple(_given(part, found.get(part.task)) for part in graded.by_hand)
    seen = any(mark.task in found for mark in marks) and not any(mark.human for mark in marks)
    status = GRADED if seen and graded.status in (HUMAN, UNREADABLE) else graded.status
    return replace(graded, marks=marks, by_hand=parts, status=status)


def _marked(mark: TaskMark, entry: Entry | None) -> TaskMark:
    if entry is None or entry.points is None:
        return mark
    message = f"{MARKED} {entry.comment}".strip()
    return replace(
        mark,
        points=entry.points,
        message=message,
        misconception=None,
        attempted=True,
        human=False,
        proposed=None,
    )


def _given(part: ByHand, entry: Entry | None) -> ByHand:
    return part if entry is None else replace(part, points=entry.points, comment=entry.comment)


def form(results: Sequence[Graded], entries: Sequence[Entry], delimiter: str = ",") -> str:
    """Return the table: a line for all that is to be marked, then all else that was entered.

    Parameters
    ----------
    results
        Of the program alone, without the points in `entries`.
    """
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    left = list(entries)
    for graded in results:
        for part in graded.waiting:
            known = [e for e in left if e.task == part.task and e.fits(graded)]
            left = [e for e in left if e not in known]
            blank = Entry(_name(graded), part.task, submission=_short(graded))
            for entry in known or [blank]:
                writer.writerow(_line(entry, part))
    parts = {_name(graded): _parts(graded) for graded in results}
    for entry in left:
        if entry.points is not None or entry.comment:
            writer.writerow(_line(entry, parts.get(entry.student, {}).get(entry.task)))
    return file.getvalue()


def _parts(graded: Graded) -> dict[str, TaskMark | ByHand]:
    """Return all that points are given for, by name."""
    found: list[TaskMark | ByHand] = [*graded.marks, *graded.by_hand]
    return {part.task: part for part in found}


def _name(graded: Graded) -> str:
    """Return the student's name as a table can hold it."""
    return uncell(cell(graded.student))


def _short(graded: Graded) -> str:
    return graded.key.submission[:SHORT]


def _line(entry: Entry, part: TaskMark | ByHand | None) -> list[str]:
    """Return one line; the last columns are only there to be read."""
    found = part.proposed if isinstance(part, TaskMark) and part.human else None
    if isinstance(part, TaskMark) and not part.human:
        found = part.points
    return [
        cell(entry.student),
        cell(entry.task),
        "" if entry.points is None else f"{entry.points:.12g}",
        "" if part is None else points(part.out_of),
        lines(entry.comment),
        "" if found is None else points(found),
        entry.submission,
    ]


def updated_form(path: Path, results: Sequence[Graded], entries: Sequence[Entry]) -> str | None:
    """Return the new text of the table, or None if it need not be written.

    It is there from the first: a line in it corrects any mark.
    """
    before = read_text(path) if path.is_file() else None
    text = form(results, entries, delimiter_of(before) if before else ",")
    return None if before is not None and before.replace("\r\n", "\n") == text else text
