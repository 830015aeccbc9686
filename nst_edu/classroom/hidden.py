"""Get the tasks out of the hidden tests of the teacher's notebook, by executing those alone."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nst_edu.classroom import regions
from nst_edu.classroom.cells import ANSWER, BY_HAND, TEST, noted, released, role_of
from nst_edu.classroom.regions import HIDDEN_TESTS
from nst_edu.classroom.source_rules import label, marking

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nst_edu.classroom.tasks import Task


class HiddenTestError(ValueError):
    """Hidden tests from which no task can be had; says which cell and line."""


def load_task(cells: Sequence[NotebookNode], number: int) -> Task:
    """Return the task of a test cell.

    What its hidden region uses from the cells above it is executed before: imports, functions and
    constants, but nothing that a student writes.

    Parameters
    ----------
    cells
        Of the teacher's notebook.
    number
        The test cell's, counted from 1.

    Raises
    ------
    HiddenTestError
        If the region raises, uses what a student writes, or makes no task.
    """
    from nst_edu.classroom.tasks import Task

    cell = cells[number - 1]
    where = label(number, cell)
    tree, name = _definitions(cell)
    borrowed = sorted(_free_names(tree) & _students_names(cells))
    if borrowed:
        text = f"{where} uses {borrowed[0]}, which the student writes, in its hidden tests"
        raise HiddenTestError(f"{text}: define what you need in there, under another name")
    namespace = _execute(cells, number, tree)
    task = namespace.get(name)
    if not isinstance(task, Task):
        kind = type(task).__name__
        raise HiddenTestError(f"{where}: {name} is a {kind}; it must be a tasks.Task(…)")
    _try_cases(task, where)
    return task


def _definitions(cell: NotebookNode) -> tuple[ast.Module, str]:
    """Return a hidden region without its last line, and the name of the task.

    Line numbers are those of the cell.
    """
    region = regions.find_regions(cell.source, HIDDEN_TESTS)[0]
    tree = ast.parse(regions.inside(cell.source, region))
    ast.increment_lineno(tree, region.first + 1)
    return ast.Module(tree.body[:-1], []), marking(tree.body[-1]) or ""


def _execute(cells: Sequence[NotebookNode], number: int, tree: ast.Module) -> dict[str, Any]:
    """Execute a hidden region, after what it needs."""
    from nbformat.v4 import new_code_cell, new_notebook

    from nst_edu.authoring.surroundings import names_for

    cell = cells[number - 1]
    above = [new_code_cell(text) for text in _teachers_code(cells, number)]
    file = f"<{label(number, cell)}>"
    try:
        namespace = names_for(ast.unparse(tree), new_notebook(cells=above), len(above) + 1)
        exec(compile(tree, file, "exec"), namespace)
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
        line = f", line {lines[-1]}" if lines else ""
        text = f"the hidden tests raise {type(error).__name__}: {error}"
        raise HiddenTestError(f"{label(number, cell)}{line}: {text}") from error
    return namespace


def _teachers_code(cells: Sequence[NotebookNode], number: int) -> Iterator[str]:
    """Yield the code above a hidden region that no student writes."""
    for cell in cells[: number - 1]:
        role = role_of(cell)
        if cell.cell_type != "code" or role in (ANSWER, BY_HAND):
            continue
        yield _visible_python(released(cell))
        if role == TEST:
            yield ast.unparse(_definitions(cell)[0])
    yield _visible_python(released(cells[number - 1]))


def _visible_python(source: str) -> str:
    """Return some code, or nothing if it is not plain Python (magics)."""
    try:
        ast.parse(source)
    except SyntaxError:
        return ""
    return source


def _students_names(cells: Sequence[NotebookNode]) -> set[str]:
    """Return the names that the answer cells define."""
    return {
        name
        for cell in cells
        if role_of(cell) == ANSWER
        for name in regions.names_defined(cell.source)
    }


def _free_names(tree: ast.Module) -> set[str]:
    """Return the names that some code reads and nowhere sets."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    nodes = list(ast.walk(tree))
    set_here = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    set_here |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    set_here |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - set_here


def _try_cases(task: Task, where: str) -> None:
    """Make the inputs once: better now than in the middle of the grading."""
    try:
        task.arguments(0)
    except Exception as error:
        text = f"{where}: cases(generator) raises {type(error).__name__}: {error}"
        raise HiddenTestError(text) from error


def points_fault(cell: NotebookNode, task: Task, number: int) -> str | None:
    """Say so if nbgrader and the task disagree about the points."""
    points = noted(cell)["points"]
    if float(points) == float(task.points):
        return None
    text = f"{label(number, cell)} has {points:g} points, but its Task has {task.points:g}"
    return f"{text}: make both the same, or nbgrader's marks differ from ours"
