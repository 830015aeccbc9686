"""Lesson 8: the full optimisation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nst_edu import losses
from nst_edu.exercises import loops
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import accepts, letters, spelled, spelled_like

# --- the loop in order ------------------------------------------------------------------------

LINES = {
    "a": "    loss.backward()",
    "b": "pixels = start.clone().requires_grad_()",
    "c": "        pixels.clamp_(0, 1)",
    "d": "    pixels.grad = None",
    "e": "for _ in range(steps):",
    "f": "    loss = content_loss(features(pixels), target)",
    "g": "        pixels -= rate * pixels.grad",
    "h": "target = features(photo).detach()",
    "i": "    with torch.no_grad():",
    "x": "    target = features(pixels)",
    "y": "        weights -= rate * weights.grad",
}
RIGHT_ORDER = ["h", "b", "e", "d", "f", "a", "i", "g", "c"]


def _letters(attempt: Attempt) -> list[str]:
    return [letter.lower() for letter in letters(attempt.value)]


def _painted(order: Sequence[str]) -> Tensor:
    """Run the program with its lines in this order, on small tensors."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(2, 3, 3, 3, generator=generator)
    photo, start = (torch.rand(1, 3, 6, 5, generator=generator) for _ in range(2))
    names: dict[str, Any] = {
        "features": lambda image: torch.conv2d(image, weights, padding=1),
        "content_loss": losses.content_loss,
        "torch": torch,
        "photo": photo,
        "start": start,
        "steps": 3,
        "rate": 0.5,
    }
    exec("\n".join(LINES[letter] for letter in order), names)
    painted: Tensor = names["pixels"].detach()
    return painted


def paints_right(capitals: list[str]) -> bool:
    """Tell whether the lines in this order do what they should; more than one order does."""
    order = [letter.lower() for letter in capitals]
    if sorted(order) != sorted(RIGHT_ORDER):
        return False
    with contextlib.suppress(Exception):  # lines in the wrong place raise all kinds of errors
        return torch.equal(_painted(order), _painted(RIGHT_ORDER))
    return False


def _order(test: Callable[[list[str]], bool]) -> Callable[[Attempt], bool]:
    """Return a test of the letters of an answer."""
    return lambda attempt: test(_letters(attempt))


def _before(order: list[str], first: str, second: str) -> bool:
    return first in order and second in order and order.index(first) < order.index(second)


def _block_broken(order: list[str]) -> bool:
    """Tell whether lines g and c do not stand right below the line that opens their block."""
    place = order.index("i")
    return order[place : place + 3] != ["i", "g", "c"]


