"""Answers to the exercises of lesson 8, in the styles that learners use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bank.marks import right, wrong

Network: TypeAlias = Callable[[Tensor], Tensor]

# --- the loop, line by line ---------------------------------------------------------------------


@right("loop_order")
def forget_first() -> list[str]:
    return ["h", "b", "e", "d", "f", "a", "i", "g", "c"]


@right("loop_order")
def forget_before_backward() -> list[str]:
    return ["b", "h", "e", "f", "d", "a", "i", "g", "c"]


@right("loop_order")
def forget_last() -> tuple[str, ...]:
    return ("h", "b", "e", "f", "a", "i", "g", "c", "d")


@right("loop_order")
def as_one_text() -> str:
    return "hbedfaigc"


@right("loop_order")
def as_a_text_with_commas() -> str:
    return "H, B, E, D, F, A, I, G, C"


@wrong("loop_order", "target-not-constant")
def target_of_itself() -> list[str]:
    return ["b", "e", "d", "x", "f", "a", "i", "g", "c"]


@wrong("loop_order", "weights-optimised")
def moves_the_weights() -> list[str]:
    return ["h", "b", "e", "d", "f", "a", "i", "y", "c"]


@wrong("loop_order", "gradient-kept")
def never_forgets() -> list[str]:
    return ["h", "b", "e", "f", "a", "i", "g", "c"]


@wrong("loop_order", "gradient-kept")
def forgets_once() -> list[str]:
    return ["h", "b", "d", "e", "f", "a", "i", "g", "c"]


@wrong("loop_order", "gradient-erased")
def forgets_too_early() -> list[str]:
    return ["h", "b", "e", "f", "a", "d", "i", "g", "c"]


@wrong("loop_order", "moved-before-backward")
def moves_first() -> list[str]:
    return ["h", "b", "e", "d", "i", "g", "c", "f", "a"]


@wrong("loop_order", "backward-before-loss")
def backward_first() -> list[str]:
    return ["h", "b", "e", "d", "a", "f", "i", "g", "c"]


@wrong("loop_order", "clamp-before-move")
def clamps_first() -> list[str]:
    return ["h", "b", "e", "d", "f", "a", "i", "c", "g"]


@wrong("loop_order", "not-clamped")
def never_clamps() -> list[str]:
    return ["h", "b", "e", "d", "f", "a", "i", "g"]


@wrong("loop_order", "move-recorded")
def records_the_move() -> list[str]:
    return ["h", "b", "e", "d", "f", "a", "g", "c"]


@wrong("loop_order", "block-broken")
def forgets_within_the_block() -> str:
    return "hbefaigdc"


@wrong("loop_order", "block-broken")
def opens_the_block_late() -> str:
    return "hbedfagic"


@wrong("loop_order", "block-broken")
def forgets_below_the_with() -> list[str]:
    return ["h", "b", "e", "f", "i", "d", "a", "g", "c"]


@wrong("loop_order", "before-the-loop")
def measures_before_the_loop() -> str:
    return "hbfedaigc"


@wrong("loop_order", "no-such-line")
def another_letter() -> str:
    return "hbedfaigz"


@wrong("loop_order", "line-twice")
def forgets_twice() -> str:
    return "hbedfaigcd"


@wrong("loop_order", "line-missing")
def without_backward() -> str:
    return "hbedfigc"


@wrong("loop_order", "set-up-in-the-loop")
def pixels_in_the_loop() -> list[str]:
    return ["h", "e", "b", "d", "f", "a", "i", "g", "c"]


# --- a target that is a constant ----------------------------------------------------------------


@right("content_part")
def target_by_detach(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    target = network(photo).detach()
    return (network(image) - target).square().mean()


@right("content_part")
def target_without_gradients(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    with torch.no_grad():
        target = network(photo)
    return F.mse_loss(network(image), target)


@right("content_part")
def photo_detached(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    difference = network(image) - network(photo.detach())
    return (difference * difference).sum() / difference.numel()


@right("content_part")
def photo_by_photo(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    parts = [
        F.mse_loss(network(image[k : k + 1]), network(photo[k : k + 1]).detach())
        for k in range(len(image))
    ]
    return torch.stack(parts).mean()


@wrong("content_part", "target-not-detached")
def target_with_gradient(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    return F.mse_loss(network(image), network(photo))


@wrong("content_part", "target-not-detached")
def target_cloned(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    target = network(photo.clone())
    return ((network(image) - target) ** 2).mean()


@wrong("content_part", "wrong-side-detached")
def picture_detached(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    return F.mse_loss(network(image).detach(), network(photo))


@wrong("content_part", "compared-with-itself")
def of_itself(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    return F.mse_loss(network(image), network(image).detach())


@wrong("content_part", "pixels-compared")
def of_pixels(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    return F.mse_loss(image, photo)


@wrong("content_part", "squares-summed")
def sum_of_squares(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    return (network(image) - network(photo).detach()).square().sum()


@wrong("content_part", "detached")
def everything_detached(network: Network, image: Tensor, photo: Tensor) -> Tensor:
    with torch.no_grad():
        return F.mse_loss(network(image), network(photo))


# --- a faded loop -------------------------------------------------------------------------------


@right("paint_with_adam")
def with_zero_grad(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
    return pixels.detach()


@right("paint_with_adam")
def with_grad_none(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = torch.nn.Parameter(start.detach().clone())
    optimizer = torch.optim.Adam(params=[pixels], lr=rate)
    for _ in range(steps):
        pixels.grad = None
        loss = loss_of(pixels)
        loss.backward()
        optimizer.step()
        pixels.data = pixels.data.clamp(0, 1)
    return pixels.data


@right("paint_with_adam")
def with_a_closure(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)

    def closure() -> float:
        optimizer.zero_grad()
        loss = loss_of(pixels)
        loss.backward()
        return float(loss)

    while steps:
        optimizer.step(closure)
        pixels.data.clamp_(min=0, max=1)
        steps -= 1
    return pixels.detach()


@right("paint_with_adam")
def by_hand(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels, m, v = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for t in range(1, steps + 1):
        pixels.requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(pixels), pixels)
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        move = (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        pixels = (pixels.detach() - rate * move).clamp(0, 1)
    return pixels


@wrong("paint_with_adam", "weights-optimised")
def trains_the_judge(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam(loss_of.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "nothing-moved")
def moves_a_copy(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels.detach().clone().requires_grad_()], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "gradient-erased")
def forgets_before_the_step(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        loss_of(pixels).backward()
        optimizer.zero_grad()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "gradient-erased")
def zeroes_before_the_step(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        loss_of(pixels).backward()
        pixels.grad.zero_()  # type: ignore[union-attr]
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "leaf-lost")
def clamps_to_a_new_tensor(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels = pixels.clamp(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "leaf-lost")
def clamps_to_a_plain_tensor(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        with torch.no_grad():
            pixels = pixels.clamp(0, 1)
    return pixels


@wrong("paint_with_adam", "move-recorded")
def clamps_under_the_eyes_of_autograd(
    loss_of: Any, start: Tensor, steps: int, rate: float
) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "loss-computed-once")
def looks_once(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    loss = loss_of(pixels)
    for _ in range(steps):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "one-step-only")
def returns_early(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
        return pixels.detach()
    return pixels


@wrong("paint_with_adam", "one-step-only")
def clamps_to_a_new_leaf(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels = pixels.detach().clamp(0, 1).requires_grad_()
    return pixels.detach()


@wrong("paint_with_adam", "not-marked")
def marks_nothing(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.clamp_(0, 1)
    return pixels


@wrong("paint_with_adam", "gradient-not-forgotten")
def adds_gradients_up(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        loss_of(pixels).backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "gradient-not-forgotten")
def forgets_only_once(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    optimizer.zero_grad()
    for _ in range(steps):
        loss_of(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "not-clamped")
def leaves_the_range(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.clamp(0, 1)  # gives a new tensor, which nobody keeps
    return pixels.detach()


@wrong("paint_with_adam", "clamped-at-the-end")
def clamps_at_the_end(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
    return pixels.detach().clamp(0, 1)


@wrong("paint_with_adam", "clamped-in-the-loss")
def clamps_in_the_loss(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(torch.clamp(pixels, 0, 1)).backward()
        optimizer.step()
    return pixels.detach().clamp(0, 1)


@wrong("paint_with_adam", "clamped-before-the-step")
def clamps_before_the_step(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        with torch.no_grad():
            pixels.clamp_(0, 1)
        optimizer.step()
    return pixels.detach()


@wrong("paint_with_adam", "another-optimiser")
def plain_descent(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.clone().requires_grad_()
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(loss_of(pixels), pixels)
        with torch.no_grad():
            pixels -= rate * gradient
            pixels.clamp_(0, 1)
    return pixels.detach()


@wrong("paint_with_adam", "changed-input")
def paints_over_the_start(loss_of: Any, start: Tensor, steps: int, rate: float) -> Tensor:
    pixels = start.requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(pixels).backward()
        optimizer.step()
        pixels.data.clamp_(0, 1)
    return pixels.detach()


# --- total variation ----------------------------------------------------------------------------


@right("total_variation")
def by_slices(image: Tensor) -> Tensor:
    down = image[:, :, 1:, :] - image[:, :, :-1, :]
    across = image[:, :, :, 1:] - image[:, :, :, :-1]
    return (down**2).mean() + (across**2).mean()


@right("total_variation")
def by_diff(image: Tensor) -> Tensor:
    return image.diff(dim=-2).square().mean() + image.diff(dim=-1).square().mean()


@right("total_variation")
def by_mse(image: Tensor) -> Tensor:
    across = F.mse_loss(image[..., 1:], image[..., :-1])
    return F.mse_loss(image[..., 1:, :], image[..., :-1, :]) + across


@right("total_variation")
def by_rows(image: Tensor) -> Tensor:
    _, _, height, width = image.shape
    rows = [(image[:, :, y + 1] - image[:, :, y]).pow(2).mean() for y in range(height - 1)]
    columns = [(image[..., x + 1] - image[..., x]).pow(2).mean() for x in range(width - 1)]
    return torch.stack(rows).mean() + torch.stack(columns).mean()


@wrong("total_variation", "only-down")
def rows_only(image: Tensor) -> Tensor:
    return (image[..., 1:, :] - image[..., :-1, :]).square().mean()


@wrong("total_variation", "only-right")
def columns_only(image: Tensor) -> Tensor:
    return (image[..., 1:] - image[..., :-1]).square().mean()


@wrong("total_variation", "summed")
def sums(image: Tensor) -> Tensor:
    return image.diff(dim=2).pow(2).sum() + image.diff(dim=3).pow(2).sum()


@wrong("total_variation", "halved")
def mean_of_directions(image: Tensor) -> Tensor:
    return 0.5 * (image.diff(dim=2).pow(2).mean() + image.diff(dim=3).pow(2).mean())


@wrong("total_variation", "one-mean")
def all_pairs(image: Tensor) -> Tensor:
    down, across = image.diff(dim=2), image.diff(dim=3)
    total = down.pow(2).sum() + across.pow(2).sum()
    return total / (down.numel() + across.numel())


@wrong("total_variation", "absolute")
def absolute(image: Tensor) -> Tensor:
    return image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()


@wrong("total_variation", "root")
def isotropic(image: Tensor) -> Tensor:
    down, across = image.diff(dim=2)[..., :-1], image.diff(dim=3)[..., :-1, :]
    return torch.sqrt(down**2 + across**2).mean()


@wrong("total_variation", "wrapped-around")
def rolled(image: Tensor) -> Tensor:
    down = image - torch.roll(image, 1, dims=2)
    across = image - torch.roll(image, 1, dims=3)
    return down.square().mean() + across.square().mean()


@wrong("total_variation", "down-twice")
def rows_twice(image: Tensor) -> Tensor:
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[:, :, 1:] - image[:, :, :-1]
    return down.square().mean() + right.square().mean()


@wrong("total_variation", "right-twice")
def columns_twice(image: Tensor) -> Tensor:
    down = image[..., 1:] - image[..., :-1]
    right = image[:, :, :, 1:] - image[:, :, :, :-1]
    return down.square().mean() + right.square().mean()


@wrong("total_variation", "root-of-each-mean")
def roots_of_means(image: Tensor) -> Tensor:
    return image.diff(dim=2).square().mean().sqrt() + image.diff(dim=3).square().mean().sqrt()


@wrong("total_variation", "root-at-the-end")
def root_of_all(image: Tensor) -> Tensor:
    return torch.sqrt(image.diff(dim=2).square().mean() + image.diff(dim=3).square().mean())


@wrong("total_variation", "square-of-the-mean")
def squared_last(image: Tensor) -> Tensor:
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., 1:] - image[..., :-1]
    return down.mean() ** 2 + right.mean() ** 2


@wrong("total_variation", "signed")
def not_squared(image: Tensor) -> Tensor:
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., 1:] - image[..., :-1]
    return down.mean() + right.mean()


@wrong("total_variation", "wrong-axes")
def first_two_axes(image: Tensor) -> Tensor:
    down = image[1:, :] - image[:-1, :]
    right = image[:, 1:] - image[:, :-1]
    return down.square().mean() + right.square().mean()


@wrong("total_variation", "wrong-axes")
def first_two_axes_summed(image: Tensor) -> Tensor:
    down, right = image[1:] - image[:-1], image[:, 1:] - image[:, :-1]
    return (down**2).sum() / down.numel() + (right**2).sum() / right.numel()


@wrong("total_variation", "channels-for-rows")
def one_axis_too_early(image: Tensor) -> Tensor:
    down = image[:, 1:, :] - image[:, :-1, :]
    right = image[:, :, 1:] - image[:, :, :-1]
    return down.square().mean() + right.square().mean()


# --- where to clamp -----------------------------------------------------------------------------

PLACES = (
    "inside the closure",
    "after the step",
    "after the step, corrected",
    "once, at the end",
)


def verdicts(*words: str) -> dict[str, str]:
    """Give each place its verdict."""
    return dict(zip(PLACES, words, strict=True))


@right("clamp_verdicts")
def in_order() -> dict[str, str]:
    return verdicts("memory wrong", "memory wrong", "right", "values lost")


@right("clamp_verdicts")
def from_the_last_to_the_first() -> dict[str, str]:
    return dict(reversed(in_order().items()))


@right("clamp_verdicts")
def with_spaces() -> dict[str, str]:
    return verdicts("memory wrong ", " memory wrong", "right", "values lost")


@right("clamp_verdicts")
def in_capitals() -> dict[str, str]:
    return verdicts("Memory wrong", "MEMORY WRONG", "Right", "Values  lost")


@wrong("clamp_verdicts", "closure-called-right")
def closure_right() -> dict[str, str]:
    return verdicts("right", "memory wrong", "right", "values lost")


@wrong("clamp_verdicts", "after-called-right")
def after_right() -> dict[str, str]:
    return verdicts("memory wrong", "right", "right", "values lost")


@wrong("clamp_verdicts", "end-called-right")
def end_right() -> dict[str, str]:
    return verdicts("memory wrong", "memory wrong", "right", "right")


@wrong("clamp_verdicts", "closure-for-another-reason")
def closure_loses_values() -> dict[str, str]:
    return verdicts("values lost", "memory wrong", "right", "values lost")


@wrong("clamp_verdicts", "after-for-another-reason")
def after_loses_values() -> dict[str, str]:
    return verdicts("memory wrong", "Values lost", "right", "values lost")


@wrong("clamp_verdicts", "end-for-another-reason")
def end_spoils_the_memory() -> dict[str, str]:
    return verdicts("memory wrong", "memory wrong", "right", "memory wrong")


@wrong("clamp_verdicts", "correction-distrusted")
def nothing_right() -> dict[str, str]:
    return verdicts("memory wrong", "memory wrong", "memory wrong", "values lost")


@wrong("clamp_verdicts", "unknown-verdict")
def own_words() -> dict[str, str]:
    return verdicts("bad", "bad", "good", "bad")
