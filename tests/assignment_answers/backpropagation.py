"""Answers to the assignment "Backpropagation on pixels"."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

# --- back through a pooling layer -----------------------------------------------------------


@right("my_pool_back")
def pool_back_by_loops(images: Tensor, upstream: Tensor, window: int) -> Tensor:
    gradient = torch.zeros_like(images)
    for n in range(upstream.shape[0]):
        for c in range(upstream.shape[1]):
            for i in range(upstream.shape[2]):
                for j in range(upstream.shape[3]):
                    top, left = i * window, j * window
                    part = images[n, c, top : top + window, left : left + window]
                    winners = part == part.max()
                    share = upstream[n, c, i, j] / winners.sum()
                    gradient[n, c, top : top + window, left : left + window] = winners * share
    return gradient


@right("my_pool_back")
def pool_back_by_enlarging(images: Tensor, upstream: Tensor, window: int) -> Tensor:
    def enlarge(maps: Tensor) -> Tensor:
        return maps.repeat_interleave(window, dim=2).repeat_interleave(window, dim=3)

    winners = (images == enlarge(F.max_pool2d(images, window))).to(images.dtype)
    count = F.avg_pool2d(winners, window) * window**2
    return winners * enlarge(upstream / count)


@right("my_pool_back")
def pool_back_by_amax(images: Tensor, upstream: Tensor, window: int) -> Tensor:
    with torch.enable_grad():
        pixels = images.clone().requires_grad_()
        pieces = pixels.unfold(2, window, window).unfold(3, window, window)
        pieces.amax(dim=(4, 5)).backward(upstream)
    assert pixels.grad is not None
    return pixels.grad


@wrong("my_pool_back", "one-takes-all")
def pool_back_as_torch(images: Tensor, upstream: Tensor, window: int) -> Tensor:
    with torch.enable_grad():
        pixels = images.clone().requires_grad_()
        F.max_pool2d(pixels, window).backward(upstream)
    assert pixels.grad is not None
    return pixels.grad


@wrong("my_pool_back", "each-gets-all")
def pool_back_to_each_winner(images: Tensor, upstream: Tensor, window: int) -> Tensor:
    largest = F.interpolate(F.max_pool2d(images, window), scale_factor=window)
    return (images == largest) * F.interpolate(upstream, scale_factor=window)


# --- back through a blur --------------------------------------------------------------------


@right("my_blur_back")
def blur_back_by_loops(upstream: Tensor, kernel: Tensor) -> Tensor:
    h, w = upstream.shape[2:]
    kh, kw = kernel.shape
    gradient = torch.zeros_like(upstream)
    for i in range(h):
        for j in range(w):
            for u in range(kh):
                for v in range(kw):
                    y = min(max(i + u - kh // 2, 0), h - 1)
                    x = min(max(j + v - kw // 2, 0), w - 1)
                    gradient[:, :, y, x] += kernel[u, v] * upstream[:, :, i, j]
    return gradient


@right("my_blur_back")
def blur_back_by_folding(upstream: Tensor, kernel: Tensor) -> Tensor:
    c = upstream.shape[1]
    p, q = kernel.shape[0] // 2, kernel.shape[1] // 2
    weights = kernel.expand(c, 1, *kernel.shape)
    padded = F.conv_transpose2d(upstream, weights, groups=c)
    rows = [padded[:, :, k] for k in range(padded.shape[2])]
    inner = rows[p : len(rows) - p]
    inner[0] = sum(rows[:p], inner[0])
    inner[-1] = sum(rows[len(rows) - p :], inner[-1])
    folded = torch.stack(inner, dim=2)
    columns = [folded[..., k] for k in range(folded.shape[3])]
    middle = columns[q : len(columns) - q]
    middle[0] = sum(columns[:q], middle[0])
    middle[-1] = sum(columns[len(columns) - q :], middle[-1])
    return torch.stack(middle, dim=3)


@right("my_blur_back")
def blur_back_as_matrix(upstream: Tensor, kernel: Tensor) -> Tensor:
    n, c, h, w = upstream.shape
    p, q = kernel.shape[0] // 2, kernel.shape[1] // 2
    impulses = torch.eye(h * w, dtype=upstream.dtype).view(h * w, 1, h, w)
    around = F.pad(impulses, (q, q, p, p), mode="replicate")
    matrix = F.conv2d(around, kernel[None, None]).flatten(1)  # row: what one pixel leads to
    return (upstream.reshape(n * c, h * w) @ matrix.T).view(n, c, h, w)


@wrong("my_blur_back", "copies-lost")
def blur_back_cropped(upstream: Tensor, kernel: Tensor) -> Tensor:
    c = upstream.shape[1]
    weights = kernel.expand(c, 1, *kernel.shape)
    p, q = kernel.shape[0] // 2, kernel.shape[1] // 2
    return F.conv_transpose2d(upstream, weights, padding=(p, q), groups=c)


# --- how large may the rate be? -------------------------------------------------------------


@right("my_critical_rate")
def rate_by_power_iteration(kernel: Tensor, height: int, width: int) -> Tensor:
    spectrum = torch.fft.fft2(kernel.double(), s=(height, width))
    picture = torch.rand(height, width, generator=torch.Generator().manual_seed(3)).double()
    for _ in range(1000):
        picture = picture / picture.norm()
        picture = torch.fft.ifft2(torch.fft.fft2(picture) * spectrum.abs() ** 2).real
    rate: Tensor = 2 / picture.norm()
    return rate


@right("my_critical_rate")
def rate_by_stripes(kernel: Tensor, height: int, width: int) -> float:
    numbers = kernel.double().numpy()
    best = 0.0
    for a in range(height):
        for b in range(width):
            u, v = np.indices(numbers.shape)
            waves = np.exp(2j * np.pi * (a * u / height + b * v / width))
            best = max(best, abs((numbers * waves).sum()) ** 2)
    return 2 / best


@right("my_critical_rate")
def rate_by_singular_values(kernel: Tensor, height: int, width: int) -> float:
    matrix = torch.zeros(height * width, height * width, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            for u in range(kernel.shape[0]):
                for v in range(kernel.shape[1]):
                    place = (i + u) % height * width + (j + v) % width
                    matrix[i * width + j, place] += kernel[u, v].item()
    return float(2 / torch.linalg.matrix_norm(matrix, ord=2) ** 2)


@wrong("my_critical_rate", "brightness-only")
def rate_by_brightness(kernel: Tensor, height: int, width: int) -> float:
    return 2 / kernel.sum().item() ** 2


@wrong("my_critical_rate", "gain-not-squared")
def rate_by_gain(kernel: Tensor, height: int, width: int) -> float:
    return float(2 / torch.fft.fft2(kernel, s=(height, width)).abs().max())


# --- descent with momentum, and walls -------------------------------------------------------


def blur(images: Tensor, kernel: Tensor) -> Tensor:
    p, q = kernel.shape[0] // 2, kernel.shape[1] // 2
    around = F.pad(images, (q, q, p, p), mode="circular")
    c = images.shape[1]
    return F.conv2d(around, kernel.expand(c, 1, *kernel.shape), groups=c)


@right("my_descend")
def descend_by_autograd(
    start: Tensor, target: Tensor, kernel: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    x, v = start, torch.zeros_like(start)
    for _ in range(steps):
        with torch.enable_grad():
            pixels = x.detach().clone().requires_grad_()
            loss = ((blur(pixels, kernel) - target) ** 2).sum() / 2
            (g,) = torch.autograd.grad(loss, pixels)
        v = momentum * v + g
        moved = x.detach() - rate * v
        x = moved.clip(0, 1)
        v = torch.where(moved == x, v, torch.zeros_like(v))
    return x.clone()


@right("my_descend")
def descend_by_torch(
    start: Tensor, target: Tensor, kernel: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([pixels], lr=rate, momentum=momentum)
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (blur(pixels, kernel) - target).square().sum()).backward()
        optimizer.step()
        with torch.no_grad():
            outside = (pixels < 0) | (pixels > 1)
            optimizer.state[pixels]["momentum_buffer"][outside] = 0
            pixels.clamp_(0, 1)
    return pixels.detach()


@right("my_descend")
def descend_by_hand(
    start: Tensor, target: Tensor, kernel: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    x, v = start.clone(), torch.zeros_like(start)
    for _ in range(steps):
        error = blur(x, kernel) - target
        v = momentum * v + blur(error, kernel.flip(0, 1))
        x = x - rate * v
        low, high = x < 0, x > 1
        x[low], x[high] = 0.0, 1.0
        v[low | high] = 0.0
    return x


@wrong("my_descend", "velocity-kept-at-wall")
def descend_and_slide(
    start: Tensor, target: Tensor, kernel: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([pixels], lr=rate, momentum=momentum)
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (blur(pixels, kernel) - target).square().sum()).backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
    return pixels.detach()


@wrong("my_descend", "gradients-added-up")
def descend_and_remember(
    start: Tensor, target: Tensor, kernel: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    pixels = start.clone().requires_grad_()
    v = torch.zeros_like(start)
    for _ in range(steps):
        (0.5 * (blur(pixels, kernel) - target).square().sum()).backward()
        assert pixels.grad is not None
        v = momentum * v + pixels.grad
        with torch.no_grad():
            pixels -= rate * v
            v[(pixels < 0) | (pixels > 1)] = 0
            pixels.clamp_(0, 1)
    return pixels.detach()
