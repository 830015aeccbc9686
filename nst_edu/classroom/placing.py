"""Put a collected notebook into its folder without losing another, and say what was done."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from nst_edu.classroom.files import write_atomic
from nst_edu.classroom.reading import Problem, read_bytes
from nst_edu.classroom.safe_html import plain

MISSING = "missing"
SAME_TIME = 2.0  # s: zip archives know the time no better
LONGEST = 500  # characters of a line in the terminal


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""Return text of which a part was named by a student, so that it cannot act on the terminal.

    Examples
    --------
    >>> one_line("\x1b[2Jgram\n0 to look at")
    'gram 0 to look at'
    """
    return " ".join(plain(text, longest).split())


@dataclass(frozen=True)
class Row:
    """What became of a student's notebook."""

    student: str
    state: str  # collected, unchanged, replaced, kept, here (from before), refused or missing
    modified: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.modified))
        when = when if self.modified else ""
        student = one_line(self.student, 60)
        return f"{student:<24}  {self.state:<9}  {when:<16}  {one_line(self.note)}".rstrip()


@dataclass(frozen=True)
class Report:
    """What was collected: a line for each student, and what a person must look at.

    Attributes
    ----------
    remarks
        What the person should know, though nothing may be wrong.
    """

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The students of the class list who sent nothing, now or before."""
        return tuple(row.student for row in self.rows if row.state == MISSING)

    def __str__(self) -> str:
        head = f"{'student':<24}  {'state':<9}  {'last changed':<16}  from"
        here = sum(row.state not in (MISSING, "refused") for row in self.rows)
        count = f"{here} here, {len(self.missing)} missing, {len(self.problems)} to look at"
        return "\n".join([head, *map(str, self.rows), "", *map(one_line, self.remarks), count])


def put(path: Path, data: bytes, modified: float) -> str:
    """Write a notebook unless a newer one is there; keep an older one under another name.

    Returns
    -------
    str
        ``collected``, ``unchanged``, ``replaced`` or ``kept``.

    Raises
    ------
    UnreadableError
        If something else than a file is in the way.
    """
    state = "collected"
    if os.path.lexists(path):
        before = read_bytes(path)
        if before == data:
            return "unchanged"
        if path.stat().st_mtime - modified > SAME_TIME:
            return "kept"
        number = 1
        while os.path.lexists(older := path.with_name(f"{path.name}.older-{number}")):
            number += 1
        path.rename(older)
        state = "replaced"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)
    os.utime(path, (modified, modified))
    return state
