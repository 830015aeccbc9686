"""Does the teacher's own solution earn full marks? Otherwise no student can."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.classroom.assignment import Assignment
    from nst_edu.classroom.records import Graded

ADVICE = (
    "Mend the solution or the task. (Of a value: is the name in tasks.personal(STUDENT, NAME) that "
    "of the Task, without my_?)"
)


def check_solution(assignment: Assignment) -> None:
    """Grade the teacher's notebook as if a student had sent it.

    Raises
    ------
    ValueError
        If it does not earn all points; the message names each task and what was found.
    """
    graded = _graded(assignment)
    lost = [mark for mark in graded.marks if mark.human or mark.points < mark.out_of]
    if lost:
        found = [f"{m.task}: {m.points:g} of {m.out_of:g} points. {m.message}" for m in lost]
        head = f"the solution in {assignment.path} does not earn full marks, so it was not released"
        raise ValueError("\n- ".join([f"{head}:", *found]) + f"\n{ADVICE}")


def _graded(assignment: Assignment) -> Graded:
    from nst_edu.classroom import sandbox
    from nst_edu.classroom.grade import Grading
    from nst_edu.classroom.layout import Found
    from nst_edu.classroom.notebooks import claimed_id
    from nst_edu.classroom.raw_cells import read_contents
    from nst_edu.classroom.session import Options, Session
    from nst_edu.classroom.store import Store

    student = claimed_id(read_contents(assignment.path).cells) or "teacher"
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        limits = replace(sandbox.Limits(), wall=600, cpu=500)
        # The teacher's own code needs no sandbox; but so it is seen whether it can work in one.
        grading = Grading(assignment, store.secret, limits, unsafe=not sandbox.available())
        done = Session(grading, store, Options(quiet=True)).run(
            [Found(student, (assignment.path,))]
        )
        graded = store.load(student)
        if graded is None:
            raise ValueError(f"the solution could not be run: {done.failed.get(student, 'why?')}")
        return graded
