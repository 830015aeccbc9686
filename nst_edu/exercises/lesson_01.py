"""Lesson 1: convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst_edu.exercises.calls import axes_of
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.layers import convolve2d, cross_correlate2d


def _draw(generator: torch.Generator, dtype: torch.dtype, *shape: int) -> Tensor:
    """Draw numbers of both signs whose mean is not 0, so that sums and means differ."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).add(0.3).to(dtype)


def _slide(images: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlate gray pictures (N, H, W) with one kernel, as the lesson's `slide` does."""
    return cross_correlate2d(images[:, None], kernel[None, None])[:, 0]


def _convolve(images: Tensor, kernel: Tensor) -> Tensor:
    return convolve2d(images[:, None], kernel[None, None])[:, 0]


def _if_square(wrong: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Compare square kernels only: with others, the same mistake ends in all kinds of errors."""

    def answer(images: Tensor, kernel: Tensor) -> Tensor:
        square = kernel.shape[0] == kernel.shape[1]
        return wrong(images, kernel) if square else _convolve(images, kernel)

    return answer


def convolve_gray_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return gray pictures and kernels, square and not."""
    sizes = [(2, 5, 7, 3, 3), (2, 6, 5, 2, 4), (3, 4, 5, 3, 1), (1, 7, 4, 2, 2)]
    types = [torch.float64, torch.float32, torch.float64, torch.float32]
    return [
        (_draw(generator, dtype, n, h, w), _draw(generator, dtype, kh, kw))
        for (n, h, w, kh, kw), dtype in zip(sizes, types, strict=True)
    ]


def _batch_summed(images: Tensor, kernel: Tensor) -> Tensor:
    return _convolve(images, kernel).sum(dim=0, keepdim=True).expand(len(images), -1, -1)


def _one_place_less(images: Tensor, kernel: Tensor) -> Tensor:
    return _convolve(images, kernel)[:, :-1, :-1]


def _last_place_zero(images: Tensor, kernel: Tensor) -> Tensor:
    right = _convolve(images, kernel)
    mask = torch.ones_like(right)
    mask[:, -1], mask[:, :, -1] = 0, 0
    return right * mask


def _said(attempt: Attempt, words: str) -> bool:
    """Tell whether an error of the answer's contains these words."""
    return any(words in str(o.error) for o in attempt.outcomes if o.error is not None)


def _summed(attempt: Attempt, over: Callable[[set[int]], bool]) -> bool:
    """Tell whether an answer stops and has a sum over axes of (N, kh, kw) that are like this."""
    axes = [{axis % 3 for axis in found} for found in axes_of(attempt.answer, ["sum"])]
    return any(o.error is not None for o in attempt.outcomes) and any(map(over, axes))


CONVOLVE_GRAY = Exercise(
    id="convolve_gray",
    lesson=1,
    title="True convolution",
    reference=_convolve,
    cases=convolve_gray_cases,
    forbidden=("conv1d", "conv2d", "conv3d", "convolution", "conv_transpose2d", "Conv2d"),
    misconceptions=(
        Misconception(
            id="not-turned",
            message="This is the cross-correlation: the kernel lies over the picture as it is. The "
            "two operations are not always equal. Look at the minus signs in the formula, and at "
            "what becomes of the letter F.",
            wrong=_slide,
        ),
        Misconception(
            id="only-columns-reversed",
            message="You exchanged left and right in the kernel, but not top and bottom. That is a "
            "mirror. Look at which dimensions you reverse.",
            wrong=lambda images, kernel: _slide(images, kernel.flip(1)),
        ),
        Misconception(
            id="only-rows-reversed",
            message="You exchanged top and bottom in the kernel, but not left and right. That is a "
            "mirror. Look at which dimensions you reverse.",
            wrong=lambda images, kernel: _slide(images, kernel.flip(0)),
        ),
        Misconception(
            id="transposed-kernel",
            message="You transposed the kernel: its rows became columns. Write down the numbers 1 "
            "to 9 in a square, and turn the paper by 180°. Where is the 3 then, and where is it "
            "after transposing?",
            wrong=_if_square(lambda images, kernel: _slide(images, kernel.T)),
        ),
        Misconception(
            id="quarter-turn",
            message="You turned the kernel by 90°. A true convolution turns it further. Look at "
            "the number of quarter turns.",
            wrong=_if_square(lambda images, kernel: _slide(images, kernel.rot90(1))),
        ),
        Misconception(
            id="quarter-turn-back",
            message="You turned the kernel by 270°. A true convolution turns it less far. Look at "
            "the number of quarter turns.",
            wrong=_if_square(lambda images, kernel: _slide(images, kernel.rot90(-1))),
        ),
        Misconception(
            id="picture-turned",
            message="You turned the picture and left the kernel as it is. So the numbers are "
            "right, but the result is upside down. Look at which of the two should be turned.",
            wrong=lambda images, kernel: _slide(images.flip(1, 2), kernel),
        ),
        Misconception(
            id="result-turned",
            message="You turned the result of a cross-correlation. That moves the pixels to other "
            "places; it does not change which weights they were computed with. What should be "
            "turned, before anything is summed?",
            wrong=lambda images, kernel: _slide(images, kernel).flip(1, 2),
        ),
        Misconception(
            id="mean-not-sum",
            message="Your numbers are means of the products, not their sums. Look at the last step "
            "for each patch: does the formula divide by anything?",
            wrong=lambda images, kernel: _convolve(images, kernel) / kernel.numel(),
        ),
        Misconception(
            id="batch-summed",
            message="All pictures of the batch got the same result: you summed over the pictures "
            "too. Look at the dimensions over which you sum; the first one counts the pictures.",
            wrong=_batch_summed,
        ),
        Misconception(
            id="one-place-less",
            message="Your result lacks its last row and its last column. On a line of 5 pixels, a "
            "kernel of 3 fits at the places 0, 1 and 2. How many places does your code count?",
            wrong=_one_place_less,
        ),
        Misconception(
            id="last-place-empty",
            message="The last row and the last column of your result are still 0: the loops never "
            "come there. On a line of 5 pixels, a kernel of 3 fits at the places 0, 1 and 2. Look "
            "at where your loops end.",
            wrong=_last_place_zero,
        ),
        Misconception(
            id="negative-step",
            message="Torch knows no slices with a negative step, such as [::-1], although lists "
            "and NumPy do. Look for a method of a tensor that reverses the order.",
            recognise=lambda attempt: _said(attempt, "step must be greater than zero"),
        ),
        Misconception(
            id="axis-out-of-range",
            message="You sum over an axis that is not there. The patch has the axes 0, 1 and 2: "
            "pictures, rows, columns. Which of them should disappear?",
            recognise=lambda attempt: _said(attempt, "Dimension out of range"),
        ),
        Misconception(
            id="summed-over-pictures",
            message="Your sum runs over axis 0, which counts the pictures. Then the pictures are "
            "mixed, and the numbers do not fit into `result`. Which axes of the patch (N, kh, kw) "
            "lie under the kernel?",
            recognise=lambda attempt: _summed(attempt, lambda axes: 0 in axes),
        ),
        Misconception(
            id="one-axis-summed",
            message="Your sum runs over one axis of the patch (N, kh, kw). What is left is a row "
            "or a column of numbers for each picture, and `result` has one place for it. Print the "
            "shape of the sum: which axis should not be there any more?",
            recognise=lambda attempt: _summed(attempt, lambda axes: axes in ({1}, {2})),
        ),
    ),
)


def check_convolve_gray(my_convolve_gray: Callable[..., Any]) -> Result:
    """Check the exercise "True convolution" of lesson 1."""
    return check(CONVOLVE_GRAY, my_convolve_gray)


_KERNELS = ("sharpen", "edge", "diagonal", "roof", "corner", "s_shape")


def _wrong_about(name: str) -> Callable[[Attempt], bool]:
    """Return whether an attempt says True or False of a kernel, and that is wrong."""

    def recognise(attempt: Attempt) -> bool:
        answer = attempt.value[name]
        answer = answer.item() if isinstance(answer, (Tensor, np.bool_)) else answer
        right = attempt.expected[0].value[name]
        return set(attempt.value) == set(_KERNELS) and answer is (not right)

    return recognise


def _true_for(*names: str) -> dict[str, bool]:
    return {name: name in names for name in _KERNELS}


EQUAL_KERNELS = Exercise(
    id="equal_kernels",
    lesson=1,
    title="Which kernels give equal results?",
    reference=_true_for("sharpen", "diagonal", "s_shape"),
    gradient=False,
    misconceptions=(
        Misconception(
            id="always-equal",
            message='You wrote True everywhere: "they are always equal". Look at the table before '
            'this exercise: were they equal for "right minus left"?',
            wrong=_true_for(*_KERNELS),
        ),
        Misconception(
            id="always-different",
            message='You wrote False everywhere: "they are always different". Look at the table '
            "before this exercise: were they different for the box? What does the box look like "
            "after a turn by 180°?",
            wrong=_true_for(),
        ),
        Misconception(
            id="mirror-for-turn",
            message="You chose the kernels that are equal to their mirror image, left and right "
            "exchanged. A true convolution also exchanges top and bottom. Look at the roof again, "
            "upside down.",
            wrong=_true_for("sharpen", "roof"),
        ),
        Misconception(
            id="upside-down-for-turn",
            message="You chose the kernels that stay equal when top and bottom are exchanged. A "
            "true convolution also exchanges left and right. Look at the sign of the two sides of "
            "the edge kernel.",
            wrong=_true_for("sharpen", "edge"),
        ),
        Misconception(
            id="any-mirror",
            message="You chose every kernel that has some kind of mirror symmetry. A mirror is not "
            "a turn: compare the first number of each kernel with its last one.",
            wrong=_true_for("sharpen", "edge", "diagonal", "roof", "corner"),
        ),
        Misconception(
            id="transpose-for-turn",
            message="You chose the kernels that equal their transpose, rows and columns exchanged. "
            "Turned by 180°, the first number takes the place of the last one. Look at the corner "
            "and at the S again.",
            wrong=_true_for("sharpen", "diagonal", "corner"),
        ),
        Misconception(
            id="sign-ignored",
            message="For the edge kernel you looked at where its numbers are, not at their signs. "
            "Compare its first number with its last one.",
            wrong=_true_for("sharpen", "edge", "diagonal", "s_shape"),
        ),
        Misconception(
            id="only-full-symmetry",
            message="You accepted only the kernel that looks the same from all sides. One "
            "particular turn is enough. Compare first and last number, second and last but one, "
            "and so on.",
            wrong=_true_for("sharpen"),
        ),
        Misconception(
            id="opposite",
            message="Every answer is the opposite of the right one. True should mean: the two "
            "results are equal.",
            wrong=_true_for("edge", "roof", "corner"),
        ),
        Misconception(
            id="about-sharpen",
            message="Look at `sharpen` again. Compare its first number with its last one, the "
            "second with the last but one, and so on to the middle. What does a turn by 180° "
            "exchange?",
            recognise=_wrong_about("sharpen"),
        ),
        Misconception(
            id="about-edge",
            message="Look at `edge` again. The sign counts: −1 and 1 are different weights. Which "
            "column comes to lie on the right side after a turn by 180°?",
            recognise=_wrong_about("edge"),
        ),
        Misconception(
            id="about-diagonal",
            message="Look at `diagonal` again. A mirror is not a turn: exchange left and right, "
            "and after that top and bottom as well. Where are the ones after each step?",
            recognise=_wrong_about("diagonal"),
        ),
        Misconception(
            id="about-roof",
            message="Look at `roof` again. To exchange left and right is half of a turn by 180°. "
            "Where does the row of ones lie when top and bottom are exchanged, too?",
            recognise=_wrong_about("roof"),
        ),
        Misconception(
            id="about-corner",
            message="Look at `corner` again. A transpose keeps the 2 where it is; a turn by 180° "
            "is something else. Into which corner does it move the 2?",
            recognise=_wrong_about("corner"),
        ),
        Misconception(
            id="about-s-shape",
            message="Look at `s_shape` again. Mirrors tell nothing here: a turn is two of them, "
            "one after the other. Read its nine numbers forwards, and then backwards.",
            recognise=_wrong_about("s_shape"),
        ),
    ),
)


def check_equal_kernels(my_equal_kernels: dict[str, bool]) -> Result:
    """Check the exercise "Which kernels give equal results?" of lesson 1."""
    return check_value(EQUAL_KERNELS, my_equal_kernels)


def _unchanged(blur: Tensor) -> Tensor:
    """Return the kernel that leaves a picture as it is."""
    kernel = torch.zeros_like(blur)
    kernel[blur.shape[0] // 2, blur.shape[1] // 2] = 1
    return kernel


def _sharpen_kernel(blur: Tensor, amount: float) -> Tensor:
    return _unchanged(blur) + amount * (_unchanged(blur) - blur)


def _with_identity_matrix(blur: Tensor, amount: float) -> Tensor:
    """Take ones on the diagonal for the unchanged picture; for square kernels only."""
    if blur.shape[0] != blur.shape[1]:
        return _sharpen_kernel(blur, amount)
    diagonal = torch.eye(len(blur), dtype=blur.dtype)
    return diagonal + amount * (diagonal - blur)


def _with_ones(blur: Tensor, amount: float) -> Tensor:
    ones = torch.ones_like(blur)
    return ones + amount * (ones - blur)


def _in_the_corner(blur: Tensor, amount: float) -> Tensor:
    corner = torch.zeros_like(blur)
    corner[0, 0] = 1
    return corner + amount * (corner - blur)


def sharpen_kernel_cases(generator: torch.Generator) -> list[tuple[Tensor, float]]:
    """Return blur kernels of odd sizes whose sum is 1, and amounts."""
    shapes = [(3, 3), (3, 5), (5, 5), (7, 3), (3, 3)]
    types = [torch.float64, torch.float32, torch.float32, torch.float64, torch.float32]
    blurs = [
        torch.rand(shape, generator=generator, dtype=torch.float64).add(0.1) for shape in shapes
    ]
    return [
        ((blur / blur.sum()).to(dtype), amount)
        for blur, dtype, amount in zip(blurs, types, (1.0, 0.5, 2.0, 1.5, 3.0), strict=True)
    ]


SHARPEN_KERNEL = Exercise(
    id="sharpen_kernel",
    lesson=1,
    title="Sharpen",
    reference=_sharpen_kernel,
    cases=sharpen_kernel_cases,
    misconceptions=(
        Misconception(
            id="only-details",
            message="Your kernel has the sum 0: it gives the details alone, on black. The "
            "sharpened picture is more than its details. Look at your last line, and at the task.",
            wrong=lambda blur, amount: amount * (_unchanged(blur) - blur),
        ),
        Misconception(
            id="details-reversed",
            message="Your kernel takes details away: it blurs. Details are what the blur took out "
            "of the picture. Look at which is subtracted from which.",
            wrong=lambda blur, amount: _unchanged(blur) + amount * (blur - _unchanged(blur)),
        ),
        Misconception(
            id="blur-subtracted",
            message="You subtracted the blurred picture from the picture, so your kernel's sum is "
            "not 1: a flat wall changes its brightness. Look at what the task multiplies by the "
            "amount.",
            wrong=lambda blur, amount: _unchanged(blur) - amount * blur,
        ),
        Misconception(
            id="amount-on-picture",
            message="You multiplied the picture by the amount, and added the details once. So the "
            "sum of your kernel is the amount, and a flat wall gets that much brighter. Look at "
            "what the task multiplies.",
            wrong=lambda blur, amount: amount * _unchanged(blur) + (_unchanged(blur) - blur),
        ),
        Misconception(
            id="amount-ignored",
            message="Your kernel is the right one for amount = 1, whatever the amount is. Look at "
            "where the amount should come in.",
            wrong=lambda blur, amount: _sharpen_kernel(blur, 1.0),
        ),
        Misconception(
            id="everything-multiplied",
            message="You multiplied picture and details, both, by the amount. A flat wall changes "
            "its brightness then. Look at what the amount belongs to.",
            wrong=lambda blur, amount: amount * _sharpen_kernel(blur, 1.0),
        ),
        Misconception(
            id="identity-matrix",
            message="You took ones on the diagonal for the kernel that leaves a picture as it is. "
            "Lay it over a patch: it adds up several pixels. Which single pixel should come out?",
            wrong=_with_identity_matrix,
        ),
        Misconception(
            id="ones-for-unchanged",
            message="You took ones everywhere for the kernel that leaves a picture as it is. Lay "
            "it over a patch: it adds up all pixels. Which single pixel should come out?",
            wrong=_with_ones,
        ),
        Misconception(
            id="one-in-the-corner",
            message="Your kernel for the unchanged picture has its 1 in the upper left corner. It "
            "gives another pixel than the one in the middle, so the picture is shifted. Look at "
            "where the 1 stands.",
            wrong=_in_the_corner,
        ),
        Misconception(
            id="blur-added",
            message="You added the blurred picture. That makes the picture brighter and softer. "
            "Which two kernels give the details, and with which signs?",
            wrong=lambda blur, amount: _unchanged(blur) + amount * blur,
        ),
    ),
)


def check_sharpen_kernel(my_sharpen_kernel: Callable[..., Any]) -> Result:
    """Check the exercise "Sharpen" of lesson 1."""
    return check(SHARPEN_KERNEL, my_sharpen_kernel)


def convolution_layer_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return pictures, kernels and biases; one case has as many channels going in as out."""
    sizes = [
        (2, 3, 5, 6, 2, 3, 2),
        (2, 2, 4, 6, 3, 2, 3),
        (2, 3, 5, 4, 3, 2, 2),
        (1, 4, 4, 3, 1, 3, 1),
    ]
    types = [torch.float64, torch.float32, torch.float64, torch.float32]
    return [
        (
            _draw(generator, dtype, n, c_in, h, w),
            _draw(generator, dtype, c_out, c_in, kh, kw),
            _draw(generator, dtype, c_out),
        )
        for (n, c_in, h, w, c_out, kh, kw), dtype in zip(sizes, types, strict=True)
    ]


def _each_channel(images: Tensor, kernels: Tensor) -> Tensor:
    """Return (N, C_out, C_in, H_out, W_out): the results of all channels, not yet summed."""
    channels = range(images.shape[1])
    parts = [cross_correlate2d(images[:, c : c + 1], kernels[:, c : c + 1]) for c in channels]
    return torch.stack(parts, dim=2)


def _plus(result: Tensor, bias: Tensor, times: float = 1) -> Tensor:
    return result + times * bias.view(-1, 1, 1)


def _gray_first(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    gray = images.mean(dim=1, keepdim=True)
    return cross_correlate2d(gray, kernels.sum(dim=1, keepdim=True), bias)


def _all_pairs(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    total = images.sum(dim=1, keepdim=True)
    return cross_correlate2d(total, kernels.sum(dim=1, keepdim=True), bias)


def _running_sum(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return cross_correlate2d(images, kernels, bias).cumsum(dim=1)


def _running_sum_before_bias(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return _plus(cross_correlate2d(images, kernels).cumsum(dim=1), bias)


def _indices_swapped(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """Take kernels[c, k]; where that fails, the way in which it does tells nothing."""
    if kernels.shape[0] != kernels.shape[1]:
        return cross_correlate2d(images, kernels, bias)
    return cross_correlate2d(images, kernels.transpose(0, 1), bias)


def _one_sum_for_all(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return cross_correlate2d(images, kernels, bias).sum(dim=1, keepdim=True)


def _picture_for_channel(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """Take images[c], with all its channels, for channel c of all pictures."""
    maps = []
    for kernel, b in zip(kernels, bias, strict=True):
        parts = [_slide(images[c], kernel[c]) for c in range(len(kernel))]
        maps.append(torch.stack(parts).sum(dim=0) + b)
    return torch.stack(maps, dim=1)


CONVOLUTION_LAYER = Exercise(
    id="convolution_layer",
    lesson=1,
    title="A convolution layer",
    reference=cross_correlate2d,
    cases=convolution_layer_cases,
    misconceptions=(
        Misconception(
            id="bias-forgotten",
            message="All sums are right, but the bias is missing. Each output channel has one. "
            "Look at what the formula adds to the sums.",
            wrong=lambda images, kernels, bias: cross_correlate2d(images, kernels),
        ),
        Misconception(
            id="bias-per-channel",
            message="The bias is added once for each *input* channel. Each output channel should "
            "get it once. Look at the loop in which you add it.",
            wrong=lambda images, kernels, bias: _plus(
                cross_correlate2d(images, kernels), bias, kernels.shape[1]
            ),
        ),
        Misconception(
            id="bias-per-product",
            message="The bias is added once for each product, as often as a kernel has numbers. "
            "Look at the brackets: what is inside the sum, and what is not?",
            wrong=lambda images, kernels, bias: _plus(
                cross_correlate2d(images, kernels), bias, kernels[0].numel()
            ),
        ),
        Misconception(
            id="bias-subtracted",
            message="The bias is subtracted. Look at its sign in the formula.",
            wrong=lambda images, kernels, bias: cross_correlate2d(images, kernels, -bias),
        ),
        Misconception(
            id="bias-multiplied",
            message="The sums are multiplied by the bias. Look at how the formula joins the two.",
            wrong=lambda images, kernels, bias: (
                cross_correlate2d(images, kernels) * bias.view(-1, 1, 1)
            ),
        ),
        Misconception(
            id="channels-averaged",
            message="The results of the input channels are averaged. The formula has a sum over c, "
            "and divides by nothing. Look at what you do with the sum.",
            wrong=lambda images, kernels, bias: _plus(
                cross_correlate2d(images, kernels) / kernels.shape[1], bias
            ),
        ),
        Misconception(
            id="mean-with-bias",
            message="Sum and bias together are divided by the number of input channels. The "
            "formula divides by nothing. Look for a mean.",
            wrong=lambda images, kernels, bias: (
                cross_correlate2d(images, kernels, bias) / kernels.shape[1]
            ),
        ),
        Misconception(
            id="first-channel-only",
            message="Only the first input channel is used: red, in a colour picture. Look at the "
            "index c in your code, and at the sums in the formula.",
            wrong=lambda images, kernels, bias: cross_correlate2d(
                images[:, :1], kernels[:, :1], bias
            ),
        ),
        Misconception(
            id="last-channel-only",
            message="Only the last input channel is in your result: each one replaced the one "
            "before. Look at the line in the loop over c. Does it add, or does it assign?",
            wrong=lambda images, kernels, bias: cross_correlate2d(
                images[:, -1:], kernels[:, -1:], bias
            ),
        ),
        Misconception(
            id="gray-first",
            message="The channels of the picture are averaged before they are filtered. Then a "
            "kernel cannot tell red from green. Each channel needs its own layer of the kernel.",
            wrong=_gray_first,
        ),
        Misconception(
            id="all-pairs",
            message="Each layer of the kernel was laid over each channel. Channel c belongs to "
            "layer c alone. Look at the indices of the picture and of the kernel: do both move "
            "together?",
            wrong=_all_pairs,
        ),
        Misconception(
            id="sum-not-reset",
            message="Your first output channel is right. Each further one also contains the ones "
            "before it, with their bias. Look at where your sum begins anew.",
            wrong=_running_sum,
        ),
        Misconception(
            id="sum-not-reset-before-bias",
            message="The sums of your second output channel also contain those of the first one, "
            "and so on. The biases are right. Look at where your sum begins anew.",
            wrong=_running_sum_before_bias,
        ),
        Misconception(
            id="channels-kept",
            message="Your result still has an axis for the input channels. One output channel is "
            "one picture: what happens to the results of its input channels? Look at the sums in "
            "the formula.",
            wrong=lambda images, kernels, bias: (
                _each_channel(images, kernels) + bias.view(-1, 1, 1, 1)
            ),
        ),
        Misconception(
            id="channels-side-by-side",
            message="Your result has a channel for each pair of an output and an input channel. "
            "An output channel is made from all input channels together. Look at the sums in the "
            "formula.",
            wrong=lambda images, kernels, bias: (
                _each_channel(images, kernels) + bias.view(-1, 1, 1, 1)
            ).flatten(1, 2),
        ),
        Misconception(
            id="one-sum-for-all",
            message="Your layer gives one output channel: the output channels are added up "
            "too. The formula has a value of its own for each k. Look at where one output channel "
            "ends.",
            wrong=_one_sum_for_all,
        ),
        Misconception(
            id="kernel-turned",
            message="This is the true convolution: your kernels are turned by 180°. A layer of a "
            "network does not turn them. Look at the plus signs in the formula.",
            wrong=convolve2d,
        ),
        Misconception(
            id="indices-swapped",
            message="The two channel indices of the kernels are swapped. The first one counts the "
            "output channels, the second one the input channels.",
            wrong=_indices_swapped,
        ),
        Misconception(
            id="grown-in-place",
            message="`a += b` writes into the tensor a itself, and a keeps its size. Yours is too "
            "small for a whole map: a single number of the bias, for example. How do you write a "
            "sum that makes a new tensor?",
            recognise=lambda attempt: _said(attempt, "doesn't match the broadcast shape"),
        ),
        Misconception(
            id="picture-for-channel",
            message="images[c] is picture number c, with all its channels. The first axis counts "
            "the pictures, the second one the channels. How do you take channel c of all pictures?",
            wrong=_picture_for_channel,
        ),
    ),
)


def check_convolution_layer(my_convolution_layer: Callable[..., Any]) -> Result:
    """Check the exercise "A convolution layer" of lesson 1."""
    return check(CONVOLUTION_LAYER, my_convolution_layer)


def _one_of(*lines: int) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.value in lines


BIAS_BUG_LINE = Exercise(
    id="bias_bug_line",
    lesson=1,
    title="Find the bug",
    reference=7,
    gradient=False,
    misconceptions=(
        Misconception(
            id="sum-suspected",
            message="Line 6 adds the results of the input channels, as the formula does. With "
            "black pictures it adds 0. So where do the numbers come from?",
            recognise=_one_of(6),
        ),
        Misconception(
            id="start-suspected",
            message="Line 4 lets the sum begin at 0 for each output channel. That is needed, or a "
            "channel would contain the ones before it. What is added to the 0, and how often?",
            recognise=_one_of(4),
        ),
        Misconception(
            id="loops-suspected",
            message="Both loops are right: one picture for each output channel, one term for each "
            "input channel. Which line stands in a loop in which it should not stand?",
            recognise=_one_of(3, 5),
        ),
        Misconception(
            id="result-suspected",
            message="The results are collected and stacked as they should be: the shape is right. "
            "The numbers are wrong already before. Look at what changes `total`.",
            recognise=_one_of(2, 8, 9),
        ),
        Misconception(
            id="no-such-line",
            message="The listing has the lines 1 to 9, and line 1 only names the arguments. Which "
            "of the others gives more, the more input channels there are?",
            recognise=lambda attempt: (
                isinstance(attempt.value, int) and attempt.value not in range(2, 10)
            ),
        ),
    ),
)


def check_bias_bug_line(my_bias_bug_line: int) -> Result:
    """Check the exercise "Find the bug" of lesson 1."""
    return check_value(BIAS_BUG_LINE, my_bias_bug_line)
