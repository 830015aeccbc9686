"""What goes wrong in a loop that moves a tensor by its gradient: for lessons 4 and 8.

The arguments of such a function begin with the loss and the start: ``(loss_of, start, …)``.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from nst_edu.exercises.checking import Attempt
from nst_edu.exercises.running import Outcome, run_all
from nst_edu.exercises.trials import source_tree

# What the errors say ------------------------------------------------------------------------------


def _said(attempt: Attempt) -> Iterator[str]:
    """Yield the texts of the errors."""
    return (str(outcome.error) for outcome in attempt.outcomes if outcome.error is not None)


def _without_gradient(attempt: Attempt) -> int:
    """Count the calls that stopped because there was no gradient."""
    return sum("NoneType" in text or "does not require grad" in text for text in _said(attempt))


def _graph_used_twice(attempt: Attempt) -> bool:
    signs = ("backward through the graph a second time", "modified by an inplace operation")
    return any(sign in text for text in _said(attempt) for sign in signs)


def move_recorded(attempt: Attempt) -> bool:
    """Tell whether autograd refused that a leaf is changed in place."""
    return any("in-place operation" in text for text in _said(attempt))


# What the loss is computed of ---------------------------------------------------------------------


def _looked_at(attempt: Attempt) -> list[Tensor]:
    """Call the function once more, and return the tensors of which it computes the loss.

    Of a function that is elsewhere, or that did not come to an end, there are none.
    """
    seen: list[Tensor] = []
    if not callable(attempt.answer) or attempt.too_slow:
        return seen
    loss_of, *others = attempt.expected[0].arguments
    twin = copy.deepcopy(loss_of)

    def watched(x: Tensor) -> Any:
        seen.append(x)
        return twin(x)

    run_all(attempt.answer, [(watched, *others)], lambda _: False)
    return seen


def not_marked(attempt: Attempt) -> bool:
    """Tell whether the function stopped because its tensor never takes a gradient."""
    seen = _looked_at(attempt)
    stopped = _without_gradient(attempt)
    if seen:
        return stopped > 0 and not seen[0].requires_grad
    return 0 < stopped == len(attempt.outcomes)


def leaf_lost(attempt: Attempt) -> bool:
    """Tell whether the function stopped because its tensor is another one after a step."""
    seen = _looked_at(attempt)
    if not seen:  # the first move of each call had a gradient, so only a later one can lack it
        lacking = sum("NoneType" in text for text in _said(attempt))
        return 0 < lacking < len(attempt.outcomes)
    replaced = seen[0].is_leaf and any(x is not seen[0] for x in seen)
    return replaced and (_without_gradient(attempt) > 0 or _graph_used_twice(attempt))


def loss_computed_once(attempt: Attempt) -> bool:
    """Tell whether the function stopped because one loss serves for several steps."""
    return _graph_used_twice(attempt) and len(_looked_at(attempt)) <= 1


# What the lines do one after the other ------------------------------------------------------------


def _unmoved(outcome: Outcome) -> bool:
    start = outcome.arguments[1]
    return isinstance(outcome.value, Tensor) and torch.equal(outcome.value, start)


def nothing_moved(attempt: Attempt) -> bool:
    """Tell whether the function returned the start in all cases."""
    return bool(attempt.outcomes) and all(map(_unmoved, attempt.outcomes))


def gradient_erased(attempt: Attempt) -> bool:
    """Tell whether nothing moves and the lines erase the gradient between backward and move."""
    if not attempt.outcomes:
        return False
    stuck = all(_unmoved(o) or "NoneType" in str(o.error) for o in attempt.outcomes)
    return stuck and bool(re.search("be+m", _deeds(source_tree(attempt.answer))))


def _deeds(tree: ast.AST) -> str:
    """Return a letter for each b(ackward), e(rasure) and m(ove), in the order of the source."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.Call))]
    found = sorted((node.lineno, node.col_offset, _deed(node)) for node in nodes)
    return "".join(deed for *_, deed in found)


def _deed(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        deeds = {"backward": "b", "zero_grad": "e", "step": "m", "sub_": "m", "add_": "m"}
        on_gradient = _is_gradient(node.func.value)
        return "e" if on_gradient and node.func.attr == "zero_" else deeds.get(node.func.attr, "")
    if isinstance(node, ast.AugAssign):
        if _is_gradient(node.target):
            return "e" if isinstance(node.op, ast.Mult) else ""
        return "" if isinstance(node.value, ast.Constant) else "m"  # steps -= 1 is no move
    if isinstance(node, (ast.Assign, ast.Delete)):
        if any(map(_is_gradient, node.targets)):
            return "e"
        return "m" if any(getattr(target, "attr", "") == "data" for target in node.targets) else ""
    return ""


def _is_gradient(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "grad"
