"""Item analysis: what each task tells about the class, and which mistakes are common."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nst_edu.classroom.records import NOTHING, UNREADABLE, Graded, TaskMark

# Names of what is no mistake in the subject: no lesson treats it.
NO_LESSON = ("missing", "raised", "unreadable", "not-a-function", "wrong-arguments", "too-slow")
OWN_WORDS = "(to each about their own numbers: see the feedback pages)"
BINS = 10  # bars of the histogram: tenths of the points


@dataclass(frozen=True)
class Mistake:
    """A mistake that several students made.

    Attributes
    ----------
    message
        What they were told.
    lesson
        The lesson that treats it; 0: none in particular.
    """

    task: str
    misconception: str
    count: int
    lesson: int
    message: str


@dataclass(frozen=True)
class Item:
    """What a task tells about the class.

    Attributes
    ----------
    count
        Students whose answer was marked.
    mean
        Points on average.
    full, attempted
        Share of the students, from 0 to 1.
    correlation
        Of the points in this task with the points in all others: does it measure the same? None:
        too few students, or all have the same points.
    """

    task: str
    out_of: float
    count: int
    mean: float
    full: float
    attempted: float
    correlation: float | None


def counted(results: Sequence[Graded]) -> list[Graded]:
    """Return the results that say something about the tasks: a notebook was there and was read."""
    return [graded for graded in results if graded.status not in (NOTHING, UNREADABLE)]


def marks_by_task(results: Sequence[Graded]) -> dict[str, list[tuple[Graded, TaskMark]]]:
    """Return for each task, in the order of the assignment, whoever was marked in it."""
    found: dict[str, list[tuple[Graded, TaskMark]]] = {}
    for graded in results:
        for mark in graded.marks:
            found.setdefault(mark.task, []).append((graded, mark))
    return found


def items(results: Sequence[Graded]) -> list[Item]:
    """Analyse each task; answers that a person has yet to look at do not count."""
    found = []
    for task, pairs in marks_by_task(counted(results)).items():
        pairs = [(graded, mark) for graded, mark in pairs if not mark.human]
        if not pairs:
            continue
        earned = [mark.points for _, mark in pairs]
        found.append(
            Item(
                task=task,
                out_of=pairs[0][1].out_of,
                count=len(pairs),
                mean=statistics.fmean(earned),
                full=statistics.fmean(mark.points >= mark.out_of for _, mark in pairs),
                attempted=statistics.fmean(mark.attempted for _, mark in pairs),
                correlation=correlation(earned, [g.total - m.points for g, m in pairs]),
            )
        )
    return found


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's r, or None where it has no value.

    Examples
    --------
    >>> correlation([0, 1, 2], [0, 2, 4]), correlation([1, 1, 1], [0, 2, 4])
    (1.0, None)
    """
    try:
        return statistics.correlation(first, second)
    except statistics.StatisticsError:  # fewer than two, or all the same
        return None


def mistakes(results: Sequence[Graded]) -> list[Mistake]:
    """Return the mistakes that were recognised, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], TaskMark] = {}
    told: dict[tuple[str, str], set[str]] = {}
    for graded in counted(results):
        for mark in graded.marks:
            if mark.misconception is not None and mark.attempted:
                name = (mark.task, mark.misconception)
                counts[name] += 1
                first.setdefault(name, mark)
                told.setdefault(name, set()).add(mark.message)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    messages = {
        name: next(iter(texts)) if len(texts) == 1 else OWN_WORDS for name, texts in told.items()
    }
    lessons = {name: 0 if name[1] in NO_LESSON else first[name].lesson for name in order}
    return [Mistake(*name, counts[name], lessons[name], messages[name]) for name in order]


def histogram(results: Sequence[Graded]) -> list[int]:
    """Count the students in each tenth of the points; full marks are in the last one.

    Students without a readable notebook, and those who wait for a person, are left out: their
    points are not their own yet.
    """
    bars = [0] * BINS
    for graded in results:
        if graded.status == "graded" and graded.out_of > 0:
            bars[min(BINS - 1, int(BINS * graded.total / graded.out_of + 1e-9))] += 1
    return bars
