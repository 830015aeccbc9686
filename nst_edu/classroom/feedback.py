"""The page that a student gets back: marks, what was found, and the notebook as it was run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nst_edu.classroom.outputs import Shown, shown_outputs
from nst_edu.classroom.records import Graded, TaskMark
from nst_edu.classroom.safe_html import LONGEST_TEXT, page

if TYPE_CHECKING:
    from nst_edu.classroom.assignment import Assignment
    from nst_edu.classroom.grade import Judged
    from nst_edu.classroom.notebooks import Submission

MOST_CELLS = 300  # shown of a notebook
# Markdown can be made so that it takes seconds to render: what is longer is shown as written.
LONGEST_MARKDOWN, MOST_MARKDOWN = 10_000, 60_000  # characters of a cell, of all cells
LARGEST_PAGE = 8_000_000  # characters of all that was written and put out


@dataclass(frozen=True)
class CellShown:
    """A cell as the page shows it.

    Attributes
    ----------
    kind
        "code" or "markdown"; anything else is shown as text.
    note
        What happened to the cell, in words.
    mark
        Shown below the cell, if it answers a task.
    """

    kind: str
    source: str
    outputs: tuple[Shown, ...] = ()
    note: str = ""
    mark: TaskMark | None = None


def feedback_page(graded: Graded, cells: Sequence[CellShown]) -> str:
    """Return the page; nothing in it can run or be loaded from anywhere.

    Parameters
    ----------
    graded
        The marks.
    cells
        The student's notebook, with what it put out in the sandbox.
    """
    return page("feedback.html.j2", graded=graded, cells=_bounded(cells))


def _bounded(cells: Sequence[CellShown]) -> list[CellShown]:
    """Leave out what would make the page too large for a browser."""
    room, markdown = LARGEST_PAGE, MOST_MARKDOWN
    shown: list[CellShown] = []
    for cell in cells[:MOST_CELLS]:
        size = len(cell.source)
        room -= min(size, LONGEST_TEXT)
        if cell.kind == "markdown":
            markdown -= size
            if size > LONGEST_MARKDOWN or markdown < 0:
                cell = replace(cell, kind="raw")
        kept = []
        for output in cell.outputs:
            room -= output.size
            if room < 0:
                break
            kept.append(output)
        cut = "" if len(kept) == len(cell.outputs) else "Further output is not shown: too much."
        note = " ".join(filter(None, (cell.note, cut)))
        shown.append(replace(cell, outputs=tuple(kept), note=note))
    hidden = len(cells) - MOST_CELLS
    if hidden > 0:
        shown.append(CellShown("raw", f"{hidden:,} more cells are not shown."))
    return shown


def shown_cells(assignment: Assignment, submission: Submission, judged: Judged) -> list[CellShown]:
    """Return the student's notebook as the feedback page shows it."""
    marks = {mark.task: mark for mark in judged.graded.marks}
    after = {}
    for one in assignment.tasks:
        for cell in submission.answers(one.solution)[-1:]:
            after[cell.id] = marks[one.task.name]
    return [
        CellShown(
            kind=cell.kind,
            source=cell.source,
            outputs=shown_outputs(judged.outputs.get(cell.id, ()), number),
            note=judged.endings.get(cell.id, ""),
            mark=after.get(cell.id),
        )
        for number, cell in enumerate(submission.cells, 1)
    ]
