"""Exercises of lesson 3: pooling, the dense layer, activations, counting weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_edu import layers
from nst_edu.exercises.calls import axes_of, calls_in, name_called
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import accepts, letters

KINDS = (torch.float32, torch.float64)

# Pooling ------------------------------------------------------------------------------------------


def pooling_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try windows that fill the picture, and windows that leave a border over."""
    shapes = (((2, 3, 6, 8), 2), ((1, 2, 7, 11), 3), ((2, 1, 5, 7), 2), ((3, 2, 9, 6), 3))
    return [
        (torch.randn(shape, generator=generator, dtype=KINDS[number % 2]), window)
        for number, (shape, window) in enumerate(shapes)
    ]


def _min_pool2d(images: Tensor, window: int) -> Tensor:
    return layers.pool2d(images, window, mode="min")


def _max_pool2d(images: Tensor, window: int) -> Tensor:
    return layers.pool2d(images, window)


def _with_partial_windows(images: Tensor, window: int) -> Tensor:
    """Pool the windows that hang over the lower or right border, too."""
    h, w = images.shape[-2:]
    below, beside = -h % window, -w % window
    padded = F.pad(images, (0, beside, 0, below), value=float("-inf"))
    return layers.pool2d(padded, window)


def _cut_without_permute(images: Tensor, window: int) -> Tensor:
    """Reshape to (…, window²) straight away, so that a "window" is a run of pixels in a row."""
    n, c, h, w = images.shape
    rows, columns = h // window, w // window
    cut = images[:, :, : rows * window, : columns * window]
    return cut.reshape(n, c, rows, columns, window**2).amax(dim=-1)


def _border_not_cut_off(attempt: Attempt) -> bool:
    """Tell whether an answer is right for full windows, and a reshape fails for the others."""
    for outcome, right in zip(attempt.outcomes, attempt.expected, strict=True):
        images, window = outcome.arguments
        if any(side % window for side in images.shape[2:]):
            said = str(outcome.error)
            if "is invalid for input of size" not in said and "don't multiply up" not in said:
                return False
        elif not _equal(outcome.value, right.value):
            return False
    return True


MOVERS = ("permute", "transpose", "movedim", "swapaxes", "unfold", "rearrange")


def _first_two_axes(attempt: Attempt) -> bool:
    """Tell whether the source looks for the largest over pictures and channels."""
    moved = {name_called(call) for call in calls_in(attempt.answer)} & set(MOVERS)
    names = ("amax", "max", "amin", "aminmax")
    return not moved and any(set(axes) == {0, 1} for axes in axes_of(attempt.answer, names))


def _gives(*functions: Callable[[Tensor, int], Tensor]) -> Callable[[Attempt], bool]:
    """Return whether an attempt gave in all cases what one of the functions gives."""

    def recognise(attempt: Attempt) -> bool:
        return any(
            all(_equal(o.value, function(*o.arguments)) for o in attempt.outcomes)
            for function in functions
        )

    return recognise


def _equal(a: Any, b: Tensor) -> bool:
    return isinstance(a, Tensor) and a.shape == b.shape and torch.allclose(a.to(b), b, rtol=1e-4)


MIN_POOL2D = Exercise(
    id="min_pool2d",
    lesson=3,
    title="Min pooling",
    reference=_min_pool2d,
    cases=pooling_cases,
    misconceptions=(
        Misconception(
            "max-returned",
            "Your function still returns the largest number of each window. Turn the numbers "
            "round before the search, so that the smallest becomes the largest.",
            wrong=_max_pool2d,
        ),
        Misconception(
            "turned-once-before",
            "You turn the numbers round before the search, but not back after it. All your signs "
            "are wrong. Try the numbers 1, 5, 3.",
            wrong=lambda images, window: _max_pool2d(-images, window),
        ),
        Misconception(
            "turned-once-after",
            "You search for the largest number, and turn its sign afterwards. The search itself "
            "must find the smallest. What should it be given?",
            wrong=lambda images, window: -_max_pool2d(images, window),
        ),
        Misconception(
            "stride-one",
            "Your windows overlap: you move them by one pixel. In this exercise the stride is the "
            "window.",
            wrong=lambda images, window: layers.pool2d(images, window, stride=1, mode="min"),
        ),
        Misconception(
            "whole-picture",
            "You take the smallest number of the whole picture. Pooling looks for it in each "
            "window.",
            wrong=lambda images, window: images.amin(dim=(2, 3)),
        ),
        Misconception(
            "inverse",
            "You divide 1 by the numbers to turn their order round. That fails as soon as "
            "there are negative numbers. Which other operation turns the order round?",
            wrong=lambda images, window: 1 / _max_pool2d(1 / images, window),
        ),
        Misconception(
            "absolute-values",
            "You lose the signs of the numbers (abs or a square). The smallest number can be "
            "negative, and then it is not the one nearest to 0.",
            wrong=lambda images, window: _min_pool2d(images.abs(), window),
        ),
    ),
)


