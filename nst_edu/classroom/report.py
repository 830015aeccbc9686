"""What a teacher gets for the whole class, made from the results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from nst_edu.classroom.assignment import HandMarked
from nst_edu.classroom.by_hand import FORM, read_entries, updated_form, with_points
from nst_edu.classroom.feedback import CellShown
from nst_edu.classroom.files import safe_name, write_atomic
from nst_edu.classroom.gradebook import About, gradebook
from nst_edu.classroom.items import BINS, Item, histogram, items, mistakes
from nst_edu.classroom.junit import junit
from nst_edu.classroom.records import GRADED, NOTHING, ByHand, Graded, TaskMark
from nst_edu.classroom.safe_html import page
from nst_edu.classroom.store import FEEDBACK, Store, all_results

MARKS, JUNIT, PAGE, ANSWERS = "marks.csv", "junit.xml", "report.html", "by_hand.html"
BOM = "\ufeff"  # with it Excel reads names as they are written
WIDTH, HEIGHT, BASE = 56, 160, 190  # px: of a bar with its gap, of the tallest bar, of the floor
MANY = 10  # students: of fewer, a correlation says nothing
WEAK = 0.2  # a correlation below this says that the task measures something else


def write_reports(folder: Path, about: About = MappingProxyType({})) -> list[Graded]:
    """Put the points given by hand into the results; write all that a teacher gets.

    Parameters
    ----------
    folder
        Of the marks: ``grade --to``.
    about
        The columns of the class list, for ``marks.csv``.

    Returns
    -------
    list of Graded
        The results, with the points given by hand.

    Raises
    ------
    ValueError
        If there are none, or a line of ``by_hand.csv`` cannot be meant.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: give the one that 'grade --to' wrote")
    program = all_results(folder)
    if not program:
        raise ValueError(
            f"{folder} holds no results: give the folder that 'nst-edu classroom grade --to' wrote"
        )
    store = Store(folder)
    entries = read_entries(folder / FORM, program)
    results = [with_points(graded, entries) for graded in program]
    if (text := updated_form(folder / FORM, program, entries)) is not None:
        write_atomic(folder / FORM, BOM + text)
    for graded in results:
        store.show(graded)
    made = {MARKS: gradebook(results, about), JUNIT: junit(results), PAGE: report_page(results)}
    if parts := [*store.by_hand(), *_unmarked(program)]:
        made[ANSWERS] = answers_page(parts, program, results, store)
    for name, text in made.items():
        write_atomic(folder / name, text)
    return results


def _unmarked(program: Sequence[Graded]) -> list[HandMarked]:
    """Return the tasks of the program in which a person has to look at somebody's answer."""
    waiting = [part for graded in program for part in graded.waiting if isinstance(part, TaskMark)]
    points = {mark.task: mark.out_of for mark in waiting}
    return [HandMarked(task, out_of, "", "") for task, out_of in points.items()]


def answers_page(
    parts: Sequence[HandMarked], program: Sequence[Graded], results: Sequence[Graded], store: Store
) -> str:
    """Return the page from which a person marks: each question, its rubric, and all answers."""
    answers: dict[str, list[tuple[Graded, TaskMark | ByHand, list[CellShown]]]] = {}
    for before, graded in zip(program, results, strict=True):
        cells = store.cells(graded.student)
        asked = {part.task for part in before.waiting}
        both: list[TaskMark | ByHand] = [*graded.by_hand, *graded.marks]
        for part in both:
            if part.task in asked:
                mine = [cell for cell in cells if part.task in cell.tasks]
                answers.setdefault(part.task, []).append((graded, part, mine))
    return page(
        "by_hand.html.j2",
        assignment=results[0].assignment,
        parts=parts,
        answers=answers,
        address=lambda student: f"{quote(safe_name(student))}/{FEEDBACK}",
    )


def report_page(results: Sequence[Graded]) -> str:
    """Return the page for the teacher: distribution, tasks, mistakes, and who needs a look."""
    bars = histogram(results)
    return page(
        "report.html.j2",
        assignment=results[0].assignment,
        students=len(results),
        graded=sum(graded.status == GRADED for graded in results),
        bars=_drawn(bars),
        ranges=[_range(number) for number in range(BINS)],
        alt=_described(bars),
        items=items(results),
        comment=_comment,
        mistakes=mistakes(results),
        look=[graded for graded in results if graded.status not in (GRADED, NOTHING)],
        absent=[graded.student for graded in results if graded.status == NOTHING],
        waiting=sum(bool(graded.open) for graded in results),
        address=lambda student: f"{quote(safe_name(student))}/{FEEDBACK}",
        size=(WIDTH * BINS, BASE + 50),
    )


def _range(number: int) -> str:
    """Name a bar of the histogram by the share of the points, in per cent."""
    return f"{100 * number // BINS}–{100 * (number + 1) // BINS}"


def _drawn(bars: Sequence[int]) -> list[dict[str, float]]:
    """Return position and size of each bar, in pixels."""
    tallest = max(max(bars), 1)
    heights = [HEIGHT * count / tallest for count in bars]
    return [
        {"x": WIDTH * number, "y": round(BASE - height, 1), "height": round(height, 1), "n": count}
        for number, (count, height) in enumerate(zip(bars, heights, strict=True))
    ]


def _described(bars: Sequence[int]) -> str:
    """Say what the histogram shows."""
    if not any(bars):
        return "No submission has its final marks yet."
    most = max(range(BINS), key=lambda number: bars[number])
    return (
        f"Histogram of the points of {sum(bars)} students in tenths. Most of them, {bars[most]}, "
        f"have {_range(most)} per cent of the points; {bars[-1]} have more than 90 per cent or "
        f"exactly that, {sum(bars[: BINS // 2])} have less than half."
    )


def _comment(item: Item) -> str:
    """Say in words what is remarkable about a task."""
    said = []
    if item.full == 1:
        said.append("Everybody has full marks.")
    elif item.mean == 0:
        said.append("Nobody has any point: is the task, or its test, as you meant it?")
    if item.attempted < 0.8:
        said.append("Many did not try it.")
    if item.count >= MANY and item.correlation is not None and item.correlation < WEAK:
        said.append("Who is good at the rest is not better here: does it measure the same?")
    return " ".join(said)
