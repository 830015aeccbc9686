"""The checks' framework, on a toy exercise and on all that a learner may write into it."""

from __future__ import annotations

import builtins
import functools
import html
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nst_edu import exercises
from nst_edu.exercises import catalogue, limits
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.losses import gram_matrix

ROOT = Path(__file__).parents[1]


def gram_cases(generator: torch.Generator) -> list[tuple[Tensor]]:
    """Two pictures, H ≠ W, odd sizes, float32 and float64."""
    shapes = ((2, 3, 5, 7), (1, 4, 3, 1), (3, 2, 1, 5), (2, 5, 3, 3))
    return [
        (torch.randn(shape, generator=generator, dtype=dtype),)
        for shape in shapes
        for dtype in (torch.float32, torch.float64)
    ]


GRAM = Exercise(
    id="gram",
    lesson=7,
    title="Gram matrix",
    reference=gram_matrix,
    cases=gram_cases,
    misconceptions=(
        Misconception(
            "divided-by-chw",
            "You divided by C·H·W.",
            wrong=lambda f: gram_matrix(f, divide_by="chw"),
        ),
        Misconception(
            "batch-mixed",
            "You mixed the pictures of the batch.",
            wrong=lambda f: _mixed(f) / f[0, 0].numel(),
        ),
        Misconception(
            "needs-batch",
            "You took the batch for channels.",
            wrong=lambda f: f @ f.transpose(0, 4),
        ),
        Misconception(
            "prints",
            "You print the value twice.",
            recognise=lambda attempt: attempt.answer.__name__ == "recognised",
        ),
    ),
)


def _mixed(f: Tensor) -> Tensor:
    rows = f.reshape(-1, f[0, 0].numel())
    return rows @ rows.T


def right(features: Tensor) -> Tensor:
    return torch.einsum("nchw,ndhw->ncd", features, features) / features[0, 0].numel()


