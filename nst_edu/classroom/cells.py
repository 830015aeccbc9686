"""What a cell of an assignment is for, by nbgrader's metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nst_edu.classroom import regions
from nst_edu.classroom.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION

if TYPE_CHECKING:
    from nbformat import NotebookNode

ANSWER, TEST, BY_HAND, QUESTION, GIVEN, FREE = (
    "answer",
    "test",
    "by hand",
    "question",
    "given",
    "free",
)


def noted(cell: NotebookNode) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def role_of(cell: NotebookNode) -> str:
    """Return what a cell is for.

    ``answer``: students write code, and a test follows. ``test``: marks it. ``by hand``: an answer
    that a person marks. ``question``: nbgrader's task cell; students add cells of their own, and a
    person marks them. ``given``: nobody changes it. ``free``: everything else.
    """
    found = noted(cell)
    if found.get("task"):
        return QUESTION
    if found.get("grade"):
        return BY_HAND if found.get("solution") else TEST
    if found.get("solution"):
        return ANSWER
    return GIVEN if found.get("locked") else FREE


def released(cell: NotebookNode) -> str:
    """Return what students get of a cell; the same as nbgrader's preprocessors make.

    Raises
    ------
    ValueError
        If a region does not end.
    """
    source: str = cell.source
    role = role_of(cell)
    if role in (ANSWER, BY_HAND):
        stub = regions.STUB if cell.cell_type == "code" else regions.TEXT_STUB
        if not regions.find_regions(source, SOLUTION):
            return stub
        source = regions.without(source, SOLUTION, stub)
    source = regions.without(source, HIDDEN_TESTS)
    return regions.without(source, MARK_SCHEME)


@dataclass(frozen=True)
class Slot:
    """A cell that must be in a student's notebook.

    Attributes
    ----------
    grade_id, role, kind
        ``kind`` is that of the notebook's format: ``code``, ``markdown`` or ``raw``.
    source
        As students get it.
    names
        What an answer defines: the names of its tasks if it has any, else all.
    before
        The source of the cell above; empty if there is none.
    """

    grade_id: str
    role: str
    kind: str
    source: str
    names: tuple[str, ...] = ()
    before: str = ""