LOOP_ORDER = Exercise(
    id="loop_order",
    lesson=8,
    title="The loop, line by line",
    reference=RIGHT_ORDER,
    gradient=False,
    accepts=accepts(paints_right),
    misconceptions=(
        Misconception(
            id="no-such-line",
            message="An entry of your answer is none of the letters in the table.",
            recognise=_order(lambda order: not set(order) <= set(LINES)),
        ),
        Misconception(
            id="target-not-constant",
            message="Line x computes the target from the picture itself, in each step. A picture "
            "always fits its own feature maps. Whose feature maps should be the target?",
            recognise=_order(lambda order: "x" in order),
        ),
        Misconception(
            id="weights-optimised",
            message="Line y moves the weights of the network. What should change in style "
            "transfer, and what should stay as it is?",
            recognise=_order(lambda order: "y" in order),
        ),
        Misconception(
            id="gradient-kept",
            message="Line d is not in your loop. `backward` adds to the gradient that is there: "
            "what does it add to in the second step?",
            recognise=_order(lambda order: "d" not in order or _before(order, "d", "e")),
        ),
        Misconception(
            id="gradient-erased",
            message="In your order the gradient is erased after it was computed and before it is "
            "used. Follow `pixels.grad` through your lines.",
            recognise=_order(lambda order: _before(order, "a", "d") and _before(order, "d", "g")),
        ),
        Misconception(
            id="backward-before-loss",
            message="Line a uses the name `loss` before line f has computed it for this picture. "
            "Which of the two comes first?",
            recognise=_order(lambda order: _before(order, "a", "f")),
        ),
        Misconception(
            id="moved-before-backward",
            message="In your order the pixels move before the gradient of this picture is known. "
            "Which line computes it, and what does that line need?",
            recognise=_order(lambda order: _before(order, "g", "a")),
        ),
        Misconception(
            id="clamp-before-move",
            message="You clamp, and then you move. Where may the pixels be at the end of the step?",
            recognise=_order(lambda order: _before(order, "c", "g")),
        ),
        Misconception(
            id="not-clamped",
            message="Nothing keeps your pixels between 0 and 1. Which line does that?",
            recognise=_order(lambda order: "c" not in order),
        ),
        Misconception(
            id="move-recorded",
            message="Line i is missing. Without it autograd would record the move as part of the "
            "loss, and torch refuses to change such pixels in place.",
            recognise=_order(lambda order: "i" not in order),
        ),
        Misconception(
            id="set-up-in-the-loop",
            message="Line b or line h stands below line e. Each of the two is needed once, before "
            "the first step. They are not indented, so they would also end the loop.",
            recognise=_order(lambda order: _before(order, "e", "b") or _before(order, "e", "h")),
        ),
        Misconception(
            id="line-missing",
            message="A line is missing. Ask of each of your lines: which names does it use, and "
            "which line makes them? Then ask what has to happen in each step.",
            recognise=_order(lambda order: not set(RIGHT_ORDER) <= set(order)),
        ),
        Misconception(
            id="line-twice",
            message="A letter stands twice in your answer. Each line is needed once.",
            recognise=_order(lambda order: len(order) > len(set(order))),
        ),
        Misconception(
            id="before-the-loop",
            message="An indented line stands above line e. Indented lines belong to the loop, and "
            "line e opens it.",
            recognise=_order(lambda order: any(_before(order, line, "e") for line in "faigc")),
        ),
        Misconception(
            id="block-broken",
            message="Lines g and c are indented further than the others: they are the block that "
            "line i opens. Look at what stands right below line i, and between the two.",
            recognise=_order(_block_broken),
        ),
    ),
)


# --- the content part, with a target that is a constant ----------------------------------------


