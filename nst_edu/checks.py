"""Checks of arguments: errors that name the argument, what was expected, what came, what to do."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable

LARGEST = 1e20  # float32 ends at 3e38, and losses are squares


def check_name(name: object, choices: Iterable[str], argument: str) -> str:
    """Return `name` if it is one of `choices`; otherwise say which names are near.

    Parameters
    ----------
    name
        What the caller gave.
    choices
        The names that are accepted.
    argument
        How to call it in the error message, for example ``"style layer"``.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If `name` is not one of `choices`.

    Examples
    --------
    >>> check_name("relu4_2", ["relu4_1", "relu4_2"], "layer")
    'relu4_2'
    >>> check_name("swril", ["swirl", "waves"], "style")
    Traceback (most recent call last):
    ...
    ValueError: unknown style 'swril'. Did you mean 'swirl'? All choices: swirl, waves
    """
    known = list(choices)
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be a name (a string), not {type(name).__name__}")
    if name in known:
        return name
    lower = {choice.lower(): choice for choice in known}
    near = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=2, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(f"unknown {argument} {name!r}.{hint} All choices: {', '.join(known)}")


def check_count(value: object, argument: str, largest: float = math.inf, smallest: int = 1) -> int:
    """Return `value` as an int, if it is a whole number from `smallest` to `largest`.

    Examples
    --------
    >>> check_count(3, "steps")
    3
    >>> check_count(2.5, "steps")
    Traceback (most recent call last):
    ...
    TypeError: steps must be a whole number, not 2.5
    """
    try:
        if isinstance(value, bool):  # True is 1 to Python, and hardly what was meant
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # raises TypeError itself
    except TypeError:
        raise TypeError(f"{argument} must be a whole number, not {value!r}") from None
    if not smallest <= number <= largest:
        limit = f"{smallest} or more" if largest == math.inf else f"from {smallest} to {largest}"
        raise ValueError(f"{argument} must be {limit}, not {number}")
    return number


def check_number(value: object, argument: str, *, zero: bool) -> float:
    """Return `value` as a float, if it is positive (or 0, where `zero` allows it).

    It must not be so large that float32 overflows.

    Examples
    --------
    >>> check_number(0, "learning_rate", zero=False)
    Traceback (most recent call last):
    ...
    ValueError: learning_rate must be a number larger than 0 and at most 1e+20, not 0
    """
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"{argument} must be a number, not {value!r}")
    number = float(value)
    if not (0 <= number <= LARGEST and (zero or number > 0)):  # also refuses NaN
        limits = f"from 0 to {LARGEST:g}" if zero else f"larger than 0 and at most {LARGEST:g}"
        raise ValueError(f"{argument} must be a number {limits}, not {value}")
    return number
