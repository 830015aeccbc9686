"""The marks as a table for a gradebook or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from nst_edu.classroom.items import marks_by_task
from nst_edu.classroom.records import NOTHING, Graded
from nst_edu.classroom.safe_html import plain, points

# A spreadsheet takes a cell that begins like this for a formula, and computes it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    Examples
    --------
    >>> cell("amina"), cell("=1+1"), cell("  @SUM(A1)")
    ('amina', "'=1+1", "'  @SUM(A1)")
    """
    text = plain(text).replace("\n", " ")
    return f"'{text}" if text.startswith("'") or text.lstrip().startswith(FORMULA) else text


def gradebook(results: Sequence[Graded]) -> str:
    """Return CSV: a line for each student, a column for each task."""
    tasks = list(marks_by_task(results))
    hands = list(dict.fromkeys(part.task for graded in results for part in graded.by_hand))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    numbers = [*map(cell, tasks), "total", "out_of", "by_hand_open"]
    writer.writerow(["student", *numbers, *map(cell, hands), "status", "notes"])
    for graded in results:
        writer.writerow(_line(graded, tasks, hands))
    return file.getvalue()


def _line(graded: Graded, tasks: Sequence[str], hands: Sequence[str]) -> list[str]:
    """Return one student's line; what nobody could mark yet stays empty, so that it is no zero."""
    by_task = {mark.task: mark for mark in graded.marks}
    marks = [by_task.get(task) for task in tasks]
    parts = {part.task for part in graded.by_hand}
    return [
        cell(graded.student),
        *("" if mark is None or mark.human else points(mark.points) for mark in marks),
        "" if graded.status == NOTHING else points(graded.total),
        points(graded.out_of),
        points(sum(part.out_of for part in graded.by_hand)),
        *("open" if hand in parts else "" for hand in hands),
        graded.status,
        cell("; ".join(graded.notes)),
    ]
