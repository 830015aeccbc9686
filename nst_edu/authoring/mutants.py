"""Change a solution mechanically, and see whether the check rejects what computes something else.

Whether a mutant does is found out on inputs that the check does not use, not from a list.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nst_edu.authoring.mutations import SPOIL, expressions, statements
from nst_edu.exercises.checking import Exercise, check
from nst_edu.exercises.copying import tensors_in
from nst_edu.exercises.running import Outcome, call, run_all

CLEAR = 1e-3  # relative: a difference that no check may overlook


@dataclass(frozen=True)
class Mutant:
    """A solution with one place changed.

    Attributes
    ----------
    change
        What was changed, with the line's number.
    source
        The whole code.
    """

    change: str
    source: str


def mutants(source: str, name: str) -> list[Mutant]:
    """Return all mutants of the function `name` that `source` defines, without repetitions."""
    tree = ast.parse(source)
    position = next(
        n for n, f in enumerate(tree.body) if isinstance(f, ast.FunctionDef) and f.name == name
    )
    found: dict[str, Mutant] = {}
    original = ast.unparse(tree)
    for text, function in _changed_functions(tree.body[position]):
        twin = copy.deepcopy(tree)
        twin.body[position] = function
        code = ast.unparse(ast.fix_missing_locations(twin))
        if code != original:
            found.setdefault(code, Mutant(text, code))
    return list(found.values())


def _changed_functions(function: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """Yield each change as (what was changed, the function with it)."""
    nodes = list(ast.walk(function))
    for index, node in enumerate(nodes):
        for text, replacement in (*expressions(node), *statements(node)):
            twin = copy.deepcopy(function)
            target = list(ast.walk(twin))[index]
            yield (
                f"line {getattr(node, 'lineno', 0)}: {text}",
                _Replace(target, replacement).done(twin),
            )


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> Any:
        return self.replacement if node is self.target else self.generic_visit(node)

    def done(self, tree: ast.stmt) -> ast.stmt:
        """Return the tree with the replacement."""
        result: ast.stmt = self.visit(tree)
        return result


def survivors(
    exercise: Exercise, source: str, name: str, namespace: dict[str, Any]
) -> list[Mutant]:
    """Return the mutants of a solution that compute something else and pass the check.

    Parameters
    ----------
    exercise
        With `cases`.
    source, name
        The solution, and the name of the function that it defines.
    namespace
        The names that it uses.
    """
    assert exercise.cases is not None
    judge = replace(exercise, misconceptions=())  # whether, not why
    inputs = independent_cases(exercise.cases)
    expected = [call(exercise.reference, case, exercise.takes_gradient) for case in inputs]
    # Some functions work on certain sizes only.
    usable = [e for n, e in enumerate(expected) if n < len(inputs) // 2 or e.error is None]
    found = []
    for mutant in mutants(source, name):
        function = load(mutant.source, name, namespace)
        if check(judge, function).passed and _computes_something_else(exercise, function, usable):
            found.append(mutant)
    return found


def _computes_something_else(
    exercise: Exercise, function: Callable[..., Any], expected: Sequence[Outcome]
) -> bool:
    cases = [right.arguments for right in expected]
    run = run_all(function, cases, exercise.takes_gradient)
    pairs = zip(expected, run.outcomes, strict=False)
    return any(_differ(right, ours) for right, ours in pairs)


def _differ(right: Outcome, ours: Outcome) -> bool:
    """Tell whether two outcomes clearly differ: in error, value, gradient or changed arguments."""
    if right.error is not None or ours.error is not None:
        return not isinstance(ours.error, type(right.error))
    if right.changed != ours.changed or _values_differ(right.value, ours.value):
        return True
    if right.gradients is None or ours.gradients is None:
        return False
    zero = torch.zeros(())
    pairs = zip(right.gradients, ours.gradients, strict=True)
    filled = [(zero if a is None else a, zero if b is None else b) for a, b in pairs]
    return any(not _close(*torch.broadcast_tensors(a.double(), b.double())) for a, b in filled)


def _values_differ(right: Any, ours: Any) -> bool:
    if isinstance(right, Tensor):
        if not isinstance(ours, Tensor) or (right.shape, right.dtype) != (ours.shape, ours.dtype):
            return True
        return not _close(right.double(), ours.double())
    if isinstance(right, (list, tuple, dict)) and any(True for _ in tensors_in(right)):
        a, b = list(tensors_in(right)), list(tensors_in(ours))
        return len(a) != len(b) or any(map(_values_differ, a, b))
    if isinstance(right, float) and isinstance(ours, float):
        return abs(right - ours) > CLEAR * abs(right)
    return right is not None and bool(right != ours)


def _close(right: Tensor, ours: Tensor) -> bool:
    largest = float(right.abs().max()) if right.numel() else 0.0
    return torch.allclose(right, ours, rtol=CLEAR, atol=CLEAR * largest, equal_nan=True)


def spoil(value: Any) -> None:
    """Change a value in place, if it can be changed."""
    if isinstance(value, Tensor) and value.is_floating_point():
        value.mul_(1.5)
    elif isinstance(value, Tensor):
        value.add_(1)
    elif isinstance(value, list):
        for item in value:
            spoil(item)
    elif isinstance(value, dict):
        for item in value.values():
            spoil(item)


def load(source: str, name: str, namespace: dict[str, Any]) -> Any:
    """Execute a mutant's code with the names that it needs, and return what it calls `name`."""
    names = {**namespace, SPOIL: spoil}
    exec(compile(source, "<mutant>", "exec"), names)
    return names[name]


def independent_cases(
    cases: Callable[[torch.Generator], Any], seeds: range = range(1, 4)
) -> list[tuple[Any, ...]]:
    """Return inputs that a check does not use: other random numbers, other sizes."""
    drawn = [case for seed in seeds for case in cases(torch.Generator().manual_seed(seed))]
    return [*drawn, *(_resized(case, n % 3 + 1) for n, case in enumerate(drawn))]


def _resized(value: Any, more: int) -> Any:
    """Return a copy of a case with other sizes; equal sizes stay equal, others different."""
    if isinstance(value, Tensor):
        twin = value
        for axis, size in enumerate(value.shape):
            if size > 1 or more > 1:  # a size of 1 may be there to be broadcast, or by chance
                twin = twin.index_select(axis, torch.arange(size + more) % size)
        noise = torch.randn(twin.shape, generator=torch.Generator().manual_seed(more)).to(twin)
        return twin + 0.1 * noise if twin.is_floating_point() else twin
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_resized(item, more) for item in value)
    if isinstance(value, dict):
        return {key: _resized(item, more) for key, item in value.items()}
    return value
