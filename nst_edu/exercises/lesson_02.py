"""Exercises of lesson 2: output sizes, padding, the receptive field."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nst_edu import layers
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import accepts, letters

Recogniser: TypeAlias = Callable[[Attempt], bool]


def _answers_like(rule: Callable[..., int | float]) -> Recogniser:
    """Return whether an attempt gave the rule's number in every case, not only the telling ones.

    Small numbers often agree by accident.
    """

    def recognise(attempt: Attempt) -> bool:
        return len(attempt.outcomes) == len(attempt.expected) and all(
            outcome.error is None and outcome.value == rule(*outcome.arguments)
            for outcome in attempt.outcomes
        )

    return recognise


# The output size ----------------------------------------------------------------------------------


def _output_size(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    return layers.output_size(size, window, padding=padding, stride=stride)


def output_size_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Draw sizes; for a third of them no step is left out, with and without padding and stride."""
    known = [(7, 3, 0, 1), (7, 3, 1, 1), (8, 3, 0, 2), (9, 3, 0, 2), (4, 4, 0, 3), (8, 2, 0, 2)]
    drawn = []
    for _ in range(12):
        size, window, padding, stride = (
            int(torch.randint(low, high, (), generator=generator))
            for low, high in ((8, 40), (1, 8), (0, 4), (1, 6))
        )
        drawn.append((size, window, padding, stride))
    return [*known, *drawn]


