"""Answers to the assignment "Gram matrices and style loss"."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

# --- a Gram matrix under a mask -------------------------------------------------------------


@right("my_masked_gram")
def masked_by_loops(features: Tensor, mask: Tensor) -> Tensor:
    n, c = features.shape[:2]
    grams = []
    for k in range(n):
        entries = [
            (mask[k, 0] * features[k, i] * features[k, j]).sum() / mask[k].sum()
            for i in range(c)
            for j in range(c)
        ]
        grams.append(torch.stack(entries).view(c, c))
    return torch.stack(grams)


@right("my_masked_gram")
def masked_by_einsum(features: Tensor, mask: Tensor) -> Tensor:
    products = torch.einsum("nchw,nhw,ndhw->ncd", features, mask.squeeze(1), features)
    return products / mask.sum(dim=(1, 2, 3)).view(-1, 1, 1)


@right("my_masked_gram")
def masked_by_broadcasting(features: Tensor, mask: Tensor) -> Tensor:
    products = features[:, :, None] * features[:, None]  # (N, C, C, H, W)
    weights = mask[:, :, None] / mask.sum(dim=(2, 3))[:, :, None, None, None]
    return (products * weights).sum(dim=(-2, -1))


@wrong("my_masked_gram", "mask-squared")
def masked_twice(features: Tensor, mask: Tensor) -> Tensor:
    rows = (features * mask).reshape(*features.shape[:2], -1)
    return torch.bmm(rows, rows.transpose(1, 2)) / mask.sum(dim=(2, 3))[:, :, None]


@wrong("my_masked_gram", "mask-squared-divided-by-all")
def masked_and_usual(features: Tensor, mask: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = (features * mask).view(n, c, h * w)
    return torch.bmm(rows, rows.transpose(1, 2)) / (h * w)


# --- a centred Gram matrix ------------------------------------------------------------------


@right("my_centred_gram")
def centred_by_pictures(features: Tensor, mask: Tensor) -> Tensor:
    grams = []
    for maps, weights in zip(features, mask, strict=True):
        weights = weights / weights.sum()
        mean = (maps * weights).sum(dim=(1, 2))
        rest = maps - mean[:, None, None]
        grams.append(torch.einsum("chw,dhw->cd", rest * weights, rest))
    return torch.stack(grams)


@right("my_centred_gram")
def centred_by_moments(features: Tensor, mask: Tensor) -> Tensor:
    weights = mask / mask.sum(dim=(2, 3), keepdim=True)
    mean = (weights * features).flatten(2).sum(dim=2)
    return masked_by_einsum(features, mask) - mean[:, :, None] * mean[:, None, :]


@right("my_centred_gram")
def centred_on_one_side(features: Tensor, mask: Tensor) -> Tensor:
    rows, weights = features.flatten(2), mask.flatten(2)
    weights = weights / weights.sum(dim=2, keepdim=True)
    rest = rows - rows @ weights.mT
    return (rest * weights) @ rows.mT


@wrong("my_centred_gram", "mean-of-all-positions")
def centred_by_all(features: Tensor, mask: Tensor) -> Tensor:
    return masked_by_loops(features - features.mean(dim=(2, 3), keepdim=True), mask)


# --- a Gram matrix of neighbours ------------------------------------------------------------


@right("my_shifted_gram")
def shifted_by_loops(features: Tensor, down: int, right: int) -> Tensor:
    n, c, h, w = features.shape
    total = features.new_zeros(n, c, c)
    for y in range(h - down):
        for x in range(w - right):
            here, there = features[:, :, y, x], features[:, :, y + down, x + right]
            total = total + here[:, :, None] * there[:, None, :]
    return total / ((h - down) * (w - right))


@right("my_shifted_gram")
def shifted_by_einsum(features: Tensor, down: int, right: int) -> Tensor:
    h, w = features.shape[-2:]
    here = features[..., : h - down, : w - right]
    there = features[..., down:, right:]
    return torch.einsum("ncyx,ndyx->ncd", here, there) / here[0, 0].numel()


@right("my_shifted_gram")
def shifted_by_correlation(features: Tensor, down: int, right: int) -> Tensor:
    grams = []
    for maps in features:
        here = maps[:, : maps.shape[1] - down, : maps.shape[2] - right]
        moved = F.conv2d(maps[:, None], here[:, None])  # (C, C, down + 1, right + 1)
        grams.append(moved[:, :, down, right].T / here[0].numel())
    return torch.stack(grams)


@wrong("my_shifted_gram", "around-the-border")
def shifted_by_rolling(features: Tensor, down: int, right: int) -> Tensor:
    there = torch.roll(features, shifts=(-down, -right), dims=(2, 3)).flatten(2)
    return features.flatten(2) @ there.mT / there.shape[2]


@wrong("my_shifted_gram", "other-channel-shifted")
def shifted_the_first(features: Tensor, down: int, right: int) -> Tensor:
    h, w = features.shape[-2:]
    there = features[..., : h - down, : w - right]
    return torch.einsum("ncyx,ndyx->ncd", features[..., down:, right:], there) / (
        (h - down) * (w - right)
    )


# --- the gradient, by hand ------------------------------------------------------------------


@right("my_style_gradient")
def gradient_by_einsum(features: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    n, c = features.shape[:2]
    weights = mask[:, 0] / mask.sum(dim=(2, 3))[:, :, None]
    gram = torch.einsum("nchw,ndhw,nhw->ncd", features, features, weights)
    return 4 / (n * c * c) * torch.einsum("ncd,ndhw,nhw->nchw", gram - target, features, weights)


@right("my_style_gradient")
def gradient_by_autograd(features: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    with torch.enable_grad():
        maps = features.clone().requires_grad_()
        loss = (masked_by_einsum(maps, mask) - target).square().mean()
        return torch.autograd.grad(loss, maps)[0]


@right("my_style_gradient")
def gradient_by_both_places(features: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    n, c = features.shape[:2]
    slope = 2 * (masked_by_loops(features, mask) - target) / (n * c * c)
    total = torch.zeros_like(features)
    for k in range(c):
        for d in range(c):
            total[:, k] += slope[:, k, d].view(n, 1, 1) * features[:, d]  # in row k
            total[:, k] += slope[:, d, k].view(n, 1, 1) * features[:, d]  # in column k
    return total * mask / mask.sum(dim=(2, 3), keepdim=True)


@wrong("my_style_gradient", "one-of-two-places")
def gradient_of_the_rows(features: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    return gradient_by_einsum(features, mask, target) / 2


@wrong("my_style_gradient", "mask-forgotten-on-the-way-back")
def gradient_without_mask(features: Tensor, mask: Tensor, target: Tensor) -> Tensor:
    n, c = features.shape[:2]
    slope = 4 * (masked_by_einsum(features, mask) - target) / (n * c * c)
    products = torch.einsum("ncd,ndhw->nchw", slope, features)
    return products / mask.sum(dim=(2, 3), keepdim=True)