def check_min_pool2d(my_min_pool2d: Callable[..., Any]) -> Result:
    """Check the exercise "Min pooling" of lesson 3."""
    return check(MIN_POOL2D, my_min_pool2d)


MAX_POOL2D = Exercise(
    id="max_pool2d",
    lesson=3,
    title="Max pooling",
    reference=_max_pool2d,
    cases=pooling_cases,
    forbidden=("max_pool2d", "MaxPool2d", "pool2d"),
    misconceptions=(
        Misconception(
            "across-channels",
            "You take the largest number over the channels as well. Each channel is pooled for "
            "itself. Look at the axes of your max or amax.",
            wrong=lambda images, window: _max_pool2d(images, window).amax(dim=1, keepdim=True),
        ),
        Misconception(
            "across-the-batch",
            "You take the largest number over the pictures of the batch as well. Each picture is "
            "pooled for itself. Look at the axes of your max or amax.",
            wrong=lambda images, window: _max_pool2d(images, window).amax(dim=0, keepdim=True),
        ),
        Misconception(
            "stride-one",
            "Your windows overlap: you move them by one pixel. In this exercise the stride is the "
            "window. Look at the steps of your loops.",
            wrong=lambda images, window: layers.pool2d(images, window, stride=1),
        ),
        Misconception(
            "average",
            "You take the mean of each window. Max pooling takes the largest number.",
            wrong=lambda images, window: layers.pool2d(images, window, mode="average"),
        ),
        Misconception(
            "one-direction",
            "You pool along one direction only: the rows, or the columns, are as many as before. "
            "A window has a height and a width.",
            recognise=_gives(
                lambda images, window: images.unfold(2, window, window).amax(dim=-1),
                lambda images, window: images.unfold(3, window, window).amax(dim=-1),
            ),
        ),
        Misconception(
            "partial-windows",
            "At the lower or right border you pool windows that are not full. Here they are left "
            "out. How many full windows fit?",
            wrong=_with_partial_windows,
        ),
        Misconception(
            "one-pixel-of-each",
            "You keep one pixel of each window, always the one in the same corner. That is a "
            "stride without pooling. Compare it with the other pixels of the window.",
            recognise=_gives(
                lambda images, window: images[:, :, ::window, ::window],
                lambda images, window: _max_pool2d(images[:, :, ::window, ::window], 1)[
                    :, :, : images.shape[2] // window, : images.shape[3] // window
                ],
            ),
        ),
        Misconception(
            "cut-without-permute",
            "Your reshape puts pixels together that are neighbours in one row only. A window takes "
            "from several rows. Split rows and columns into two axes each, and reorder the axes "
            "before you join two of them.",
            wrong=_cut_without_permute,
        ),
        Misconception(
            "border-not-cut-off",
            "Your function works if the windows fill the picture, and stops with an error if a "
            "border is left over: 7 rows and a window of 3, for example. Cut the border off "
            "before you reshape.",
            recognise=_border_not_cut_off,
        ),
        Misconception(
            "first-two-axes",
            "You look for the largest number over the axes 0 and 1. They count the pictures and "
            "the channels, which stay apart. Which axes of (N, C, H, W) are the rows and columns "
            "of a window?",
            recognise=_first_two_axes,
        ),
        Misconception(
            "whole-picture",
            "You take the largest number of the whole picture: global pooling. Here each window "
            "gives a number.",
            wrong=lambda images, window: images.amax(dim=(2, 3)),
        ),
    ),
)


def check_max_pool2d(my_max_pool2d: Callable[..., Any]) -> Result:
    """Check the exercise "Max pooling" of lesson 3."""
    return check(MAX_POOL2D, my_max_pool2d)


# The dense layer ----------------------------------------------------------------------------------