class Features(nn.Module):
    """A frozen convolution and a ReLU, in place of a backbone: works with pictures of any size."""

    def __init__(self, generator: torch.Generator, dtype: torch.dtype) -> None:
        super().__init__()
        weights = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64)
        self.weights = nn.Parameter(weights.to(dtype), requires_grad=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return feature maps, (N, 4, H, W)."""
        return torch.conv2d(image, self.weights, padding=1).relu()


def _picture(generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)


SIZES = [
    ((2, 3, 5, 7), torch.float64),
    ((1, 3, 6, 3), torch.float32),
    ((2, 3, 3, 8), torch.float32),
    ((3, 3, 7, 5), torch.float64),
]


def content_cases(generator: torch.Generator) -> list[tuple[nn.Module, Tensor, Tensor]]:
    """Return a network, a picture and a photo of the same size."""
    return [
        (
            Features(generator, dtype),
            _picture(generator, shape, dtype),
            _picture(generator, shape, dtype),
        )
        for shape, dtype in SIZES
    ]


def reference_content_part(
    network: Callable[[Tensor], Tensor], image: Tensor, photo: Tensor
) -> Any:
    """Return the content loss; the photo is a constant."""
    return losses.content_loss(network(image), network(photo).detach())


CONTENT_PART = Exercise(
    id="content_part",
    lesson=8,
    title="A target that is a constant",
    reference=reference_content_part,
    cases=content_cases,
    misconceptions=(
        Misconception(
            id="target-not-detached",
            message="The value is right. But a gradient flows into the photo as well, so autograd "
            "works for both pictures in every step. What says that the photo's maps are a "
            "constant?",
            wrong=lambda network, image, photo: losses.content_loss(network(image), network(photo)),
        ),
        Misconception(
            id="wrong-side-detached",
            message="The value is right. But you cut the *picture* off from the loss, so no "
            "gradient reaches the pixels that should change. Which of the two is the constant?",
            wrong=lambda network, image, photo: losses.content_loss(
                network(image).detach(), network(photo)
            ),
        ),
        Misconception(
            id="compared-with-itself",
            message="Your loss is 0 for every picture: it compares the picture with itself. Whose "
            "feature maps are the target?",
            wrong=lambda network, image, photo: losses.content_loss(network(image), network(image)),
        ),
        Misconception(
            id="pixels-compared",
            message="You compared pixels. The content loss compares what the network sees in the "
            "two pictures.",
            wrong=lambda network, image, photo: losses.content_loss(image, photo),
        ),
        Misconception(
            id="squares-summed",
            message="You added up the squares. The content loss of lesson 6 is a mean: look at "
            "what it does when the picture grows.",
            wrong=lambda network, image, photo: losses.content_loss(
                network(image), network(photo).detach(), reduction="sum"
            ),
        ),
    ),
)


# --- the faded loop -----------------------------------------------------------------------------


class Judge(nn.Module):
    """A loss with weights of its own; its best pictures lie partly outside the range 0 to 1."""

    def __init__(self, generator: torch.Generator, dtype: torch.dtype, *, frozen: bool) -> None:
        super().__init__()
        weights = torch.randn(2, 3, 3, 3, generator=generator, dtype=torch.float64)
        self.weights = nn.Parameter(weights.to(dtype), requires_grad=not frozen)

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss of a picture of any size."""
        maps = torch.conv2d(image, self.weights, padding=1)
        return (maps - maps.new_tensor([3.0, -3.0]).view(1, 2, 1, 1)).square().mean()


def adam_cases(generator: torch.Generator) -> list[tuple[nn.Module, Tensor, int, float]]:
    """Return a loss, the first picture, the number of steps and the rate."""
    # A process's first optimiser makes torch load for seconds: not at the cost of the time limit.
    paint(Judge(torch.Generator(), torch.float32, frozen=True), torch.zeros(1, 3, 3, 3), 1, 0.1)
    return [
        (
            Judge(generator, dtype, frozen=number != 1),
            _picture(generator, shape, dtype),
            3 + number,
            0.1 + 0.05 * number,
        )
        for number, (shape, dtype) in enumerate(SIZES)
    ]


def paint(
    loss_of: Callable[[Tensor], Tensor],
    start: Tensor,
    steps: int,
    rate: float,
    *,
    optimizer: Any = torch.optim.Adam,
    forget: bool = True,
    clamp: str = "after",
) -> Tensor:
    """Paint, rightly or with one thing done differently.

    Parameters
    ----------
    clamp
        Where: ``"after"`` the step, ``"before"`` it, at the ``"end"``, in the ``"loss"``, or
        ``"never"``.
    """
    pixels = start.detach().clone().requires_grad_()
    mover = optimizer([pixels], lr=rate)
    for _ in range(steps):
        if forget:
            mover.zero_grad()
        loss_of(pixels.clamp(0, 1) if clamp == "loss" else pixels).backward()
        if clamp == "before":
            pixels.data.clamp_(0, 1)
        mover.step()
        if clamp == "after":
            pixels.data.clamp_(0, 1)
    return pixels.detach().clamp(0, 1) if clamp in ("end", "loss") else pixels.detach()


def reference_paint(
    loss_of: Callable[[Tensor], Tensor], start: Tensor, steps: int, rate: float
) -> Tensor:
    """Return the picture that Adam paints; clamped after each step."""
    return paint(loss_of, start, steps, rate)


def _differently(**options: Any) -> Callable[..., Tensor]:
    return lambda *arguments: paint(*arguments, **options)


def _weights_changed(attempt: Attempt) -> bool:
    """Tell whether a call changed its first argument: the loss has weights."""
    return any(0 in outcome.changed for outcome in attempt.outcomes)


PAINT_WITH_ADAM = Exercise(
    id="paint_with_adam",
    lesson=8,
    title="A faded loop",
    reference=reference_paint,
    cases=adam_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            id="weights-optimised",
            message="Your optimiser changed the weights inside `loss_of`: it trained the judge. An "
            "optimiser changes what it is given. What should change here?",
            recognise=_weights_changed,
        ),
        Misconception(
            id="gradient-erased",
            message="You erase the gradient between `backward` and `optimizer.step()`. What is "
            "left for the optimiser to use? Look at the order of the lines in the loop.",
            recognise=loops.gradient_erased,
        ),
        Misconception(
            id="nothing-moved",
            message="You return the first picture, unchanged. Is `pixels` the tensor that the "
            "optimiser got, and has it a gradient when the optimiser moves? Print both before the "
            "step.",
            recognise=loops.nothing_moved,
        ),
        Misconception(
            id="gradient-not-forgotten",
            message="Your gradients add up from step to step. Look at what `backward` does with a "
            "gradient that is there already, and at the first line of the loop.",
            wrong=_differently(forget=False),
        ),
        Misconception(
            id="not-clamped",
            message="Some pixels lie outside the range 0 to 1. What should follow each step?",
            wrong=_differently(clamp="never"),
        ),
        Misconception(
            id="clamped-at-the-end",
            message="You clamp once, at the end. Until then the search relies on values that no "
            "picture can have. Where must it stand, so that each step starts from a picture?",
            wrong=_differently(clamp="end"),
        ),
        Misconception(
            id="clamped-in-the-loss",
            message="You clamp inside the loss. A pixel that has left the range gets no gradient "
            "there, and so it never finds its way back. Clamp the pixels themselves.",
            wrong=_differently(clamp="loss"),
        ),
        Misconception(
            id="clamped-before-the-step",
            message="You clamp before `optimizer.step()`. The step moves the pixels afterwards: "
            "where may they be at its end?",
            wrong=_differently(clamp="before"),
        ),
        Misconception(
            id="another-optimiser",
            message="Your picture is the one that plain gradient descent paints (SGD). The task "
            "asks for Adam.",
            wrong=_differently(optimizer=torch.optim.SGD),
        ),
        Misconception(
            id="one-step-only",
            message="Your picture is the one that a single step paints. Does `return` stand inside "
            "the loop? Or is `pixels` another tensor after the first step, one that the optimiser "
            "does not know?",
            wrong=lambda loss_of, start, steps, rate: paint(loss_of, start, 1, rate),
        ),
        Misconception(
            id="not-marked",
            message="Your `pixels` have no gradient, not even in the first step. How does autograd "
            "learn which tensor it should work for?",
            recognise=loops.not_marked,
        ),
        Misconception(
            id="leaf-lost",
            message="After the first step `pixels` is a new tensor, computed from the old one. The "
            "optimiser still has the old one. How can your line change `pixels` itself?",
            recognise=loops.leaf_lost,
        ),
        Misconception(
            id="move-recorded",
            message="Torch refuses to change `pixels` in place while autograd watches: the change "
            "would become part of the computation. Which line tells autograd to look away for a "
            "moment?",
            recognise=loops.move_recorded,
        ),
        Misconception(
            id="loss-computed-once",
            message="Your `backward` goes a second time through one computation. A loss belongs to "
            "the picture of which it was computed, and `pixels` has to stay the same leaf. What "
            "must be computed again in each step?",
            recognise=loops.loss_computed_once,
        ),
    ),
)


