"""From what a student's code returned to a share of the points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nst_edu.classroom.questions import MISSING, UNREADABLE, Answer
from nst_edu.exercises import generic
from nst_edu.exercises.checking import Examined, Exercise, judge, judge_value, mistaken, references
from nst_edu.exercises.comparing import compare
from nst_edu.exercises.copying import comparable
from nst_edu.exercises.judging import difference
from nst_edu.exercises.result import Result
from nst_edu.exercises.running import Outcome, Run, call

# Mistakes of any exercise that show in the numbers themselves. All others rest on what the sandbox
# says, or hold for answers of no worth: everybody can be too slow, or return None.
GENERIC = ("transposed", "constant-factor", "detached", "attached", "wrong-gradient")


def check_credit(exercise: Exercise, credit: Mapping[str, float]) -> None:
    """Refuse credit that an answer of no worth could earn.

    Raises
    ------
    ValueError
        If a name or a share is wrong.
    """
    own = {mistake.id: mistake for mistake in exercise.misconceptions}
    for name, share in credit.items():
        if not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise ValueError(
                f"credit[{name!r}]: expected a share of the points, 0 … 1 without 1, got {share!r}"
            )
        if name not in own and name not in GENERIC:
            raise ValueError(
                f"credit: {name!r} is no misconception of {exercise.title}, and none of the "
                f"general ones that can earn points: {', '.join(GENERIC)}"
            )
        if name in own and own[name].recognise is not None:
            raise ValueError(
                f"credit[{name!r}]: a misconception with `recognise` earns no points, because "
                "answers of no worth may fit it; give it a function `wrong` instead"
            )


def share_of(exercise: Exercise, credit: Mapping[str, float], examined: Examined) -> float:
    """Return the share of the points, from 0 to 1, that an examined answer earns."""
    if examined.result.passed:
        return 1.0
    name = examined.result.misconception or ""
    if name not in credit:
        return 0.0
    for mistake in exercise.misconceptions:
        if mistake.id == name:
            theirs = mistaken(exercise, mistake, examined.expected)
            return float(credit[name]) if _earned(exercise, theirs, examined) else 0.0
    return float(credit[name])


def _earned(exercise: Exercise, theirs: list[Outcome], examined: Examined) -> bool:
    """Tell whether each outcome is right, or all that the known mistake leads to.

    To recognise a mistake less is enough; but a constant, an error or None may then do as well.
    """
    ours = examined.run.outcomes
    if examined.run.too_slow or len(ours) != len(examined.expected):
        return False
    for right, wrong, mine in zip(examined.expected, theirs, ours, strict=True):
        if difference(right, mine, exercise.rtol) is None:
            continue
        nothing = wrong.value is None and right.value is not None
        if nothing or wrong.error is not None or difference(wrong, mine, exercise.rtol) is not None:
            return False
    return True


def examine_function(exercise: Exercise, answer: Answer, cases: list[tuple[Any, ...]]) -> Examined:
    """Judge a function by what came out of the sandbox.

    Raises
    ------
    ValueError
        If the function was called with other arguments than `cases`.
    """
    early = _without_calls(exercise, answer, cases)
    if early is not None or answer.run is None:
        return Examined(early or _unreadable("there is nothing in it"))
    for case, outcome in zip(cases, answer.run.outcomes, strict=False):
        if compare(comparable(case), comparable(outcome.arguments), rtol=0.0) is not None:
            raise ValueError("seed: the question was made with another seed than the judgement")
    expected = references(exercise, cases)
    return Examined(judge(exercise, exercise.title, answer.run, expected), answer.run, expected)


def examine_value(exercise: Exercise, answer: Answer, arguments: tuple[Any, ...]) -> Examined:
    """Judge a value that came out of the sandbox, or stands in this notebook.

    Raises
    ------
    ValueError
        If the reference fails: then nobody's answer can be judged.
    """
    early = _without_calls(exercise, answer, [arguments])
    if early is not None:
        return Examined(early)
    reference = exercise.reference
    right = call(reference, arguments) if callable(reference) else Outcome(arguments, reference)
    if right.error is not None:
        raise ValueError(
            f"reference: that of {exercise.title} stopped with {type(right.error).__name__}; "
            "it gets a torch.Generator and has to return the right value"
        )
    result = judge_value(exercise, answer.value, right)
    return Examined(result, Run([Outcome((), answer.value)]), (right,))


def _without_calls(
    exercise: Exercise, answer: Answer, cases: list[tuple[Any, ...]]
) -> Result | None:
    """Say what can be said if nothing was called."""
    name = exercise.title
    if answer.kind == MISSING:
        why = f": {answer.note}." if answer.note else "."
        text = f"There is no {name} in the notebook{why} Give your answer exactly this name."
        return Result(False, text, "missing", attempted=bool(answer.note))
    if answer.kind == UNREADABLE:
        return _unreadable(answer.note)
    if answer.problem == "blank":
        return generic.not_attempted(answer.note.splitlines())
    if answer.problem == "not a function":
        text = f"{name} is {answer.note}, not a function. Define it in its cell, with def."
        return Result(False, text, "not-a-function")
    if answer.problem:
        return generic.wrong_arguments(exercise, name, answer.note, cases[0])
    return None


def _unreadable(note: str) -> Result:
    return Result(False, f"There is no answer that can be judged: {note}.", "unreadable")
