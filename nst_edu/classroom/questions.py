"""What is asked in the sandbox, and what can come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nst_edu.exercises.running import Run

CELL_SECONDS, TASK_SECONDS = 20.0, 10.0
PROBLEMS = ("", "blank", "not a function", "wrong arguments")
FUNCTION, VALUE, MISSING, UNREADABLE = "function", "value", "missing", "unreadable"


@dataclass(frozen=True)
class Question:
    """What is asked in the sandbox about one task; it holds nothing of the right answer.

    Attributes
    ----------
    name
        Of the student's function or value.
    kind
        ``"function"`` or ``"value"``.
    cases
        The arguments of each call.
    gradient, no_gradient
        Whether gradients are wanted, and the positions of arguments to which they are not.
    after
        The id of the cell after which it is asked; None, or no such cell: at the end.
    """

    name: str
    kind: str = FUNCTION
    cases: tuple[tuple[Any, ...], ...] = ()
    gradient: bool = True
    no_gradient: tuple[int, ...] = ()
    after: str | None = None

    def takes_gradient(self, position: int) -> bool:
        """Tell whether the gradient to an argument is wanted."""
        return self.gradient and position not in self.no_gradient


@dataclass(frozen=True)
class Answer:
    """What came out of the sandbox for one question.

    Attributes
    ----------
    kind
        ``"function"``, ``"value"``, ``"missing"`` or ``"unreadable"``.
    run
        What the calls led to; None if there was no need for calls.
    value
        For ``"value"``.
    problem
        Why the function was not called: ``"blank"``, ``"not a function"``, ``"wrong arguments"``.
    note
        More about that, or why there is no answer.
    """

    kind: str
    run: Run | None = None
    value: Any = None
    problem: str = ""
    note: str = ""


@dataclass(frozen=True)
class Inputs:
    """What the runner has to do: code cells as (id, source), questions, seconds for each."""

    cells: tuple[tuple[str, str], ...]
    questions: tuple[Question, ...]
    cell_seconds: float = CELL_SECONDS
    task_seconds: float = TASK_SECONDS
