"""The marks as a table for a gradebook or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nst_edu.classroom.items import marks_by_task
from nst_edu.classroom.records import NOTHING, UNREADABLE, Graded
from nst_edu.classroom.safe_html import plain, points

# A spreadsheet takes a cell that begins like this for a formula, and computes it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
EMPTY = (NOTHING, UNREADABLE)  # nothing could be marked: a total of 0 would be taken for a mark
SPLITS = str.maketrans({"\n": " ", "\t": " ", ";": ","})


def cell(text: str) -> str:
    """Return a text in one line that no spreadsheet takes for a formula, or for several cells.

    Some split at semicolons or tabs, whatever stands between the columns.

    Examples
    --------
    >>> cell("amina"), cell("=1+1"), cell("  @SUM(A1)")
    ('amina', "'=1+1", "'  @SUM(A1)")
    """
    return lines(plain(text).translate(SPLITS))


def lines(text: str) -> str:
    """Return a text of several lines that no spreadsheet takes for a formula."""
    text = plain(text)
    return f"'{text}" if text.startswith("'") or text.lstrip().startswith(FORMULA) else text


def uncell(text: str) -> str:
    """Return what `cell` was given."""
    return text.removeprefix("'")


About = Mapping[str, Mapping[str, str]]  # a student's id → the other columns of the class list


def gradebook(results: Sequence[Graded], about: About = MappingProxyType({})) -> str:
    """Return CSV: a line for each student, a column for each task.

    Parameters
    ----------
    about
        What a learning platform may want to know a student by: names, numbers, addresses.
    """
    tasks = list(marks_by_task(results))
    hands = list(dict.fromkeys(part.task for graded in results for part in graded.by_hand))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    numbers = [*map(cell, tasks), "total", "out_of", "by_hand_open"]
    known = list(dict.fromkeys(name for columns in about.values() for name in columns))
    names = [*map(cell, known), *numbers, *map(cell, hands), "status", "notes"]
    writer.writerow(["student", *names])
    possible = max((_possible(graded) for graded in results), default=0.0)
    for graded in results:
        theirs = about.get(graded.student, {})
        columns = [cell(theirs.get(name, "")) for name in known]
        writer.writerow([cell(graded.student), *columns, *_points(graded, tasks, hands, possible)])
    return file.getvalue()


def _possible(graded: Graded) -> float:
    return graded.out_of + sum(part.out_of for part in graded.by_hand)


def _points(
    graded: Graded, tasks: Sequence[str], hands: Sequence[str], possible: float
) -> list[str]:
    """Return one student's points; what nobody could mark yet stays empty, and is no zero."""
    by_task = {mark.task: mark for mark in graded.marks}
    marks = [by_task.get(task) for task in tasks]
    parts = {part.task: part.points for part in graded.by_hand}
    return [
        *("" if mark is None or mark.human else points(mark.points) for mark in marks),
        "" if graded.status in EMPTY else points(graded.total + graded.given),
        points(possible),
        points(graded.open),
        *(_by_hand(hand, parts) for hand in hands),
        graded.status,
        cell("; ".join(graded.notes)),
    ]


def _by_hand(part: str, parts: Mapping[str, float | None]) -> str:
    """Return the points of a part marked by hand, ``open``, or nothing if it is not there."""
    if part not in parts:
        return ""
    given = parts[part]
    return "open" if given is None else points(given)
