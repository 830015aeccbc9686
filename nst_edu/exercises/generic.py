"""Messages for what can go wrong in any exercise; a lesson's own misconceptions come first.

Their ids: ``not-a-function``, ``wrong-arguments``, ``too-slow``, ``raised``, ``did-not-raise``,
``returned-none``, ``wrong-type``, ``wrong-shape``, ``transposed``, ``wrong-dtype``,
``not-a-number``, ``changed-input``, ``constant-factor``, ``wrong-value``, ``detached``,
``attached`` and ``wrong-gradient``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nst_edu.exercises.calls import called
from nst_edu.exercises.copying import tensors_in
from nst_edu.exercises.describing import (
    arguments_text,
    call_problem,
    error_text,
    name_of,
    parameter_names,
)
from nst_edu.exercises.differences import Difference, named_type
from nst_edu.exercises.patterns import constant_factor, swapped_axes
from nst_edu.exercises.result import Result
from nst_edu.exercises.running import Outcome, Run
from nst_edu.exercises.stubs import blanks
from nst_edu.exercises.wording import about_error, words

if TYPE_CHECKING:
    from nst_edu.exercises.checking import Exercise

# The gravest first: a function that raises has no shape to be wrong.
GRAVITY = (
    *("raised", "did-not-raise", "returned-none", "wrong-type", "wrong-shape", "not-a-number"),
    *("changed-input", "wrong-value", "wrong-dtype", "detached", "attached", "wrong-gradient"),
)
MANY_LINES = 1000


def not_attempted(lines: Sequence[str]) -> Result:
    """Say that blanks are left."""
    if not lines:
        return Result(False, "Replace each blank (...) by your answer.", attempted=False)
    count = "1 blank (...) is" if len(lines) == 1 else f"{len(lines)} blanks (...) are"
    first = "" if len(lines) == 1 else " The first"
    where = f"{first or ' It'} stands here:\n    {lines[0]}"
    return Result(False, f"{count} left.{where}", attempted=False)


def before_running(function: Any) -> Result | None:
    """Judge what needs no call: blanks, or something that is no function."""
    if function is ...:
        return not_attempted([])
    if not callable(function):
        text = f"This is {named_type(function)}, not a function."
        advice = "Give the check the function's name alone, without brackets: my_…, not my_…(…)."
        return Result(False, f"{text} {advice}", "not-a-function")
    left = blanks(function)
    return not_attempted(left) if left else None


def not_callable_like_this(
    exercise: Exercise, function: Any, arguments: tuple[Any, ...]
) -> Result | None:
    """Say so if the function takes other arguments than it will get."""
    problem = call_problem(function, arguments)
    return None if problem is None else wrong_arguments(exercise, function, problem, arguments)


def wrong_arguments(
    exercise: Exercise, function: Any, problem: str, arguments: tuple[Any, ...]
) -> Result:
    """Say why a function, or one that is elsewhere and has this name, cannot be called."""
    names = ", ".join(parameter_names(exercise.reference, arguments))
    text = f"{name_of(function)} cannot be called as the exercise says: {problem}."
    count = f"{len(arguments)} argument{'s' * (len(arguments) != 1)}"
    advice = f"It gets {count}: {names}. Look at the names in its first line, after def."
    return Result(False, f"{text} {advice}", "wrong-arguments")


def avoided(exercise: Exercise, function: Any) -> str:
    """Say which functions a right answer uses although the exercise asks to do without them."""
    used = [] if isinstance(function, str) else called(function, exercise.forbidden)
    if not used:
        return ""
    names = " and ".join(used)
    return f"But your function uses {names}, which this exercise asks to do without. "


def praise(expected: Sequence[Outcome], run: Run) -> str:
    """Say in one or two sentences what a right answer was tested on."""
    tensors = [t for right in expected for t in tensors_in(right.arguments)]
    types = sorted({_dtype(t) for t in tensors if t.is_floating_point()})
    inputs = "1 input" if len(expected) == 1 else f"{len(expected)} inputs"
    kinds = f", {' and '.join(types)}" if types else ""
    text = f"Tested on {inputs}{kinds}: "
    if any(right.error is not None for right in expected):
        text += "it raises an error where one is needed, and only there."
    else:
        what = ["the values", *["the gradients"] * any(right.attached for right in expected)]
        text += f"{' and '.join(what)} agree."
        if tensors and not any(right.changed for right in expected):
            text = f"{text[:-1]}, and the input is unchanged."
    return text + (f" It printed {run.lines:,} lines." if run.lines > MANY_LINES else "")


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def explain(
    exercise: Exercise,
    function: Any,
    run: Run,
    expected: Sequence[Outcome],
    found: Sequence[Difference | None],
) -> Result:
    """Say as much as can be said of a wrong answer that nobody has seen before.

    Of a function that is elsewhere, `function` is the name.
    """
    wrong = [(d, number) for number, d in enumerate(found) if d is not None]
    if run.too_slow and not any(difference.kind == "raised" for difference, _ in wrong):
        return _too_slow(function, run, len(expected))
    difference, number = min(wrong, key=lambda pair: (GRAVITY.index(pair[0].kind), pair[1]))
    right, ours = expected[number], run.outcomes[number]
    case = arguments_text(exercise.reference, right.arguments)
    if ours.error is not None:
        parts = (error_text(ours.error, function), about_error(ours.error))
        said = "\n\n".join(filter(None, (*parts, f"The input was {case}.")))
        return Result(False, said, "raised")
    if difference.kind in ("wrong-shape", "wrong-value"):
        pattern = _pattern(expected, run.outcomes)
        if pattern is not None:
            return pattern
    names = parameter_names(exercise.reference, right.arguments)
    text = words(difference, names, ours.backward_error)
    some = f" {found.count(None)} of {len(found)} inputs gave the right answer."
    some = some if found.count(None) else ""
    return Result(False, f"{text}\n\nThe input was {case}.{some}", difference.kind)


def _too_slow(function: Any, run: Run, cases: int) -> Result:
    text = f"{name_of(function)} was stopped, because it took too long."
    if run.outcomes:
        text += f" It had finished {len(run.outcomes)} of {cases} inputs."
    if run.lines > MANY_LINES:
        text += f" It had printed {run.lines:,} lines, and printing takes time."
    advice = (
        "Is there a loop that never ends? Look at each while: does its condition become False? "
        "If there is none, the inputs are small, and much less work is enough. If the machine is "
        "busy with other things, run the check again."
    )
    return Result(False, f"{text} {advice}", "too-slow")


def _pattern(expected: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Result | None:
    """Recognise swapped axes, and a factor, which say more than the first wrong number."""
    pairs = [(right.value, ours.value) for right, ours in zip(expected, outcomes, strict=False)]
    if any(outcome.error is not None for outcome in (*expected, *outcomes)):
        return None
    axes = swapped_axes(pairs)
    if axes is not None:
        text = f"The numbers are right, but the axes are in another order: {axes}."
        advice = "Look at each place where you swap, permute or reshape axes."
        return Result(False, f"{text} {advice}", "transposed")
    factor = constant_factor(pairs)
    if factor is None:
        return None
    return Result(False, f"{factor} Look at what you multiply and divide by.", "constant-factor")


def explain_value(value: Any, difference: Difference | None) -> Result:
    """Say what is wrong with a value."""
    kind = difference.kind if difference is not None else "wrong-value"
    shown = repr(value)
    detail = difference.detail if difference is not None else f"{shown[:200]} is not right."
    return Result(
        False,
        detail.replace("The result", "Your answer").replace("the result", "your answer"),
        kind,
    )
