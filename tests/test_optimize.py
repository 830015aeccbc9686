"""The loop: three optimisers on a problem with a known answer, and on the real one."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from nst_edu.features import Backbone, load_backbone
from nst_edu.images import load_image
from nst_edu.objective import Losses, Objective
from nst_edu.optimize import (
    DEFAULT_RATES,
    LARGEST_MOVE,
    DivergedError,
    Step,
    _make_optimizer,
    _move,
    optimize_image,
)

OPTIMIZERS = tuple(DEFAULT_RATES)
# Rates that suit the tiny random network; None: the default.
GENTLE = {"lbfgs": None, "adam": None, "gradient-descent": 0.002}


class Bowl:
    """A quadratic with a known minimum; counts how often it is asked."""

    def __init__(self, target: Tensor, curvature: Tensor | float = 1.0) -> None:
        self.target, self.curvature, self.calls = target, curvature, 0

    def __call__(self, image: Tensor) -> Losses[Tensor]:
        """Return the mean of the weighted squares as content loss and total."""
        self.calls += 1
        total = (self.curvature * (image - self.target) ** 2).mean()
        return Losses(total, total * 0, total * 0, total)


def run(objective: object, start: Tensor, **options: Any) -> list[Step]:
    """Run to the end; `objective` need only be callable like an `Objective`."""
    return list(optimize_image(cast(Objective, objective), start, **options))


def real_objective(backbone: Backbone, side: int = 48) -> tuple[Objective, Tensor]:
    """Return the objective of two seeded pictures, and the photo."""
    coarse = torch.rand(2, 3, 6, 6)
    both = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return Objective(backbone, both[:1], both[1:]), both[:1]


def gentle(objective: Objective, start: Tensor, *, optimizer: str, steps: int) -> Iterator[Step]:
    """Optimise at a rate that suits the tiny network."""
    rate = GENTLE[optimizer]
    return optimize_image(objective, start, steps=steps, optimizer=optimizer, learning_rate=rate)


@pytest.fixture
def bowl() -> Bowl:
    return Bowl(torch.linspace(0.2, 0.8, 300).view(1, 3, 10, 10))


# --- A known answer --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"optimizer": "gradient-descent", "steps": 40, "learning_rate": 75.0}, 1e-6),
        ({"optimizer": "adam", "steps": 300}, 1e-2),
        ({"optimizer": "lbfgs", "steps": 30}, 1e-4),
        ({"steps": 30}, 1e-4),
    ],
)
def test_each_optimizer_finds_the_minimum(bowl: Bowl, options: Any, tolerance: float) -> None:
    steps = run(bowl, torch.rand(1, 3, 10, 10), **options)
    assert (steps[-1].image - bowl.target).abs().max() < tolerance


def test_gradient_descent_is_gradient_descent() -> None:
    """By hand, x - rate * 2 (x - t) / n: with rate = n / 4 each step halves the distance."""
    start, bowl = torch.full((1, 3, 2, 2), 0.9), Bowl(torch.full((1, 3, 2, 2), 0.1))
    steps = run(bowl, start, steps=4, optimizer="gradient-descent", learning_rate=12 / 4)
    assert [step.image.mean().item() for step in steps] == pytest.approx([0.9, 0.5, 0.3, 0.2])
    losses = [step.losses.total for step in steps]
    assert losses == pytest.approx([0.64, 0.16, 0.04, 0.01])


def test_adams_first_move_is_the_rate_in_the_sign_of_the_gradient(bowl: Bowl) -> None:
    first, second = run(
        bowl, torch.full((1, 3, 10, 10), 0.5), steps=2, optimizer="adam", learning_rate=0.02
    )
    expected = 0.5 + 0.02 * (bowl.target - 0.5).sign()
    torch.testing.assert_close(second.image, expected, rtol=0, atol=1e-4)
    assert torch.equal(first.image, torch.full((1, 3, 10, 10), 0.5))


def test_lbfgs_learns_the_curvature() -> None:
    """Where the curvatures differ by 100, it gets far below gradient descent at its best rate."""
    curvature = torch.logspace(-2, 0, 300).view(1, 3, 10, 10)
    bowl, start = Bowl(torch.full((1, 3, 10, 10), 0.5), curvature), torch.rand(1, 3, 10, 10)
    best_rate = 300 / (1 + 0.01)  # 2 / (largest + smallest second derivative)
    plain = run(bowl, start, steps=40, optimizer="gradient-descent", learning_rate=best_rate)
    clever = run(bowl, start, steps=40, optimizer="lbfgs")
    assert clever[-1].losses.total < 0.01 * plain[-1].losses.total


def test_the_answer_does_not_depend_on_the_unit_of_the_loss() -> None:
    """L-BFGS and the default rate of gradient descent adapt to tiny and to huge losses."""
    target, start = torch.full((1, 3, 8, 8), 0.5), torch.rand(1, 3, 8, 8)
    for optimizer in ("lbfgs", "gradient-descent"):
        ends = []
        for unit in (1e-6, 1.0, 1e6):
            steps = run(Bowl(target, unit), start, steps=10, optimizer=optimizer)
            ends.append(steps[-1].losses.total / steps[0].losses.total)
        assert ends == pytest.approx([ends[1]] * 3, rel=0.05, abs=1e-6)


def test_an_answer_outside_the_range_ends_at_its_border() -> None:
    bowl = Bowl(torch.tensor([-0.5, 0.5, 1.5]).view(1, 3, 1, 1).expand(1, 3, 4, 4))
    for optimizer in OPTIMIZERS:
        step = run(bowl, torch.full((1, 3, 4, 4), 0.4), steps=100, optimizer=optimizer)[-1]
        torch.testing.assert_close(
            step.image[0, :, 0, 0], torch.tensor([0, 0.5, 1]), rtol=0, atol=0.02
        )


# --- What a step is --------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_are_evaluations(bowl: Bowl, optimizer: str) -> None:
    start = torch.rand(1, 3, 10, 10)
    steps = run(bowl, start, steps=7, optimizer=optimizer)
    assert bowl.calls == 7
    assert [step.number for step in steps] == list(range(7))
    assert torch.equal(steps[0].image, start)
    assert steps[0].losses.total == pytest.approx(((start - bowl.target) ** 2).mean().item())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_step_pictures_are_copies_between_0_and_1(tiny: Backbone, optimizer: str) -> None:
    objective, photo = real_objective(tiny)
    start = photo.clone().requires_grad_()
    seen: list[tuple[Step, Tensor]] = []
    for step in gentle(objective, start, steps=8, optimizer=optimizer):
        seen.append((step, step.image.clone()))
    for step, then in seen:
        assert torch.equal(step.image, then), "a later step changed an earlier picture"
        assert 0 <= then.min() <= then.max() <= 1
        assert not step.image.requires_grad
        assert type(step.losses.total) is float
    assert torch.equal(start, photo), "the start was changed"
    assert start.grad is None


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_caller_may_paint_on_a_step_without_harm(tiny: Backbone, optimizer: str) -> None:
    objective, photo = real_objective(tiny)
    undisturbed = list(gentle(objective, photo, steps=5, optimizer=optimizer))
    losses = []
    for step in gentle(objective, photo, steps=5, optimizer=optimizer):
        losses.append(step.losses.total)
        step.image.zero_()
    assert losses == [step.losses.total for step in undisturbed]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_losses_of_a_step_are_those_of_its_picture(tiny: Backbone, optimizer: str) -> None:
    """What is shown, saved and compared must be what was measured."""
    objective, photo = real_objective(tiny)
    for step in gentle(objective, photo.round(), steps=15, optimizer=optimizer):
        with torch.no_grad():
            shown = objective(step.image).total.item()
        assert step.losses.total == pytest.approx(shown, rel=1e-3), f"step {step.number}"


# --- The real thing --------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_loss_falls_at_the_default_rate(compact: Backbone, optimizer: str) -> None:
    photo, style = load_image("chelsea", size=64), load_image("swirl", size=64)
    objective = Objective(compact, photo, style)
    totals = [step.losses.total for step in run(objective, photo, steps=12, optimizer=optimizer)]
    assert min(totals) < 0.7 * totals[0]
    assert totals[-1] < totals[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_the_pixels_change_and_twice_the_same(tiny: Backbone, optimizer: str) -> None:
    objective, photo = real_objective(tiny)
    before = copy.deepcopy(tiny.state_dict())
    first, second = (list(gentle(objective, photo, steps=6, optimizer=optimizer)) for _ in range(2))
    assert all(torch.equal(value, before[key]) for key, value in tiny.state_dict().items())
    assert all(parameter.grad is None for parameter in tiny.parameters())
    assert torch.equal(first[-1].image, second[-1].image)
    assert not torch.equal(first[-1].image, photo)


def test_break_stops_the_work(bowl: Bowl) -> None:
    for step in optimize_image(cast(Objective, bowl), torch.rand(1, 3, 10, 10), steps=100):
        if step.number == 3:
            break
    assert bowl.calls == 4


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_start_that_is_the_answer_stays(bowl: Bowl, optimizer: str) -> None:
    """All gradients are 0: no division by it, no error."""
    steps = run(bowl, bowl.target, steps=5, optimizer=optimizer)
    assert torch.equal(steps[-1].image, bowl.target)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_start_may_lie_in_memory_in_any_order(bowl: Bowl, optimizer: str) -> None:
    """A picture that was read and not resized has its channels last, as the file has them."""
    start = torch.rand(1, 10, 10, 3).permute(0, 3, 1, 2)
    plain = run(bowl, start.contiguous(), steps=4, optimizer=optimizer)
    steps = run(bowl, start, steps=4, optimizer=optimizer)
    assert torch.equal(steps[-1].image, plain[-1].image)


def test_it_runs_where_gradients_are_switched_off(bowl: Bowl) -> None:
    """A learner's cell may sit in ``torch.no_grad()``: work, or say so, but do not crash oddly."""
    with torch.no_grad():
        steps = run(bowl, torch.rand(1, 3, 10, 10), steps=10)
    assert steps[-1].losses.total < steps[0].losses.total


