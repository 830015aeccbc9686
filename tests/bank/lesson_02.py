"""Right and wrong answers to the exercises of lesson 2."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

# The output size ----------------------------------------------------------------------------------


@right("output_size")
def size_by_formula(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    return (size + 2 * padding - window) // stride + 1


@right("output_size")
def size_by_counting(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    count = 0
    start = -padding
    while start + window <= size + padding:
        count += 1
        start += stride
    return count


@right("output_size")
def size_by_range(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    return len(range(0, size + 2 * padding - window + 1, stride))


@right("output_size")
def size_by_floor(n: int, k: int, p: int, s: int) -> int:
    return math.floor((n + 2 * p - k) / s + 1)


@right("output_size")
def size_by_real_convolution(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    line, kernel = torch.zeros(1, 1, size), torch.zeros(1, 1, window)
    return F.conv1d(line, kernel, padding=padding, stride=stride).shape[-1]


@wrong("output_size", "no-plus-one")
def size_counts_steps(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    room = size + 2 * padding - window
    return room // stride


@wrong("output_size", "padding-once")
def size_pads_one_end(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    room = size + padding - window
    steps = room // stride
    return steps + 1


@wrong("output_size", "padding-forgotten")
def size_without_padding(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    room = size - window
    steps = room // stride
    return steps + 1


@wrong("output_size", "rounded-up")
def size_rounded_up(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    return math.ceil((size + 2 * padding - window) / stride + 1)


@wrong("output_size", "one-before-dividing")
def size_one_inside(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    room = size + 2 * padding - window + 1
    return room // stride


@wrong("output_size", "window-forgotten")
def size_of_the_line(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    return (size + 2 * padding) // stride


@wrong("output_size", "window-counted-once-less")
def size_one_step_too_far(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    room = size + 2 * padding - (window - 1)
    steps = room // stride
    return steps + 1


@wrong("output_size", "not-rounded")
def size_as_a_fraction(size: int, window: int, padding: int = 0, stride: int = 1) -> float:
    return (size + 2 * padding - window) / stride + 1


# A puzzle of sizes --------------------------------------------------------------------------------


@right("layer_sizes")
def sizes_as_list() -> Any:
    return [48, 23, 23, 12, 6]


@right("layer_sizes")
def sizes_as_tuple() -> Any:
    return (48, 23, 23, 12, 6)


@right("layer_sizes")
def sizes_by_code() -> Any:
    settings = [(11, 5, 2), (3, 0, 2), (5, 2, 1), (3, 1, 2), (2, 0, 2)]
    widths = itertools.accumulate(
        settings,
        lambda n, layer: size_by_formula(n, *layer),
        initial=96,
    )
    return list(widths)[1:]


@right("layer_sizes")
def sizes_of_numpy() -> Any:
    return list(np.array([48, 23, 23, 12, 6]))


@wrong("layer_sizes", "no-plus-one")
def sizes_of_steps() -> Any:
    return [47, 22, 21, 10, 4]


@wrong("layer_sizes", "one-too-small")
def sizes_with_one_slip() -> Any:
    return [48, 23, 23, 11, 5]


@wrong("layer_sizes", "halved")
def sizes_halved() -> Any:
    return [48, 24, 24, 12, 6]


@wrong("layer_sizes", "one-too-large")
def sizes_rounded_up_once() -> Any:
    return [48, 24, 23, 12, 6]


@wrong("layer_sizes", "rounded-up")
def sizes_rounded_up_from_the_second_layer_on() -> Any:
    return [48, 24, 24, 13, 7]


@wrong("layer_sizes", "one-too-small")
def sizes_halved_once() -> Any:
    return [48, 23, 23, 11, 6]


@wrong("layer_sizes", "no-plus-one")
def sizes_of_steps_at_the_end() -> Any:
    return [48, 23, 23, 11, 4]


@wrong("layer_sizes", "rounded-up")
def sizes_rounded_up() -> Any:
    return [49, 24, 24, 13, 7]


@wrong("layer_sizes", "padding-once")
def sizes_padded_at_one_end() -> Any:
    return [46, 22, 20, 10, 5]


@wrong("layer_sizes", "padding-forgotten")
def sizes_without_padding() -> Any:
    return [43, 21, 17, 8, 4]


@wrong("layer_sizes", "stride-forgotten")
def sizes_without_stride() -> Any:
    return [96, 94, 94, 94, 93]


@wrong("layer_sizes", "not-chained")
def sizes_of_the_picture() -> Any:
    return [48, 47, 96, 48, 48]


# Reflect padding ----------------------------------------------------------------------------------


@right("pad_reflect")
def mirrored_by_slices(images: Tensor, padding: int) -> Tensor:
    above = images[:, :, 1 : padding + 1].flip(2)
    below = images[:, :, -padding - 1 : -1].flip(2)
    images = torch.cat([above, images, below], dim=2)
    left = images[:, :, :, 1 : padding + 1].flip(3)
    right = images[:, :, :, -padding - 1 : -1].flip(3)
    return torch.cat([left, images, right], dim=3)


@right("pad_reflect")
def mirrored_by_index_lists(images: Tensor, padding: int) -> Tensor:
    def order(size: int) -> list[int]:
        return [*range(padding, 0, -1), *range(size), *range(size - 2, size - 2 - padding, -1)]

    height, width = images.shape[2:]
    return images[:, :, order(height)][..., order(width)]


@right("pad_reflect")
def mirrored_pixel_by_pixel(images: Tensor, padding: int) -> Tensor:
    n, c, h, w = images.shape
    padded = images.new_zeros(n, c, h + 2 * padding, w + 2 * padding)
    for i in range(h + 2 * padding):
        for j in range(w + 2 * padding):
            y, x = abs(i - padding), abs(j - padding)
            y, x = min(y, 2 * (h - 1) - y), min(x, 2 * (w - 1) - x)
            padded[:, :, i, j] = images[:, :, y, x]
    return padded


@right("pad_reflect")
def mirrored_by_index_select(images: Tensor, padding: int) -> Tensor:
    for axis in (-2, -1):
        last = images.shape[axis] - 1
        places = torch.arange(-padding, last + 1 + padding).abs()
        images = images.index_select(axis, last - (last - places).abs())
    return images


@right("pad_reflect")
def mirrored_one_by_one(images: Tensor, padding: int) -> Tensor:
    height, width = images.shape[-2:]
    rows = [images[:, :, k : k + 1] for k in range(padding, 0, -1)]
    rows += [images]
    rows += [images[:, :, height - 1 - k : height - k] for k in range(1, padding + 1)]
    tall = torch.cat(rows, 2)
    columns = [tall[..., k : k + 1] for k in range(padding, 0, -1)]
    columns += [tall]
    columns += [tall[..., width - 1 - k : width - k] for k in range(1, padding + 1)]
    return torch.cat(columns, 3)


@wrong("pad_reflect", "edge-repeated")
def mirrored_with_the_edge(images: Tensor, padding: int) -> Tensor:
    images = torch.cat(
        [images[:, :, :padding].flip(2), images, images[:, :, -padding:].flip(2)], dim=2
    )
    return torch.cat([images[..., :padding].flip(3), images, images[..., -padding:].flip(3)], dim=3)


@wrong("pad_reflect", "not-turned")
def shifted_in_place_of_mirrored(images: Tensor, padding: int) -> Tensor:
    images = torch.cat(
        [images[:, :, 1 : padding + 1], images, images[:, :, -padding - 1 : -1]], dim=2
    )
    return torch.cat([images[..., 1 : padding + 1], images, images[..., -padding - 1 : -1]], dim=3)


@wrong("pad_reflect", "sides-swapped")
def mirrored_at_the_other_side(images: Tensor, padding: int) -> Tensor:
    above = images[:, :, 1 : padding + 1].flip(2)
    below = images[:, :, -padding - 1 : -1].flip(2)
    images = torch.cat([below, images, above], dim=2)
    left = images[..., 1 : padding + 1].flip(3)
    right = images[..., -padding - 1 : -1].flip(3)
    return torch.cat([right, images, left], dim=3)


@wrong("pad_reflect", "corners-left-out")
def mirrored_without_corners(images: Tensor, padding: int) -> Tensor:
    p = padding
    n, c, h, w = images.shape
    padded = images.new_zeros(n, c, h + 2 * p, w + 2 * p)
    padded[:, :, p:-p, p:-p] = images
    padded[:, :, :p, p:-p] = images[:, :, 1 : p + 1].flip(2)
    padded[:, :, -p:, p:-p] = images[:, :, -p - 1 : -1].flip(2)
    padded[:, :, p:-p, :p] = images[..., 1 : p + 1].flip(3)
    padded[:, :, p:-p, -p:] = images[..., -p - 1 : -1].flip(3)
    return padded


@wrong("pad_reflect", "rows-only")
def mirrored_above_and_below(images: Tensor, padding: int) -> Tensor:
    above = images[:, :, 1 : padding + 1].flip(2)
    below = images[:, :, -padding - 1 : -1].flip(2)
    return torch.cat([above, images, below], dim=2)


@wrong("pad_reflect", "columns-only")
def mirrored_left_and_right(images: Tensor, padding: int) -> Tensor:
    left, right = images[..., 1 : padding + 1], images[..., -padding - 1 : -1]
    return torch.cat([left.flip(-1), images, right.flip(-1)], dim=-1)


@wrong("pad_reflect", "circular")
def continued_in_a_circle(images: Tensor, padding: int) -> Tensor:
    images = torch.cat([images[:, :, -padding:], images, images[:, :, :padding]], dim=2)
    return torch.cat([images[..., -padding:], images, images[..., :padding]], dim=3)


@wrong("pad_reflect", "replicate")
def last_pixel_repeated(images: Tensor, padding: int) -> Tensor:
    return F.pad(images, [padding] * 4, mode="replicate")


@wrong("pad_reflect", "zeros")
def frame_left_black(images: Tensor, padding: int) -> Tensor:
    return F.pad(images, [padding] * 4)


@wrong("pad_reflect", "detached")
def mirrored_by_numpy(images: Tensor, padding: int) -> Tensor:
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return torch.from_numpy(np.pad(images.detach().numpy(), frame, mode="reflect"))


# How far padding reaches --------------------------------------------------------------------------


@right("touched_by_padding")
def touched_by_subtracting(height: int, width: int, count: int) -> int:
    untouched_rows = max(height - 2 * count, 0)
    untouched_columns = max(width - 2 * count, 0)
    return height * width - untouched_rows * untouched_columns


@right("touched_by_padding")
def touched_place_by_place(height: int, width: int, count: int) -> int:
    touched = 0
    for y in range(height):
        for x in range(width):
            touched += min(y, x, height - 1 - y, width - 1 - x) < count
    return touched


@right("touched_by_padding")
def touched_in_a_real_picture(height: int, width: int, count: int) -> int:
    untouched = torch.ones(1, 1, height, width)
    for _ in range(count):
        untouched = -F.max_pool2d(F.pad(-untouched, [1] * 4), 3, stride=1)
    return height * width - int((untouched == 1).sum())


@right("touched_by_padding")
def touched_ring_by_ring(h: int, w: int, count: int) -> int:
    touched = 0
    for _ in range(count):
        inner = max(h - 2, 0) * max(w - 2, 0)
        touched += h * w - inner
        h, w = max(h - 2, 0), max(w - 2, 0)
    return touched


@wrong("touched_by_padding", "padding-is-neutral")
def touched_nowhere(height: int, width: int, count: int) -> int:
    untouched_rows = height
    untouched_columns = width
    return height * width - untouched_rows * untouched_columns


@wrong("touched_by_padding", "one-ring-only")
def touched_in_the_outer_ring(height: int, width: int, count: int) -> int:
    return height * width - max(height - 2, 0) * max(width - 2, 0)


@wrong("touched_by_padding", "one-side-only")
def touched_at_one_side(height: int, width: int, count: int) -> int:
    untouched_rows = max(height - count, 0)
    untouched_columns = max(width - count, 0)
    return height * width - untouched_rows * untouched_columns


@wrong("touched_by_padding", "corners-counted-twice")
def touched_rows_and_columns(height: int, width: int, count: int) -> int:
    return 2 * count * (height + width)


@wrong("touched_by_padding", "less-than-nothing-left")
def touched_without_a_limit(height: int, width: int, count: int) -> int:
    untouched_rows = height - 2 * count
    untouched_columns = width - 2 * count
    return height * width - untouched_rows * untouched_columns


@wrong("touched_by_padding", "untouched-counted")
def touched_taken_for_untouched(height: int, width: int, count: int) -> int:
    return max(height - 2 * count, 0) * max(width - 2 * count, 0)


# Choose a window ----------------------------------------------------------------------------------

Errors = list[float]


@right("choose_window")
def window_by_index(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return windows[elsewhere.index(min(elsewhere))]


@right("choose_window")
def window_by_sorting_pairs(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return sorted(zip(elsewhere, windows, strict=True))[0][1]


@right("choose_window")
def window_by_loop(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    best, smallest = windows[0], elsewhere[0]
    for window, error in zip(windows, elsewhere, strict=True):
        if error < smallest:
            best, smallest = window, error
    return best


@right("choose_window")
def window_by_torch(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return windows[int(torch.tensor(elsewhere).argmin())]


@wrong("choose_window", "biggest-kernel")
def window_as_big_as_can_be(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return windows[-1]


@wrong("choose_window", "best-where-fitted")
def window_that_fits_best(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return windows[fitted.index(min(fitted))]


@wrong("choose_window", "sum-of-both-errors")
def window_by_both(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    both = [(a + b) / 2 for a, b in zip(fitted, elsewhere, strict=True)]
    return windows[both.index(min(both))]


@wrong("choose_window", "smallest-kernel")
def window_as_small_as_can_be(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return min(windows)


@wrong("choose_window", "position-returned")
def window_as_position(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return elsewhere.index(min(elsewhere))


@wrong("choose_window", "error-returned")
def window_as_error(windows: list[int], fitted: Errors, elsewhere: Errors) -> float:
    return min(elsewhere)


@wrong("choose_window", "largest-error")
def window_with_the_largest_error(windows: list[int], fitted: Errors, elsewhere: Errors) -> int:
    return sorted(zip(elsewhere, windows, strict=True))[-1][1]


# The lines of a convolution -----------------------------------------------------------------------


@right("convolution_lines")
def lines_as_list() -> Any:
    return ["C", "E", "G", "H", "B", "A", "D"]


@right("convolution_lines")
def lines_as_tuple_of_small_letters() -> Any:
    return ("c", "e", "g", "h", "b", "a", "d")


@right("convolution_lines")
def lines_as_text() -> Any:
    return list("CEGHBAD")


@wrong("convolution_lines", "stride-forgotten")
def lines_with_stride_one() -> Any:
    return ["C", "E", "G", "H", "B", "F", "D"]


@wrong("convolution_lines", "size-without-padding")
def lines_with_the_sizes_of_the_picture() -> Any:
    return ["C", "I", "G", "H", "B", "A", "D"]


@wrong("convolution_lines", "two-lines-for-one-job")
def lines_all_nine() -> Any:
    return ["C", "E", "I", "G", "H", "B", "A", "F", "D"]


@wrong("convolution_lines", "result-made-in-the-loop")
def lines_with_a_new_result_each_time() -> Any:
    return ["C", "E", "H", "B", "G", "A", "D"]


@wrong("convolution_lines", "loops-exchanged")
def lines_with_columns_first() -> Any:
    return ["C", "E", "G", "B", "H", "A", "D"]


@wrong("convolution_lines", "used-before-made")
def lines_with_sizes_before_padding() -> Any:
    return ["E", "C", "G", "H", "B", "A", "D"]


@wrong("convolution_lines", "used-before-made")
def lines_with_the_sum_before_the_window() -> Any:
    return ["C", "E", "G", "H", "B", "D", "A"]


@wrong("convolution_lines", "line-missing")
def lines_without_a_result() -> Any:
    return ["C", "E", "H", "B", "A", "D"]


@right("convolution_lines")
def lines_as_one_text() -> Any:
    return "C, E, G, H, B, A, D"


@wrong("convolution_lines", "no-such-line")
def lines_with_another_letter() -> Any:
    return ["c", "e", "g", "h", "b", "a", "z"]


@wrong("convolution_lines", "line-twice")
def lines_with_one_twice() -> Any:
    return "ceghbadd"


# The receptive field ------------------------------------------------------------------------------

Stack = list[tuple[int, int]]


@right("receptive_field")
def field_by_walking(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in windows_and_strides:
        seen = seen + (window - 1) * distance
        distance = distance * stride
    return seen


@right("receptive_field")
def field_from_the_unit_back(windows_and_strides: Stack) -> int:
    units = 1
    for window, stride in reversed(windows_and_strides):
        units = (units - 1) * stride + window
    return units


@right("receptive_field")
def field_by_the_formula(windows_and_strides: Stack) -> int:
    total = 1
    for number, (window, _) in enumerate(windows_and_strides):
        total += (window - 1) * math.prod(s for _, s in windows_and_strides[:number])
    return total


@right("receptive_field")
def field_by_recursion(stack: Stack) -> int:
    if not stack:
        return 1
    (window, stride), *behind = stack
    return (field_by_recursion(behind) - 1) * stride + window


@right("receptive_field")
def field_by_accumulating(stack: Stack) -> int:
    steps = itertools.accumulate((s for _, s in stack), lambda a, b: a * b, initial=1)
    return functools.reduce(
        lambda seen, pair: seen + (pair[0][0] - 1) * pair[1],
        zip(stack, steps, strict=False),
        1,
    )


@wrong("receptive_field", "strides-forgotten")
def field_without_strides(windows_and_strides: Stack) -> int:
    return 1 + sum(window - 1 for window, _ in windows_and_strides)


@wrong("receptive_field", "windows-added")
def field_as_a_sum(windows_and_strides: Stack) -> int:
    seen = 0
    for window, _ in windows_and_strides:
        seen += window
    return seen


@wrong("receptive_field", "windows-multiplied")
def field_as_a_product(windows_and_strides: Stack) -> int:
    seen = 1
    for window, _ in windows_and_strides:
        seen *= window
    return seen


@wrong("receptive_field", "own-stride-first")
def field_with_its_own_stride(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in windows_and_strides:
        distance = distance * stride
        seen = seen + (window - 1) * distance
    return seen


@wrong("receptive_field", "previous-stride-only")
def field_with_the_last_stride(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in windows_and_strides:
        seen = seen + (window - 1) * distance
        distance = stride
    return seen


@wrong("receptive_field", "strides-added")
def field_with_added_strides(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in windows_and_strides:
        seen += (window - 1) * distance
        distance += stride
    return seen


@wrong("receptive_field", "first-pixel-forgotten")
def field_from_zero(windows_and_strides: Stack) -> int:
    seen, distance = 0, 1
    for window, stride in windows_and_strides:
        seen += (window - 1) * distance
        distance *= stride
    return seen


@wrong("receptive_field", "whole-windows")
def field_with_whole_windows(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in windows_and_strides:
        seen += window * distance
        distance *= stride
    return seen


@wrong("receptive_field", "from-the-deep-end")
def field_from_the_wrong_end(windows_and_strides: Stack) -> int:
    seen, distance = 1, 1
    for window, stride in reversed(windows_and_strides):
        seen += (window - 1) * distance
        distance *= stride
    return seen