def by_loops(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = []
    for picture in features:
        for i in range(c):
            rows += [(picture[i] * picture[j]).sum() / (h * w) for j in range(c)]
    return torch.stack(rows).reshape(n, c, c)


class GramModule(nn.Module):
    """A network in place of a function."""

    def forward(self, features: Tensor) -> Tensor:
        return right(features)


class Painter:
    """Has methods, and can be called."""

    def gram(self, features: Tensor) -> Tensor:
        return right(features)

    @staticmethod
    def static(features: Tensor) -> Tensor:
        return right(features)

    def __call__(self, features: Tensor) -> Tensor:
        return right(features)


# Result


def test_a_result_says_the_same_in_jupyter_and_in_a_terminal() -> None:
    long = "You divided by <C·H·W>. " * 8 + "\n    rows = x @ y"
    for result, verdict in (
        (Result(True, "Tested."), "✓ Right."),
        (Result(False, long, "divided"), "✗ Not yet."),
        (Result(False, "1 blank is left.", attempted=False), "○ Not attempted yet."),
    ):
        shown = str(result)
        assert shown.startswith(f"{verdict} ")
        assert repr(result) == shown
        assert max(map(len, shown.splitlines())) <= 88
        page = result._repr_html_()
        assert 'role="status"' in page
        words = html.unescape(re.sub(r"<[^>]+>", "", page)).split()
        assert words == shown.split()
    with pytest.raises(FrozenInstanceError):
        result.passed = True  # type: ignore[misc]


# Right answers


@pytest.mark.parametrize(
    "answer",
    [
        right,
        by_loops,
        gram_matrix,
        lambda features: right(features),
        functools.partial(gram_matrix, divide_by="hw"),
        GramModule(),
        Painter().gram,
        Painter.static,
        Painter(),
    ],
    ids=lambda answer: getattr(answer, "__name__", type(answer).__name__),
)
def test_right_answers_pass_in_any_style(answer: Callable[..., Any]) -> None:
    result = check(GRAM, answer)
    assert result.passed, str(result)
    assert (result.attempted, result.misconception) == (True, None)
    assert str(result) == (
        "✓ Right. Tested on 8 inputs, float32 and float64: the values and the gradients agree,\n"
        "and the input is unchanged."
    )


def test_a_check_takes_gradients_whatever_the_learner_switched_off() -> None:
    with torch.no_grad():
        assert check(GRAM, right).passed
        assert check(GRAM, lambda f: right(f.detach())).misconception == "detached"
    with torch.inference_mode():
        assert check(GRAM, right).passed


# Wrong answers


def divided(features: Tensor) -> Tensor:
    return right(features) / features.shape[1]


def mixed(features: Tensor) -> Tensor:
    return _mixed(features) / (features.shape[2] * features.shape[3])


def raises_like_a_misconception(features: Tensor) -> Tensor:
    return features.transpose(1, 7)


def recognised(features: Tensor) -> Tensor:
    return features


def divides_by_zero(features: Tensor) -> float:
    scale = 0
    return 1 / scale


def returns_nothing(features: Tensor) -> None:
    right(features)


def calls_itself(features: Tensor) -> Any:
    return calls_itself(features)


def leaves(features: Tensor) -> None:
    sys.exit(3)


def interrupts(features: Tensor) -> None:
    raise KeyboardInterrupt


def asks(features: Tensor) -> str:
    return input("How many?")


class HostileError(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise ValueError("no text for you")


def raises_hostile(features: Tensor) -> None:
    raise HostileError


class EqualsAll:
    """Claims to be right."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def yields(features: Tensor) -> Iterator[Tensor]:
    yield right(features)


def changes_input(features: Tensor) -> Tensor:
    features *= 2
    return right(features) / 4


def changes_input_at_the_end(features: Tensor) -> Tensor:
    result = right(features)
    features.data[0] = 0
    return result


def resizes_input(features: Tensor) -> Tensor:
    result = right(features)
    features.squeeze_()
    return result


def half_detached(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.detach().mT / rows.shape[2]


def not_finite(features: Tensor) -> Tensor:
    return right(features) * (features.shape[0] - features.shape[0]) / 0.0


def spoils_backward(features: Tensor) -> Tensor:
    roots = features.exp()
    result = right(roots.log())
    roots.add_(1)
    return result


def many_numbers(features: Tensor) -> Tensor:
    result = right(features).clone()
    result[-1, -1, -1] += 1
    return result


@pytest.mark.parametrize(
    ("answer", "misconception", "words"),
    [
        (divided, "divided-by-chw", "You divided by C·H·W."),
        (mixed, "batch-mixed", "You mixed the pictures"),
        (raises_like_a_misconception, "needs-batch", "You took the batch for channels."),
        (recognised, "prints", "You print the value twice."),
        (divides_by_zero, "raised", "ZeroDivisionError: division by zero\nin line"),
        (calls_itself, "raised", "It calls itself again and again"),
        (leaves, "raised", "SystemExit: 3"),
        (interrupts, "raised", "KeyboardInterrupt"),
        (asks, "raised", "a check cannot answer input()"),
        (raises_hostile, "raised", "raises_hostile() stopped with HostileError."),
        (returns_nothing, "returned-none", "returns None. Does its last line say return?"),
        (lambda f: 3, "wrong-type", "is a number (int); a tensor is needed"),
        (lambda f: "no", "wrong-type", "is a text (str); a tensor is needed"),
        (lambda f: right(f).detach().numpy(), "wrong-type", "is a NumPy array"),
        (lambda f: EqualsAll(), "wrong-type", "is an EqualsAll; a tensor"),
        (yields, "wrong-type", "A function with yield returns a generator"),
        (nn.Flatten, "wrong-type", "is a Flatten; a tensor is needed"),
        (nn.Flatten(), "wrong-shape", "has shape (2, 105); shape (2, 3, 3) is needed"),
        (lambda f: right(f).float(), "wrong-dtype", "The result is float32; float64 is needed."),
        (lambda f: right(f).double(), "wrong-dtype", "The result is float64; float32 is needed."),
        (not_finite, "not-a-number", "18 of 18 numbers of the result are not finite (nan or inf)."),
        (changes_input, "changed-input", "changes its argument features"),
        (changes_input_at_the_end, "changed-input", "changes its argument features"),
        (resizes_input, "changed-input", "changes its argument features"),
        (lambda f: right(f).detach(), "detached", "the gradient is lost on the way"),
        (lambda f: torch.tensor(right(f).tolist(), dtype=f.dtype), "detached", "torch.tensor(…)"),
        (half_detached, "wrong-gradient", "the gradient to features is not"),
        (spoils_backward, "wrong-gradient", "backward() fails"),
        (lambda f: 2 * right(f), "constant-factor", "is 2 times the right one"),
        (lambda f: right(f) / 3, "constant-factor", "is 1/3 of the right one"),
        (lambda f: -right(f), "constant-factor", "the right one with the other sign"),
        (lambda f: right(f) * f[0, 0].numel(), "constant-factor", "inputs: 35, 35, 3, 3."),
        (
            many_numbers,
            "wrong-value",
            "1 of 18 numbers of the result differ, the first at [1, 2, 2]",
        ),
        (lambda f, g: right(f), "wrong-arguments", "missing a required argument: 'g'"),
        (lambda: 3, "wrong-arguments", "It gets 1 argument: features."),
        (3, "not-a-function", "This is a number (int), not a function."),
        ([], "not-a-function", "This is a list, not a function."),
        (None, "not-a-function", "This is None, not a function."),
        (torch.zeros(2), "not-a-function", "This is a tensor, not a function."),
    ],
)
def test_wrong_answers_are_explained(answer: Any, misconception: str, words: str) -> None:
    started = time.process_time()
    result = check(GRAM, answer)
    assert time.process_time() - started < 2
    assert (result.passed, result.attempted) == (False, True)
    assert (result.misconception, words in result.message) == (misconception, True), result.message


@pytest.mark.parametrize(
    ("answer", "misconception"),
    [
        (lambda f: divided(f).float(), "divided-by-chw"),
        (lambda f: divided(f).double(), "divided-by-chw"),
        (lambda f: right(f).float() + 1, "wrong-value"),
        (lambda f: 3 * right(f).float(), "constant-factor"),
        (lambda f: right(f).half().mul(0).to(torch.int64), "wrong-value"),
        (lambda f: right(f).float() / 0, "not-a-number"),
        (lambda f: right(f).detach().float(), "wrong-dtype"),
    ],
)
def test_the_dtype_is_named_only_if_the_numbers_are_right(
    answer: Callable[..., Any], misconception: str
) -> None:
    result = check(GRAM, answer)
    assert result.misconception == misconception, str(result)
    assert ("dtype" in result.message) == (misconception == "wrong-dtype")


@pytest.mark.parametrize(
    "answer",
    [
        lambda f: f.flatten(2) @ torch.ones(f[0, 0].numel(), 2).to(torch.float32),
        lambda f: torch.conv2d(f, torch.ones(1, f.shape[1], 1, 1)),
    ],
)
def test_an_error_about_dtypes_is_explained(answer: Callable[..., Any]) -> None:
    result = check(GRAM, answer)
    assert result.misconception == "raised"
    assert "different types (dtype)" in result.message


def test_an_error_about_numpy_is_explained() -> None:
    result = check(GRAM, lambda f: np.abs(f.numpy()))
    assert result.misconception == "raised"
    assert "NumPy knows none" in result.message


def test_axes_are_recognised_in_another_dtype() -> None:
    exercise = replace(GRAM, reference=lambda f: f.flatten(2), misconceptions=())
    assert check(exercise, lambda f: f.flatten(2).mT.float()).misconception == "transposed"


def test_in_a_list_the_numbers_come_before_the_dtype() -> None:
    exercise = replace(GRAM, reference=lambda f: [f, 2 * f], misconceptions=())
    wrong = check(exercise, lambda f: [f.float(), f])
    assert wrong.misconception == "wrong-value"
    assert "[1]" in wrong.message
    assert check(exercise, lambda f: [f.float(), 2 * f]).misconception == "wrong-dtype"
    in_a_dictionary = replace(GRAM, reference=lambda f: {"a": f, "b": 2 * f}, misconceptions=())
    found = check(in_a_dictionary, lambda f: {"a": f.float(), "b": f})
    assert found.misconception == "wrong-value"


def test_a_lost_gradient_is_recognised_in_another_dtype() -> None:
    lost = Misconception("lost", "You lost it.", wrong=lambda f: right(f).detach())
    exercise = replace(GRAM, misconceptions=(lost,))
    assert check(exercise, lambda f: right(f).detach().float()).misconception == "lost"
    assert check(exercise, lambda f: right(f).float()).misconception == "wrong-dtype"


MEAN = Exercise(
    id="mean",
    lesson=0,
    title="Mean",
    reference=lambda f: f.mean(),
    cases=gram_cases,
    misconceptions=(Misconception("sum", "You took the sum.", wrong=lambda f: f.sum()),),
    gradient=False,
)


@pytest.mark.parametrize(
    "answer",
    [
        lambda f: f.mean().item(),
        lambda f: np.mean(f.numpy(), dtype=np.float64),
        lambda f: f.numpy().mean(),
        lambda f: np.array(f.double().mean().item()),
    ],
)
def test_a_plain_number_does_where_no_gradient_is_asked_for(answer: Callable[..., Any]) -> None:
    result = check(MEAN, answer)
    assert result.passed, str(result)
    with_gradient = check(replace(MEAN, gradient=True), lambda f: answer(f.detach()))
    assert with_gradient.misconception == "wrong-type"
    assert "Outside torch no gradient is computed." in with_gradient.message


def test_a_plain_number_may_be_wrong() -> None:
    assert check(MEAN, lambda f: f.sum().item()).misconception == "sum"
    assert check(MEAN, lambda f: f.mean().item() + 1).misconception == "wrong-value"
    assert check(MEAN, lambda f: f.mean().item() * 2).misconception == "constant-factor"
    assert check(MEAN, lambda f: True).misconception == "wrong-type"
    whole = check(MEAN, lambda f: f.numpy())
    assert whole.misconception == "wrong-type"
    assert "gradient" not in whole.message


def test_an_error_alone_does_not_show_a_mistake() -> None:
    """Many mistakes end in the same kind of error."""

    def fails_for_batches(f: Tensor) -> Tensor:
        if len(f) > 1:
            raise RuntimeError("too many")
        return right(f)

    mistake = Misconception("one-only", "You take one picture only.", wrong=fails_for_batches)
    exercise = replace(GRAM, misconceptions=(mistake,))
    assert check(exercise, fails_for_batches).misconception == "one-only"
    assert check(exercise, lambda f: fails_for_batches(f) + 1).misconception == "raised"


def calls_matmul(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return torch.matmul(rows, rows.transpose(1, 2)) / rows.shape[2]


def test_a_right_answer_hears_of_what_it_should_have_done_without() -> None:
    exercise = replace(GRAM, forbidden=("einsum", "matmul", "mm"))
    for answer, name in ((calls_matmul, "matmul"), (right, "einsum")):
        result = check(exercise, answer)
        assert result.passed
        assert result.misconception is None
        begin = f"But your function uses {name}, which this exercise asks to do without. Tested"
        assert result.message.startswith(begin)
    both = check(replace(GRAM, forbidden=("matmul", "flatten")), calls_matmul)
    assert both.message.startswith("But your function uses matmul and flatten, which")
    assert check(exercise, by_loops).message.startswith("Tested")
    assert "asks to do without" not in check(exercise, lambda f: 2 * right(f)).message
    assert check(exercise, functools.partial(calls_matmul)).message.startswith("But your")


@pytest.mark.parametrize("name", ["convolve_gray", "pad_reflect", "max_pool2d", "dense_layer"])
def test_what_a_task_forbids_is_known(name: str) -> None:
    exercise = catalogue.all_exercises()[name]
    assert exercise.forbidden
    assert exercise.lesson < 5


def test_the_first_picture_of_lesson_0_is_a_single_one() -> None:
    for name in ("overlay", "picture_change"):
        exercise = catalogue.all_exercises()[name]
        assert not exercise.gradient
        assert exercise.arguments()[0][0].shape[:2] == (1, 3)


def test_swapped_axes_are_recognised() -> None:
    first = replace(GRAM, reference=lambda f: f[:, 0].cumsum(-1), misconceptions=())
    result = check(first, lambda f: f[:, 0].cumsum(-1).mT)
    assert result.misconception == "transposed"
    assert "(0, 2, 1) instead of (0, 1, 2)" in result.message


def test_an_error_is_shown_at_the_learners_line() -> None:
    def helper(features: Tensor) -> Tensor:
        return torch.nn.functional.linear(features, features)  # the last of the learner's lines

    def answer(features: Tensor) -> Tensor:
        return helper(features)

    result = check(GRAM, answer)
    assert result.misconception == "raised"
    assert "return torch.nn.functional.linear(features, features)" in result.message
    assert "The input was features: shape (2, 3, 5, 7), float32." in result.message
    assert "nst_edu" not in result.message


def test_what_is_right_for_some_inputs_is_said() -> None:
    result = check(GRAM, lambda f: right(f) + (f.shape[1] == 5))
    assert "6 of 8 inputs gave the right answer" in result.message
    assert "shape (2, 5, 3, 3), float32" in result.message


def test_a_misconception_that_fits_some_cases_only_is_not_named() -> None:
    result = check(GRAM, lambda f: divided(f) if f.shape[1] == 3 else right(f) + 1)
    assert result.misconception == "wrong-value"


def test_a_broken_misconception_hurts_nobody() -> None:
    broken = Misconception("broken", "Broken.", recognise=lambda attempt: 1 / 0 > 0)
    result = check(replace(GRAM, misconceptions=(broken, *GRAM.misconceptions)), divided)
    assert result.misconception == "divided-by-chw"


def test_recognise_gets_all_that_happened() -> None:
    seen: list[Attempt] = []

    def look(attempt: Attempt) -> bool:
        seen.append(attempt)
        return True

    spy = Misconception("spy", "Seen.", recognise=look)
    assert check(replace(GRAM, misconceptions=(spy,)), divided).misconception == "spy"
    (attempt,) = seen
    assert attempt.answer is divided
    assert len(attempt.outcomes) == len(attempt.expected) == 8
    assert torch.equal(attempt.outcomes[0].value, divided(attempt.outcomes[0].arguments[0]))
    assert not attempt.too_slow


# The gradient goes where it should, and only there


def loss(features: Tensor, target: Tensor) -> Tensor:
    return (features - target.detach()).square().sum()


def pair_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    return [
        (torch.randn(shape, generator=generator), torch.randn(shape, generator=generator))
        for shape in ((2, 3), (1, 5))
    ]


LOSS = Exercise("loss", 6, "Loss", loss, pair_cases)


@pytest.mark.parametrize(
    ("answer", "misconception", "words"),
    [
        (loss, None, "the gradients agree"),
        (lambda f, t: (f - t).square().sum(), "attached", "flows to target where none should"),
        (lambda f, t: loss(t, f), "detached", "the gradient to features is lost"),
        (lambda f, t: loss(f.detach() / 2 + f / 2, t), "wrong-gradient", "to features is not"),
    ],
)
def test_the_gradient_of_each_argument_is_compared(
    answer: Callable[..., Any], misconception: str | None, words: str
) -> None:
    result = check(LOSS, answer)
    assert result.misconception == misconception, str(result)
    assert words in result.message


def test_the_order_in_which_a_dictionary_was_filled_does_not_matter() -> None:
    def statistics(x: Tensor) -> dict[str, Tensor]:
        return {"mean": x.mean(), "energy": x.square().sum()}

    exercise = replace(GRAM, reference=statistics, misconceptions=())
    assert check(exercise, lambda x: {"energy": x.square().sum(), "mean": x.mean()}).passed


def test_no_gradient_leaves_an_argument_out() -> None:
    either = replace(LOSS, no_gradient=(1,))
    assert check(either, loss).passed
    assert check(either, lambda f, t: (f - t).square().sum()).passed
    assert check(either, lambda f, t: loss(f.detach(), t)).misconception == "detached"
    assert check(replace(LOSS, gradient=False), lambda f, t: loss(f, t).detach()).passed


def test_a_constant_must_stay_one() -> None:
    target = Exercise("target", 8, "Target", lambda f: right(f).detach(), gram_cases)
    assert check(target, lambda f: right(f).detach()).passed
    result = check(target, right)
    assert result.misconception == "attached"
    assert "a gradient flows where none should" in result.message


# Stubs


def stub(features: Tensor) -> Any:
    """Compute it."""
    rows: Any = ...  # one row per channel
    return rows[..., 1:]


def second_stub(features: Tensor) -> Any:
    gram = features[..., None]
    ...
    return gram + ...  # type: ignore[operator]


def indexing(features: Tensor) -> Tensor:
    """Use ... in brackets only: tuple[int, ...]."""
    kept: tuple[int, ...] = (0,)
    return right(features[..., :])[kept[0] :, ...]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (stub, "1 blank (...) is left. It stands here:\n    rows: Any = ...  # one row"),
        (second_stub, "2 blanks (...) are left. The first stands here:\n    ..."),
        (..., "Replace each blank (...) by your answer."),
        (lambda features: ..., "1 blank (...) is left."),
    ],
)
def test_blanks_are_not_attempted_yet(answer: Any, words: str) -> None:
    result = check(GRAM, answer)
    assert (result.passed, result.attempted, result.misconception) == (False, False, None)
    assert words in result.message, result.message
    assert str(result).startswith("○ Not attempted yet.")


def test_dots_in_brackets_are_no_blanks() -> None:
    assert check(GRAM, indexing).passed


@pytest.mark.parametrize("body", ["...", "return ...", "x = ...\n    return x", "pass"])
def test_a_function_without_source_tells_by_what_it_returns(body: str) -> None:
    names: dict[str, Any] = {}
    exec(f"def my_gram(features):\n    {body}", names)
    assert not check(GRAM, names["my_gram"]).attempted


# Endless loops and noise


def spins(features: Tensor) -> None:
    while True:
        pass


def spins_past_exceptions(features: Tensor) -> None:
    while True:
        try:
            len("a")
        except:  # noqa: E722
            print("no")


def spins_past_more_exceptions(features: Tensor) -> None:
    while True:
        try:
            while True:
                try:
                    features.sum()
                except BaseException:
                    continue
        finally:
            continue  # noqa: B012


def sleeps(features: Tensor) -> None:
    time.sleep(30)


def returns_when_stopped(features: Tensor) -> Tensor:
    try:
        while True:
            features.sum()
    except SystemExit:
        return right(features)


@pytest.mark.parametrize(
    "answer",
    [spins, spins_past_exceptions, sleeps, returns_when_stopped, spins_past_more_exceptions],
)
def test_endless_loops_are_stopped_in_time(
    answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST", limits.TIME_LIMIT)  # however busy this machine is
    before = threading.active_count()
    # 2 s of work; a busy machine may need longer for that.
    started, used = time.monotonic(), time.process_time()
    result = check(GRAM, answer)
    assert time.process_time() - used < 2
    assert time.monotonic() - started < 20
    assert (result.passed, result.misconception) == (False, "too-slow")
    assert f"{answer.__name__}() was stopped, because it took too long." in result.message
    assert check(GRAM, right).passed  # nothing is left behind that disturbs the next check
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert threading.active_count() <= before
    used = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - used < 0.15  # it does not run on behind the scenes


def test_a_stop_never_hits_what_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that end just when their time is up: nothing but them is stopped."""
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.02)

    def ends(features: Tensor, at: float) -> Tensor:
        end = time.monotonic() + at
        while time.monotonic() < end:
            pass
        return right(features)

    for number in range(20):
        check(GRAM, functools.partial(ends, at=0.0002 * number))
        total = sum(range(10_000))  # would be interrupted here
        assert total == 49_995_000


def test_the_learners_time_begins_after_the_first_use_of_torchs_functions() -> None:
    order = []

    def noted(name: str) -> Callable[[Tensor], Tensor]:
        def function(features: Tensor) -> Tensor:
            order.append(name)
            return gram_matrix(features)

        return function

    assert check(replace(GRAM, reference=noted("reference")), noted("learner")).passed
    assert order[0] == "reference"


def dozes() -> None:
    while True:
        time.sleep(0.01)


def test_a_slow_answer_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TIME_LIMIT", 1.0)
    result = check(GRAM, lambda f: right(f) if f.shape[1] == 3 else dozes())
    assert "It had finished 2 of 8 inputs." in result.message


def chatters(features: Tensor) -> Tensor:
    for number in range(500):
        print("line", number)
        print("error", file=sys.stderr)
    return right(features)


def test_a_lot_of_printing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    result = check(GRAM, chatters)
    assert result.passed
    assert "It printed 8,000 lines." in result.message
    out, err = capsys.readouterr()
    assert out.startswith("line 0\nerror\nline 1\n")
    assert out.endswith("… 7,980 more lines are not shown.\n")
    assert (len(out.splitlines()), err) == (21, "")


def test_endless_printing_is_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.3)

    def prints(features: Tensor) -> None:
        while True:
            print("x" * 100)

    result = check(GRAM, prints)
    assert result.misconception == "too-slow"
    assert "lines, and printing takes time." in result.message
    assert len(capsys.readouterr().out) < 3000


