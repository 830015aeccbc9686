"""Right and wrong answers to the exercises of lesson 6."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from tests.bank.marks import right, wrong

# The content loss ---------------------------------------------------------------------------------


@right("content_loss")
def by_torch(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    function = functional.mse_loss if error == "squared" else functional.l1_loss
    return function(features, target, reduction=reduction)


@right("content_loss")
def by_power(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    power = {"squared": 2, "absolute": 1}[error]
    total = ((features - target).abs() ** power).sum()
    return total / features.numel() if reduction == "mean" else total


@right("content_loss")
def by_a_loop(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    total = torch.zeros((), dtype=features.dtype)
    n = 0
    for f, p in zip(features.flatten(), target.flatten(), strict=True):
        total = total + ((f - p) ** 2 if error == "squared" else abs(f - p))
        n += 1
    return total / n if reduction == "mean" else total


@right("content_loss")
def with_a_detached_target(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = (target.detach() - features).flatten()
    value = difference @ difference if error == "squared" else difference.norm(1)
    return value / len(difference) if reduction == "mean" else value


@wrong("content_loss", "errors-swapped")
def branches_swapped(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    errors = difference.abs() if error == "squared" else difference.square()
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "always-summed")
def summed(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    errors = difference.square() if error == "squared" else difference.abs()
    return errors.sum()


@wrong("content_loss", "always-squared")
def squared(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    errors = (features - target) ** 2
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "always-absolute")
def absolute(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    errors = (features - target).abs()
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "square-of-the-mean")
def reduced_first(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    value = difference.sum() if reduction == "sum" else difference.mean()
    return value**2 if error == "squared" else value.abs()


@wrong("content_loss", "signed-differences")
def no_bars(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    errors = difference.square() if error == "squared" else difference
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "rooted")
def root_of_mean(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    if error == "absolute":
        return difference.abs().sum() if reduction == "sum" else difference.abs().mean()
    squares = difference.square()
    return (squares.sum() if reduction == "sum" else squares.mean()) ** 0.5


@wrong("content_loss", "difference-of-squares")
def squares_subtracted(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    errors = features**2 - target**2 if error == "squared" else (features - target).abs()
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "divided-by-batch")
def n_is_the_batch(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    errors = difference.square() if error == "squared" else difference.abs()
    return errors.sum() if reduction == "sum" else errors.sum() / features.shape[0]


@wrong("content_loss", "papers-half")
def with_a_half(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    difference = features - target
    errors = 0.5 * difference**2 if error == "squared" else difference.abs()
    return errors.sum() if reduction == "sum" else errors.mean()


@wrong("content_loss", "detached")
def as_a_number(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    return by_torch(features.detach(), target, error, reduction)


# One number for each picture ----------------------------------------------------------------------


@right("relative_content_losses")
def by_flattening(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).flatten(1).pow(2).sum(1)
    return errors / target.flatten(1).pow(2).sum(1)


@right("relative_content_losses")
def by_loop(features: Tensor, target: Tensor) -> Tensor:
    losses = []
    for f, p in zip(features, target, strict=True):
        losses.append(functional.mse_loss(f, p) / (p * p).mean())
    return torch.stack(losses)


@right("relative_content_losses")
def by_einsum(features: Tensor, target: Tensor) -> Tensor:
    difference = features - target
    errors = torch.einsum("nchw,nchw->n", difference, difference)
    return errors / torch.einsum("nchw,nchw->n", target, target)


@right("relative_content_losses")
def by_norms(features: Tensor, target: Tensor) -> Tensor:
    norm = torch.linalg.vector_norm
    quotient: Tensor = norm(features - target, dim=(1, 2, 3)) / norm(target, dim=(1, 2, 3))
    return quotient.square()


@wrong("relative_content_losses", "one-number-for-the-batch")
def batch_mixed(features: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(features, target) / target.square().mean()


@wrong("relative_content_losses", "mixed-divisor")
def divisor_of_the_batch(features: Tensor, target: Tensor) -> Tensor:
    return (features - target).square().mean(dim=(1, 2, 3)) / target.square().mean()


@wrong("relative_content_losses", "not-divided")
def divisor_forgotten(features: Tensor, target: Tensor) -> Tensor:
    return ((features - target) ** 2).mean((1, 2, 3))


@wrong("relative_content_losses", "divided-by-features")
def by_own_square(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).square().mean(dim=(1, 2, 3))
    return errors / features.square().mean(dim=(1, 2, 3))


@wrong("relative_content_losses", "square-of-the-mean")
def mean_then_square(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).square().mean(dim=(1, 2, 3))
    return errors / target.mean(dim=(1, 2, 3)) ** 2


@wrong("relative_content_losses", "divided-by-the-root")
def by_root(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).square().mean(dim=(1, 2, 3))
    return errors / torch.sqrt((target**2).mean(dim=(1, 2, 3)))


@wrong("relative_content_losses", "mean-of-quotients")
def entry_by_entry(features: Tensor, target: Tensor) -> Tensor:
    return (((features - target) / target) ** 2).mean(dim=(1, 2, 3))


@wrong("relative_content_losses", "positions-kept")
def over_channels(features: Tensor, target: Tensor) -> Tensor:
    return (features - target).square().mean(dim=1) / target.square().mean(dim=1)


@wrong("relative_content_losses", "channels-kept")
def over_positions(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).square().flatten(2).mean(2)
    return errors / target.square().flatten(2).mean(2)


# The order of copies ------------------------------------------------------------------------------


@right("order_of_copies")
def as_a_list() -> object:
    return ["relu1_2", "conv2_2", "relu3_3", "relu5_1"]


@right("order_of_copies")
def as_a_tuple() -> object:
    return ("relu1_2", "conv2_2", "relu3_3", "relu5_1")


@right("order_of_copies")
def sorted_by_digits() -> object:
    return sorted(["conv2_2", "relu5_1", "relu1_2", "relu3_3"], key=lambda name: name[4:])


@right("order_of_copies")
def in_capitals() -> object:
    return ["ReLU1_2", "Conv2_2", "ReLU3_3", "ReLU5_1 "]


@wrong("order_of_copies", "deeper-copies-better")
def deepest_first() -> object:
    return ["relu5_1", "relu3_3", "conv2_2", "relu1_2"]


@wrong("order_of_copies", "second-digit-first")
def by_second_digit() -> object:
    return ["relu5_1", "relu1_2", "conv2_2", "relu3_3"]


@wrong("order_of_copies", "conv-before-relu")
def alphabetical() -> object:
    return sorted(["conv2_2", "relu5_1", "relu1_2", "relu3_3"])


@wrong("order_of_copies", "one-pair-turned")
def two_turned() -> object:
    return ["relu1_2", "relu3_3", "conv2_2", "relu5_1"]


@wrong("order_of_copies", "unknown-name")
def misspelt() -> object:
    return ["relu1_2", "relu2_2", "relu3_3", "relu5_1"]


@wrong("order_of_copies", "unknown-name")
def misspelt_in_a_tuple() -> object:
    return ("relu1_2", "conv2_2", "relu3_3", "relu51")


@wrong("order_of_copies", "not-each-once")
def one_missing() -> object:
    return ["relu1_2", "conv2_2", "relu3_3"]


# The lines in order -------------------------------------------------------------------------------


@right("rebuild_lines")
def target_first() -> object:
    return ["E", "C", "A", "G", "F", "B", "D"]


@right("rebuild_lines")
def target_last() -> object:
    return list("CAEFGBD")


@right("rebuild_lines")
def reset_at_the_end() -> object:
    return tuple("CEAFBDG")


@right("rebuild_lines")
def in_small_letters() -> object:
    return ["e", "c", "a", "g", "f", "b", "d"]


@right("rebuild_lines")
def reset_after_the_loss() -> object:
    return "ecafgbd"


@wrong("rebuild_lines", "optimizer-before-pixels")
def optimizer_first() -> object:
    return list("EACGFBD")


@wrong("rebuild_lines", "set-up-in-the-loop")
def optimizer_in_the_loop() -> object:
    return list("ECGAFBD")


@wrong("rebuild_lines", "gradient-forgotten-too-late")
def reset_before_the_step() -> object:
    return list("ECAFBGD")


@wrong("rebuild_lines", "step-before-backward")
def step_first() -> object:
    return list("ECAGFDB")


@wrong("rebuild_lines", "used-before-measured")
def backward_first() -> object:
    return list("ECAGBFD")


@wrong("rebuild_lines", "gradient-forgotten-too-late")
def reset_before_the_step_in_small_letters() -> object:
    return "ecafbgd"


@wrong("rebuild_lines", "not-each-once")
def line_missing() -> object:
    return list("ECAFBD")


# A doctor for runs --------------------------------------------------------------------------------

Losses = list[float]


@right("run_is_healthy")
def by_totals(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    return totals[-1] < totals[0]


@right("run_is_healthy")
def by_gain(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    gain = alpha * (contents[0] - contents[-1]) + beta * (styles[0] - styles[-1])
    return gain > 0


@right("run_is_healthy")
def by_tensors(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = alpha * torch.tensor(contents) + beta * torch.tensor(styles)
    return bool(totals[-1] < totals[0])


@wrong("run_is_healthy", "content-must-fall")
def content_only(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    return contents[0] > contents[-1]


@wrong("run_is_healthy", "style-must-fall")
def style_only(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    return beta * styles[-1] < beta * styles[0]


@wrong("run_is_healthy", "both-must-fall")
def both(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    return contents[-1] < contents[0] and styles[-1] < styles[0]


@wrong("run_is_healthy", "one-of-both-falls")
def either(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    return contents[-1] < contents[0] or styles[-1] < styles[0]


@wrong("run_is_healthy", "without-weights")
def plain_sum(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    return contents[-1] + styles[-1] < contents[0] + styles[0]


@wrong("run_is_healthy", "at-every-step")
def always_falling(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    return len(totals) > 1 and totals == sorted(totals, reverse=True) and totals[-1] < totals[0]


@wrong("run_is_healthy", "at-every-step")
def falling_by_all(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    return all(totals[k + 1] < totals[k] for k in range(len(totals) - 1))


@wrong("run_is_healthy", "at-every-step")
def never_rising(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    return totals == sorted(totals, reverse=True)


@wrong("run_is_healthy", "at-every-step")
def tensors_falling(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = alpha * torch.tensor(contents) + beta * torch.tensor(styles)
    return bool((totals.diff() < 0).all())


@wrong("run_is_healthy", "both-fall-at-every-step")
def both_always_falling(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    steps = range(1, len(contents))
    return all(contents[k] < contents[k - 1] and styles[k] < styles[k - 1] for k in steps)


@wrong("run_is_healthy", "best-of-all-steps")
def best_step(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    return min(totals) < totals[0]


@wrong("run_is_healthy", "no-change-is-healthy")
def not_larger(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    first, last = (alpha * contents[k] + beta * styles[k] for k in (0, -1))
    return last <= first


@wrong("run_is_healthy", "the-wrong-way-round")
def larger(contents: Losses, styles: Losses, alpha: float, beta: float) -> bool:
    first, last = (alpha * contents[k] + beta * styles[k] for k in (0, -1))
    return first < last
