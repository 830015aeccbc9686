"""The loop that paints: change the pixels, step by step, so that the loss falls (lesson 8)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nst_edu.allocation import reused_memory
from nst_edu.checks import check_count, check_name, check_number
from nst_edu.objective import Losses, Objective

# For pixels between 0 and 1. Gradient descent's rate is found from its first gradient.
DEFAULT_RATES = {"lbfgs": 1.0, "adam": 0.03, "gradient-descent": math.nan}
FIRST_MOVE = 0.02  # how far the first move shifts a pixel, on average
LARGEST_MOVE = 0.05  # how far any move of L-BFGS may, times its learning rate
# How many moves L-BFGS remembers. More do not paint better (benchmarks/RESULTS.md), and each costs
# two copies of the picture in memory and time to go through; torch's own choice is 100.
HISTORY = 20


@dataclass(frozen=True)
class Step:
    """One evaluation of the objective.

    Attributes
    ----------
    number
        Counts evaluations from 0.
    image
        The picture that was evaluated: (N, 3, H, W), range 0 to 1, a copy that no later step
        changes.
    losses
        Its losses, as floats.
    """

    number: int
    image: Tensor
    losses: Losses[float]


class DivergedError(ArithmeticError):
    """The loss ran away: the learning rate is too large.

    Attributes
    ----------
    best
        The step with the lowest loss so far, so that nothing is lost; None if there was none.
    """

    def __init__(self, message: str, best: Step | None) -> None:
        super().__init__(message)
        self.best = best


def optimize_image(
    objective: Objective,
    start: Tensor,
    *,
    steps: int = 100,
    optimizer: str = "lbfgs",
    learning_rate: float | None = None,
) -> Iterator[Step]:
    """Change a picture so that the objective falls; yield every evaluation on the way.

    The weights of the network never change: the pixels are the only thing that does. Leave the
    loop with ``break`` whenever the picture pleases.

    Parameters
    ----------
    objective
        Called with the picture, returns its losses.
    start
        The first picture, (N, 3, H, W), range 0 to 1. It is copied, not changed.
    steps
        How many times the objective and its gradient are evaluated. This holds for L-BFGS too:
        torch's ``max_iter=1`` makes one call of ``step`` one evaluation and one move.
    optimizer
        ``"lbfgs"`` (Liu and Nocedal 1989), ``"adam"`` (Kingma and Ba 2015) or
        ``"gradient-descent"``.
    learning_rate
        None: 1 for L-BFGS, 0.03 for Adam, and for gradient descent the rate whose first move
        changes a pixel by `FIRST_MOVE` on average, or less near a good picture. (The losses are
        means: the more pixels there are, the smaller the gradient at each. No fixed rate suits all
        sizes and weights.)

    Yields
    ------
    Step
        Number 0 is the start itself.

    Raises
    ------
    DivergedError
        If the loss gets a hundred times as large as at the start, or not finite; or if it was never
        lower than at the start, and ends twice as high. ``error.best`` has the best step so far.
    ValueError
        For an unknown optimiser, a rate or number of steps that is not positive, or a start whose
        loss is not finite.

    Notes
    -----
    Where to clamp: every move is followed by a clamp to the range 0 to 1. L-BFGS learns the loss's
    curvature from pairs (how far it moved, how the gradient changed), so it is told the move that
    was really made, after the clamp. Measured (96 px, 400 evaluations): clamped without being told,
    the loss now and then jumps a hundredfold; not clamped until the end, the clamped picture's loss
    is five to ten times higher.

    Where the curvature is next to nothing, L-BFGS would jump across the whole range of colours. So
    no move of it shifts the pixels by more than `LARGEST_MOVE` (times the learning rate) on
    average. Most runs never come near that.
    """
    check_name(optimizer, DEFAULT_RATES, "optimizer")
    check_count(steps, "steps")
    rate = DEFAULT_RATES[optimizer]
    if learning_rate is not None:
        rate = check_number(learning_rate, "learning_rate", zero=False)
    # L-BFGS takes the gradient for one long vector: channels last would not do.
    pixels = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    with reused_memory():
        yield from _loop(objective, pixels, steps, optimizer, rate)


def _loop(
    objective: Objective, pixels: Tensor, steps: int, optimizer: str, rate: float
) -> Iterator[Step]:
    """Evaluate, yield, move; again and again."""
    mover = _make_optimizer(optimizer, pixels)
    best: Step | None = None
    first = math.inf
    for number in range(steps):
        mover.zero_grad()
        with torch.enable_grad():  # also for a caller who has switched gradients off
            losses = objective(pixels)
            losses.total.backward()

        step = Step(number, pixels.detach().clamp(0, 1), losses.detached())
        total = step.losses.total
        if number == 0:
            first = _check_first(total)
        if best is None or total < best.losses.total:
            best = step
        # "not <=" is true for NaN as well. The clamp keeps most runs away from infinity: a run that
        # ends at twice its first loss and was never below it has failed too.
        limit = 2 if number == steps - 1 and best.number == 0 else 100
        if not total <= limit * (first or 1):
            raise DivergedError(
                f"the loss went from {first:.3g} to {total:.3g} by step {number}: "
                f"learning_rate={rate:.3g} is too large for {optimizer!r}. Try {rate / 10:.3g}",
                best,
            )
        yield step

        if math.isnan(rate):  # gradient descent, and the caller has named no rate
            rate = _first_rate(pixels, total)
        first_lbfgs = number == 0 and optimizer == "lbfgs"
        mover.param_groups[0]["lr"] = rate * (
            _first_lbfgs_rate(pixels, total) if first_lbfgs else 1
        )
        _move(mover, pixels, losses.total, LARGEST_MOVE * rate)


def _check_first(total: float) -> float:
    """Refuse a loss that is broken before anything has moved: no learning rate is to blame."""
    if not math.isfinite(total):
        raise ValueError(
            f"the loss of the first picture is {total}. Check that the pictures hold no NaN, and "
            "that the weights are not so large that the loss overflows"
        )
    return total


def _move(mover: torch.optim.Optimizer, pixels: Tensor, total: Tensor, largest: float) -> None:
    """Let the optimiser move the pixels once, and put them back into the range 0 to 1."""
    before = pixels.detach().clone()
    mover.step(lambda: total.detach())  # type: ignore[arg-type, return-value]
    state = mover.state[pixels]
    is_lbfgs = "d" in state
    with torch.no_grad():
        if is_lbfgs:
            move = pixels - before
            pixels.copy_(before + move * (largest / move.abs().mean()).clamp(max=1))
        pixels.clamp_(0, 1)
        if is_lbfgs:  # it believes that it moved by t·d; tell it what is left of that
            state["d"] = ((pixels - before) / state["t"]).flatten()


def _make_optimizer(optimizer: str, pixels: Tensor) -> torch.optim.Optimizer:
    if optimizer == "adam":
        return torch.optim.Adam([pixels])
    if optimizer == "gradient-descent":
        return torch.optim.SGD([pixels])
    # Tolerances of 0: gradients of a mean are tiny, and torch would take them for convergence.
    return torch.optim.LBFGS(
        [pixels], max_iter=1, history_size=HISTORY, tolerance_grad=0, tolerance_change=0
    )


def _first_rate(pixels: Tensor, total: float) -> float:
    """Return the rate with which a first move along the gradient is neither timid nor wild.

    It changes a pixel by `FIRST_MOVE` on average; but it goes no farther than to where the loss
    would be 0 if it went on falling at this slope (Polyak's step), because near a good picture
    even a small move can be much too large.
    """
    assert pixels.grad is not None  # set by the caller's backward()
    gradient = pixels.grad.cpu().double()  # squares of tiny numbers; Apple's GPUs have no float64
    if not gradient.any():
        return 1.0  # nothing will move
    return min(FIRST_MOVE / gradient.abs().mean().item(), total / gradient.square().sum().item())


def _first_lbfgs_rate(pixels: Tensor, total: float) -> float:
    """Return what torch's L-BFGS must be given as rate for its first move.

    By itself torch moves by gradient / sum(|gradient|): about 1e-6 for each pixel, so little that
    the change of the gradient, from which L-BFGS learns the curvature, is mostly rounding error.
    """
    assert pixels.grad is not None  # set by the caller's backward()
    return _first_rate(pixels, total) * max(1.0, pixels.grad.abs().sum().item())