OUTPUT_SIZE = Exercise(
    id="output_size",
    lesson=2,
    title="The output size",
    reference=_output_size,
    cases=output_size_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "no-plus-one",
            "You count the steps of the window. There is one place more: the one where it stands "
            "before the first step. Count the lines that draw(7, 3) prints.",
            recognise=_answers_like(lambda n, k, p, s: (n + 2 * p - k) // s),
        ),
        Misconception(
            "padding-once",
            "You add the padding once. It is added at both ends of the line. Count the pixels in "
            "one line of draw(7, 3, padding=1).",
            recognise=_answers_like(lambda n, k, p, s: (n + p - k) // s + 1),
        ),
        Misconception(
            "padding-forgotten",
            "Your numbers are right for lines without padding. With padding the window has more "
            "room. How long is the padded line?",
            recognise=_answers_like(lambda n, k, p, s: (n - k) // s + 1),
        ),
        Misconception(
            "rounded-up",
            "You round up. Then the last window hangs over the end of the padded line. Look at "
            "what draw(8, 3, stride=2) does with the last pixel.",
            recognise=_answers_like(lambda n, k, p, s: math.ceil((n + 2 * p - k) / s) + 1),
        ),
        Misconception(
            "one-before-dividing",
            "You add 1 before you divide by the stride. The 1 stands for the place before the "
            "first step, and no step leads there. Which of the two comes first?",
            recognise=_answers_like(lambda n, k, p, s: (n + 2 * p - k + 1) // s),
        ),
        Misconception(
            "window-forgotten",
            "You divide the whole length of the line. The window can move only until its *last* "
            "pixel is at the end. How much room does the window itself take?",
            recognise=_answers_like(lambda n, k, p, s: (n + 2 * p) // s),
        ),
        Misconception(
            "window-counted-once-less",
            "Your window moves one step too far, or is one pixel too short. With room for 0 "
            "pixels of movement, how many places are there?",
            recognise=_answers_like(lambda n, k, p, s: (n + 2 * p - k + 1) // s + 1),
        ),
        Misconception(
            "not-rounded",
            "You divide without rounding, so that you get fractions of places, and floats. Which "
            "division gives whole numbers?",
            recognise=_answers_like(lambda n, k, p, s: (n + 2 * p - k) / s + 1),
        ),
    ),
)


def check_output_size(my_output_size: Callable[..., Any]) -> Result:
    """Check the exercise "The output size" of lesson 2."""
    return check(OUTPUT_SIZE, my_output_size)


# A puzzle of sizes --------------------------------------------------------------------------------

PICTURE_WIDTH = 96
PUZZLE = ((11, 5, 2), (3, 0, 2), (5, 2, 1), (3, 1, 2), (2, 0, 2))  # (window, padding, stride)
Rule: TypeAlias = Callable[[int, int, int, int], int]  # (width, window, padding, stride) -> width


def _chain(rule: Rule) -> list[int]:
    """Return the width after each layer of the puzzle."""
    widths = [PICTURE_WIDTH]
    for window, padding, stride in PUZZLE:
        widths.append(rule(widths[-1], window, padding, stride))
    return widths[1:]


SIZE_RULES: dict[str, Rule] = {
    "no-plus-one": lambda n, k, p, s: (n + 2 * p - k) // s,
    "halved": lambda n, k, p, s: n // s,
    "rounded-up": lambda n, k, p, s: math.ceil((n + 2 * p - k) / s) + 1,
    "padding-once": lambda n, k, p, s: (n + p - k) // s + 1,
    "padding-forgotten": lambda n, k, p, s: (n - k) // s + 1,
    "stride-forgotten": lambda n, k, p, s: n + 2 * p - k + 1,
}


def _first_slip(widths: Sequence[int]) -> int:
    """Return the number of the first layer whose width does not follow from the one before it."""
    follows = [
        after == _output_size(before, *layer)
        for before, after, layer in zip(widths, widths[1:], PUZZLE, strict=False)
    ]
    return follows.index(False)


def _fitting_rules(attempt: Attempt) -> set[str]:
    """Return the rules that lead to the first wrong width.

    If several do, and only one of them leads to all widths behind it, too, it is that one.
    """
    widths = [PICTURE_WIDTH, *attempt.value]
    first = _first_slip(widths)
    steps = list(zip(widths, widths[1:], PUZZLE, strict=False))[first:]
    fitting, throughout = set(), set()
    for name, rule in SIZE_RULES.items():
        hits = [after == rule(before, *layer) for before, after, layer in steps]
        fitting |= {name} if hits[0] else set()
        throughout |= {name} if all(hits) else set()
    return throughout if len(throughout) == 1 else fitting


def _follows(name: str) -> Recogniser:
    """Return whether this rule, and no other one, leads to the first wrong width."""
    return lambda attempt: _fitting_rules(attempt) == {name}


def _several_rules(error: int) -> Recogniser:
    """Return whether several rules lead to the first wrong width, and it is off by `error`."""

    def recognise(attempt: Attempt) -> bool:
        widths = [PICTURE_WIDTH, *attempt.value]
        first = _first_slip(widths)
        right = _output_size(widths[first], *PUZZLE[first])
        return len(_fitting_rules(attempt)) > 1 and bool(widths[first + 1] - right == error)

    return recognise


def _not_chained(attempt: Attempt) -> bool:
    """Tell whether the first wrong width belongs to its layer, but follows from the picture's."""
    first = _first_slip([PICTURE_WIDTH, *attempt.value])
    return bool(attempt.value[first] == _output_size(PICTURE_WIDTH, *PUZZLE[first]))


LAYER_SIZES = Exercise(
    id="layer_sizes",
    lesson=2,
    title="A puzzle of sizes",
    reference=_chain(_output_size),
    misconceptions=(
        Misconception(
            "no-plus-one",
            "Look at your first wrong number: it is one too small. It is the number of steps. One "
            "place more is there before the first step.",
            recognise=_follows("no-plus-one"),
        ),
        Misconception(
            "halved",
            "From your first wrong number on, each of your widths is the one before it, divided by "
            "the stride. That holds only with enough padding. Compute how far the window can move.",
            recognise=_follows("halved"),
        ),
        Misconception(
            "rounded-up",
            "Your first wrong number is what rounding up gives. Then the last window would hang "
            "over the end of the padded line. Draw the end of the line.",
            recognise=_follows("rounded-up"),
        ),
        Misconception(
            "one-too-large",
            "Your first wrong number is one too large. Rounding up leads to it, and so does a "
            "width that is divided by the stride, and no more. Compute how far the window can "
            "move, and count its places.",
            recognise=_several_rules(1),
        ),
        Misconception(
            "one-too-small",
            "Your first wrong number is one too small. Several slips lead to it: the place before "
            "the first step not counted, padding at one end or at none, or a width that is divided "
            "by the stride, and no more. How far can the window move on the padded line?",
            recognise=_several_rules(-1),
        ),
        Misconception(
            "padding-once",
            "At your first wrong number you added the padding once. How many ends has a line?",
            recognise=_follows("padding-once"),
        ),
        Misconception(
            "padding-forgotten",
            "At your first wrong number the padding is missing. Look at its column in the table.",
            recognise=_follows("padding-forgotten"),
        ),
        Misconception(
            "stride-forgotten",
            "At your first wrong number the stride is missing: you counted as with stride 1.",
            recognise=_follows("stride-forgotten"),
        ),
        Misconception(
            "not-chained",
            "You computed a later layer from the width of the picture, 96. A layer gets what the "
            "layer before it gives.",
            recognise=_not_chained,
        ),
    ),
)


def check_layer_sizes(my_layer_sizes: Sequence[int]) -> Result:
    """Check the exercise "A puzzle of sizes" of lesson 2."""
    return check_value(LAYER_SIZES, my_layer_sizes)


# Reflect padding ----------------------------------------------------------------------------------


def _pad_reflect(images: Tensor, padding: int) -> Tensor:
    return layers.pad2d(images, padding, "reflect")


def pad_reflect_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try frames of 1, 2 and 3 pixels around pictures of several shapes."""
    shapes = ((2, 3, 5, 7), (2, 1, 4, 6), (1, 2, 7, 5), (3, 2, 9, 4), (2, 3, 6, 5))
    kinds = (torch.float32, torch.float64)
    return [
        (torch.randn(shape, generator=generator, dtype=kinds[number % 2]), 1 + number % 3)
        for number, shape in enumerate(shapes)
    ]


def _framed(images: Tensor, padding: int, *, edge: int = 1, turned: bool = True) -> Tensor:
    """Add rows and columns that begin `edge` pixels from the border, turned or not."""
    for axis in (2, 3):
        size = images.shape[axis]
        before = images.narrow(axis, edge, padding)
        behind = images.narrow(axis, size - edge - padding, padding)
        parts = [part.flip(axis) if turned else part for part in (before, behind)]
        images = torch.cat([parts[0], images, parts[1]], dim=axis)
    return images


def _one_direction(images: Tensor, padding: int, axis: int) -> Tensor:
    """Add rows only (axis 2), or columns only (axis 3)."""
    size = images.shape[axis]
    parts = [images.narrow(axis, start, padding).flip(axis) for start in (1, size - 1 - padding)]
    return torch.cat([parts[0], images, parts[1]], dim=axis)


def _without_corners(images: Tensor, padding: int) -> Tensor:
    """Fill the four sides of a frame of zeros, and leave its corners."""
    h, w = images.shape[-2:]
    rows, columns = (torch.zeros(size + 2 * padding).to(images) for size in (h, w))
    rows[padding:-padding], columns[padding:-padding] = 1, 1
    cross = (rows[:, None] + columns) > 0
    return _pad_reflect(images, padding) * cross


def _sides_swapped(images: Tensor, padding: int) -> Tensor:
    """Put above what belongs below, and left what belongs right."""
    for axis in (2, 3):
        size = images.shape[axis]
        above = images.narrow(axis, 1, padding).flip(axis)
        below = images.narrow(axis, size - 1 - padding, padding).flip(axis)
        images = torch.cat([below, images, above], dim=axis)
    return images


PAD_REFLECT = Exercise(
    id="pad_reflect",
    lesson=2,
    title="Reflect padding",
    reference=_pad_reflect,
    forbidden=("pad", "pad2d", "ReflectionPad2d"),
    cases=pad_reflect_cases,
    misconceptions=(
        Misconception(
            "edge-repeated",
            "Your mirror stands beside the last pixel, so that this pixel is there twice. That is "
            "the mode that other programs call symmetric. In reflect padding the last pixel is the "
            "mirror. With which row does your frame begin?",
            wrong=lambda images, padding: _framed(images, padding, edge=0),
        ),
        Misconception(
            "not-turned",
            "The right pixels are in your frame, but not in mirrored order. What is next to a "
            "mirror is next to it in the mirror, too.",
            wrong=lambda images, padding: _framed(images, padding, turned=False),
        ),
        Misconception(
            "sides-swapped",
            "Above the picture there is what belongs below it, or left what belongs to the right. "
            "Look at the order of the parts that you join.",
            wrong=_sides_swapped,
        ),
        Misconception(
            "corners-left-out",
            "The four sides of your frame are right, but its corners are zero. The columns at the "
            "sides must be as high as the picture with its new rows.",
            wrong=_without_corners,
        ),
        Misconception(
            "rows-only",
            "You added rows above and below, but no columns. Do the same along the last axis.",
            wrong=lambda images, padding: _one_direction(images, padding, 2),
        ),
        Misconception(
            "columns-only",
            "You added columns at the left and right, but no rows. Do the same along the axis of "
            "the rows.",
            wrong=lambda images, padding: _one_direction(images, padding, 3),
        ),
        Misconception(
            "circular",
            "Your frame continues at the opposite side of the picture. That is circular padding. "
            "A mirror shows what is near to it.",
            wrong=lambda images, padding: layers.pad2d(images, padding, "circular"),
        ),
        Misconception(
            "replicate",
            "Your frame repeats the last pixel. That is replicate padding. What stands one pixel "
            "inside the mirror must be seen one pixel outside.",
            wrong=lambda images, padding: layers.pad2d(images, padding, "replicate"),
        ),
        Misconception(
            "zeros",
            "Your frame is black: zero padding. Put the mirrored pixels into it.",
            wrong=lambda images, padding: layers.pad2d(images, padding),
        ),
    ),
)


def check_pad_reflect(my_pad_reflect: Callable[..., Any]) -> Result:
    """Check the exercise "Reflect padding" of lesson 2."""
    return check(PAD_REFLECT, my_pad_reflect)


# How far padding reaches --------------------------------------------------------------------------


def _touched_by_padding(height: int, width: int, count: int) -> int:
    return height * width - max(height - 2 * count, 0) * max(width - 2 * count, 0)


def touched_cases(_: torch.Generator) -> list[tuple[Any, ...]]:
    """Try few layers and so many that nothing is left, or would be if rows could be negative."""
    return [
        *((8, 10, 1), (10, 8, 2), (12, 9, 3), (20, 31, 4), (7, 7, 0), (64, 48, 5)),
        *((8, 9, 4), (5, 9, 3), (9, 5, 3), (5, 6, 4), (1, 1, 1), (4, 20, 2)),
    ]


TOUCHED_BY_PADDING = Exercise(
    id="touched_by_padding",
    lesson=2,
    title="How far does padding reach?",
    reference=_touched_by_padding,
    cases=touched_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "padding-is-neutral",
            "For you padding touches nothing. Look at the gray picture after one blur with zeros: "
            "which of its numbers are not 0.9 any more?",
            recognise=_answers_like(lambda h, w, n: 0),
        ),
        Misconception(
            "one-ring-only",
            "You count the outermost ring, however many layers there are. The second layer looks "
            "at the ring that the first one has touched. Look at the table of border energies.",
            recognise=_answers_like(lambda h, w, n: h * w - max(h - 2, 0) * max(w - 2, 0)),
        ),
        Misconception(
            "one-side-only",
            "You take the touched rows away at one side. A picture has a border above and below, "
            "left and right.",
            recognise=_answers_like(lambda h, w, n: h * w - max(h - n, 0) * max(w - n, 0)),
        ),
        Misconception(
            "corners-counted-twice",
            "You add the touched rows and the touched columns. The corners belong to both, so you "
            "count them twice. Count the places that are left untouched instead.",
            recognise=_answers_like(lambda h, w, n: 2 * n * h + 2 * n * w),
        ),
        Misconception(
            "less-than-nothing-left",
            "Your numbers are right as long as rows and columns are left. With many layers you "
            "get a negative number of them. What is the smallest number that makes sense?",
            recognise=_answers_like(lambda h, w, n: h * w - (h - 2 * n) * (w - 2 * n)),
        ),
        Misconception(
            "untouched-counted",
            "You count the places that padding has *not* touched.",
            recognise=_answers_like(lambda h, w, n: max(h - 2 * n, 0) * max(w - 2 * n, 0)),
        ),
    ),
)


def check_touched_by_padding(my_touched_by_padding: Callable[..., Any]) -> Result:
    """Check the exercise "How far does padding reach?" of lesson 2."""
    return check(TOUCHED_BY_PADDING, my_touched_by_padding)


# The lines of a convolution -----------------------------------------------------------------------

RIGHT_ORDER = ["C", "E", "G", "H", "B", "A", "D"]


def _comes_before(attempt: Attempt, first: str, second: str) -> bool:
    """Tell whether both letters are there, in this order."""
    order = letters(attempt.value)
    return first in order and second in order and order.index(first) < order.index(second)


def _uses(attempt: Attempt, *lines: str) -> bool:
    return set(lines) <= set(letters(attempt.value))


CONVOLUTION_LINES = Exercise(
    id="convolution_lines",
    lesson=2,
    title="Put the lines in order",
    reference=RIGHT_ORDER,
    accepts=accepts(lambda order: order == RIGHT_ORDER),
    misconceptions=(
        Misconception(
            "no-such-line",
            "An entry of your answer is none of the letters in the table, A to I.",
            recognise=lambda a: not set(letters(a.value)) <= set("ABCDEFGHI"),
        ),
        Misconception(
            "two-lines-for-one-job",
            "You use two lines that do the same job: A and F both make the window, E and I both "
            "compute the sizes. One line of each pair is wrong. Find out which.",
            recognise=lambda a: _uses(a, "A", "F") or _uses(a, "E", "I"),
        ),
        Misconception(
            "stride-forgotten",
            "You chose line F. Its window moves by one pixel from place to place, whatever the "
            "stride is. Where should the second window begin if the stride is 2?",
            recognise=lambda a: _uses(a, "F"),
        ),
        Misconception(
            "size-without-padding",
            "You chose line I. It counts the places in the picture without its padding. On which "
            "of the two does the window slide?",
            recognise=lambda a: _uses(a, "I"),
        ),
        Misconception(
            "result-made-in-the-loop",
            "Your line G comes after a loop has begun. A new result of zeros in every round would "
            "forget all the earlier numbers. (Its indentation tells as well where it belongs.)",
            recognise=lambda a: any(_comes_before(a, loop, "G") for loop in "HB"),
        ),
        Misconception(
            "loops-exchanged",
            "The loop over j stands before the loop over i. Look at the indentation: which of the "
            "two is inside the other?",
            recognise=lambda a: _comes_before(a, "B", "H"),
        ),
        Misconception(
            "used-before-made",
            "A line uses a name that no line above it has made. Go through your lines from the "
            "top: what does each of them need (padded, rows, result, window)?",
            recognise=lambda a: any(
                _comes_before(a, *pair) for pair in ("EC", "GE", "HE", "DA", "AC", "AB", "DB")
            ),
        ),
        Misconception(
            "line-missing",
            "A line is missing. The program pads, counts, makes a result, has two loops, cuts out "
            "a window and sums up: seven lines.",
            recognise=lambda a: set(letters(a.value)) < set(RIGHT_ORDER),
        ),
        Misconception(
            "line-twice",
            "A letter stands twice in your answer. The program needs each of its seven lines once.",
            recognise=lambda a: len(letters(a.value)) > len(RIGHT_ORDER),
        ),
    ),
)


def check_convolution_lines(my_convolution_lines: Sequence[str]) -> Result:
    """Check the exercise "Put the lines in order" of lesson 2."""
    return check_value(CONVOLUTION_LINES, my_convolution_lines)


# Choose a window ----------------------------------------------------------------------------------

Errors: TypeAlias = list[float]


def _best(windows: list[int], errors: Errors) -> int:
    return windows[errors.index(min(errors))]


def window_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Draw errors. In half of the cases a larger window always fits better."""
    cases = []
    for number in range(10):
        count = 3 + number % 4
        fitted, elsewhere = torch.rand(2, count, generator=generator).tolist()
        if number % 2:
            fitted.sort(reverse=True)
        cases.append(([1, 3, 5, 7, 9, 11][:count], fitted, elsewhere))
    return cases


CHOOSE_WINDOW = Exercise(
    id="choose_window",
    lesson=2,
    title="Choose a window",
    reference=lambda windows, fitted, elsewhere: _best(windows, elsewhere),
    cases=window_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "biggest-kernel",
            "You always take the biggest window. A bigger kernel fits better where it was fitted. "
            "Look at its error in the other part of the photo.",
            recognise=_answers_like(lambda windows, fitted, elsewhere: max(windows)),
        ),
        Misconception(
            "best-where-fitted",
            "You take the window with the smallest error where it was fitted. There the kernel "
            "knows even the noise by heart. Which list tells you about new pictures?",
            recognise=_answers_like(lambda windows, fitted, elsewhere: _best(windows, fitted)),
        ),
        Misconception(
            "sum-of-both-errors",
            "You add the two errors. The error where the kernel was fitted still pulls towards "
            "large windows. For new pictures only one of the lists counts.",
            recognise=_answers_like(
                lambda windows, fitted, elsewhere: _best(
                    windows, [a + b for a, b in zip(fitted, elsewhere, strict=True)]
                )
            ),
        ),
        Misconception(
            "smallest-kernel",
            "You always take the smallest window. It may be too small to do what is wanted: look "
            "at the errors of window 1 in the table.",
            recognise=_answers_like(lambda windows, fitted, elsewhere: min(windows)),
        ),
        Misconception(
            "position-returned",
            "You return the position in the list. The exercise asks for the window at that "
            "position.",
            recognise=_answers_like(
                lambda windows, fitted, elsewhere: elsewhere.index(min(elsewhere))
            ),
        ),
        Misconception(
            "error-returned",
            "You return the smallest error. The exercise asks for the window that has it.",
            recognise=_answers_like(lambda windows, fitted, elsewhere: min(elsewhere)),
        ),
        Misconception(
            "largest-error",
            "You take the window with the largest error. Look at min and max, or at the order of "
            "sorting.",
            recognise=_answers_like(
                lambda windows, fitted, elsewhere: windows[elsewhere.index(max(elsewhere))]
            ),
        ),
    ),
)


def check_choose_window(my_choose_window: Callable[..., Any]) -> Result:
    """Check the exercise "Choose a window" of lesson 2."""
    return check(CHOOSE_WINDOW, my_choose_window)


# The receptive field ------------------------------------------------------------------------------

Stack: TypeAlias = Sequence[tuple[int, int]]  # (window, stride) of each layer


def receptive_field_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try small stacks, one like VGG's, and random ones."""
    known = [[(3, 1)], [(3, 1), (3, 1)], [(3, 1), (2, 2), (3, 1)], [(5, 2), (3, 3), (2, 1)]]
    vgg = [(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (2, 2), (3, 1)]
    drawn = [
        [
            (int(window), int(stride))
            for window, stride in torch.randint(1, 6, (depth, 2), generator=generator)
        ]
        for depth in (1, 2, 3, 3, 4, 5)
    ]
    return [(stack,) for stack in (*known, vgg, *drawn)]


def _strides_added(stack: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in stack:
        seen, distance = seen + (window - 1) * distance, distance + stride
    return seen


def _own_stride(stack: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in stack:
        distance *= stride
        seen += (window - 1) * distance
    return seen


def _previous_stride(stack: Stack) -> int:
    seen, before = 1, 1
    for window, stride in stack:
        seen, before = seen + (window - 1) * before, stride
    return seen


def _whole_windows(stack: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in stack:
        seen, distance = seen + window * distance, distance * stride
    return seen


RECEPTIVE_FIELD = Exercise(
    id="receptive_field",
    lesson=2,
    title="The receptive field",
    reference=layers.receptive_field,
    cases=receptive_field_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "strides-forgotten",
            "Your numbers are right as long as all strides are 1. Behind a stride of 2, two "
            "neighbouring units are 2 pixels apart. Try [(3, 1), (2, 2), (3, 1)] on paper.",
            recognise=_answers_like(lambda stack: 1 + sum(k - 1 for k, _ in stack)),
        ),
        Misconception(
            "windows-added",
            "You add up the windows. Two windows of 3 pixels, one behind the other, overlap: they "
            "see 5 pixels, not 6. How many *new* units does a layer add?",
            recognise=_answers_like(lambda stack: sum(k for k, _ in stack)),
        ),
        Misconception(
            "windows-multiplied",
            "You multiply the windows. Neighbouring windows overlap, so a layer adds pixels at the "
            "sides only. Look at the impulse that went through two 3×3 kernels.",
            recognise=_answers_like(lambda stack: math.prod(k for k, _ in stack)),
        ),
        Misconception(
            "own-stride-first",
            "You use a layer's own stride for its own window. The stride says how far apart the "
            "layer's *results* are, and only the layers behind it look at these. Look at the order "
            "of your two lines.",
            recognise=_answers_like(_own_stride),
        ),
        Misconception(
            "previous-stride-only",
            "You use the stride of the layer before, but forget the strides before that one. Two "
            "strides of 2 put neighbours 4 pixels apart.",
            recognise=_answers_like(_previous_stride),
        ),
        Misconception(
            "strides-added",
            "You add the strides. Two strides of 3 put neighbours 9 pixels apart, not 6 or 7: a "
            "step of the second layer is three steps of the first.",
            recognise=_answers_like(_strides_added),
        ),
        Misconception(
            "first-pixel-forgotten",
            "All your numbers are too small by one. Before the first layer a unit is a pixel. How "
            "many pixels does it see?",
            recognise=_answers_like(lambda stack: layers.receptive_field(stack) - 1),
        ),
        Misconception(
            "whole-windows",
            "Each layer adds its whole window in your code. One unit of the window stands where "
            "the field already is. How many are new?",
            recognise=_answers_like(_whole_windows),
        ),
        Misconception(
            "from-the-deep-end",
            "Your numbers are those of the list read from its end. The list begins at the picture: "
            "strides count for the layers that come *behind* them.",
            recognise=_answers_like(lambda stack: layers.receptive_field(list(stack)[::-1])),
        ),
    ),
)


def check_receptive_field(my_receptive_field: Callable[..., Any]) -> Result:
    """Check the exercise "The receptive field" of lesson 2."""
    return check(RECEPTIVE_FIELD, my_receptive_field)
