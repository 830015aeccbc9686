"""Answers to the assignment "Convolution"."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

# --- a blur that is fair at the border ------------------------------------------------------


@right("my_fair_blur")
def blur_by_loops(images: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    n, c, h, w = images.shape
    kh, kw = kernel.shape
    rows = []
    for i in range(h):
        row = []
        for j in range(w):
            total, weight = images.new_zeros(n, c), images.new_zeros(())
            for u in range(-(kh // 2), kh // 2 + 1):
                for v in range(-(kw // 2), kw // 2 + 1):
                    y, x = i + u * dilation, j + v * dilation
                    if 0 <= y < h and 0 <= x < w:
                        number = kernel[u + kh // 2, v + kw // 2]
                        total = total + number * images[:, :, y, x]
                        weight = weight + number
            row.append(total / weight)
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


@right("my_fair_blur")
def blur_by_two_convolutions(images: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    n, c, h, w = images.shape
    padding = [side // 2 * dilation for side in kernel.shape]
    weights = kernel[None, None]
    gray = images.reshape(n * c, 1, h, w)
    top = F.conv2d(gray, weights, padding=padding, dilation=dilation)
    bottom = F.conv2d(torch.ones_like(gray), weights, padding=padding, dilation=dilation)
    return (top / bottom).reshape(n, c, h, w)


@right("my_fair_blur")
def blur_by_channels(images: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    c = images.shape[1]
    padding = (kernel.shape[0] // 2 * dilation, kernel.shape[1] // 2 * dilation)
    weights = kernel.repeat(c, 1, 1)[:, None]
    means = []
    for picture in (images, torch.ones_like(images)):
        means.append(F.conv2d(picture, weights, padding=padding, dilation=dilation, groups=c))
    return means[0] / means[1]


@wrong("my_fair_blur", "dark-border")
def blur_with_unit_sum(images: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    n, c, h, w = images.shape
    padding = [side // 2 * dilation for side in kernel.shape]
    weights = (kernel / kernel.sum())[None, None]
    gray = images.reshape(n * c, 1, h, w)
    return F.conv2d(gray, weights, padding=padding, dilation=dilation).reshape(n, c, h, w)


@wrong("my_fair_blur", "dilation-ignored")
def blur_without_dilation(images: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return blur_by_two_convolutions(images, kernel, 1)


# --- one blur, two cheap passes -------------------------------------------------------------


@right("my_split_kernel")
def split_by_svd(kernel: Tensor) -> tuple[Tensor, Tensor]:
    u, s, v = torch.linalg.svd(kernel)
    scale = u[:, 0].sum()
    return u[:, 0] / scale, s[0] * v[0] * scale


@right("my_split_kernel")
def split_at_the_largest(kernel: Tensor) -> list[Tensor]:
    i, j = divmod(int(kernel.abs().argmax()), kernel.shape[1])
    column = kernel[:, j] / kernel[:, j].sum()
    return [column, kernel[i] / column[i]]


@right("my_split_kernel")
def split_by_normalising(kernel: Tensor) -> tuple[Tensor, Tensor]:
    column = kernel.sum(dim=1)
    column = column / column.sum()
    row = torch.stack([numbers.sum() for numbers in kernel.T])
    return column, row


@wrong("my_split_kernel", "row-made-one")
def split_the_other_way(kernel: Tensor) -> tuple[Tensor, Tensor]:
    row = kernel.sum(dim=0) / kernel.sum()
    return kernel @ row / (row @ row), row


# --- local contrast -------------------------------------------------------------------------


@right("my_contrast")
def contrast_by_loops(images: Tensor, window: int) -> Tensor:
    h, w = images.shape[2:]
    rows = []
    for i in range(0, h, window):
        parts = [images[:, :, i : i + window, j : j + window] for j in range(0, w, window)]
        rows.append(torch.stack([p.amax((2, 3)) - p.amin((2, 3)) for p in parts], dim=2))
    return torch.stack(rows, dim=2)


@right("my_contrast")
def contrast_with_repeated_border(images: Tensor, window: int) -> Tensor:
    h, w = images.shape[2:]
    padded = F.pad(images, (0, -w % window, 0, -h % window), mode="replicate")
    pieces = padded.unfold(2, window, window).unfold(3, window, window).flatten(4)
    return pieces.max(dim=4).values - pieces.min(dim=4).values


@right("my_contrast")
def contrast_with_infinite_border(images: Tensor, window: int) -> Tensor:
    h, w = images.shape[2:]
    border = (0, -w % window, 0, -h % window)
    high = F.max_pool2d(F.pad(images, border, value=-float("inf")), window)
    low = -F.max_pool2d(F.pad(-images, border, value=-float("inf")), window)
    return high - low


@wrong("my_contrast", "incomplete-dropped")
def contrast_of_whole_windows(images: Tensor, window: int) -> Tensor:
    return F.max_pool2d(images, window) + F.max_pool2d(-images, window)


@wrong("my_contrast", "plus-smallest")
def contrast_with_a_sign_lost(images: Tensor, window: int) -> Tensor:
    high = F.max_pool2d(images, window, ceil_mode=True)
    return high - F.max_pool2d(-images, window, ceil_mode=True)


# --- a filter as a matrix -------------------------------------------------------------------


@right("my_circular_matrix")
def matrix_by_loops(kernel: Tensor, size: int, stride: int) -> Tensor:
    places = list(range(0, size, stride))
    matrix = torch.zeros(len(places), size, dtype=kernel.dtype)
    for i, place in enumerate(places):
        for u in range(kernel.shape[0]):
            matrix[i, (place + u) % size] += kernel[u]
    return matrix


@right("my_circular_matrix")
def matrix_of_impulses(kernel: Tensor, size: int, stride: int) -> Tensor:
    columns = []
    for unit in torch.eye(size, dtype=kernel.dtype):
        around = unit.repeat(1 + len(kernel) // size + 1)[: size + len(kernel) - 1]
        columns.append(around.unfold(0, len(kernel), stride) @ kernel)
    count = -(-size // stride)
    return torch.stack(columns, dim=1)[:count]


@right("my_circular_matrix")
def matrix_by_scattering(kernel: Tensor, size: int, stride: int) -> Tensor:
    places = torch.arange(0, size, stride)[:, None]
    columns = (places + torch.arange(len(kernel))) % size
    numbers = kernel.expand(len(places), -1)
    return torch.zeros(len(places), size, dtype=kernel.dtype).scatter_add(1, columns, numbers)


@wrong("my_circular_matrix", "overwritten")
def matrix_that_forgets(kernel: Tensor, size: int, stride: int) -> Tensor:
    matrix = torch.zeros(-(-size // stride), size, dtype=kernel.dtype)
    for i in range(len(matrix)):
        for u in range(len(kernel)):
            matrix[i, (i * stride + u) % size] = kernel[u]
    return matrix


@wrong("my_circular_matrix", "last-place-lost")
def matrix_without_its_last_row(kernel: Tensor, size: int, stride: int) -> Tensor:
    rows = int(np.floor(size / stride))
    return matrix_by_loops(kernel, size, stride)[:rows]
