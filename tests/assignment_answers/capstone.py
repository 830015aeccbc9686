"""Answers to the capstone's function tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.bank.marks import right, wrong

# --- keep the photo's colours ---------------------------------------------------------------


@right("my_keep_colours")
def colours_by_pictures(painting: Tensor, photo: Tensor) -> Tensor:
    results = []
    for p, q in zip(painting, photo, strict=True):
        new = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]
        old = 0.299 * q[0] + 0.587 * q[1] + 0.114 * q[2]
        scaled = (new - new.mean()) / new.std(correction=0) * old.std(correction=0) + old.mean()
        results.append((q + (scaled - old)[None]).clamp(0, 1))
    return torch.stack(results)


@right("my_keep_colours")
def colours_by_numpy(painting: Tensor, photo: Tensor) -> Tensor:
    p, q = painting.numpy(), photo.numpy()
    weights = np.array([0.299, 0.587, 0.114])[None, :, None, None]
    new, old = (weights * p).sum(1, keepdims=True), (weights * q).sum(1, keepdims=True)
    axes = (1, 2, 3)
    factor = old.std(axes, keepdims=True) / new.std(axes, keepdims=True)
    new = old.mean(axes, keepdims=True) + (new - new.mean(axes, keepdims=True)) * factor
    return torch.from_numpy(np.clip(q + new - old, 0, 1)).to(photo.dtype)


@right("my_keep_colours")
def colours_by_matrix(painting: Tensor, photo: Tensor) -> Tensor:
    weights = photo.new_tensor([0.299, 0.587, 0.114])
    new, old = weights @ painting.flatten(2), weights @ photo.flatten(2)  # (N, H*W)

    def deviation(y: Tensor) -> Tensor:
        return (y - y.mean(1, keepdim=True)).square().mean(1, keepdim=True).sqrt()

    moved = (new - new.mean(1, keepdim=True)) * deviation(old) / deviation(new)
    change = moved + old.mean(1, keepdim=True) - old
    return (photo + change.view(len(photo), 1, *photo.shape[2:])).clip(min=0, max=1)


@wrong("my_keep_colours", "not-matched")
def colours_as_they_are(painting: Tensor, photo: Tensor) -> Tensor:
    weights = photo.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    change = (weights * (painting - photo)).sum(dim=1, keepdim=True)
    return (photo + change).clamp(0, 1)


@wrong("my_keep_colours", "moments-of-the-batch")
def colours_of_the_batch(painting: Tensor, photo: Tensor) -> Tensor:
    weights = photo.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    new, old = ((weights * x).sum(1, keepdim=True) for x in (painting, photo))
    new = (new - new.mean()) / new.std(correction=0) * old.std(correction=0) + old.mean()
    return (photo + new - old).clamp(0, 1)


# --- when was it finished? ------------------------------------------------------------------


@right("my_finished")
def finished_by_numpy(
    contents: list[float],
    styles: list[float],
    alpha: float,
    beta: float,
    window: int,
    tolerance: float,
) -> dict[str, Any]:
    totals = alpha * np.array(contents) + beta * np.array(styles)
    flat = totals[window:] > (1 - tolerance) * totals[:-window]
    best = int(totals.argmin())
    return {
        "best": best,
        "share": float(totals[best] / totals[0]),
        "content_rose": bool(contents[best] > contents[0]),
        "converged": int(flat.argmax()) + window + 1 if flat.any() else -1,
    }


@right("my_finished")
def finished_by_torch(
    contents: list[float],
    styles: list[float],
    alpha: float,
    beta: float,
    window: int,
    tolerance: float,
) -> dict[str, Any]:
    pairs = torch.tensor([contents, styles], dtype=torch.float64)
    totals = torch.tensor([alpha, beta], dtype=torch.float64) @ pairs
    best = int(totals.argmin())
    flat = (totals[window:] > (1 - tolerance) * totals[:-window]).nonzero()
    return {
        "best": best,
        "share": (totals[best] / totals[0]).item(),
        "content_rose": contents[best] > contents[0],
        "converged": int(flat[0]) + window + 1 if len(flat) else -1,
    }


@right("my_finished")
def finished_as_in_lesson_8(
    contents: list[float],
    styles: list[float],
    alpha: float,
    beta: float,
    window: int,
    tolerance: float,
) -> dict[str, Any]:
    totals: list[float] = []
    best, converged = 0, -1
    for content, style in zip(contents, styles, strict=True):
        totals.append(alpha * content + beta * style)
        if totals[-1] < totals[best]:
            best = len(totals) - 1
        if converged == -1 and len(totals) > window:
            has_converged = totals[-1] > (1 - tolerance) * totals[-1 - window]
            converged = len(totals) if has_converged else -1
    rose = contents[best] > contents[0]
    share = totals[best] / totals[0]
    return {"converged": converged, "content_rose": rose, "share": share, "best": best}


@wrong("my_finished", "number-in-place-of-count")
def finished_one_too_early(
    contents: list[float],
    styles: list[float],
    alpha: float,
    beta: float,
    window: int,
    tolerance: float,
) -> dict[str, Any]:
    found = finished_by_numpy(contents, styles, alpha, beta, window, tolerance)
    return {**found, "converged": max(found["converged"] - 1, -1)}