def dense_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try batches with more and fewer outputs than inputs, and one with equally many."""
    sizes = ((2, 5, 3), (4, 3, 3), (3, 2, 7), (1, 6, 4))  # (batch, inputs, outputs)
    return [
        tuple(
            torch.randn(shape, generator=generator, dtype=KINDS[number % 2])
            for shape in ((batch, inputs), (outputs, inputs), (outputs,))
        )
        for number, (batch, inputs, outputs) in enumerate(sizes)
    ]


def _dense_layer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return layers.relu(layers.linear(x, weight, bias))


def _refused(attempt: Attempt, weight_first: bool = False) -> bool:
    """Tell whether torch refused to multiply two matrices: weight @ x, or any two."""
    shapes = []
    for outcome in attempt.outcomes:
        x, weight, _ = outcome.arguments
        a, b = ("x".join(map(str, t.shape)) for t in (weight, x))
        shapes.append(f"({a} and {b})" if weight_first else "cannot be multiplied")
    said = [str(outcome.error) for outcome in attempt.outcomes]
    return bool(said) and all(words in text for words, text in zip(shapes, said, strict=True))


DENSE_LAYER = Exercise(
    id="dense_layer",
    lesson=3,
    title="A dense layer",
    reference=_dense_layer,
    cases=dense_cases,
    forbidden=("linear", "Linear", "relu", "relu_", "ReLU"),
    misconceptions=(
        Misconception(
            "activation-forgotten",
            "Your numbers are W x + b. Some of them are negative: the activation is missing. What "
            "does ReLU do with them?",
            wrong=layers.linear,
        ),
        Misconception(
            "bias-forgotten",
            "Your numbers are f(W x): the bias is missing.",
            wrong=lambda x, weight, bias: layers.relu(layers.linear(x, weight)),
        ),
        Misconception(
            "bias-after-activation",
            "You add the bias after the activation. Then results can be negative. Look at what "
            "stands inside the brackets of f(W x + b).",
            wrong=lambda x, weight, bias: layers.relu(layers.linear(x, weight)) + bias,
        ),
        Misconception(
            "activation-first",
            "You apply the activation to the input x. It belongs to the sums.",
            wrong=lambda x, weight, bias: layers.linear(layers.relu(x), weight, bias),
        ),
        Misconception(
            "absolute-value",
            "You turn the sign of negative sums. ReLU makes 0 of them.",
            wrong=lambda x, weight, bias: layers.linear(x, weight, bias).abs(),
        ),
        Misconception(
            "negative-part-kept",
            "You keep the negative sums and replace the positive ones by 0. It should be the "
            "other way round. Look at the order of the arguments of torch.where, or at min and "
            "max.",
            wrong=lambda x, weight, bias: -layers.relu(-layers.linear(x, weight, bias)),
        ),
        Misconception(
            "ones-for-positive",
            "You return 1 where a sum is positive. ReLU returns the sum itself there.",
            wrong=lambda x, weight, bias: (layers.linear(x, weight, bias) > 0).to(x.dtype),
        ),
        Misconception(
            "weight-not-transposed",
            "In x @ weight the inputs of x meet the *outputs* of weight. That fails, or gives "
            "wrong sums where there are as many inputs as outputs. Which axes should meet?",
            wrong=lambda x, weight, bias: torch.relu(x @ weight + bias),
        ),
        Misconception(
            "weight-in-front",
            "Torch refuses weight @ x. On paper W x has one input x, and it stands there as a "
            "column. Here each *row* of x is an input of its own. So on which side of @ does x "
            "belong?",
            recognise=lambda attempt: _refused(attempt, weight_first=True),
        ),
        Misconception(
            "outputs-in-rows",
            "weight @ x.T has one row for each output and one column for each input of the batch. "
            "The result should have it the other way round, and so needs the bias, which is added "
            "along the last axis. What stands before and behind @ if x comes first?",
            wrong=lambda x, weight, bias: torch.relu(weight @ x.T + bias),
        ),
        Misconception(
            "axes-do-not-meet",
            "Torch refuses your product of two matrices. In a @ b the *last* axis of a meets the "
            "*first* axis of b, and both must be the inputs. Write down the two shapes.",
            recognise=_refused,
        ),
    ),
)


def check_dense_layer(my_dense_layer: Callable[..., Any]) -> Result:
    """Check the exercise "A dense layer" of lesson 3."""
    return check(DENSE_LAYER, my_dense_layer)


# One layer out of two -----------------------------------------------------------------------------


def collapse_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try layers of several sizes; in one case all sizes are equal."""
    sizes = ((4, 5, 3), (3, 3, 3), (6, 2, 2), (2, 7, 4))  # (inputs, between, outputs)
    return [
        tuple(
            torch.randn(shape, generator=generator, dtype=KINDS[number % 2])
            for shape in ((between, inputs), (between,), (outputs, between), (outputs,))
        )
        for number, (inputs, between, outputs) in enumerate(sizes)
    ]


