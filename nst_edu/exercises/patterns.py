"""Recognise results that are right up to a factor, or up to the order of their axes."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from typing import Any, TypeGuard

from torch import Tensor

from nst_edu.exercises.comparing import compare

MOST_AXES = 5  # 120 orders


def _all_tensors(pairs: Sequence[tuple[Any, Any]]) -> TypeGuard[Sequence[tuple[Tensor, Tensor]]]:
    return bool(pairs) and all(isinstance(t, Tensor) for pair in pairs for t in pair)


def swapped_axes(pairs: Sequence[tuple[Any, Any]]) -> str | None:
    """Return the order of axes that turns each right result into the learner's.

    Parameters
    ----------
    pairs
        (right, ours) of each case.

    Examples
    --------
    >>> import torch
    >>> matrix = torch.tensor([[1.0, 2.0, 3.0]])
    >>> swapped_axes([(matrix, matrix.T)])
    '(1, 0) instead of (0, 1)'
    """
    if not _all_tensors(pairs) or len({t.ndim for pair in pairs for t in pair}) != 1:
        return None
    axes = tuple(range(pairs[0][0].ndim))
    if not 2 <= len(axes) <= MOST_AXES:
        return None
    for order in itertools.permutations(axes):
        if order != axes and all(
            compare(r.permute(order), o, dtype=False) is None for r, o in pairs
        ):
            return f"{order} instead of {axes}"
    return None


def constant_factor(pairs: Sequence[tuple[Any, Any]]) -> str | None:
    """Say by which factor the learner's numbers are larger in each case.

    Examples
    --------
    >>> import torch
    >>> numbers = torch.tensor([1.0, 2.0])
    >>> constant_factor([(numbers, -2 * numbers), (3 * numbers, -6 * numbers)])
    'Each of your numbers is -2 times the right one.'
    """
    if not _all_tensors(pairs):
        return None
    factors = [_factor(right, ours) for right, ours in pairs]
    known = [factor for factor in factors if factor is not None]
    # One number is always a multiple of another: that says nothing unless it happens again.
    single = all(right.numel() == 1 for right, _ in pairs)
    if len(known) < len(factors) or (single and len(known) < 2):
        return None
    middle = statistics.median(known)
    if all(abs(factor - middle) <= 1e-3 * abs(middle) for factor in known):
        return None if abs(middle - 1) < 1e-9 else f"Each of your numbers is {_words(middle)}."
    if single:
        return None
    listed = ", ".join(f"{factor:.4g}" for factor in known[:4])
    return (
        "For each input your numbers are the right ones times a factor, but the factor is not the "
        f"same for all inputs: {listed}. So it depends on the size of the input."
    )


def _words(factor: float) -> str:
    """Say a factor as a fraction where that is easier to recognise."""
    if abs(factor + 1) < 1e-3:
        return "the right one with the other sign"
    inverse = 1 / factor
    if 0 < factor < 0.999 and abs(inverse - round(inverse)) < 1e-3 * inverse:
        return f"1/{round(inverse)} of the right one"
    return f"{factor:.4g} times the right one"


def _factor(right: Tensor, ours: Tensor) -> float | None:
    """Return the factor, if all of `ours` is `right` times one number other than 0."""
    if right.shape != ours.shape or not right.is_floating_point() or not right.numel():
        return None
    r, o = right.double().flatten(), ours.double().flatten()
    square = float(r @ r)
    factor = float(r @ o) / square if square else 0.0
    if not factor or not abs(factor) < 1e30:
        return None
    return factor if compare(factor * right.double(), ours, dtype=False) is None else None
