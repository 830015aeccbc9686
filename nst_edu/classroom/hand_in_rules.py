"""What would surprise a student, or the grader, in a notebook that is to be handed in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from nst_edu.classroom.notebooks import claimed_id
from nst_edu.classroom.raw_cells import RawCell, place_of
from nst_edu.classroom.student_version import fingerprint
from nst_edu.exercises.stubs import source_blanks

# grade_id → what the release noted of the cell: its role, kind, names and digest.
Noted: TypeAlias = Mapping[str, Mapping[str, Any]]

LARGE = 5_000_000  # bytes: more than learning platforms like
NOT_FILLED_IN = ("YOUR ANSWER HERE", "YOUR CODE HERE")


def size_problems(notebook: Path) -> Iterator[str]:
    """Say so if the file is large."""
    size = notebook.stat().st_size
    if size > LARGE:
        yield (
            f"The file has {size / 1e6:.0f} MB, and many platforms refuse that. Clear the outputs "
            "(Edit, Clear Outputs of All Cells), save, and hand that in."
        )


def student_problems(cells: Sequence[RawCell], noted: Noted) -> Iterator[str]:
    """Say so if the id is not filled in."""
    asked = "student" in noted or any("STUDENT" in cell.source for cell in cells)
    if asked and claimed_id(cells) is None:
        yield 'STUDENT is not filled in. Write your id between the quotation marks: STUDENT = "…".'


def blank_problems(cells: Sequence[RawCell], noted: Noted) -> Iterator[str]:
    """Say where a blank is left in what the student writes."""
    fixed = {name: one for name, one in noted.items() if one.get("role") in ("test", "given")}
    prints = {one.get("digest") for one in fixed.values()}
    for cell in cells:
        if cell.grade_id in fixed or fingerprint(cell.source) in prints:
            continue
        if "STUDENT" in cell.names:
            continue  # it may keep the stub below the id
        if any(text in cell.source for text in NOT_FILLED_IN):
            yield f"{place_of(cell)} has no answer yet."
        elif cell.kind == "code" and (lines := _blank_lines(cell.source)):
            yield f"{place_of(cell)} has a blank (...) left: {lines[0][:60]}"


def _blank_lines(source: str) -> list[str]:
    try:
        return source_blanks(_that_counts(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # a magic, or a mistake that running it shows


def _that_counts(source: str) -> str:
    """Return the code of a cell without the statements that later ones make meaningless.

    Who writes the answer below the stub, and leaves the stub, has answered.
    """
    body = ast.parse(source).body
    lines = source.splitlines()
    answered: set[str] = set().union(*map(_defined, body))
    later: set[str] = set()
    for statement in reversed(body):
        names = _defined(statement)
        stub = isinstance(statement, ast.Expr) and ast.unparse(statement) == "..."
        if (stub and answered) or (names and names <= later):
            first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
            lines[first:last] = [""] * (last - first)
        later |= names
    return "\n".join(lines)


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value to, and nothing else."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def cell_problems(cells: Sequence[RawCell], noted: Noted) -> Iterator[str]:
    """Say which cells of the assignment are missing or were changed."""
    prints = {fingerprint(cell.source) for cell in cells}
    ids = {cell.grade_id for cell in cells}
    names = {name for cell in cells for name in cell.names}
    for grade_id, one in noted.items():
        fixed = one.get("role") in ("test", "given")
        if fixed and one.get("kind") == "code" and one.get("digest") not in prints:
            what = "test cell" if one.get("role") == "test" else "given cell"
            how = "was changed" if grade_id in ids else "is missing"
            yield f"The {what} {grade_id} {how}. The grader uses its own, so trust no result of it."
        wanted = [str(name) for name in _listed(one.get("names"))]
        if not fixed and wanted and names.isdisjoint(wanted) and grade_id not in ids:
            yield f"The answer {grade_id} is missing: no cell defines {wanted[0]}."


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
