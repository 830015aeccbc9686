"""Answers to the assignment "The full optimisation"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nst_edu import losses
from tests.bank.marks import right, wrong

# --- total variation inside a frame ---------------------------------------------------------


@right("my_inner_variation")
def variation_by_selecting(image: Tensor, inside: Tensor) -> Tensor:
    mask = inside.expand_as(image)
    down = (image[:, :, 1:] - image[:, :, :-1])[mask[:, :, 1:] & mask[:, :, :-1]]
    across = (image[..., 1:] - image[..., :-1])[mask[..., 1:] & mask[..., :-1]]
    total = image.sum() * 0
    for differences in (down, across):
        if len(differences) > 0:
            total = total + differences.square().mean()
    return total


@right("my_inner_variation")
def variation_by_weights(image: Tensor, inside: Tensor) -> Tensor:
    m = inside.to(image.dtype)
    down = m[:, :, 1:] * m[:, :, :-1]
    across = m[..., 1:] * m[..., :-1]
    first = (down * (image[:, :, 1:] - image[:, :, :-1]) ** 2).sum() / (3 * down.sum()).clamp(min=1)
    second = (across * (image[..., 1:] - image[..., :-1]) ** 2).sum()
    return first + second / (3 * across.sum()).clamp(min=1)


@right("my_inner_variation")
def variation_by_loops(image: Tensor, inside: Tensor) -> Tensor:
    n, _, h, w = image.shape
    result = image.new_zeros(())
    for down, across in ((1, 0), (0, 1)):
        total, pairs = image.new_zeros(()), 0
        for k in range(n):
            for y in range(h - down):
                for x in range(w - across):
                    if inside[k, 0, y, x] and inside[k, 0, y + down, x + across]:
                        difference = image[k, :, y + down, x + across] - image[k, :, y, x]
                        total = total + (difference**2).sum()
                        pairs += 1
        if pairs:
            result = result + total / (3 * pairs)
    return result


@wrong("my_inner_variation", "frame-blackened")
def variation_of_the_product(image: Tensor, inside: Tensor) -> Tensor:
    covered = torch.where(inside, image, torch.zeros_like(image))
    return losses.total_variation_loss(covered)


@wrong("my_inner_variation", "channels-forgotten")
def variation_of_pixels(image: Tensor, inside: Tensor) -> Tensor:
    return 3 * variation_by_weights(image, inside)


# --- two wishes that disagree ---------------------------------------------------------------


@right("my_agreed")
def agreed_by_pictures(content: Tensor, style: Tensor, ratio: float) -> Tensor:
    results = []
    for g, h in zip(content, style, strict=True):
        h = ratio * h * (g.norm() / h.norm())
        product = (g * h).sum()
        if product < 0:
            h = h - product / (g * g).sum() * g
        results.append(g + h)
    return torch.stack(results)


@right("my_agreed")
def agreed_by_einsum(content: Tensor, style: Tensor, ratio: float) -> Tensor:
    def dot(a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("nchw,nchw->n", a, b)[:, None, None, None]

    scaled = style * ratio * (dot(content, content) / dot(style, style)).sqrt()
    product = dot(content, scaled)
    removed = scaled - product / dot(content, content) * content
    return content + torch.where(product < 0, removed, scaled)


@right("my_agreed")
def agreed_by_cosines(content: Tensor, style: Tensor, ratio: float) -> Tensor:
    g, h = content.reshape(len(content), -1), style.reshape(len(style), -1)
    length = g.norm(dim=1)[:, None]
    g_unit, h_unit = g / length, h / h.norm(dim=1)[:, None]
    cosine = (g_unit * h_unit).sum(dim=1)[:, None]
    direction = h_unit - torch.minimum(cosine, torch.zeros_like(cosine)) * g_unit
    result: Tensor = g + ratio * length * direction
    return result.reshape(content.shape)


@wrong("my_agreed", "batch-as-one")
def agreed_in_one(content: Tensor, style: Tensor, ratio: float) -> Tensor:
    h: Tensor = ratio * style * content.norm() / style.norm()
    product = (content * h).sum()
    if product < 0:
        h = h - product / content.square().sum() * content
    return content + h


@wrong("my_agreed", "never-removed")
def agreed_always(content: Tensor, style: Tensor, ratio: float) -> Tensor:
    lengths = [x.flatten(1).norm(dim=1).view(-1, 1, 1, 1) for x in (content, style)]
    result: Tensor = content + ratio * style * lengths[0] / lengths[1]
    return result


# --- a loop that keeps its best picture -----------------------------------------------------


@right("my_best")
def best_by_autograd(
    start: Tensor, target: Tensor, weights: Tensor, rate: float, steps: int, patience: int
) -> dict[str, Any]:
    pixels = start.clone()
    best: dict[str, Any] = {"loss": math.inf}
    bad = 0
    number = 0
    while True:
        pixels.requires_grad_()
        loss = (weights * (pixels - target) ** 2).sum()
        if loss.item() < best["loss"]:
            picture = pixels.detach().clone()
            best = {"picture": picture, "loss": loss.item(), "number": number}
            bad = 0
        else:
            bad += 1
        number += 1
        if number == steps or bad == patience:
            return {**best, "evaluations": number}
        (gradient,) = torch.autograd.grad(loss, pixels)
        pixels = (pixels.detach() - rate * gradient).clamp(0, 1)


@right("my_best")
def best_with_a_history(
    start: Tensor, target: Tensor, weights: Tensor, rate: float, steps: int, patience: int
) -> dict[str, Any]:
    pictures, losses = [start.clone()], []
    for _ in range(steps):
        x = pictures[-1]
        losses.append(float((weights * (x - target).square()).sum()))
        winner = losses.index(min(losses))
        if len(losses) - 1 - winner == patience:
            break
        pictures.append(torch.clamp(x - rate * 2 * weights * (x - target), 0, 1))
    result = {"picture": pictures[winner], "loss": losses[winner], "number": winner}
    return {**result, "evaluations": len(losses)}


@right("my_best")
def best_by_torch(
    start: Tensor, target: Tensor, weights: Tensor, rate: float, steps: int, patience: int
) -> dict[str, Any]:
    x = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.SGD([x], lr=rate)
    lowest, since, count = None, 0, 0
    while count < steps and since < patience:
        if count:
            optimizer.step()
            x.data.clamp_(0, 1)
        optimizer.zero_grad()
        loss = (weights * (x - target).pow(2)).sum()
        loss.backward()
        since += 1
        if lowest is None or loss.item() < lowest[1]:
            lowest, since = (x.detach().clone(), loss.item(), count), 0
        count += 1
    assert lowest is not None
    return {
        "picture": lowest[0],
        "loss": lowest[1],
        "number": lowest[2],
        "evaluations": count,
    }


@wrong("my_best", "not-a-copy")
def best_by_reference(
    start: Tensor, target: Tensor, weights: Tensor, rate: float, steps: int, patience: int
) -> dict[str, Any]:
    right_one = best_with_a_history(start, target, weights, rate, steps, patience)
    x = start.clone()
    for _ in range(right_one["evaluations"] - 1):
        x = (x - 2 * rate * weights * (x - target)).clamp(0, 1)
    return {**right_one, "picture": x}


@wrong("my_best", "one-evaluation-too-many")
def best_with_more_patience(
    start: Tensor, target: Tensor, weights: Tensor, rate: float, steps: int, patience: int
) -> dict[str, Any]:
    return best_with_a_history(start, target, weights, rate, steps, patience + 1)


# --- one step of L-BFGS ---------------------------------------------------------------------


@right("my_lbfgs")
def lbfgs_by_the_book(gradient: Tensor, moves: Tensor, changes: Tensor) -> Tensor:
    good = (moves * changes).sum(dim=1) > 0
    s, y = moves[good], changes[good]
    q, a = gradient.clone(), torch.zeros(len(s), dtype=gradient.dtype)
    rho = 1 / (s * y).sum(dim=1)
    for k in range(len(s) - 1, -1, -1):
        a[k] = rho[k] * s[k].dot(q)
        q -= a[k] * y[k]
    r = q if len(s) == 0 else s[-1].dot(y[-1]) / y[-1].dot(y[-1]) * q
    for k in range(len(s)):
        r = r + (a[k] - rho[k] * y[k].dot(r)) * s[k]
    return -r


@right("my_lbfgs")
def lbfgs_by_matrices(gradient: Tensor, moves: Tensor, changes: Tensor) -> Tensor:
    """Build the whole matrix: the update of BFGS, pair by pair."""
    n = len(gradient)
    eye = torch.eye(n, dtype=gradient.dtype)
    pairs = [(s, y) for s, y in zip(moves, changes, strict=True) if torch.dot(s, y) > 0]
    inverse = eye
    if pairs:
        s, y = pairs[-1]
        inverse = torch.dot(s, y) / torch.dot(y, y) * eye
    for s, y in pairs:
        rho = 1 / torch.dot(s, y)
        left = eye - rho * torch.outer(s, y)
        inverse = left @ inverse @ left.T + rho * torch.outer(s, s)
    return -(inverse @ gradient)


@right("my_lbfgs")
def lbfgs_by_recursion(gradient: Tensor, moves: Tensor, changes: Tensor) -> Tensor:
    good = [k for k in range(len(moves)) if float(moves[k] @ changes[k]) > 0]
    if not good:
        return -gradient
    newest = good[-1]
    scale = (moves[newest] @ changes[newest]) / (changes[newest] @ changes[newest])

    def times_inverse(v: Tensor, count: int) -> Tensor:
        if count == 0:
            return scale * v
        s, y = moves[good[count - 1]], changes[good[count - 1]]
        a = (s @ v) / (s @ y)
        r = times_inverse(v - a * y, count - 1)
        return r + (a - (y @ r) / (s @ y)) * s

    return -times_inverse(gradient, len(good))


@wrong("my_lbfgs", "bad-pairs-kept")
def lbfgs_of_all_pairs(gradient: Tensor, moves: Tensor, changes: Tensor) -> Tensor:
    q, a = gradient.clone(), []
    for s, y in zip(moves.flip(0), changes.flip(0), strict=True):
        a.append((s @ q) / (s @ y))
        q = q - a[-1] * y
    if len(moves):
        q = q * (moves[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y in zip(moves, changes, strict=True):
        q = q + (a.pop() - (y @ q) / (s @ y)) * s
    return -q
