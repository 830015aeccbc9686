"""Find the blanks, `...`, that a learner has not filled in."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import Any


def blanks(function: Any) -> list[str] | None:
    """Return the lines of `function` that hold a blank; None if its source cannot be found.

    A blank is an ``...`` anywhere but in square brackets: ``x[..., 1:]`` is none.

    Examples
    --------
    >>> def my_sum(values):
    ...     total = ...  # add them up
    ...     return total
    >>> blanks(my_sum)
    ['total = ...  # add them up']
    """
    function = plain(function)
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    definition = _definition(tree, getattr(function, "__name__", ""))
    if definition is None:
        return None
    return _lines(source, definition)


def source_blanks(source: str) -> list[str]:
    r"""Return the lines of some code that hold a blank.

    Examples
    --------
    >>> source_blanks("my_order = [..., ...]\nx = y[..., 0]")
    ['my_order = [..., ...]']
    """
    return _lines(source, ast.parse(source))


def _lines(source: str, tree: ast.AST) -> list[str]:
    lines = source.splitlines()
    numbers = sorted({node.lineno for node in _ellipses(tree)})
    return [lines[number - 1].strip() for number in numbers]


def plain(function: Any) -> Any:
    """Return what has the source: the function in a method, a partial, or a wrapper."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    if inspect.ismethod(function):
        return function.__func__
    if inspect.isfunction(function) or inspect.isclass(function):
        return function
    return type(function)


def _definition(tree: ast.Module, name: str) -> ast.AST | None:
    """Return the function, class or lambda in `tree`."""
    if name == "<lambda>":
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        return found[0] if len(found) == 1 else None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return next((n for n in tree.body if isinstance(n, kinds) and n.name == name), None)


def _ellipses(tree: ast.AST) -> list[ast.Constant]:
    """Return each ``...`` outside square brackets."""
    if isinstance(tree, ast.Constant):
        return [tree] if tree.value is ... else []
    if isinstance(tree, ast.Subscript):
        return _ellipses(tree.value)
    return [found for node in ast.iter_child_nodes(tree) for found in _ellipses(node)]


def holds_blank(value: Any, depth: int = 0) -> bool:
    """Tell whether a value is ``...``, or a container with one in it.

    Examples
    --------
    >>> holds_blank(["a", ...]), holds_blank(["a"])
    (True, False)
    """
    if value is ...:
        return True
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set, frozenset)) and depth < 12:
        return any(holds_blank(item, depth + 1) for item in value)
    return False
