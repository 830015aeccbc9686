"""Mark an answer as right, or as a known mistake.

An answer is what a learner would write: a function, or anything else that the check is given. For
an exercise that asks for a value, it is a function without arguments that returns the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

Answer = TypeVar("Answer")

MARK = "__bank_mark__"


@dataclass(frozen=True)
class Mark:
    """What is known of an answer: its exercise, and its mistake (None: it is right)."""

    exercise: str
    misconception: str | None


@dataclass(frozen=True)
class Entry:
    """An answer with its mark."""

    mark: Mark
    answer: Any

    @property
    def name(self) -> str:
        """The name that the answer has in the bank."""
        return str(getattr(self.answer, "__name__", type(self.answer).__name__))


def right(exercise: str) -> Callable[[Answer], Answer]:
    """Mark a right answer to the exercise of that id."""
    return _marked(Mark(exercise, None))


def wrong(exercise: str, misconception: str) -> Callable[[Answer], Answer]:
    """Mark a wrong answer, and say by which id the check must name its mistake."""
    return _marked(Mark(exercise, misconception))


def _marked(mark: Mark) -> Callable[[Answer], Answer]:
    def decorate(answer: Answer) -> Answer:
        setattr(answer, MARK, mark)
        return answer

    return decorate


def entries(module: ModuleType) -> list[Entry]:
    """Return the marked answers of a bank's module, in the order in which they stand there."""
    return [
        Entry(getattr(answer, MARK), answer)
        for answer in vars(module).values()
        if isinstance(getattr(answer, MARK, None), Mark)
    ]
