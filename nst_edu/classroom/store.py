"""The folder of the marks: one folder for each student, one result in it.

``result.json`` is written last, and all at once. So whenever the grader is killed, a student has a
complete result or is graded at the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from nst_edu.classroom.assignment import HandMarked
from nst_edu.classroom.feedback import (
    CellShown,
    feedback_page,
    fingerprint,
    from_text,
    to_text,
)
from nst_edu.classroom.files import PART, safe_name, write_atomic
from nst_edu.classroom.records import NOTHING, Graded, Key, from_json, to_json
from nst_edu.classroom.seeds import class_secret

RESULT, FEEDBACK, LOG, EARLIER = "result.json", "feedback.html", "log.txt", "earlier"
CELLS = "cells.json"  # the notebook as it was run, to make the page again
HEAD = 1000  # characters of a page in which its fingerprint stands
ABOUT = "assignment.json"


class Store:
    """The results of one assignment.

    Parameters
    ----------
    folder
        Where they are kept; it is made if it does not exist.

    Attributes
    ----------
    secret
        Of the class; the inputs follow from it.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"--to needs a folder for the marks; {folder} is a file")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.secret = class_secret(folder)

    def place(self, student: str) -> Path:
        """Return the folder of one student; it need not exist."""
        return self.folder / safe_name(student)

    def load(self, student: str) -> Graded | None:
        """Return what is kept of a student; None if there is nothing, or nothing readable."""
        graded = read_result(self.place(student) / RESULT)
        return graded if graded is not None and graded.student == student else None

    def is_current(self, student: str, key: Key) -> bool:
        """Tell whether this very submission is graded already, with its feedback."""
        graded = self.load(student)
        complete = all((self.place(student) / name).is_file() for name in (FEEDBACK, CELLS))
        return complete and graded is not None and graded.key == key

    def claim(self, assignment: str, digest: str, by_hand: Sequence[HandMarked] = ()) -> None:
        """Note which assignment the marks are for, and what is to be marked by hand.

        Raises
        ------
        ValueError
            If they are for another one.
        """
        path = self.folder / ABOUT
        try:
            before = json.loads(path.read_text(encoding="utf-8"))["name"]
        except (OSError, ValueError, KeyError, TypeError):
            before = assignment
        if before != assignment:
            raise ValueError(
                f"--to: {self.folder} holds the marks of {before!r}, not of {assignment!r}: give "
                "another folder"
            )
        parts = [asdict(part) for part in by_hand]
        about = {"name": assignment, "digest": digest, "by_hand": parts}
        write_atomic(path, json.dumps(about, indent=1) + "\n")

    def by_hand(self) -> list[HandMarked]:
        """Return what is to be marked by hand, with its rubric."""
        try:
            about = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
            return [HandMarked(**part) for part in about["by_hand"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def save(self, graded: Graded, cells: Sequence[CellShown] = (), log: str = "") -> None:
        """Keep a result; the one before it, if it was another one, goes to ``earlier/``."""
        place = self.place(graded.student)
        place.mkdir(exist_ok=True)
        for part in place.glob(f".*{PART}"):  # of a grader that was killed
            part.unlink()
        text = to_json(graded)
        _keep_earlier(place, text)
        write_atomic(place / LOG, log)
        write_atomic(place / CELLS, to_text(cells))
        write_atomic(place / FEEDBACK, feedback_page(graded, cells))
        write_atomic(place / RESULT, text)

    def cells(self, student: str) -> list[CellShown]:
        """Return a student's notebook as it was run; empty if it was not."""
        try:
            return from_text((self.place(student) / CELLS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []

    def show(self, graded: Graded) -> None:
        """Make the student's page again if it shows other points than these."""
        path = self.place(graded.student) / FEEDBACK
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                current = f'"{fingerprint(graded)}"' in file.read(HEAD)
        except OSError:
            current = False
        if not current:
            write_atomic(path, feedback_page(graded, self.cells(graded.student)))


def _keep_earlier(place: Path, text: str) -> None:
    """Give the old result another name: an appeal may be about it."""
    path = place / RESULT
    try:
        old = path.read_text(encoding="utf-8")
        if old == text:
            return
        graded = from_json(old)
    except (OSError, ValueError):
        return
    if graded.status == NOTHING:
        return
    folder = place / EARLIER
    folder.mkdir(exist_ok=True)
    key = graded.key
    name = f"{key.submission[:12]}-{key.assignment[:12]}-{key.seed[:6]}.json"
    write_atomic(folder / safe_name(name), old)


def read_result(path: Path) -> Graded | None:
    """Read one result; None if there is none, or if it is damaged."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def all_results(folder: Path) -> list[Graded]:
    """Return every result below `folder`, in the order of the students' names."""
    found = (read_result(Path(entry.path, RESULT)) for entry in os.scandir(folder))
    return sorted((graded for graded in found if graded), key=lambda graded: graded.student)
