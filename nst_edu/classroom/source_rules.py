"""What must hold for the cells of a teacher's notebook; each fault is a sentence."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nst_edu.classroom import regions
from nst_edu.classroom.cells import ANSWER, BY_HAND, FREE, QUESTION, TEST, noted, released, role_of
from nst_edu.classroom.regions import HIDDEN_TESTS, KINDS, MARK_SCHEME, SOLUTION

if TYPE_CHECKING:
    from nbformat import NotebookNode

GRADE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
FLAGS = ("grade", "solution", "locked", "schema_version")
ENDING = "TASK.mark(globals())"


def label(number: int, cell: NotebookNode) -> str:
    """Name a cell in a message; cells are counted from 1."""
    grade_id = noted(cell).get("grade_id")
    return f"cell {number} ({grade_id})" if grade_id else f"cell {number}"


def structure_faults(cells: Sequence[NotebookNode]) -> list[str]:
    """Return what is wrong with the cells, without executing any."""
    found = []
    for number, cell in enumerate(cells, 1):
        for rule in (metadata_faults, region_faults, grading_faults, answer_faults):
            faults = list(rule(cell))
            found += [f"{label(number, cell)} {fault}" for fault in faults]
            if faults:
                break  # one fault often leads to the next
    ids = Counter(noted(cell).get("grade_id") for cell in cells if role_of(cell) != FREE)
    for grade_id, count in ids.items():
        if count > 1 and grade_id:
            found.append(f"{count} cells have the grade_id {grade_id!r}: give each its own")
    if not any(role_of(cell) in (TEST, BY_HAND, QUESTION) for cell in cells):
        found.append("no cell has points: nothing would be graded. Is this nbgrader's source?")
    return found


def metadata_faults(cell: NotebookNode) -> Iterator[str]:
    """Check nbgrader's own fields, as nbgrader does."""
    found, role = noted(cell), role_of(cell)
    if not found or (role == FREE and "grade_id" not in found):
        return
    missing = [name for name in FLAGS if name not in found]
    if missing:
        yield f"lacks {', '.join(missing)} in its nbgrader metadata"
    grade_id = found.get("grade_id")
    if not isinstance(grade_id, str) or not GRADE_ID.fullmatch(grade_id):
        yield f"has the grade_id {grade_id!r}: use letters, digits, _ and -"
    points = found.get("points")
    if role in (TEST, BY_HAND, QUESTION):
        number = isinstance(points, (int, float)) and not isinstance(points, bool)
        if points is None:
            yield 'has no points: add "points": N to its nbgrader metadata'
        elif not number or not math.isfinite(points) or points < 0:
            yield f"has {points!r} points: a number, 0 or more, is needed"
    if role in (TEST, ANSWER) and cell.cell_type != "code":
        yield f"is {cell.cell_type}, but a cell of this kind (role: {role}) must be code"
    if role == QUESTION and cell.cell_type != "markdown":
        yield 'is marked as a task ("task": true) but is not markdown'


def region_faults(cell: NotebookNode) -> Iterator[str]:
    """Check that the regions end, and stand where nbgrader takes them away."""
    role = role_of(cell)
    try:
        counts = {kind: len(regions.find_regions(cell.source, kind)) for kind in KINDS}
        rest = regions.without(cell.source, SOLUTION)
    except ValueError as error:
        yield str(error)
        return
    if counts[SOLUTION] and role not in (ANSWER, BY_HAND):
        yield 'has a solution, but is not marked as one ("solution": true)'
    if counts[HIDDEN_TESTS] and role != TEST:
        yield 'has hidden tests, but is no test cell ("grade": true, "solution": false)'
    whole = role == BY_HAND and not counts[SOLUTION]  # all of it is taken away
    if not whole and role != QUESTION and regions.find_regions(rest, MARK_SCHEME):
        yield (
            "has a mark scheme that nbgrader would refuse: in an answer marked by hand leave out "
            "BEGIN SOLUTION, so that the whole cell is cleared; or make it a task cell"
        )


def grading_faults(cell: NotebookNode) -> Iterator[str]:
    """Check that a test cell ends with one hidden region, and that with the mark."""
    if role_of(cell) != TEST:
        return
    found = regions.find_regions(cell.source, HIDDEN_TESTS)
    lines = cell.source.split("\n")
    if not found:
        yield f"has no hidden tests: add ### BEGIN {HIDDEN_TESTS} … ### END {HIDDEN_TESTS}"
    elif len(found) > 1:
        yield f"has {len(found)} hidden regions: put them into one, at its end"
    elif "".join(lines[found[0].last + 1 :]).strip():
        yield "goes on after its hidden tests: nbgrader reads the mark from the last line"
    else:
        yield from _code_faults(regions.inside(cell.source, found[0]), found[0].first + 1, True)
        yield from _code_faults(released(cell), 0, False)


def _code_faults(source: str, offset: int, hidden: bool) -> Iterator[str]:
    """Check that some code is Python, and that a hidden region ends with the mark."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        line = offset + (getattr(error, "lineno", None) or 1)
        yield f"is not valid Python: line {line}: {getattr(error, 'msg', error)}"
        return
    if hidden and not (body and marking(body[-1])):
        yield f"must end its hidden tests with {ENDING}, without a semicolon"


def marking(statement: ast.stmt) -> str | None:
    """Return NAME if a statement is ``NAME.mark(…)``."""
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="mark"))):
            return name
    return None


def answer_faults(cell: NotebookNode) -> Iterator[str]:
    """Check that something of an answer cell is left for students."""
    if role_of(cell) != ANSWER:
        return
    if not regions.find_regions(cell.source, SOLUTION):
        yield (
            f"has no ### BEGIN {SOLUTION} … ### END {SOLUTION}: nbgrader would clear the whole "
            "cell, with the function's first line"
        )
    yield from _code_faults(cell.source, 0, False)
