"""Exercises in a lesson: find each stub with its check, hints and solution; put solutions in.

The solution stands once, in the lesson's text. Tests take it from there.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

EXERCISE, CHECK = "exercise", "check"
PREFIX = "my_"
DETAILS = re.compile(
    r"<details>\s*<summary>(?P<title>[^<]*)</summary>(?P<body>.*?)</details>", re.DOTALL
)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Task:
    """An exercise as it stands in a lesson.

    Attributes
    ----------
    cell
        The stub's number, counted from 1.
    names
        What the stub defines: ``("my_gram_matrix",)``.
    stub
        The stub's code.
    checks
        The numbers of its check cells.
    hints
        How many there are.
    solutions
        The code of each solution.
    """

    cell: int
    names: tuple[str, ...]
    stub: str
    checks: tuple[int, ...]
    hints: int
    solutions: tuple[str, ...]


def find_tasks(notebook: NotebookNode) -> list[Task]:
    """Return the exercises of a lesson in their order."""
    cells = list(enumerate(notebook.cells, 1))
    starts = [number for number, cell in cells if has_tag(cell, EXERCISE)]
    ends = [*starts[1:], len(cells) + 1][: len(starts)]
    return [_task(cells[first - 1 : end - 1]) for first, end in zip(starts, ends, strict=True)]


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Tell whether a code cell has a tag."""
    return cell.cell_type == "code" and tag in cell.metadata.get("tags", [])


def _task(cells: list[tuple[int, NotebookNode]]) -> Task:
    """Read one exercise from its stub and the cells up to the next stub."""
    number, stub = cells[0]
    blocks = [
        (match["title"], match["body"])
        for _, cell in cells[1:]
        if cell.cell_type == "markdown"
        for match in DETAILS.finditer(cell.source)
    ]
    names = tuple(name for name in defined_names(stub.source) if name.startswith(PREFIX))
    return Task(
        cell=number,
        names=names,
        stub=stub.source,
        checks=tuple(n for n, cell in cells if has_tag(cell, CHECK)),
        hints=sum(title.strip().startswith("Hint") for title, _ in blocks),
        solutions=tuple(_solutions(blocks)),
    )


def _solutions(blocks: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the code of each block under a summary "Solution"."""
    for title, body in blocks:
        if title.strip().startswith("Solution"):
            yield from (textwrap.dedent(code).strip() for code in PYTHON.findall(body))


def defined_names(source: str) -> list[str]:
    r"""Return the names that the top level of some code defines.

    Examples
    --------
    >>> defined_names("def my_sum(x): ...\n\nmy_size = ...")
    ['my_sum', 'my_size']
    """
    try:
        return [name for node in ast.parse(source).body for name in names_of(node)]
    except SyntaxError:
        return []


def names_of(node: ast.stmt) -> list[str]:
    """Return the names that one statement defines, as a reader of the notebook would see it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    return [
        name.id
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]


def fill_in(stub: str, solution: str) -> str:
    r"""Return the stub's code with the solution in the place of what both define.

    Examples
    --------
    >>> print(fill_in("my_a = ...\nshow = print", "my_a = 3"))
    my_a = 3
    show = print
    """
    wanted = set(defined_names(solution))
    lines = stub.splitlines()
    placed = False
    for node in reversed(ast.parse(stub).body):
        if wanted.isdisjoint(names_of(node)):
            continue
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        lines[first - 1 : node.end_lineno] = [] if placed else solution.splitlines()
        placed = True
    if not placed:
        raise ValueError(f"the solution defines {sorted(wanted)}, the stub none of it")
    return "\n".join(lines)


def solved(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a lesson with each solution in its stub's place.

    Raises
    ------
    ValueError
        If an exercise has no solution, or one that defines something else.
    """
    result = copy.deepcopy(notebook)
    for task in find_tasks(notebook):
        if len(task.solutions) != 1:
            raise ValueError(f"cell {task.cell} has {len(task.solutions)} solutions, not one")
        result.cells[task.cell - 1].source = fill_in(task.stub, task.solutions[0])
    return result
