"""Exercises, the mistakes known for each, and the check that tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import torch

from nst_edu.exercises import generic
from nst_edu.exercises.cell_before import stale
from nst_edu.exercises.judging import as_tensors, differing, same_mistake
from nst_edu.exercises.result import Result
from nst_edu.exercises.running import Outcome, Run, call, run_all, undisturbed
from nst_edu.exercises.stubs import blanks, holds_blank

Cases: TypeAlias = Callable[[torch.Generator], Sequence[tuple[Any, ...]]]

SEED = 20150826  # the day the method was published


@dataclass(frozen=True)
class Misconception:
    """A mistake that learners make, and what to say about it.

    Give `wrong` or `recognise`.

    Attributes
    ----------
    id
        Unique in its exercise.
    message
        What was done, where, and what to look at next, without the answer.
    wrong
        A function like the reference, or a value like it: what the answer is if one thinks so. It
        may raise; it may have another shape or dtype; it may lose the gradient or change its input.
    recognise
        For what numbers cannot show: gets the `Attempt` of a wrong answer.
    """

    id: str
    message: str
    wrong: Any = None
    recognise: Callable[[Attempt], bool] | None = None


@dataclass(frozen=True)
class Exercise:
    """What a learner has to write, and how it is checked.

    Attributes
    ----------
    id
        Unique; the learner's function is ``my_<id>``, the check is ``check_<id>``.
    lesson, title
        Where it stands, and what it is called there.
    reference
        The right function; for `check_value` the right value, or a function that returns it.
    cases
        Gets a generator, returns the tuples of arguments to be tried. None: for `check_value`.
    misconceptions
        The mistakes known, the most telling first.
    gradient
        Whether the gradients to floating-point tensors in the arguments are compared.
    no_gradient
        Positions of arguments, from 0, to which they are not.
    rtol
        Relative tolerance; None: 1e-4 for float32, 1e-6 for float64.
    accepts
        For `check_value`, if more than one value is right: tells whether one is.
    forbidden
        Names of functions that the task asks to do without, such as ``conv2d``. An answer that
        calls one is right all the same, but is told so.
    """

    id: str
    lesson: int
    title: str
    reference: Any
    cases: Cases | None = None
    misconceptions: tuple[Misconception, ...] = ()
    gradient: bool = True
    no_gradient: tuple[int, ...] = ()
    rtol: float | None = None
    accepts: Callable[[Any], bool] | None = None
    forbidden: tuple[str, ...] = ()

    def takes_gradient(self, position: int) -> bool:
        """Tell whether the gradient to an argument is compared."""
        return self.gradient and position not in self.no_gradient

    def arguments(self) -> list[tuple[Any, ...]]:
        """Return the cases: the same ones each time."""
        if self.cases is None:
            return [()]
        return list(self.cases(torch.Generator().manual_seed(SEED)))


@dataclass(frozen=True)
class Attempt:
    """A wrong answer, for `Misconception.recognise`.

    Attributes
    ----------
    answer
        What the learner gave: the function (its name, if it was called in another process), or
        the value.
    outcomes
        What each call led to, one for each case (fewer if the time was up).
    expected
        What the reference led to.
    too_slow
        Whether the time was up.
    """

    answer: Any
    outcomes: tuple[Outcome, ...]
    expected: tuple[Outcome, ...]
    too_slow: bool = False

    @property
    def value(self) -> Any:
        """The learner's value in an exercise that asks for one."""
        return self.answer


def check(exercise: Exercise, function: Any) -> Result:
    """Check a learner's function; never raise, whatever it does.

    Parameters
    ----------
    exercise
        What was asked for.
    function
        What the learner wrote: a function, or anything else by mistake.

    Returns
    -------
    Result
        Shown by JupyterLab if it is the last line of a cell.
    """
    try:
        early = stale(f"my_{exercise.id}")
        if early is not None:
            return early
        with undisturbed():
            examined = examine(exercise, function)
    except Exception as error:
        return _failed(error)
    if examined.run.printed:
        print(examined.run.printed)
    return examined.result


def check_value(exercise: Exercise, value: Any) -> Result:
    """Check a learner's value: a number, a name, a list of lines in order; never raise.

    Parameters
    ----------
    exercise
        What was asked for; it has no `cases`.
    value
        What the learner gave.
    """
    try:
        early = stale(f"my_{exercise.id}")
        if early is not None:
            return early
        with undisturbed():
            right = call(exercise.reference, ()) if callable(exercise.reference) else None
            return judge_value(exercise, value, right or Outcome((), exercise.reference))
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Result:
    """Say that the check itself gave up: the answer does something nobody thought of."""
    text = f"The check could not judge this answer ({type(error).__name__}: {error})."
    return Result(False, f"{text} Write it in a simpler way, and try again.", "check-failed")