# --- total variation ----------------------------------------------------------------------------


def tv_cases(generator: torch.Generator) -> list[tuple[Tensor]]:
    """Return pictures."""
    return [(_picture(generator, shape, dtype),) for shape, dtype in SIZES]


def _pairs(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of neighbours: downwards, and to the right."""
    return image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]


def _isotropic(image: Tensor) -> Tensor:
    down, right = _pairs(image)
    return (down[..., :-1].square() + right[..., :-1, :].square()).sqrt().mean()


def _one_mean(image: Tensor) -> Tensor:
    return torch.cat([part.square().flatten() for part in _pairs(image)]).mean()


def _along(image: Tensor, *axes: int) -> Tensor:
    """Return the sum of the mean squared differences of neighbours along these axes."""
    means = [image.diff(dim=axis).square().mean() for axis in axes]
    return torch.stack(means).sum()


def _along_batch_and_channels(attempt: Attempt) -> bool:
    """Tell whether neighbours along axes 0 and 1 were compared.

    In a batch of one nothing lies along axis 0: the mean of nothing is not a number.
    """
    return not attempt.too_slow and all(
        isinstance(outcome.value, Tensor)
        and torch.allclose(
            outcome.value, _along(outcome.arguments[0], 0, 1), rtol=1e-4, equal_nan=True
        )
        for outcome in attempt.outcomes
    )


TOTAL_VARIATION = Exercise(
    id="total_variation",
    lesson=8,
    title="Total variation",
    reference=losses.total_variation_loss,
    cases=tv_cases,
    misconceptions=(
        Misconception(
            id="only-down",
            message="You have the neighbours one above the other. The formula has a second mean: "
            "which neighbours does that one compare?",
            wrong=lambda image: _pairs(image)[0].square().mean(),
        ),
        Misconception(
            id="only-right",
            message="You have the neighbours side by side. The formula has another mean: which "
            "neighbours does that one compare?",
            wrong=lambda image: _pairs(image)[1].square().mean(),
        ),
        Misconception(
            id="down-twice",
            message="You have the same neighbours twice: both of your means compare pixels one "
            "above the other. In `image[:, :, 1:]` the 1: cuts rows. On which axis are the "
            "columns?",
            wrong=lambda image: _along(image, 2, 2),
        ),
        Misconception(
            id="right-twice",
            message="You have the same neighbours twice: both of your means compare pixels side by "
            "side. `image[..., 1:]` cuts columns. On which axis are the rows?",
            wrong=lambda image: _along(image, 3, 3),
        ),
        Misconception(
            id="wrong-axes",
            message="You compared along axes 0 and 1: each picture with the next one of the batch, "
            "and each colour with the next one. With one picture there is no next one, and the "
            "result is nan. Which two axes of (N, 3, H, W) are those of the pixels?",
            recognise=_along_batch_and_channels,
        ),
        Misconception(
            id="channels-for-rows",
            message="Your axes are off by one: you compared each colour with the next one, and "
            "each row with the next one. Pictures have the axes (N, 3, H, W). Count from the "
            "left, beginning at 0: where are H and W?",
            wrong=lambda image: _along(image, 1, 2),
        ),
        Misconception(
            id="summed",
            message="You added up the squares. Then a larger picture has a larger total variation, "
            "even if it looks the same. Look at the formula.",
            wrong=lambda image: sum(part.square().sum() for part in _pairs(image)),
        ),
        Misconception(
            id="halved",
            message="Your value is half of the right one: you took the mean of the two directions. "
            "The formula adds them.",
            wrong=lambda image: sum(part.square().mean() for part in _pairs(image)) / 2,
        ),
        Misconception(
            id="one-mean",
            message="You took one mean over all pairs of both directions together. The formula has "
            "two means, one for each direction.",
            wrong=_one_mean,
        ),
        Misconception(
            id="absolute",
            message="You took absolute differences. There is a total variation like this, but it "
            "is another one. Look at the exponent in the formula.",
            wrong=lambda image: sum(part.abs().mean() for part in _pairs(image)),
        ),
        Misconception(
            id="square-of-the-mean",
            message="You took the mean of the differences first, and squared it afterwards. A step "
            "up and a step down cancel out then. Look at the order in the formula.",
            wrong=lambda image: sum(part.mean().square() for part in _pairs(image)),
        ),
        Misconception(
            id="signed",
            message="You added up differences with their signs. A step up and a step down cancel "
            "out then. Look at the exponent in the formula.",
            wrong=lambda image: sum(part.mean() for part in _pairs(image)),
        ),
        Misconception(
            id="root-of-each-mean",
            message="You took the square root of each of the two means. Look at the formula: it "
            "has squares, and no root.",
            wrong=lambda image: sum(part.square().mean().sqrt() for part in _pairs(image)),
        ),
        Misconception(
            id="root-at-the-end",
            message="Your value is the square root of the right one. Look for a root that the "
            "formula does not have.",
            wrong=lambda image: _along(image, 2, 3).sqrt(),
        ),
        Misconception(
            id="root",
            message="You took a square root at each position. There is a total variation like "
            "this, but it is another one. Look at the formula: it has no root.",
            wrong=_isotropic,
        ),
        Misconception(
            id="wrapped-around",
            message="You compared the last row (or column) with the first one: `roll` goes around "
            "the edge. Are these two neighbours in the picture?",
            wrong=lambda image: sum(
                (image.roll(-1, axis) - image).square().mean() for axis in (-2, -1)
            ),
        ),
    ),
)


# --- where to clamp -----------------------------------------------------------------------------

VERDICTS = ("right", "memory wrong", "values lost")
INSIDE, AFTER = "inside the closure", "after the step"
CORRECTED, END = "after the step, corrected", "once, at the end"


def _says(place: str, *verdicts: str) -> Callable[[Attempt], bool]:
    return lambda attempt: spelled(attempt.value[place]) in verdicts


RIGHT_VERDICTS = {
    INSIDE: "memory wrong",
    AFTER: "memory wrong",
    CORRECTED: "right",
    END: "values lost",
}

CLAMP_VERDICTS = Exercise(
    id="clamp_verdicts",
    lesson=8,
    title="Where to clamp with L-BFGS",
    reference=RIGHT_VERDICTS,
    accepts=spelled_like(RIGHT_VERDICTS),
    gradient=False,
    misconceptions=(
        Misconception(
            id="unknown-verdict",
            message="One of your verdicts is none of the three. Copy them letter by letter from "
            "the task.",
            recognise=lambda attempt: any(
                verdict not in VERDICTS for verdict in spelled(attempt.value).values()
            ),
        ),
        Misconception(
            id="closure-called-right",
            message="You accept the clamp inside the closure. The closure is called in the middle "
            "of the optimiser's step. Look at the table: does L-BFGS know where the pixels are "
            "then?",
            recognise=_says(INSIDE, "right"),
        ),
        Misconception(
            id="closure-for-another-reason",
            message="You reject the clamp inside the closure, and that is right. But the reason is "
            "another one. Look at its line in the table: what is wrong there?",
            recognise=_says(INSIDE, "values lost"),
        ),
        Misconception(
            id="after-called-right",
            message="You accept the clamp after each step. For gradient descent this is fine. But "
            "L-BFGS has a memory: does it hold the move that was really made? See the table.",
            recognise=_says(AFTER, "right"),
        ),
        Misconception(
            id="after-for-another-reason",
            message="You reject the clamp after each step, and that is right. But the reason is "
            "another one. Each step starts from a clamped picture, so nothing piles up outside the "
            "range. What does the table say of this place?",
            recognise=_says(AFTER, "values lost"),
        ),
        Misconception(
            id="end-called-right",
            message="You accept the clamp at the end. The memory is right then. But compare the "
            "loss at the end of its curve with the loss of the picture that you get.",
            recognise=_says(END, "right"),
        ),
        Misconception(
            id="end-for-another-reason",
            message="You reject the clamp at the end, and that is right. But until then nobody "
            "touches the pixels behind the optimiser's back, and the table says so. What happens "
            "to the picture at the very end?",
            recognise=_says(END, "memory wrong"),
        ),
        Misconception(
            id="correction-distrusted",
            message="You reject the corrected clamp. Look at its number in the table, and at its "
            "curve.",
            recognise=_says(CORRECTED, "memory wrong", "values lost"),
        ),
    ),
)


def check_loop_order(my_loop_order: Sequence[str]) -> Result:
    """Check the exercise "The loop, line by line" of lesson 8."""
    return check_value(LOOP_ORDER, my_loop_order)


def check_content_part(my_content_part: Callable[..., Any]) -> Result:
    """Check the exercise "A target that is a constant" of lesson 8."""
    return check(CONTENT_PART, my_content_part)


def check_paint_with_adam(my_paint_with_adam: Callable[..., Any]) -> Result:
    """Check the exercise "A faded loop" of lesson 8."""
    return check(PAINT_WITH_ADAM, my_paint_with_adam)


def check_total_variation(my_total_variation: Callable[..., Any]) -> Result:
    """Check the exercise "Total variation" of lesson 8."""
    return check(TOTAL_VARIATION, my_total_variation)


def check_clamp_verdicts(my_clamp_verdicts: dict[str, str]) -> Result:
    """Check the exercise "Where to clamp with L-BFGS" of lesson 8."""
    return check_value(CLAMP_VERDICTS, spelled(my_clamp_verdicts))
