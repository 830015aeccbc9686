"""Answers in words and letters: capitals and spaces do not make an answer wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nst_edu.exercises.comparing import compare


def spelled(answer: Any) -> Any:
    """Return an answer with its texts in small letters and without needless spaces.

    Texts in lists, tuples, sets, and values of dictionaries are changed as well; all else stays.

    Examples
    --------
    >>> spelled({"A": "No  transpose ", "B": 3})
    {'A': 'no transpose', 'B': 3}
    """
    if isinstance(answer, str):
        return " ".join(answer.lower().split())
    if isinstance(answer, dict):
        return {key: spelled(value) for key, value in answer.items()}
    if type(answer) in (list, tuple, set, frozenset):
        return type(answer)(spelled(item) for item in answer)
    return answer


def spelled_like(right: Any) -> Callable[[Any], bool]:
    """Return a test for answers that are right but for capitals and spaces."""
    return lambda answer: compare(spelled(right), spelled(answer)) is None


def letters(answer: Any) -> list[str]:
    """Return the letters of an answer, in capitals; "a, c" is as good as ["A", "C"].

    Raises
    ------
    TypeError
        If it is no collection of letters.
    """
    if isinstance(answer, str):
        return [letter for letter in answer.upper() if letter.isalnum()]
    if isinstance(answer, Mapping):
        raise TypeError("a dictionary is no list of letters")
    return [str(letter).strip().upper() for letter in answer]


def accepts(test: Callable[[list[str]], bool]) -> Callable[[Any], bool]:
    """Return a test of an answer's letters; what has no letters does not pass it."""

    def passes(answer: Any) -> bool:
        try:
            return test(letters(answer))
        except TypeError:
            return False

    return passes
