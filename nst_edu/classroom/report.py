"""What a teacher gets for the whole class, made from the results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nst_edu.classroom.files import write_atomic
from nst_edu.classroom.gradebook import gradebook
from nst_edu.classroom.items import BINS, Item, histogram, items, mistakes
from nst_edu.classroom.junit import junit
from nst_edu.classroom.records import GRADED, Graded
from nst_edu.classroom.safe_html import page
from nst_edu.classroom.store import all_results

MARKS, JUNIT, PAGE = "marks.csv", "junit.xml", "report.html"
WIDTH, HEIGHT, BASE = 56, 160, 190  # px: of a bar with its gap, of the tallest bar, of the floor
WEAK = 0.2  # a correlation below this says that the task measures something else


def write_reports(folder: Path, results: Sequence[Graded] | None = None) -> list[Path]:
    """Write marks.csv, junit.xml and report.html into the folder of the marks.

    Parameters
    ----------
    results
        What to report on; None: all results in `folder`.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: give the one that 'grade --to' wrote")
    results = all_results(folder) if results is None else results
    if not results:
        raise ValueError(
            f"{folder} holds no results: give the folder that 'nst-edu classroom grade --to' wrote"
        )
    made = {MARKS: gradebook(results), JUNIT: junit(results), PAGE: report_page(results)}
    for name, text in made.items():
        write_atomic(folder / name, text)
    return [folder / name for name in made]


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
        look=[graded for graded in results if graded.status != GRADED],
        hands=sum(bool(graded.by_hand) for graded in results),
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
    if item.correlation is not None and item.correlation < WEAK:
        said.append("Who is good at the rest is not better here: does it measure the same?")
    return " ".join(said)