# --- What goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rate_far_too_large_is_named(tiny: Backbone, optimizer: str) -> None:
    """It must not end in silence with the start, or with noise, as the best picture."""
    objective, photo = real_objective(tiny)
    with pytest.raises(
        DivergedError, match=r"learning_rate=1e\+06 is too large.* Try 1e\+05"
    ) as raised:
        run(objective, photo, steps=30, optimizer=optimizer, learning_rate=1e6)
    assert raised.value.best is not None
    assert raised.value.best.losses.total <= objective(photo).total.item() * 1.0001


def test_divergence_keeps_the_best_step() -> None:
    """A loss that falls twice, then runs away."""
    totals = iter([5.0, 3.0, 1.0, 2.0, 1e9])

    class Scripted:
        def __call__(self, image: Tensor) -> Losses[Tensor]:
            total = image.sum() * 0 + next(totals)
            return Losses(total, total, total, total)

    with pytest.raises(DivergedError, match=r"from 5 to 1e.09 by step 4") as raised:
        run(Scripted(), torch.rand(1, 3, 4, 4), steps=9, optimizer="adam", learning_rate=0.1)
    assert raised.value.best is not None
    assert (raised.value.best.number, raised.value.best.losses.total) == (2, 1.0)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_loss_that_never_falls_below_its_start_is_divergence(unit: float) -> None:
    """The clamp keeps the pixels, and so the loss, from running away; in any unit of the loss."""
    bowl = Bowl(torch.full((1, 3, 4, 4), 0.5), unit)
    with pytest.raises(DivergedError, match="learning_rate=50 is too large"):
        run(bowl, torch.rand(1, 3, 4, 4), steps=40, optimizer="lbfgs", learning_rate=50.0)


