"""What two values differ in, in words."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """How a value differs from the expected one.

    Attributes
    ----------
    kind
        ``"wrong-type"``, ``"wrong-shape"``, ``"wrong-dtype"``, ``"not-a-number"`` or
        ``"wrong-value"``.
    detail
        What was returned, and how it differs, in one or two sentences.
    """

    kind: str
    detail: str


def part(where: str) -> str:
    """Say which part of a result is meant."""
    return f"Entry {where} of the result" if where else "The result"


def inside(where: str) -> str:
    """Say the same in the middle of a sentence."""
    return f"entry {where} of the result" if where else "the result"


def wrong_type(expected: str, got: Any, where: str, more: str = "") -> Difference:
    """Say that something else than `expected` came."""
    kind = f"is {named_type(got)}; {expected} is needed."
    return Difference("wrong-type", f"{part(where)} {kind}{more and ' ' + more}")


def named_type(value: Any) -> str:
    """Say of what type a value is, with its article.

    Examples
    --------
    >>> named_type(3), named_type([1])
    ('a number (int)', 'a list')
    """
    if value is None:
        return "None"
    name = type(value).__name__
    known = {"Tensor": "a tensor", "ndarray": "a NumPy array", "str": "a text (str)"}
    if isinstance(value, numbers.Number) and name != "bool":
        return f"a number ({name})"
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return known.get(name, f"{article} {name}")
