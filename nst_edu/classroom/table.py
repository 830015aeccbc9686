"""What the grader says in the terminal when it is done."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from nst_edu.classroom.records import GRADED, NOTHING, Graded
from nst_edu.classroom.safe_html import plain, points

NARROW = 60  # columns of a terminal that says nothing about its width, or too little


def table(results: Sequence[Graded], width: int | None = None) -> str:
    """Return a line for each student: points, and what happened."""
    width = max(NARROW, width or shutil.get_terminal_size((100, 24)).columns)
    rows = [("student", "points", "by hand", "status", "")]
    rows += [
        (
            _short(graded.student, 30),
            "" if graded.status == NOTHING else f"{points(graded.total)}/{points(graded.out_of)}",
            _by_hand(graded),
            graded.status,
            _short(" ".join(graded.notes), width),
        )
        for graded in results
    ]
    sizes = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = (
        f"{row[0]:<{sizes[0]}}  {row[1]:>{sizes[1]}}  {row[2]:>{sizes[2]}}  "
        f"{row[3]:<{sizes[3]}}  {row[4]}"
        for row in rows
    )
    return "\n".join(_short(line.rstrip(), width) for line in lines)


def _by_hand(graded: Graded) -> str:
    """Say what is known of the parts marked by hand."""
    waiting = f"{points(graded.open)} open" if graded.open else ""
    marked = sum(part.out_of for part in graded.by_hand if part.points is not None)
    done = f"{points(graded.given)}/{points(marked)}" if marked else ""
    return ", ".join(filter(None, (done, waiting)))


def _short(text: str, longest: int) -> str:
    """Return one line without control characters, which could rewrite the terminal."""
    text = plain(text).replace("\n", " ").replace("\t", " ")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def in_a_line(text: str) -> str:
    """Return a short text in one line."""
    return _short(" ".join(text.split()), 200)


def exit_code(results: Sequence[Graded], failed: Sequence[str]) -> int:
    """Return 0 if every submission is graded, 1 if a person must look at one.

    What only waits to be marked by hand, or was not handed in, is no problem.
    """
    wrong = any(graded.status not in (GRADED, NOTHING) for graded in results)
    return int(wrong or bool(failed))
