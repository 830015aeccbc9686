"""Grade one submission: read it as data, let the sandbox run it, and judge what came out.

This process knows the hidden tests and the solutions. It never executes what a student wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import nst_edu
from nst_edu.classroom import exchange
from nst_edu.classroom.cells import GIVEN
from nst_edu.classroom.happenings import log_text, what_happened
from nst_edu.classroom.records import GRADED, HUMAN, UNREADABLE, ByHand, Graded, Key, TaskMark
from nst_edu.classroom.seeds import seed, seed_id
from nst_edu.classroom.used import with_causes, words_used

if TYPE_CHECKING:
    from nst_edu.classroom.assignment import Assignment, SourceTask
    from nst_edu.classroom.notebooks import Submission
    from nst_edu.classroom.questions import Answer, Question
    from nst_edu.classroom.sandbox import Limits, Outcome

GRADER = f"{nst_edu.__version__}/3"  # raise the number if the same submission gets other marks
COMMAND = ("-m", "nst_edu.classroom.runner", "/sandbox")  # what Python does in the sandbox
LOST = (
    "The answer was not found: its cell is missing, or has lost its name. A person will look at it."
)
SAYS = {  # how a cell ended, for the student
    "timeout": "This cell was stopped, because it took too long.",
    "crashed": "This cell ended the whole program. The rest was run without it.",
    "not run": "This cell was not run.",
}
USED = " But the code has {} in it, which this task asks to do without. A person will look at it."
CUT_OFF = "There is no answer, because the run was cut off. A person will look at it."


@dataclass(frozen=True)
class Grading:
    """What is the same for a whole class."""

    assignment: Assignment
    secret: bytes
    limits: Limits
    unsafe: bool = False

    def seed(self, submission: Submission, task: str) -> int:
        """Return the seed of a submission's inputs for one task.

        Another submission of the same student gets other inputs, so that nothing which the feedback
        on the first one shows is of use in the second.
        """
        own = (submission.student, self.assignment.name, task, submission.digest)
        return seed(self.secret, *own)

    def key(self, digest: str) -> Key:
        """Return all that the result of a file with this digest depends on."""
        return Key(digest, self.assignment.digest, GRADER, seed_id(self.secret), not self.unsafe)


@dataclass(frozen=True)
class Judged:
    """A result, and what stays out of it because it differs from run to run.

    Attributes
    ----------
    outputs
        Of each cell that was run, by its id.
    endings
        What happened to these cells, in words; empty if nothing did.
    log
        For the teacher: seconds, memory, and the last lines printed.
    """

    graded: Graded
    outputs: Mapping[str, Sequence[object]]
    endings: Mapping[str, str]
    log: str


def digest_of(texts: Iterable[str]) -> str:
    """Return a digest for what has no content of its own: a link, a folder, two files."""
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()


def unreadable(grading: Grading, student: str, digest: str, reasons: Sequence[str]) -> Graded:
    """Return the result for a submission of which nothing can be run; a person must look."""
    message = f"The notebook could not be read. {reasons[0] if reasons else ''}".strip()
    return Graded(
        student=student,
        assignment=grading.assignment.name,
        key=grading.key(digest),
        status=UNREADABLE,
        marks=tuple(_by_person(one, message) for one in grading.assignment.tasks),
        by_hand=_by_hand(grading.assignment),
        notes=tuple(reasons),
    )


def _by_person(one: SourceTask, message: str) -> TaskMark:
    """Return a mark that is open."""
    lesson = one.task.lesson
    return TaskMark(one.task.name, 0.0, one.points, message, lesson=lesson, human=True)


def _by_hand(assignment: Assignment) -> tuple[ByHand, ...]:
    return tuple(ByHand(part.grade_id, part.points) for part in assignment.by_hand)


def prepare(grading: Grading, submission: Submission, folder: Path) -> tuple[Question, ...]:
    """Write what the sandbox gets: the student's code cells, and the inputs of each task."""
    questions = tuple(
        one.task.question(
            grading.seed(submission, one.task.name), asked_after(submission, one.solution)
        )
        for one in grading.assignment.tasks
    )
    exchange.write_inputs(folder, [(cell.id, cell.source) for cell in submission.code], questions)
    return questions


def asked_after(submission: Submission, grade_id: str) -> str | None:
    """Return the cell after which an answer is tried, as the assignment's own test would try it.

    That is the answer's last cell, or the last one that the student put between it and the test.
    """
    answers = submission.answers(grade_id)
    if not answers:
        return None
    at = submission.cells.index(answers[-1])
    follow = submission.cells[at + 1 :]
    own = takewhile(lambda cell: cell.kind == "code" and cell.role == "own", follow)
    return [answers[-1], *own][-1].id


def judge(
    grading: Grading,
    submission: Submission,
    questions: Sequence[Question],
    outcome: Outcome,
    folder: Path,
) -> Judged:
    """Give marks for what the sandbox left in `folder`; never raise for what is in it."""
    tasks = grading.assignment.tasks
    answers = exchange.read_answers(folder, questions)
    marks = [_judged(grading, submission, one, answers[one.task.name], outcome) for one in tasks]
    marks = with_causes(marks, [cell.source for cell in submission.code if cell.role != GIVEN])
    values = {one.task.name for one in tasks if one.task.cases is None}
    notes, doubtful = what_happened(submission, outcome, grading.limits, marks, values)
    graded = Graded(
        student=submission.student,
        assignment=grading.assignment.name,
        key=grading.key(submission.digest),
        status=HUMAN if doubtful or any(mark.human for mark in marks) else GRADED,
        marks=tuple(marks),
        by_hand=_by_hand(grading.assignment),
        notes=tuple(notes),
    )
    executed = exchange.read_executed(folder)
    outputs = {cell.id: cell.outputs for cell in executed}
    endings = {cell.id: SAYS.get(cell.ended, "") for cell in executed}
    return Judged(graded, outputs, endings, log_text(outcome))


def _judged(
    grading: Grading, submission: Submission, one: SourceTask, answer: Answer, outcome: Outcome
) -> TaskMark:
    """Judge one task; where the answer got lost, or nobody can tell, ask a person."""
    if answer.kind == "missing":
        if not submission.answers(one.solution):
            return _by_person(one, LOST)
        if outcome.ended != "finished":
            return _by_person(one, CUT_OFF)
    student = submission.student
    try:
        mark = one.task.judge(answer, student, grading.seed(submission, one.task.name))
    except Exception as error:  # an answer that nobody thought of must not stop the class
        why = f"{type(error).__name__}: {error}"
        return _by_person(one, f"The program could not judge this answer ({why[:300]}).")
    own = (cell.source for cell in submission.code if cell.role != GIVEN)
    used = words_used(own, one.task.name, one.task.forbidden) if mark.points else []
    return TaskMark(
        task=mark.task,
        points=0.0 if used else float(mark.points),
        out_of=float(mark.out_of),
        message=mark.message + (USED.format(" and ".join(used)) if used else ""),
        misconception=mark.misconception,
        attempted=mark.attempted,
        lesson=mark.lesson,
        human=bool(used),
        proposed=float(mark.points) if used else None,
    )