def test_a_little_printing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    result = check(GRAM, lambda f: print(f.shape) or right(f))
    assert result.passed
    assert "printed" not in result.message
    assert capsys.readouterr().out.count("torch.Size") == 8


INTERRUPT = """
import os, signal, sys, threading
from tests.test_exercises import GRAM, check, right, spins
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    print(check(GRAM, spins))
except KeyboardInterrupt:
    print("interrupted", check(GRAM, right).passed)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_the_learner_can_interrupt_a_check() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "interrupted True\n", done.stderr


# Nothing outlives a check


def test_a_check_disturbs_nothing() -> None:
    def vandal(features: Tensor) -> Tensor:
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(99)
        random.seed(99)
        np.random.seed(99)
        torch.set_grad_enabled(False)
        torch.rand(3)
        return features

    states = torch.get_rng_state(), random.getstate()
    numbers = np.random.get_state(legacy=False)["state"]
    stdout, ask = sys.stdout, builtins.input
    assert not check(GRAM, vandal).passed
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    after = np.random.get_state(legacy=False)["state"]
    assert str(after) == str(numbers)
    assert (sys.stdout, builtins.input) == (stdout, ask)


def test_a_spoilt_input_does_not_spoil_the_reference() -> None:
    network = nn.Linear(2, 1)
    exercise = Exercise(
        "net", 8, "Net", lambda net, xs: net(xs[0]), lambda g: [(network, [torch.ones(1, 2)])]
    )
    weights = network.weight.detach().clone()
    assert check(exercise, lambda net, xs: net(xs[0])).passed

    def trains(net: nn.Linear, xs: list[Tensor]) -> Tensor:
        out: Tensor = net(xs[0])
        net.weight.data += 1
        return out

    def appends(net: nn.Linear, xs: list[Tensor]) -> Tensor:
        xs.append(xs[0])
        return net(xs[0])  # type: ignore[no-any-return]

    for answer, name in ((trains, "net"), (appends, "xs")):
        result = check(exercise, answer)
        assert result.misconception == "changed-input"
        assert f"changes its argument {name}" in result.message
    assert torch.equal(network.weight, weights)


def test_random_numbers_are_the_same_for_both() -> None:
    exercise = Exercise("noise", 7, "Noise", torch.rand_like, gram_cases)
    assert check(exercise, lambda f: torch.rand(f.shape, dtype=f.dtype)).passed


def test_a_check_never_raises() -> None:
    broken = Exercise("broken", 1, "Broken", gram_matrix, lambda g: 1 / 0)  # type: ignore[arg-type, return-value]
    result = check(broken, right)
    assert result.misconception == "check-failed"
    assert "ZeroDivisionError" in result.message


# Other exercises than functions of tensors


def step(pixels: Tensor, rate: float) -> None:
    pixels -= rate * pixels


def test_an_exercise_may_change_its_argument() -> None:
    exercise = Exercise(
        "step", 4, "A step", step, lambda g: [(torch.ones(2, 3), 0.5)], gradient=False
    )
    assert check(exercise, lambda p, r: p.mul_(1 - r)).passed
    result = check(exercise, lambda p, r: p * (1 - r))
    assert (result.misconception, "In the changed argument" in result.message) == (
        "wrong-value",
        True,
    )


def good(value: int) -> int:
    return value + 1


def bug(value: int) -> int:
    return value + 2


def my_test(function: Callable[[int], int]) -> None:
    assert function(1) == 2


TEST = Exercise("test", 9, "A test", my_test, lambda g: [(good,), (bug,)], gradient=False)


def test_an_exercise_may_ask_for_a_failing_test() -> None:
    result = check(TEST, my_test)
    assert result.passed
    assert "it raises an error where one is needed, and only there" in result.message

    def never_fails(function: Callable[[int], int]) -> None:
        function(1)

    def always_fails(function: Callable[[int], int]) -> None:
        raise AssertionError("no")

    def fails_otherwise(function: Callable[[int], int]) -> None:
        if function(1) != 2:
            raise ValueError("no")

    result = check(TEST, never_fails)
    assert result.misconception == "did-not-raise"
    assert "An error (AssertionError) is needed here" in result.message
    assert "the function bug" in result.message
    for wrong in (always_fails, fails_otherwise):
        assert check(TEST, wrong).misconception == "raised"


ORDER = Exercise(
    "order",
    8,
    "The loop",
    ["forget", "backward", "step"],
    misconceptions=(
        Misconception("late", "You forget too late.", wrong=["backward", "forget", "step"]),
        Misconception("short", "Too short.", recognise=lambda attempt: len(attempt.value) < 2),
    ),
)
SIZE = Exercise("size", 2, "Size", lambda: 7)
RATE = Exercise("rate", 4, "Rate", 0.5, accepts=lambda rate: 0 < rate < 1)


@pytest.mark.parametrize(
    ("exercise", "value", "misconception", "words"),
    [
        (ORDER, ["forget", "backward", "step"], None, "This is the expected answer."),
        (ORDER, ("forget", " backward", "step"), None, ""),
        (ORDER, ["backward", "forget", "step"], "late", "You forget too late."),
        (ORDER, ["step"], "short", "Too short."),
        (ORDER, ["forget", "step"], "wrong-shape", "Your answer has 2 entries; 3 are needed."),
        (ORDER, ["forget", 3, "step"], "wrong-type", "Entry [1] of your answer is a number (int)"),
        (ORDER, ["forget", "a", "step"], "wrong-value", "Entry [1] of your answer is 'a'"),
        (ORDER, "forget", "wrong-type", "Your answer is a text (str); a list is needed"),
        (SIZE, 7, None, ""),
        (SIZE, torch.tensor(7), None, ""),
        (SIZE, np.int64(7), None, ""),
        (SIZE, 8, "wrong-value", "Your answer is 8; that is not right."),
        (SIZE, 7.0, "wrong-type", "Your answer is a number (float); a whole number (int)"),
        (SIZE, True, "wrong-type", "a number is needed"),
        (SIZE, EqualsAll(), "wrong-type", "Your answer is an EqualsAll"),
        (RATE, 0.1, None, ""),
        (RATE, 2.0, "wrong-value", "Your answer is 2; that is not right."),
        (RATE, "much", "check-failed", "TypeError"),
        (Exercise("b", 1, "B", True), False, "wrong-value", "is False"),
        (Exercise("b", 1, "B", True), 1, "wrong-type", "True or False is needed"),
        (Exercise("f", 1, "F", 1.5), 1.5000001, None, ""),
        (Exercise("f", 1, "F", 1.5), float("nan"), "not-a-number", "Your answer is nan."),
        (Exercise("d", 1, "D", {"a": 1}), {"a": 1}, None, ""),
        (Exercise("d", 1, "D", {"a": 1}), {"b": 1}, "wrong-value", "does not need 'b'. lacks 1"),
        (Exercise("d", 1, "D", {"a": 1}), {"a": 2}, "wrong-value", "Entry ['a'] of your answer"),
        (Exercise("s", 1, "S", {1, 2}), {1, 2}, None, ""),
        (Exercise("s", 1, "S", {1, 2}), {1, 3}, "wrong-value", "Your answer is not right."),
        (Exercise("s", 1, "S", {1, 2}), [1, 2], "wrong-type", "a set is needed"),
        (Exercise("n", 1, "N", np.ones(2)), np.ones(2), None, ""),
        (Exercise("n", 1, "N", np.ones(2)), np.array(["a"]), "wrong-type", "array of numbers"),
        (Exercise("t", 1, "T", torch.ones(2)), torch.ones(3), "wrong-shape", "has shape (3,)"),
        (Exercise("i", 1, "I", torch.arange(3)), torch.arange(3) + 1, "wrong-value", "3 of 3"),
    ],
)
def test_values_are_checked(
    exercise: Exercise, value: Any, misconception: str | None, words: str
) -> None:
    result = check_value(exercise, value)
    assert (result.passed, result.misconception) == (misconception is None, misconception)
    assert words in result.message, result.message


@pytest.mark.parametrize("value", [..., None, ["forget", ..., "step"], {"a": [...]}, (..., 1)])
def test_blank_values_are_not_attempted_yet(value: Any) -> None:
    result = check_value(ORDER, value)
    assert (result.passed, result.attempted) == (False, False)


# Finding the checks


def test_checks_are_found_where_they_are_defined(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lesson_42.py").write_text("def check_toy(my_toy):\n    'Check it.'\n", "utf-8")
    (tmp_path / "other.py").write_text("def check_other(x): ...\n", "utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    assert catalogue.check_modules() == {"check_toy": "nst_edu.exercises.lesson_42"}
    assert "check_toy" in dir(exercises)
    with pytest.raises(AttributeError, match="has no attribute 'check_tyo'"):
        exercises.check_tyo  # noqa: B018


def test_importing_the_checks_imports_no_torch() -> None:
    code = (
        "import sys; from nst_edu import exercises; dir(exercises); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