class Slope(Bowl):
    """Falls evenly, all but straight: its lowest point is ten ranges of colours away."""

    def __call__(self, image: Tensor) -> Losses[Tensor]:
        """Return a loss whose curvature is next to nothing."""
        total = 2 - image.mean() + 0.05 * image.mean() ** 2
        return Losses(total, total, total, total)


@pytest.mark.parametrize("rate", [None, 0.5, 3.0])
def test_lbfgs_does_not_leap_where_there_is_hardly_any_curvature(rate: float | None) -> None:
    """With `compact` and the style "swirl" it diverged at its own rate, at step 5."""
    start = torch.full((1, 3, 8, 8), 0.2)
    steps = run(Slope(start), start, steps=8, learning_rate=rate)
    moves = torch.stack([step.image.mean() for step in steps]).diff()
    largest = LARGEST_MOVE * (rate or 1)
    assert moves[1:5] == pytest.approx([largest] * 4, rel=1e-4)


@pytest.mark.parametrize("at", [0, 2])
def test_a_loss_that_is_nan_stops_the_loop(at: int) -> None:
    class Broken(Bowl):
        def __call__(self, image: Tensor) -> Losses[Tensor]:
            losses = super().__call__(image)
            bad = losses.total * (math.nan if self.calls > at else 1)
            return Losses(bad, bad, bad, bad)

    with pytest.raises((DivergedError, ValueError)) as raised:
        run(Broken(torch.rand(1, 3, 4, 4)), torch.rand(1, 3, 4, 4), steps=9)
    if at == 0:  # before the first move: not the learning rate's fault
        assert "learning_rate" not in str(raised.value)
    else:
        assert isinstance(raised.value, DivergedError)
        assert raised.value.best is not None
        assert raised.value.best.number == at - 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps must be 1 or more, not 0"),
        ({"steps": -1}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"steps": "9"}, "steps"),
        ({"learning_rate": 0}, "learning_rate must be .* larger than 0 .*, not 0"),
        ({"learning_rate": -0.1}, "learning_rate"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"learning_rate": math.inf}, "learning_rate"),
        ({"learning_rate": "1"}, "learning_rate"),
        ({"optimizer": "lbgfs"}, "unknown optimizer 'lbgfs'. Did you mean 'lbfgs'"),
        ({"optimizer": "sgd"}, "gradient-descent"),
        ({"optimizer": None}, "optimizer"),
    ],
)
def test_options_are_refused_by_name(bowl: Bowl, options: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        run(bowl, torch.rand(1, 3, 10, 10), **options)
    assert bowl.calls == 0


def test_nothing_waits_for_the_device() -> None:
    """A meta tensor has no numbers: whatever would fetch one from a GPU, and wait, fails on it."""
    backbone = load_backbone("random", device="cpu").to("meta")
    photo, style = torch.rand(2, 1, 3, 32, 40, device="meta")
    objective = Objective(backbone, photo, style, tv_weight=1.0)
    pixels = photo.clone().requires_grad_()
    mover = _make_optimizer("adam", pixels)
    for _ in range(2):
        mover.zero_grad()
        losses = objective(pixels)
        losses.total.backward()
        _move(mover, pixels, losses.total, LARGEST_MOVE)
    with pytest.raises(RuntimeError, match="meta tensor"):
        losses.detached()  # this is where the loop waits, once for each step
