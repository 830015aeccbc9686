"""Say in words for the teacher what happened when a submission was run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from nst_edu.classroom.records import TaskMark
from nst_edu.classroom.safe_html import plain

if TYPE_CHECKING:
    from nst_edu.classroom.notebooks import Submission
    from nst_edu.classroom.sandbox import Limits, Outcome

ENDED = {
    "crashed": "The run ended by itself before its end (exit code {code}).",
    "wall time": "The run was stopped: it took longer than {limits.wall:g} s.",
    "cpu time": "The run was stopped: it computed for longer than {limits.cpu:g} s.",
    "memory": "The run was stopped: it took more memory than {megabytes:,.0f} MB.",
    "space": "The run was stopped: it wrote more, or larger, files than it may.",
    "processes": "The run was stopped: it started more than {limits.started:,} processes.",
    "machine memory": "The run was stopped: this computer had no memory left. Grade it again.",
    "output": "The run was stopped: it printed more than {limits.output:,} bytes.",
}

# Kinds of problems: the notebook names nobody, or somebody else, so its personal numbers differ.
OTHER_NAME = ("no-id", "other-id")


def what_happened(
    submission: Submission,
    outcome: Outcome,
    limits: Limits,
    marks: Sequence[TaskMark],
    personal: Collection[str],
) -> tuple[list[str], bool]:
    """Return notes for the teacher, and whether a person has to look at the marks.

    Parameters
    ----------
    personal
        The tasks in which the right answer depends on the student's name.
    """
    notes = [str(problem) for problem in submission.problems]
    cut = outcome.ended != "finished"
    if cut:
        text = ENDED.get(outcome.ended, "The run ended otherwise than planned ({ended}).")
        megabytes = limits.memory / 1e6
        notes.append(
            text.format(code=outcome.code, ended=outcome.ended, limits=limits, megabytes=megabytes)
        )
    notes += (blocked := list(_blocked(marks)))
    other = any(problem.kind in OTHER_NAME for problem in submission.problems)
    lost = any(
        mark.task in personal and mark.attempted and mark.points < mark.out_of for mark in marks
    )
    return notes, cut or bool(blocked) or (other and lost)


def _blocked(marks: Sequence[TaskMark]) -> Iterator[str]:
    """Say which answers could not work because that of another task is not there."""
    names = [mark.task for mark in marks]
    for mark in marks:
        for name in names:
            if name != mark.task and f"name '{name}' is not defined" in mark.message:
                yield f"{mark.task} uses {name}, which is another task and is not there."


def log_text(outcome: Outcome) -> str:
    """Return what the teacher may want to know about the run."""
    return (
        f"ended: {outcome.ended} (exit code {outcome.code})\n"
        f"seconds: {outcome.seconds:.1f}\npeak memory: {outcome.peak / 1e6:.0f} MB\n\n"
        f"{plain(outcome.tail)}\n"
    )
