"""The page that a student gets back: marks, what was found, and the notebook as it was run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from nst_edu.classroom.by_hand import MARKED
from nst_edu.classroom.outputs import Shown, shown_outputs
from nst_edu.classroom.records import GRADED, HUMAN, NOTHING, UNREADABLE, Graded, to_json
from nst_edu.classroom.safe_html import page

if TYPE_CHECKING:
    from nst_edu.classroom.assignment import Assignment
    from nst_edu.classroom.grade import Judged
    from nst_edu.classroom.notebooks import Cell, Submission

# Markdown can be made so that it takes seconds to render: what is longer is shown as written.
LONGEST_MARKDOWN, MOST_MARKDOWN = 10_000, 60_000  # characters of a cell, of all cells
LARGEST_PAGE = 8_000_000  # characters of all outputs
STATUS = {  # of a submission, for the student
    GRADED: "graded",
    HUMAN: "a person will look at parts of it",
    UNREADABLE: "it could not be read; a person will look at it",
    NOTHING: "nothing was handed in",
}
PARTLY = "graded, but for what a person still has to mark"
SAME, NO_OUTPUT = Shown("The same output."), Shown("No output.")  # with what was handed in


@dataclass(frozen=True)
class CellShown:
    """A cell as the page shows it.

    Attributes
    ----------
    kind
        "code" or "markdown"; anything else is shown as text.
    note
        What happened to the cell, in words.
    tasks
        What it answers; the points for them are shown below it.
    handed_in
        Its outputs as they were handed in, where a person marks: the sandbox has no own photo, and
        the student's text is about the numbers that the student saw.
    """

    kind: str
    source: str
    outputs: tuple[Shown, ...] = ()
    note: str = ""
    tasks: tuple[str, ...] = ()
    handed_in: tuple[Shown, ...] = ()


def feedback_page(graded: Graded, cells: Sequence[CellShown]) -> str:
    """Return the page; nothing in it can run or be loaded from anywhere.

    Parameters
    ----------
    graded
        The marks.
    cells
        The student's notebook, with what it put out in the sandbox.
    """
    marks = {mark.task: mark for mark in graded.marks}
    parts = {part.task: part for part in graded.by_hand}
    partly = graded.status == GRADED and graded.open > 0
    return page(
        "feedback.html.j2",
        graded=graded,
        cells=cells,
        marks=marks,
        parts=parts,
        marked=MARKED,
        status=PARTLY if partly else STATUS.get(graded.status, graded.status),
        handed_in=graded.status != NOTHING,
        fingerprint=fingerprint(graded),
    )


def fingerprint(graded: Graded) -> str:
    """Return a digest of all that a page says about the points."""
    return hashlib.sha256(to_json(graded).encode(errors="backslashreplace")).hexdigest()[:16]


def to_text(cells: Sequence[CellShown]) -> str:
    """Write the cells down, so that the page can be made again when a person gives points."""
    return json.dumps([asdict(cell) for cell in cells])


def from_text(text: str) -> list[CellShown]:
    """Read what `to_text` wrote.

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        return [_cell(**data) for data in json.loads(text)]
    except (TypeError, RecursionError) as error:
        raise ValueError(f"these are not the cells of a page: {error}") from error


def _cell(
    outputs: Sequence[Any], handed_in: Sequence[Any], tasks: Sequence[str], **rest: Any
) -> CellShown:
    shown, before = (tuple(Shown(**one) for one in some) for some in (outputs, handed_in))
    return CellShown(**rest, outputs=shown, handed_in=before, tasks=tuple(tasks))


def bounded(cells: Sequence[CellShown]) -> list[CellShown]:
    """Leave out outputs that would make the page too large for a browser.

    All code stays, because what is not shown could be what made the outputs; `raw_cells` bounds it.
    """
    room, markdown = LARGEST_PAGE, MOST_MARKDOWN
    shown: list[CellShown] = []
    for cell in cells:
        size = len(cell.source)
        if cell.kind == "markdown":
            markdown -= size
            if size > LONGEST_MARKDOWN or markdown < 0:
                cell = replace(cell, kind="raw")
        room -= sum(output.size for output in (*cell.outputs, *cell.handed_in))
        if room < 0:
            note = f"{cell.note} Its outputs are not shown: too much.".strip()
            cell = replace(cell, outputs=(), handed_in=(), note=note)
        shown.append(cell)
    return shown


def shown_cells(assignment: Assignment, submission: Submission, judged: Judged) -> list[CellShown]:
    """Return the student's notebook as the feedback page shows it."""
    answers = [(one.solution, one.task.name) for one in assignment.tasks]
    answers += [(part.grade_id, part.grade_id) for part in assignment.by_hand]
    after: dict[str, list[str]] = {}
    for grade_id, task in answers:
        for cell in submission.answers(grade_id)[-1:]:
            after.setdefault(cell.id, []).append(task)
    cells = [
        _shown_cell(cell, number, judged, tuple(after.get(cell.id, ())), bool(assignment.by_hand))
        for number, cell in enumerate(submission.cells, 1)
    ]
    return bounded(cells)


def _shown_cell(
    cell: Cell, number: int, judged: Judged, tasks: tuple[str, ...], before: bool
) -> CellShown:
    """Return one cell; `before`: also with what it had put out when it was handed in."""
    given = cell.outputs if cell.kind == "markdown" else judged.outputs.get(cell.id, ())
    outputs = shown_outputs(given, number)
    return CellShown(
        kind=cell.kind,
        source=cell.source,
        outputs=outputs,
        note=judged.endings.get(cell.id, ""),
        tasks=tasks,
        handed_in=_handed_in(cell, number, outputs) if before and cell.kind == "code" else (),
    )


def _handed_in(cell: Cell, number: int, now: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """Return what a cell had put out when it was handed in; empty if it never puts out anything."""
    before = shown_outputs(cell.outputs, number)
    if before == now:
        return (SAME,) if now else ()
    return before or (NO_OUTPUT,)