@dataclass(frozen=True)
class Examined:
    """What a check has found, and what that rests on.

    Attributes
    ----------
    result
        What the learner is told.
    run
        What the learner's function did; empty if there was no need to call it.
    expected
        What the reference did.
    """

    result: Result
    run: Run = field(default_factory=Run)
    expected: tuple[Outcome, ...] = ()


def examine(exercise: Exercise, function: Any) -> Examined:
    """Check a function as `check` does, within `undisturbed`, and keep what was seen."""
    early = generic.before_running(function)
    if early is not None:
        return Examined(early)
    cases = exercise.arguments()
    early = generic.not_callable_like_this(exercise, function, cases[0])
    if early is not None:
        return Examined(early)
    # The reference first: what torch imports at its first use is not the learner's time.
    expected = references(exercise, cases)
    run = run_all(function, cases, exercise.takes_gradient)
    return Examined(judge(exercise, function, run, expected), run, expected)


def references(exercise: Exercise, cases: Sequence[tuple[Any, ...]]) -> tuple[Outcome, ...]:
    """Return what the reference does in each case."""
    return tuple(call(exercise.reference, case, exercise.takes_gradient) for case in cases)


def judge(exercise: Exercise, function: Any, run: Run, expected: Sequence[Outcome]) -> Result:
    """Go from what says most about an answer to what says least.

    Parameters
    ----------
    exercise
        What was asked for.
    function
        What the learner wrote, or its name, if it was called in another process.
    run
        What it did.
    expected
        What the reference did on the same arguments.

    Raises
    ------
    ValueError
        If outcomes are missing although there was time for them.
    """
    if len(run.outcomes) != len(expected) and not run.too_slow:
        raise ValueError(
            f"run: expected an outcome for each of the {len(expected)} cases, got "
            f"{len(run.outcomes)}; pass all, or say that the time was up (too_slow)"
        )
    run = replace(run, outcomes=as_tensors(expected, run.outcomes))
    found = differing(exercise, expected, run.outcomes)
    if not run.too_slow and not any(found):
        remark = generic.avoided(exercise, function)
        return Result(True, remark + generic.praise(expected, run))
    returned = [outcome.value for outcome in run.outcomes if outcome.error is None]
    asked = any(right.value is not None for right in expected)
    nothing = asked and returned and all(value is None for value in returned)
    here = not isinstance(function, str)
    if any(map(holds_blank, returned)) or (nothing and here and blanks(function) is None):
        return generic.not_attempted([])
    attempt = Attempt(function, tuple(run.outcomes), tuple(expected), run.too_slow)
    known = _known_mistake(exercise, attempt)
    return known or generic.explain(exercise, function, run, expected, found)


def judge_value(exercise: Exercise, value: Any, expected: Outcome) -> Result:
    """Compare one value; the outcome is as if a function had returned it."""
    if value is None or holds_blank(value):
        return generic.not_attempted([])
    outcome = Outcome((), value)
    found = differing(exercise, [expected], [outcome])
    if exercise.accepts(value) if exercise.accepts else not any(found):
        return Result(True, "This is the expected answer.")
    known = _known_mistake(exercise, Attempt(value, (outcome,), (expected,)))
    return known or generic.explain_value(value, found[0])


def _known_mistake(exercise: Exercise, attempt: Attempt) -> Result | None:
    """Return the message of the first misconception that fits."""
    for misconception in exercise.misconceptions:
        if _fits(exercise, misconception, attempt):
            return Result(False, misconception.message, misconception.id)
    return None


def _fits(exercise: Exercise, misconception: Misconception, attempt: Attempt) -> bool:
    """Tell whether the learner's numbers are those of someone who thinks so."""
    if misconception.recognise is not None:
        try:
            return bool(misconception.recognise(attempt))
        except Exception:  # an answer that it was not made for
            return False
    if attempt.too_slow:
        return False
    outcomes = mistaken(exercise, misconception, attempt.expected)
    return same_mistake(exercise, attempt.expected, outcomes, attempt.outcomes)


def mistaken(
    exercise: Exercise, misconception: Misconception, expected: Sequence[Outcome]
) -> list[Outcome]:
    """Return what the function of a misconception does in each case."""
    wrong = misconception.wrong
    function = wrong if callable(wrong) else lambda *_: wrong
    return [call(function, right.arguments, exercise.takes_gradient) for right in expected]