def _collapse(
    weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor
) -> tuple[Tensor, Tensor]:
    return weight2 @ weight1, weight2 @ bias1 + bias2


COLLAPSE = Exercise(
    id="collapse",
    lesson=3,
    title="Make one layer out of two",
    reference=_collapse,
    cases=collapse_cases,
    misconceptions=(
        Misconception(
            "first-bias-forgotten",
            "Your weight is right. Your bias is that of layer 2 alone. What does layer 2 make of "
            "the bias of layer 1?",
            wrong=lambda w1, b1, w2, b2: (w2 @ w1, b2 + 0),
        ),
        Misconception(
            "biases-added",
            "You add the two biases as they are. Layer 1's bias passes through layer 2 before "
            "layer 2's bias is added. Put an input of zeros through both layers.",
            wrong=lambda w1, b1, w2, b2: (w2 @ w1, b1 + b2),
        ),
        Misconception(
            "second-bias-forgotten",
            "Your weight is right. In your bias layer 2's own bias is missing. Put an input of "
            "zeros through both layers.",
            wrong=lambda w1, b1, w2, b2: (w2 @ w1, w2 @ b1),
        ),
        Misconception(
            "order-swapped",
            "You multiply weight1 @ weight2. In W2 (W1 x) the matrix of layer 1 stands next to x. "
            "The order of matrices must not be changed.",
            wrong=lambda w1, b1, w2, b2: (w1 @ w2, w2 @ b1 + b2),
        ),
        Misconception(
            "weights-added",
            "You add the two weights. Layer 2 multiplies what layer 1 gives, so the matrices are "
            "multiplied, too.",
            wrong=lambda w1, b1, w2, b2: (w1 + w2, w2 @ b1 + b2),
        ),
        Misconception(
            "weights-multiplied-entry-by-entry",
            "You multiply the weights with *, entry by entry. A chain of two layers is a product "
            "of matrices: rows times columns.",
            wrong=lambda w1, b1, w2, b2: (w2 * w1, w2 @ b1 + b2),
        ),
        Misconception(
            "pair-turned-round",
            "You return the bias first and the weight second. The exercise asks for (weight, "
            "bias).",
            wrong=lambda w1, b1, w2, b2: (w2 @ b1 + b2, w2 @ w1),
        ),
    ),
)


def check_collapse(my_collapse: Callable[..., Any]) -> Result:
    """Check the exercise "Make one layer out of two" of lesson 3."""
    return check(COLLAPSE, my_collapse)


# Count the weights --------------------------------------------------------------------------------

WEIGHT_COUNTS_RIGHT = [8 * 3 * 9 + 8, 0, 0, 16 * 8 * 9 + 16, 0, 10 * 16 * 8 * 8 + 10]

# What a mistake makes of each layer; None: it cannot be made there.
SLIPS: dict[str, tuple[tuple[int, ...], ...]] = {
    "pooling-learns": ((), (), (1, 4, 8, 32), (), (1, 4, 16, 64), ()),
    "activation-learns": ((), (1, 8, 8192), (), (), (), ()),
    "bias-forgotten": ((8 * 3 * 9,), (), (), (16 * 8 * 9,), (), (10 * 16 * 8 * 8,)),
    "input-channels-forgotten": ((8 * 9 + 8, 8 * 9), (), (), (16 * 9 + 16, 16 * 9), (), ()),
    "output-channels-forgotten": ((27, 28, 35), (), (), (72, 73, 88), (), (1024, 1025, 1034)),
    "one-bias-only": ((217,), (), (), (1153,), (), (10241,)),
    "weights-for-each-place": ((224 * 32 * 32,), (), (), (1168 * 16 * 16, 1168 * 32 * 32), (), ()),
    "size-before-pooling": (
        *((), (), (), (), ()),
        (10 * 16 * 32 * 32 + 10, 10 * 16 * 16 * 16 + 10, 10 * 16 * 32 * 32, 10 * 16 * 16 * 16),
    ),
    "places-forgotten": ((), (), (), (), (), (10 * 16 + 10, 10 * 16, 10 * 8 * 8 + 10, 10 * 8 * 8)),
}


def _first_slip(name: str) -> Callable[[Attempt], bool]:
    """Return whether the first wrong count is one that the mistake leads to."""

    def recognise(attempt: Attempt) -> bool:
        for answer, right, slips in zip(
            attempt.value, WEIGHT_COUNTS_RIGHT, SLIPS[name], strict=True
        ):
            if answer != right:
                return answer in slips
        return False

    return recognise


