"""Which functions a learner's source calls: for what its numbers cannot show."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from nst_edu.exercises.stubs import plain


def calls_in(function: Any) -> list[ast.Call]:
    """Return the calls in the source of a function, in no order; none if it is not found."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(plain(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_called(call: ast.Call) -> str:
    """Return the last name of what is called: ``conv2d`` for ``F.conv2d(…)``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def called(function: Any, names: Sequence[str]) -> list[str]:
    """Return those of the names that a function calls.

    Examples
    --------
    >>> import torch
    >>> def halves(x):
    ...     return torch.relu(x).mul(0.5)
    >>> called(halves, ("linear", "relu", "mul"))
    ['relu', 'mul']
    """
    found = {name_called(call) for call in calls_in(function)}
    return [name for name in names if name in found]


def axes_of(function: Any, names: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Yield the axes, where they are written as numbers, of each call of one of these names.

    Examples
    --------
    >>> def total(x):
    ...     return x.sum(dim=(0, 1)).sum(-1)
    >>> sorted(axes_of(total, ["sum"]))
    [(-1,), (0, 1)]
    """
    for call in calls_in(function):
        if name_called(call) not in names:
            continue
        named = [word.value for word in call.keywords if word.arg in ("dim", "axis")]
        found = (_numbers(node) for node in (*named, *call.args))
        axes = next((numbers for numbers in found if numbers is not None), None)
        if axes is not None:
            yield axes


def _numbers(node: ast.expr) -> tuple[int, ...] | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    axes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return axes if all(isinstance(axis, int) for axis in axes) else None
