"""Answers to the exercises of lesson 0, in the styles that learners use."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

# --- the one tensor that changes ----------------------------------------------------------------


@right("changing_tensor")
def letter() -> str:
    return "d"


@right("changing_tensor")
def letter_with_a_space() -> str:
    return " d "


@right("changing_tensor")
def letter_from_a_list() -> str:
    return list("abcde")[3]


@right("changing_tensor")
def letter_in_capitals() -> str:
    return "D"


@wrong("changing_tensor", "network-trained")
def weights() -> str:
    return "a"


@wrong("changing_tensor", "network-trained")
def weights_in_capitals() -> str:
    return "A"


@wrong("changing_tensor", "content-changed")
def content() -> str:
    return "b"


@wrong("changing_tensor", "style-changed")
def style() -> str:
    return "c"


@wrong("changing_tensor", "target-changed")
def target() -> str:
    return "e"


# --- a filter laid over a photo -----------------------------------------------------------------


@right("overlay")
def weighted_sum(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return photo * (1 - share) + texture * share


@right("overlay")
def by_lerp(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return torch.lerp(photo, texture, share)


@right("overlay")
def moved_towards(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return photo + share * (texture - photo)


@right("overlay")
def by_channels(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    channels = [(1.0 - share) * photo[:, k] + share * texture[:, k] for k in range(photo.shape[1])]
    return torch.stack(channels, dim=1)


@wrong("overlay", "shares-swapped")
def swapped(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return share * photo + (1 - share) * texture


@wrong("overlay", "shares-swapped")
def lerp_swapped(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return torch.lerp(texture, photo, share)


@wrong("overlay", "always-half")
def half_and_half(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return 0.5 * photo + 0.5 * texture


@wrong("overlay", "shares-exceed-one")
def added(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return photo + texture * share


@wrong("overlay", "multiplied")
def multiplied(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return photo * texture


@wrong("overlay", "brighter-one")
def brighter(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    return torch.max(photo, texture)


# --- how much has a picture changed -------------------------------------------------------------


@right("picture_change")
def mean_of_absolutes(before: Tensor, after: Tensor) -> Tensor:
    return torch.mean(torch.abs(before - after))


@right("picture_change")
def by_l1_loss(before: Tensor, after: Tensor) -> Tensor:
    return F.l1_loss(after, before)


@right("picture_change")
def by_a_loop(before: Tensor, after: Tensor) -> Tensor:
    total = before.new_zeros(())
    for first, second in zip(before.flatten(), after.flatten(), strict=True):
        total = total + abs(second - first)
    return total / before.numel()


@right("picture_change")
def sum_over_count(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).abs().sum() / after.numel()


@wrong("picture_change", "signs-cancel")
def with_signs(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).mean()


@wrong("picture_change", "signs-cancel-late")
def difference_of_means(before: Tensor, after: Tensor) -> Tensor:
    return abs(after.mean() - before.mean())


@wrong("picture_change", "largest-only")
def largest(before: Tensor, after: Tensor) -> Tensor:
    return (before - after).abs().max()


@wrong("picture_change", "summed")
def summed(before: Tensor, after: Tensor) -> Tensor:
    return (before - after).abs().sum()


@wrong("picture_change", "squared")
def squared(before: Tensor, after: Tensor) -> Tensor:
    return F.mse_loss(before, after)


@wrong("picture_change", "counted")
def counted(before: Tensor, after: Tensor) -> Tensor:
    changed = before != after
    return changed.sum().to(before.dtype) / changed.numel()


@right("picture_change")
def through_numpy(before: Tensor, after: Tensor) -> Any:
    return np.abs(before.numpy() - after.numpy()).mean()


@right("picture_change")
def as_a_plain_number(before: Tensor, after: Tensor) -> float:
    return (after - before).abs().mean().item()


@right("picture_change")
def as_a_tensor_by_numpy(before: Tensor, after: Tensor) -> Tensor:
    return torch.tensor(abs(before.detach().numpy() - after.detach().numpy()).mean())


@wrong("picture_change", "signs-cancel")
def plain_number_with_signs(before: Tensor, after: Tensor) -> float:
    return float((after - before).mean())


@wrong("picture_change", "summed")
def summed_by_numpy(before: Tensor, after: Tensor) -> Any:
    return np.abs(before.numpy() - after.numpy()).sum()


# --- four claims --------------------------------------------------------------------------------

CLAIMS = (
    "it trains the network",
    "it lays the style picture over the photo",
    "its content loss rises from 0",
    "it cares where things are in the style picture",
)


def claims(*answers: bool) -> dict[str, bool]:
    """Name the four answers."""
    return dict(zip(CLAIMS, answers, strict=True))


@right("claims")
def in_order() -> dict[str, bool]:
    return claims(False, False, True, False)


@right("claims")
def from_the_last_to_the_first() -> dict[str, bool]:
    return dict(reversed(claims(False, False, True, False).items()))


@right("claims")
def by_comparison() -> dict[str, bool]:
    return {claim: "rises" in claim for claim in CLAIMS}


@wrong("claims", "network-trained")
def trained() -> dict[str, bool]:
    return claims(True, False, True, False)


@wrong("claims", "filter")
def a_filter() -> dict[str, bool]:
    return claims(False, True, True, False)


@wrong("claims", "filter")
def a_filter_with_places() -> dict[str, bool]:
    return claims(False, True, True, True)


@wrong("claims", "content-loss-must-fall")
def losses_fall() -> dict[str, bool]:
    return claims(False, False, False, False)


@wrong("claims", "positions-matter")
def places_matter() -> dict[str, bool]:
    return claims(False, False, True, True)