WEIGHT_COUNTS = Exercise(
    id="weight_counts",
    lesson=3,
    title="Count the weights",
    reference=WEIGHT_COUNTS_RIGHT,
    misconceptions=(
        Misconception(
            "pooling-learns",
            "You let a pooling layer learn. It has a fixed rule: take the largest number. Look at "
            "the table of numbers to learn under “Does pooling learn?”.",
            recognise=_first_slip("pooling-learns"),
        ),
        Misconception(
            "activation-learns",
            "You let ReLU learn. It compares each number with 0, and that is all.",
            recognise=_first_slip("activation-learns"),
        ),
        Misconception(
            "bias-forgotten",
            "In the first layer that is wrong the biases are missing. There is one for each output "
            "channel, or output.",
            recognise=_first_slip("bias-forgotten"),
        ),
        Misconception(
            "one-bias-only",
            "In the first layer that is wrong you count a single bias. Each output channel, or "
            "output, has its own.",
            recognise=_first_slip("one-bias-only"),
        ),
        Misconception(
            "input-channels-forgotten",
            "In the first layer that is wrong a kernel has numbers for one input channel only. It "
            "has a 3×3 grid for each of them.",
            recognise=_first_slip("input-channels-forgotten"),
        ),
        Misconception(
            "output-channels-forgotten",
            "In the first layer that is wrong you count one kernel, or one output. How many does "
            "the layer have?",
            recognise=_first_slip("output-channels-forgotten"),
        ),
        Misconception(
            "weights-for-each-place",
            "You give each place of the picture its own weights. A convolution uses the same "
            "kernel everywhere: weight sharing.",
            recognise=_first_slip("weights-for-each-place"),
        ),
        Misconception(
            "size-before-pooling",
            "Your dense layer gets maps that are too large. How many rows and columns are left "
            "after both pooling layers?",
            recognise=_first_slip("size-before-pooling"),
        ),
        Misconception(
            "places-forgotten",
            "Your dense layer does not get all numbers. It has a weight for each channel *and* "
            "each place that is left.",
            recognise=_first_slip("places-forgotten"),
        ),
    ),
)


def check_weight_counts(my_weight_counts: Sequence[int]) -> Result:
    """Check the exercise "Count the weights" of lesson 3."""
    return check_value(WEIGHT_COUNTS, my_weight_counts)


# Which networks take any size? --------------------------------------------------------------------

ANY_SIZE_RIGHT = {"A", "C", "E"}


def _chosen(attempt: Attempt) -> set[str]:
    return set(letters(attempt.value))


ANY_SIZE = Exercise(
    id="any_size",
    lesson=3,
    title="Which networks take any size?",
    reference=sorted(ANY_SIZE_RIGHT),
    accepts=accepts(lambda chosen: set(chosen) == ANY_SIZE_RIGHT),
    misconceptions=(
        Misconception(
            "no-such-network",
            "An entry of your list is none of the letters in the table, A to F.",
            recognise=lambda attempt: not _chosen(attempt) <= set("ABCDEF"),
        ),
        Misconception(
            "dense-takes-any-size",
            "You let a flattened picture of any size into a dense layer (network B). Its matrix "
            "has one column for each input. How many inputs do 16×16 pixels give, how many 24×24?",
            recognise=lambda attempt: "B" in _chosen(attempt),
        ),
        Misconception(
            "convolution-removes-the-size",
            "A network on your list has a convolution or a pooling layer, and then a flattened map "
            "goes into a dense layer. Is the map of a larger picture as large as before?",
            recognise=lambda attempt: bool({"D", "F"} & _chosen(attempt)),
        ),
        Misconception(
            "global-pooling-overlooked",
            "Network E is missing. Its dense layer gets what global pooling leaves. How many "
            "values are that for a larger picture?",
            recognise=lambda attempt: _chosen(attempt) == ANY_SIZE_RIGHT - {"E"},
        ),
        Misconception(
            "kernel-tied-to-a-size",
            "Network A or C is missing. What do a kernel, a pooling window and ReLU need to know "
            "of the size of the picture over which they slide?",
            recognise=lambda attempt: _chosen(attempt) < ANY_SIZE_RIGHT,
        ),
    ),
)


def check_any_size(my_any_size: Sequence[str]) -> Result:
    """Check the exercise "Which networks take any size?" of lesson 3."""
    return check_value(ANY_SIZE, my_any_size)
