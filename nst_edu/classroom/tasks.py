"""Tasks that are marked: in a notebook by nbgrader, or from what came out of the sandbox.

A task's references and misconceptions stand in the hidden tests of the teacher's notebook; this
module holds no answers, and students have it too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from nst_edu.classroom import marking
from nst_edu.classroom.personal import agrees, personal, plain_id
from nst_edu.classroom.questions import FUNCTION, MISSING, VALUE, Answer, Question
from nst_edu.classroom.strict import plain_text
from nst_edu.exercises.checking import SEED, Cases, Examined, Exercise, Misconception, examine
from nst_edu.exercises.copying import detached
from nst_edu.exercises.result import Result
from nst_edu.exercises.running import undisturbed

__all__ = ["Answer", "Mark", "Misconception", "Task", "agrees", "personal", "plain_id"]

LONGEST_MESSAGE = 3000


@dataclass(frozen=True)
class Mark:
    """What one student earned in one task.

    Attributes
    ----------
    task
        Its name.
    points, out_of
        What was earned, and what could be.
    message
        For the student, in the words of the lessons' checks.
    misconception
        The id of the mistake, if there is one.
    attempted
        False for an untouched blank.
    lesson
        The lesson that treats it.
    """

    task: str
    points: float
    out_of: float
    message: str
    misconception: str | None
    attempted: bool
    lesson: int = 0


@dataclass(frozen=True)
class Task:
    """A function or a value that a student has to give, and what it earns.

    Attributes
    ----------
    name
        Of the student's variable.
    points
        For a right answer.
    reference
        The right function; without `cases` a function that gets the student's generator (see
        `personal`) and returns the right value. No function of this package: students have it.
    cases
        Gets a generator, returns the arguments of each call: data only. None: a value is asked for.
    misconceptions
        As in `nst_edu.exercises.checking`; of a value, `wrong` gets the student's generator.
    credit
        The share of the points that a mistake still earns, by its id.
    lesson
        The lesson that treats it.
    forbidden
        Words that a right answer does without, such as ``"autograd"``. If one stands in the
        function's code, a person has to look at the answer.
    gradient, no_gradient, rtol
        As in `nst_edu.exercises.checking.Exercise`.

    Raises
    ------
    ValueError
        If the name, the points or the credit cannot be.
    """

    name: str
    points: float
    reference: Callable[..., Any]
    cases: Cases | None = None
    misconceptions: tuple[Misconception, ...] = ()
    credit: Mapping[str, float] = field(default_factory=dict)
    lesson: int = 0
    forbidden: tuple[str, ...] = ()
    gradient: bool = True
    no_gradient: tuple[int, ...] = ()
    rtol: float | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"name: expected the name of a variable, got {self.name!r}")
        if not 0 < self.points < 1e6:
            raise ValueError(f"points: expected a positive number, got {self.points!r}")
        marking.check_credit(self.exercise(SEED), self.credit)

    @property
    def kind(self) -> str:
        """Return ``"function"`` or ``"value"``."""
        return VALUE if self.cases is None else FUNCTION

    def exercise(self, seed: int) -> Exercise:
        """Return the task as an exercise of the lessons, with the inputs of this seed."""
        return Exercise(
            id=self.name.removeprefix("my_"),
            lesson=self.lesson,
            title=self.name,
            reference=self.reference,
            cases=None if self.cases is None else lambda _: self.arguments(seed),
            misconceptions=self.misconceptions,
            forbidden=self.forbidden,
            gradient=self.gradient,
            no_gradient=self.no_gradient,
            rtol=self.rtol,
        )

    def arguments(self, seed: int) -> list[tuple[Any, ...]]:
        """Return the arguments of each call: the same for the same seed; [] if a value is asked."""
        if self.cases is None:
            return []
        with undisturbed():
            torch.manual_seed(seed)  # for a teacher who forgets to pass the generator on
            random.seed(seed)
            np.random.seed(seed % 2**32)
            found = [detached(tuple(a)) for a in self.cases(torch.Generator().manual_seed(seed))]
        if not found:
            raise ValueError(f"cases: those of {self.name} return no arguments to be tried")
        return found

    def question(self, seed: int, after: str | None = None) -> Question:
        """Return what to ask in the sandbox.

        Parameters
        ----------
        seed
            For `arguments`.
        after
            The id of the cell after which to ask; None: at the end.
        """
        cases = tuple(self.arguments(seed))
        return Question(self.name, self.kind, cases, self.gradient, self.no_gradient, after)

    def judge(self, answer: Answer, student: str, seed: int) -> Mark:
        """Mark what came out of the sandbox.

        Parameters
        ----------
        answer
            From `exchange.read_answers`.
        student
            Whose it is: decides the right value, whatever the notebook says.
        seed
            The same as for `question`.

        Raises
        ------
        ValueError
            If the seed is another one, or a value's reference fails.
        """
        exercise = self.exercise(seed)
        with undisturbed():
            if answer.kind == MISSING and answer.note:
                examined = _stopped(self.name, answer.note)
            elif self.cases is None:
                own = (personal(student, self.name),)
                examined = marking.examine_value(exercise, answer, own)
            else:
                examined = marking.examine_function(exercise, answer, self.arguments(seed))
            return self._mark(exercise, examined)

    def _mark(self, exercise: Exercise, examined: Examined) -> Mark:
        share = marking.share_of(exercise, self.credit, examined)
        result = examined.result
        message = plain_text(result.message, LONGEST_MESSAGE)
        return Mark(
            task=self.name,
            points=round(share * self.points, 6),
            out_of=float(self.points),
            message=message,
            misconception=result.misconception,
            attempted=result.attempted,
            lesson=self.lesson,
        )

    def mark(self, names: Mapping[str, Any]) -> float:
        """Mark what stands in this notebook, and print the result; never raise.

        The last line of a hidden test, ``TASK.mark(globals())``: nbgrader takes its value as the
        points of the cell. It is no protection against a student who tampers with this process.
        """
        try:
            with undisturbed():
                exercise, examined = self._examined(names)
                mark = self._mark(exercise, examined)
            shown = str(examined.result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            print(f"{self.name} could not be judged ({type(error).__name__}).")
            return 0.0
        print(plain_text(f"{shown}\n{mark.points:g} of {mark.out_of:g} points.", LONGEST_MESSAGE))
        return float(mark.points)

    def _examined(self, names: Mapping[str, Any]) -> tuple[Exercise, Examined]:
        exercise = self.exercise(SEED)
        if self.name not in names:
            return exercise, marking.examine_value(exercise, Answer(MISSING), ())
        found = names[self.name]
        if self.cases is not None:
            return exercise, examine(exercise, found)
        own = (personal(names.get("STUDENT", ""), self.name),)
        return exercise, marking.examine_value(exercise, Answer(VALUE, value=found), own)


def _stopped(name: str, why: str) -> Examined:
    """Say why there is no answer; its name may well be right, but its cell did not get that far."""
    text = f"{name} could not be tried in the notebook: {why}."
    return Examined(Result(False, text, "missing"))
