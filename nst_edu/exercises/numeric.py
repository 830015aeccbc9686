"""Compare numbers: tensors, NumPy arrays, and Python's own."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst_edu.exercises.differences import Difference, inside, part, wrong_type

RTOL = {torch.float64: 1e-6, torch.float32: 1e-4}  # float64: constants may be float32 inside
RTOL_OTHER = 1e-2  # half precision
RTOL_NUMBER = 1e-5
NO_GRADIENT = "Outside torch no gradient is computed."


def compare_tensors(
    expected: Tensor, got: Any, rtol: float | None, dtype: bool, where: str
) -> Difference | None:
    """Compare with a tensor: type, shape, the numbers, and the dtype if all else is right."""
    if not isinstance(got, Tensor):
        more = ""
        if isinstance(got, (np.ndarray, numbers.Number)):
            more = NO_GRADIENT
        elif hasattr(got, "__next__"):
            more = "A function with yield returns a generator: use return."
        return wrong_type("a tensor", got, where, more)
    if got.shape != expected.shape:
        shapes = f"has shape {tuple(got.shape)}; shape {tuple(expected.shape)} is needed."
        return Difference("wrong-shape", f"{part(where)} {shapes}")
    found = _values(expected, got, _tolerance(expected, got) if rtol is None else rtol, where)
    if found is None and dtype and got.dtype != expected.dtype:
        types = f"is {_short(got.dtype)}; {_short(expected.dtype)} is needed."
        return Difference("wrong-dtype", f"{part(where)} {types}")
    return found


def _tolerance(expected: Tensor, got: Tensor) -> float:
    """Return the tolerance of the coarser of two dtypes; whole numbers have lost no digits."""
    kinds = [t.dtype for t in (expected, got) if t.is_floating_point() or t.is_complex()]
    if expected.dtype not in kinds:
        return 0.0
    return max(RTOL.get(kind, RTOL_OTHER) for kind in kinds)


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _values(expected: Tensor, got: Tensor, rtol: float, where: str) -> Difference | None:
    """Compare the numbers of two tensors of equal shape."""
    kind = torch.complex128 if expected.is_complex() or got.is_complex() else torch.float64
    right, ours = expected.detach().cpu().to(kind), got.detach().cpu().to(kind)
    if bool((ours.isfinite() | ~right.isfinite()).logical_not().any()):
        count = int((~ours.isfinite() & right.isfinite()).sum())
        text = f"{count} of {ours.numel()} numbers of {inside(where)} are not finite (nan or inf)."
        return Difference("not-a-number", text)
    finite = right[right.isfinite()].abs()
    largest = float(finite.max()) if finite.numel() else 0.0
    # A number that is small beside the others may have lost digits where they were added.
    allowed = rtol * right.abs() + 0.1 * rtol * largest
    same = (right == ours) | (right.isnan() & ours.isnan()) | ((right - ours).abs() <= allowed)
    if bool(same.all()):
        return None
    return Difference("wrong-value", _described(right, ours, ~same, largest, where))


def _described(right: Tensor, ours: Tensor, wrong: Tensor, largest: float, where: str) -> str:
    """Say how many numbers differ, where the first is, and by how much."""
    error = float((right - ours).abs()[wrong].nan_to_num(0, 0, 0).max())
    share = f"{_percent(error / largest)} of the largest right number" if largest else ""
    size = share or f"{error:g}"
    if right.ndim == 0:
        return f"{part(where)} is off by {size}."
    first = tuple(wrong.nonzero()[0].tolist())
    count = f"{int(wrong.sum())} of {wrong.numel()} numbers of {inside(where)} differ"
    return f"{count}, the first at {list(first)}; the largest difference is {size}."


def _percent(share: float) -> str:
    """Write a share with two digits, as people do; what is beyond all bounds as a power of ten.

    Examples
    --------
    >>> _percent(0.01234), _percent(1.23456), _percent(2e20)
    ('1.2 %', '120 %', '2e+22 %')
    """
    percent = float(f"{100 * share:.2g}")
    return f"{percent:.0f} %" if 100 <= percent < 1e6 else f"{percent:.2g} %"


def compare_arrays(
    expected: np.ndarray[Any, Any], got: Any, rtol: float | None, dtype: bool, where: str
) -> Difference | None:
    """Compare with a NumPy array."""
    if not isinstance(got, np.ndarray):
        return wrong_type("a NumPy array", got, where)
    if got.dtype.kind not in "biufc":
        return wrong_type("an array of numbers", got, where)
    return compare_tensors(torch.as_tensor(expected), torch.as_tensor(got), rtol, dtype, where)


def compare_numbers(expected: Any, got: Any, rtol: float | None, where: str) -> Difference | None:
    """Compare with a Python number; an integer, a truth value and a float are different things."""
    value = got.item() if isinstance(got, (Tensor, np.generic)) and _is_single(got) else got
    if isinstance(expected, (bool, np.bool_)):
        if not isinstance(value, bool):
            return wrong_type("True or False", got, where)
    elif isinstance(value, bool) or not isinstance(value, numbers.Number):
        return wrong_type("a number", got, where)
    elif isinstance(expected, numbers.Integral) and not isinstance(value, numbers.Integral):
        return wrong_type("a whole number (int)", got, where)
    elif not _finite(value) and _finite(expected):
        return Difference("not-a-number", f"{part(where)} is {value}.")
    tolerance = RTOL_NUMBER if rtol is None else rtol
    exact = isinstance(expected, (bool, np.bool_, numbers.Integral)) or not _finite(expected)
    same = value == expected or (value != value and expected != expected)
    if same or (not exact and abs(value - expected) <= tolerance * abs(expected)):
        return None
    return Difference("wrong-value", f"{part(where)} is {_shown(value)}; that is not right.")


def _is_single(value: Any) -> bool:
    return bool(value.ndim == 0)


def _finite(value: Any) -> bool:
    return isinstance(value, complex) or math.isfinite(value)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else f"{value!r}"
