"""Answers to the exercises of lesson 1."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong


def slide(images: Tensor, kernel: Tensor) -> Tensor:
    """The function that lesson 1 builds; learners may use it."""
    n, h, w = images.shape
    kh, kw = kernel.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * kernel).sum(dim=(1, 2))
    return result


# True convolution of gray pictures.


@right("convolve_gray")
def turned_kernel(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.flip(0, 1))


@right("convolve_gray")
def two_quarter_turns(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, torch.rot90(kernel, 2))


@right("convolve_gray")
def loops_over_the_kernel(images: Tensor, kernel: Tensor) -> Tensor:
    (kh, kw), (_, h, w) = kernel.shape, images.shape
    result = torch.zeros_like(images[:, kh - 1 :, kw - 1 :])
    for u in range(kh):
        for v in range(kw):
            top, left = kh - 1 - u, kw - 1 - v
            part = images[:, top : top + h - kh + 1, left : left + w - kw + 1]
            result = result + kernel[u, v] * part
    return result


@right("convolve_gray")
def by_unfold_and_einsum(images: Tensor, kernel: Tensor) -> Tensor:
    kh, kw = kernel.shape
    patches = images.unfold(1, kh, 1).unfold(2, kw, 1)  # (N, H_out, W_out, kh, kw)
    return torch.einsum("nijuv,uv->nij", patches, kernel.flip((0, 1)))


@right("convolve_gray")
def by_torch(images: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(images.unsqueeze(1), kernel.flip(0).flip(1)[None, None]).squeeze(1)


@right("convolve_gray")
def by_fourier(images: Tensor, kernel: Tensor) -> Tensor:
    size = tuple(images.shape[1:])
    spectrum = torch.fft.rfft2(images) * torch.fft.rfft2(kernel, s=size)
    full: Tensor = torch.fft.irfft2(spectrum, s=size)
    return full[:, kernel.shape[0] - 1 :, kernel.shape[1] - 1 :]


@right("convolve_gray")
def picture_and_result_turned(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images.flip(1, 2), kernel).flip(1, 2)


@wrong("convolve_gray", "not-turned")
def cross_correlation(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel)


@wrong("convolve_gray", "not-turned")
def turned_twice(images: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(images[:, None], kernel.flip(0, 1).rot90(2)[None, None])[:, 0]


@wrong("convolve_gray", "only-columns-reversed")
def left_and_right(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, torch.fliplr(kernel))


@wrong("convolve_gray", "only-columns-reversed")
def one_dimension(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.flip(-1))


@wrong("convolve_gray", "only-rows-reversed")
def upside_down(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, torch.flipud(kernel))


@wrong("convolve_gray", "transposed-kernel")
def transposed(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.T)


@wrong("convolve_gray", "transposed-kernel")
def transposed_with_old_sizes(images: Tensor, kernel: Tensor) -> Tensor:
    kh, kw = kernel.shape
    n, h, w = images.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            result[:, i, j] = (images[:, i : i + kh, j : j + kw] * kernel.T).sum(dim=(1, 2))
    return result


@wrong("convolve_gray", "quarter-turn")
def one_quarter_turn(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.rot90())


@wrong("convolve_gray", "quarter-turn-back")
def three_quarter_turns(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.rot90(3))


@wrong("convolve_gray", "picture-turned")
def pictures_turned(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(torch.flip(images, (1, 2)), kernel)


@wrong("convolve_gray", "result-turned")
def results_turned(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel).rot90(2, (1, 2))


@wrong("convolve_gray", "mean-not-sum")
def mean_of_products(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel.flip(0, 1)) / (kernel.shape[0] * kernel.shape[1])


@wrong("convolve_gray", "batch-summed")
def summed_over_all_dimensions(images: Tensor, kernel: Tensor) -> Tensor:
    kh, kw = kernel.shape
    n, h, w = images.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * kernel.flip(0, 1)).sum()
    return result


@wrong("convolve_gray", "one-place-less")
def too_small(images: Tensor, kernel: Tensor) -> Tensor:
    kh, kw = kernel.shape
    n, h, w = images.shape
    result = images.new_zeros(n, h - kh, w - kw)
    for i in range(h - kh):
        for j in range(w - kw):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * kernel.flip(0, 1)).sum(dim=(1, 2))
    return result


@wrong("convolve_gray", "last-place-empty")
def loops_end_early(images: Tensor, kernel: Tensor) -> Tensor:
    kh, kw = kernel.shape
    n, h, w = images.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh):
        for j in range(w - kw):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * kernel.flip(0, 1)).sum(dim=(1, 2))
    return result


def by_patches(images: Tensor, turned: Tensor, dim: Any) -> Tensor:
    """Fill the result as the task does; over which axes the sum runs is given."""
    (kh, kw), (n, h, w) = turned.shape, images.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            result[:, i, j] = (images[:, i : i + kh, j : j + kw] * turned).sum(dim=dim)
    return result


@wrong("convolve_gray", "one-axis-summed")
def sum_over_rows(images: Tensor, kernel: Tensor) -> Tensor:
    n, h, w = images.shape
    kh, kw = kernel.shape
    turned = kernel.flip(0, 1)
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * turned).sum(dim=1)
    return result


@wrong("convolve_gray", "one-axis-summed")
def sum_over_columns(images: Tensor, kernel: Tensor) -> Tensor:
    n, h, w = images.shape
    kh, kw = kernel.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = torch.sum(patch * kernel.rot90(2), -1)
    return result


@wrong("convolve_gray", "summed-over-pictures")
def sum_over_pictures_and_rows(images: Tensor, kernel: Tensor) -> Tensor:
    n, h, w = images.shape
    kh, kw = kernel.shape
    turned = kernel.flip(0, 1)
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * turned).sum(dim=(0, 1))
    return result


@wrong("convolve_gray", "axis-out-of-range")
def sum_over_axes_2_and_3(images: Tensor, kernel: Tensor) -> Tensor:
    return by_patches(images, kernel.flip(0, 1), dim=(2, 3))


@wrong("convolve_gray", "negative-step")
def slices_backwards(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images, kernel[::-1, ::-1])


@wrong("convolve_gray", "not-turned")
def cross_correlation_in_another_type(images: Tensor, kernel: Tensor) -> Tensor:
    (kh, kw), (n, h, w) = kernel.shape, images.shape
    result = torch.zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            result[:, i, j] = (images[:, i : i + kh, j : j + kw] * kernel).sum(dim=(1, 2))
    return result


@wrong("convolve_gray", "detached")
def without_gradient(images: Tensor, kernel: Tensor) -> Tensor:
    return slide(images.detach(), kernel.detach().flip(0, 1))


# Which kernels give equal results?

NAMES = ("sharpen", "edge", "diagonal", "roof", "corner", "s_shape")
KERNELS = {
    "sharpen": torch.tensor([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]),
    "edge": torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]),
    "diagonal": torch.eye(3),
    "roof": torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "corner": torch.tensor([[2.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "s_shape": torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]),
}


@right("equal_kernels")
def written_out() -> dict[str, bool]:
    return {
        "sharpen": True,
        "edge": False,
        "diagonal": True,
        "roof": False,
        "corner": False,
        "s_shape": True,
    }


@right("equal_kernels")
def by_turning() -> dict[str, bool]:
    return {name: torch.equal(kernel, kernel.rot90(2)) for name, kernel in KERNELS.items()}


@right("equal_kernels")
def by_reversing_the_numbers() -> dict[str, object]:
    answers: dict[str, object] = {}
    for name in reversed(NAMES):
        numbers = KERNELS[name].flatten()
        answers[name] = (numbers == numbers.flip(0)).all()  # a tensor with one truth value
    return answers


@right("equal_kernels")
def by_an_impulse() -> dict[str, bool]:
    impulse = torch.zeros(1, 5, 5)
    impulse[0, 2, 2] = 1
    return {
        name: torch.equal(slide(impulse, k), slide(impulse, k.flip(0, 1)))
        for name, k in KERNELS.items()
    }


@wrong("equal_kernels", "always-equal")
def all_true() -> dict[str, bool]:
    return dict.fromkeys(NAMES, True)


@wrong("equal_kernels", "always-different")
def all_false() -> dict[str, bool]:
    return dict.fromkeys(NAMES, False)


@wrong("equal_kernels", "mirror-for-turn")
def by_left_right_mirror() -> dict[str, bool]:
    return {name: torch.equal(kernel, kernel.flip(1)) for name, kernel in KERNELS.items()}


@wrong("equal_kernels", "upside-down-for-turn")
def by_up_down_mirror() -> dict[str, bool]:
    return {name: torch.equal(kernel, kernel.flip(0)) for name, kernel in KERNELS.items()}


@wrong("equal_kernels", "any-mirror")
def by_any_mirror() -> dict[str, bool]:
    return {
        name: any(
            torch.equal(kernel, mirrored) for mirrored in (*map(kernel.flip, (0, 1)), kernel.T)
        )
        for name, kernel in KERNELS.items()
    }


@wrong("equal_kernels", "transpose-for-turn")
def by_transpose() -> dict[str, bool]:
    return {name: torch.equal(kernel, kernel.T) for name, kernel in KERNELS.items()}


@wrong("equal_kernels", "sign-ignored")
def by_absolute_values() -> dict[str, bool]:
    return {n: torch.equal(k.abs(), k.abs().flip(0, 1)) for n, k in KERNELS.items()}


@wrong("equal_kernels", "only-full-symmetry")
def by_every_mirror() -> dict[str, bool]:
    return {n: torch.equal(k, k.flip(0)) and torch.equal(k, k.flip(1)) for n, k in KERNELS.items()}


@wrong("equal_kernels", "opposite")
def different_instead_of_equal() -> dict[str, bool]:
    return {name: not torch.equal(kernel, kernel.flip(0, 1)) for name, kernel in KERNELS.items()}


@wrong("equal_kernels", "about-sharpen")
def sharpen_missed() -> dict[str, bool]:
    return {**written_out(), "sharpen": False}


@wrong("equal_kernels", "about-edge")
def edge_and_roof() -> dict[str, bool]:
    return {**written_out(), "edge": True, "roof": True}


@wrong("equal_kernels", "about-diagonal")
def diagonal_missed() -> dict[str, bool]:
    return {**written_out(), "diagonal": False}


@wrong("equal_kernels", "about-roof")
def roof_as_well() -> dict[str, bool]:
    return {**written_out(), "roof": True}


@wrong("equal_kernels", "about-corner")
def corner_as_a_tensor() -> dict[str, object]:
    return {**written_out(), "corner": torch.tensor(True)}


@wrong("equal_kernels", "about-s-shape")
def s_shape_missed() -> dict[str, bool]:
    return {**written_out(), "s_shape": False}


# Sharpen.


@right("sharpen_kernel")
def as_in_the_task(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.zeros_like(blur)
    unchanged[blur.shape[0] // 2, blur.shape[1] // 2] = 1.0
    return unchanged + amount * (unchanged - blur)


@right("sharpen_kernel")
def terms_collected(blur: Tensor, amount: float) -> Tensor:
    kernel = -amount * blur
    kernel[len(blur) // 2, len(blur[0]) // 2] += 1 + amount
    return kernel


@right("sharpen_kernel")
def by_the_middle_number(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.zeros(blur.numel(), dtype=blur.dtype)
    unchanged[blur.numel() // 2] = 1
    return (1 + amount) * unchanged.view(blur.shape) - amount * blur


@right("sharpen_kernel")
def by_padding_one_number(blur: Tensor, amount: float) -> Tensor:
    above, before = blur.shape[0] // 2, blur.shape[1] // 2
    unchanged = F.pad(blur.new_ones(1, 1), (before, before, above, above))
    return torch.lerp(unchanged, 2 * unchanged - blur, amount)


def middle_one(blur: Tensor) -> Tensor:
    """The kernel that leaves a picture as it is."""
    kernel = torch.zeros_like(blur)
    kernel[blur.shape[0] // 2, blur.shape[1] // 2] = 1.0
    return kernel


@wrong("sharpen_kernel", "only-details")
def details_alone(blur: Tensor, amount: float) -> Tensor:
    return amount * (middle_one(blur) - blur)


@wrong("sharpen_kernel", "details-reversed")
def blurs_more(blur: Tensor, amount: float) -> Tensor:
    return middle_one(blur) + amount * (blur - middle_one(blur))


@wrong("sharpen_kernel", "details-reversed")
def details_subtracted(blur: Tensor, amount: float) -> Tensor:
    details = middle_one(blur) - blur
    return middle_one(blur) - amount * details


@wrong("sharpen_kernel", "blur-subtracted")
def brackets_forgotten(blur: Tensor, amount: float) -> Tensor:
    return middle_one(blur) - amount * blur


@wrong("sharpen_kernel", "blur-added")
def sum_of_picture_and_blur(blur: Tensor, amount: float) -> Tensor:
    return middle_one(blur) + amount * blur


@wrong("sharpen_kernel", "amount-on-picture")
def wrong_factor(blur: Tensor, amount: float) -> Tensor:
    return amount * middle_one(blur) + middle_one(blur) - blur


@wrong("sharpen_kernel", "amount-ignored")
def one_amount_only(blur: Tensor, amount: float) -> Tensor:
    return 2 * middle_one(blur) - blur


@wrong("sharpen_kernel", "everything-multiplied")
def both_multiplied(blur: Tensor, amount: float) -> Tensor:
    return amount * (middle_one(blur) + (middle_one(blur) - blur))


@wrong("sharpen_kernel", "identity-matrix")
def square_identity_matrix(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.eye(len(blur))
    return unchanged + amount * (unchanged - blur)


@wrong("sharpen_kernel", "identity-matrix")
def identity_matrix(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.eye(*blur.shape, dtype=blur.dtype)
    return unchanged + amount * (unchanged - blur)


@wrong("sharpen_kernel", "ones-for-unchanged")
def ones_everywhere(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.ones_like(blur)
    return unchanged + amount * (unchanged - blur)


@wrong("sharpen_kernel", "one-in-the-corner")
def first_number(blur: Tensor, amount: float) -> Tensor:
    unchanged = torch.zeros_like(blur)
    unchanged[0, 0] = 1
    return unchanged + amount * (unchanged - blur)


@wrong("sharpen_kernel", "changed-input")
def in_place(blur: Tensor, amount: float) -> Tensor:
    kernel = blur.mul_(-amount)
    kernel[blur.shape[0] // 2, blur.shape[1] // 2] += 1 + amount
    return kernel


# A convolution layer.


@right("convolution_layer")
def two_loops(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for kernel, b in zip(kernels, bias, strict=True):
        parts = [slide(images[:, c], kernel[c]) for c in range(len(kernel))]
        maps.append(torch.stack(parts).sum(dim=0) + b)
    return torch.stack(maps, dim=1)


@right("convolution_layer")
def patch_by_patch(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    n, _, h, w = images.shape
    c_out, _, kh, kw = kernels.shape
    result = torch.empty(n, c_out, h - kh + 1, w - kw + 1, dtype=images.dtype)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, None, :, i : i + kh, j : j + kw]  # (N, 1, C_in, kh, kw)
            result[:, :, i, j] = (patch * kernels).sum(dim=(2, 3, 4)) + bias
    return result


@right("convolution_layer")
def by_matrix_product(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    columns = F.unfold(images, tuple(kernels.shape[2:]))  # (N, C_in·kh·kw, positions)
    result = kernels.flatten(1) @ columns + bias[:, None]
    height = images.shape[2] - kernels.shape[2] + 1
    return result.reshape(len(images), len(kernels), height, -1)


@right("convolution_layer")
def by_einsum(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    patches = images.unfold(2, kernels.shape[2], 1).unfold(3, kernels.shape[3], 1)
    sums = torch.einsum("ncijuv,kcuv->nkij", patches, kernels)
    return sums + bias[None, :, None, None]


@right("convolution_layer")
def by_torchs_function(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels, bias)


@wrong("convolution_layer", "bias-forgotten")
def no_bias(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = [
        sum(slide(images[:, c], kernel[c]) for c in range(images.shape[1])) for kernel in kernels
    ]
    return torch.stack(maps, dim=1)  # type: ignore[arg-type]


@wrong("convolution_layer", "bias-forgotten")
def bias_not_passed_on(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels)


@wrong("convolution_layer", "bias-per-channel")
def bias_in_the_inner_loop(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        total: Tensor | float = 0.0
        for c in range(images.shape[1]):
            total = total + slide(images[:, c], kernels[k, c]) + bias[k]
        maps.append(total)
    return torch.stack(maps, dim=1)  # type: ignore[arg-type]


@wrong("convolution_layer", "bias-per-product")
def bias_inside_the_brackets(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    n, _, h, w = images.shape
    c_out, _, kh, kw = kernels.shape
    result = images.new_zeros(n, c_out, h - kh + 1, w - kw + 1)
    for k in range(c_out):
        for i in range(h - kh + 1):
            for j in range(w - kw + 1):
                patch = images[:, :, i : i + kh, j : j + kw]
                result[:, k, i, j] = (patch * kernels[k] + bias[k]).sum(dim=(1, 2, 3))
    return result


@wrong("convolution_layer", "bias-subtracted")
def minus_bias(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels) - bias[:, None, None]


@wrong("convolution_layer", "bias-multiplied")
def times_bias(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels) * bias.view(1, -1, 1, 1)


@wrong("convolution_layer", "channels-averaged")
def mean_over_channels(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        parts = [slide(images[:, c], kernels[k, c]) for c in range(images.shape[1])]
        maps.append(torch.stack(parts).mean(dim=0) + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "mean-with-bias")
def everything_averaged(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels, bias) / images.shape[1]


@wrong("convolution_layer", "first-channel-only")
def red_only(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = [slide(images[:, 0], kernel[0]) + b for kernel, b in zip(kernels, bias, strict=True)]
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "last-channel-only")
def assigned_not_added(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        for c in range(images.shape[1]):
            total = slide(images[:, c], kernels[k, c])
        maps.append(total + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "gray-first")
def to_gray_and_filter(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    gray = images.mean(dim=1)
    maps = []
    for k in range(len(kernels)):
        parts = [slide(gray, kernels[k, c]) for c in range(kernels.shape[1])]
        maps.append(torch.stack(parts).sum(dim=0) + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "all-pairs")
def three_loops(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        total = bias[k]
        for c in range(images.shape[1]):
            for layer in range(kernels.shape[1]):
                total = total + slide(images[:, c], kernels[k, layer])
        maps.append(total)
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "sum-not-reset")
def total_never_reset(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps, total = [], torch.zeros(())
    for k in range(len(kernels)):
        for c in range(images.shape[1]):
            total = total + slide(images[:, c], kernels[k, c])
        total = total + bias[k]
        maps.append(total)
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "sum-not-reset-before-bias")
def sums_never_reset(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps, total = [], torch.zeros(())
    for k in range(len(kernels)):
        for c in range(images.shape[1]):
            total = total + slide(images[:, c], kernels[k, c])
        maps.append(total + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "channels-kept")
def channels_apart(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        parts = [slide(images[:, c], kernels[k, c]) + bias[k] for c in range(images.shape[1])]
        maps.append(torch.stack(parts, dim=1))
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "channels-side-by-side")
def one_map_for_each_pair(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        for c in range(images.shape[1]):
            maps.append(slide(images[:, c], kernels[k, c]) + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "one-sum-for-all")
def one_output_channel(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    total = images.new_zeros(())
    for k in range(len(kernels)):
        total = total + bias[k]
        for c in range(images.shape[1]):
            total = total + slide(images[:, c], kernels[k, c])
    return total[:, None]


@wrong("convolution_layer", "kernel-turned")
def true_convolution(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, kernels.flip(2, 3), bias)


@wrong("convolution_layer", "indices-swapped")
def channel_before_kernel(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        total = bias[k]
        for c in range(images.shape[1]):
            total = total + slide(images[:, c], kernels[c, k])
        maps.append(total)
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "grown-in-place")
def added_to_a_number_of_the_bias(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        total = bias[k]
        for c in range(images.shape[1]):
            total += slide(images[:, c], kernels[k, c])
        maps.append(total)
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "grown-in-place")
def added_to_one_zero(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(len(kernels)):
        total = torch.zeros(1)
        for c in range(images.shape[1]):
            total += slide(images[:, c], kernels[k, c])
        maps.append(total + bias[k])
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "picture-for-channel")
def one_picture_for_each_channel(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    maps = []
    for k in range(kernels.shape[0]):
        total = bias[k]
        for c in range(kernels.shape[1]):
            total = total + slide(images[c], kernels[k, c])
        maps.append(total)
    return torch.stack(maps, dim=1)


@wrong("convolution_layer", "detached")
def through_data(images: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images.data, kernels.data, bias.data)


# Find the bug.


@right("bias_bug_line")
def seven() -> int:
    return 7


@right("bias_bug_line")
def seven_as_a_tensor() -> Tensor:
    return torch.tensor(7)


@right("bias_bug_line")
def counted() -> int:
    lines = ["def", "maps", "for k", "total = 0", "for c", "slide", "bias", "append", "return"]
    return lines.index("bias") + 1


@wrong("bias_bug_line", "sum-suspected")
def the_sum() -> int:
    return 6


@wrong("bias_bug_line", "start-suspected")
def the_start() -> int:
    return 4


@wrong("bias_bug_line", "loops-suspected")
def the_inner_loop() -> int:
    return 5


@wrong("bias_bug_line", "loops-suspected")
def the_outer_loop() -> int:
    return 3


@wrong("bias_bug_line", "result-suspected")
def the_return() -> int:
    return 9


@wrong("bias_bug_line", "no-such-line")
def beyond_the_end() -> int:
    return 10
