"""Find the first difference between two values: tensors, numbers, texts, and lists of them."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from nst_edu.exercises.differences import Difference, named_type, part, wrong_type
from nst_edu.exercises.numeric import compare_arrays, compare_numbers, compare_tensors

__all__ = ["Difference", "compare"]


def compare(
    expected: Any, got: Any, *, rtol: float | None = None, dtype: bool = True, where: str = ""
) -> Difference | None:
    """Return the first difference of `got` from `expected`; None if they are equal.

    Parameters
    ----------
    rtol
        Relative tolerance; None: by type. 0: bit by bit.
    dtype
        Whether tensors must have the same dtype.
    where
        Which part of the whole it is, for the report: ``"[0]"``.
    """
    if expected is None:
        return None  # nothing is asked for
    if isinstance(expected, Tensor):
        return compare_tensors(expected, got, rtol, dtype, where)
    if isinstance(expected, np.ndarray):
        return compare_arrays(expected, got, rtol, dtype, where)
    if isinstance(expected, (numbers.Number, np.bool_)):
        return compare_numbers(expected, got, rtol, where)
    if isinstance(expected, dict):
        return _dictionaries(expected, got, rtol, dtype, where)
    if isinstance(expected, (list, tuple)):
        return _sequences(expected, got, rtol, dtype, where)
    return _others(expected, got, where)


def _dictionaries(
    expected: dict[Any, Any], got: Any, rtol: float | None, dtype: bool, where: str
) -> Difference | None:
    if not isinstance(got, dict):
        return wrong_type("a dictionary (dict)", got, where)
    if set(got) != set(expected):
        extra = ", ".join(repr(key) for key in got if key not in expected)
        count = sum(key not in got for key in expected)
        text = " ".join(
            [f"does not need {extra}."] * bool(extra) + [f"lacks {count} keys."] * bool(count)
        )
        return Difference("wrong-value", f"{part(where)} {text}")
    return _first(
        compare(expected[key], got[key], rtol=rtol, dtype=dtype, where=f"{where}[{key!r}]")
        for key in expected
    )


def _sequences(
    expected: list[Any] | tuple[Any, ...], got: Any, rtol: float | None, dtype: bool, where: str
) -> Difference | None:
    if not isinstance(got, (list, tuple)):
        return wrong_type(f"{named_type(expected)}", got, where)
    pairs = enumerate(zip(expected, got, strict=False))
    found = _first(
        compare(right, ours, rtol=rtol, dtype=dtype, where=f"{where}[{number}]")
        for number, (right, ours) in pairs
    )
    if len(got) != len(expected):
        text = f"has {len(got)} entries; {len(expected)} are needed."
        return Difference("wrong-shape", f"{part(where)} {text}")
    return found


def _first(found: Iterator[Difference | None]) -> Difference | None:
    """Return the first difference; one of dtype only if all numbers are right."""
    mere_dtype = None
    for difference in found:
        if difference is not None and difference.kind != "wrong-dtype":
            return difference
        mere_dtype = mere_dtype or difference
    return mere_dtype


def _others(expected: Any, got: Any, where: str) -> Difference | None:
    """Compare texts, and anything that knows for itself what is equal."""
    if isinstance(expected, str):
        if not isinstance(got, str):
            return wrong_type("a text (str)", got, where)
        if got.strip() == expected.strip():
            return None
        shown = got if len(got) <= 60 else f"{got[:60]}…"
        return Difference("wrong-value", f"{part(where)} is {shown!r}; that is not right.")
    try:
        if bool(expected == got):
            return None
    except Exception:  # what a learner writes may compare itself with nothing
        return wrong_type(named_type(expected), got, where)
    if type(expected) is not type(got):
        return wrong_type(named_type(expected), got, where)
    return Difference("wrong-value", f"{part(where)} is not right.")
