"""Answers to the exercises of lesson 7, in the styles that learners use."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nst_edu.losses import gram_matrix, style_loss
from tests.bank.marks import right, wrong

# --- the shape of a Gram matrix -------------------------------------------------------------


@right("gram_shape")
def shape_as_tuple(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return n, c, c


@right("gram_shape")
def shape_as_list(n: int, c: int, h: int, w: int) -> list[int]:
    return [n] + 2 * [c]


@right("gram_shape")
def shape_by_trying(n: int, c: int, h: int, w: int) -> torch.Size:
    rows = torch.zeros(n, c, h * w)
    return (rows @ rows.transpose(1, 2)).shape


@wrong("gram_shape", "batch-mixed")
def shape_batch_mixed(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return n * c, n * c


@wrong("gram_shape", "positions-compared")
def shape_positions(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return n, h * w, w * h


@wrong("gram_shape", "no-batch")
def shape_no_batch(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return c, c


@wrong("gram_shape", "positions-kept")
def shape_of_the_maps(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return n, c, h, w


@wrong("gram_shape", "only-flattened")
def shape_of_the_rows(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
    return n, c, h * w


# --- the Gram matrix ------------------------------------------------------------------------


@right("gram_matrix")
def by_einsum(features: Tensor) -> Tensor:
    return torch.einsum("nchw,ndhw->ncd", features, features) / features[0, 0].numel()


@right("gram_matrix")
def by_bmm(features: Tensor) -> Tensor:
    n, c, h, w = features.size()
    rows = features.view(n, c, h * w)
    return torch.bmm(rows, rows.transpose(1, 2)).div(h * w)


@right("gram_matrix")
def by_loops(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    pictures = []
    for k in range(n):
        lines = []
        for i in range(c):
            line = [(features[k, i] * features[k, j]).sum() / (h * w) for j in range(c)]
            lines.append(torch.stack(line))
        pictures.append(torch.stack(lines))
    return torch.stack(pictures)


@right("gram_matrix")
def by_broadcasting(features: Tensor) -> Tensor:
    return (features[:, :, None] * features[:, None]).mean((-2, -1))


@right("gram_matrix")
def by_rows_of_each_picture(features: Tensor) -> Tensor:
    grams = []
    for picture in features:
        rows = picture.reshape(picture.shape[0], -1) / rows_root(picture)
        grams.append(rows @ rows.T)
    return torch.stack(grams)


def rows_root(picture: Tensor) -> float:
    """Return the root of the number of positions."""
    return float((picture.shape[1] * picture.shape[2]) ** 0.5)


@wrong("gram_matrix", "batch-mixed")
def as_in_a_tutorial(features: Tensor) -> Tensor:
    a, b, c, d = features.size()
    rows = features.view(a * b, c * d)
    return torch.mm(rows, rows.t()).div(a * b * c * d)


@wrong("gram_matrix", "batch-mixed")
def mixed_by_hw(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = features.reshape(n * c, h * w)
    return rows @ rows.T / (h * w)


@wrong("gram_matrix", "positions-compared")
def transposed_first(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows.mT @ rows / rows.shape[2]


@wrong("gram_matrix", "not-flattened")
def product_of_maps(features: Tensor) -> Tensor:
    return features @ features.mT / features[0, 0].numel()


@wrong("gram_matrix", "batch-summed")
def over_all_pictures(features: Tensor) -> Tensor:
    rows = features.transpose(0, 1).flatten(1)
    return rows @ rows.T / rows.shape[1]


@wrong("gram_matrix", "batch-summed")
def first_picture_only(features: Tensor) -> Tensor:
    rows = features[0].flatten(1)
    return rows @ rows.T / rows.shape[1]


@wrong("gram_matrix", "pictures-compared")
def flattened_from_the_channels_on(features: Tensor) -> Tensor:
    rows = features.flatten(1)
    return rows @ rows.T / rows.shape[1]


@wrong("gram_matrix", "batch-left-out")
def as_if_one_picture(features: Tensor) -> Tensor:
    _, c, h, w = features.shape
    rows = features.reshape(c, h * w)
    return rows @ rows.T / (h * w)


@wrong("gram_matrix", "all-axes-turned")
def first_two_axes_swapped(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.transpose(0, 1) / rows.shape[2]


@wrong("gram_matrix", "diagonal-only")
def squares_only(features: Tensor) -> Tensor:
    return features.pow(2).mean(dim=(2, 3))


@wrong("gram_matrix", "not-transposed")
def reshaped(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = features.reshape(n, c, h * w)
    return torch.bmm(rows, rows.reshape(n, h * w, c)) / (h * w)


@wrong("gram_matrix", "not-transposed-at-all")
def rows_times_rows(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows / rows.shape[2]


@wrong("gram_matrix", "not-transposed-at-all")
def rows_times_rows_by_bmm(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = features.view(n, c, h * w)
    return torch.bmm(rows, rows) / (h * w)


@wrong("gram_matrix", "all-axes-turned")
def rows_capital_t(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.T / rows.shape[2]


@wrong("gram_matrix", "all-axes-turned")
def rows_small_t(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.t() / rows.shape[2]


@wrong("gram_matrix", "all-axes-turned")
def bmm_capital_t(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return torch.bmm(rows, rows.T) / rows.shape[2]


@wrong("gram_matrix", "raised")
def another_error(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows.reshape(2, 3) @ rows.mT


@wrong("gram_matrix", "not-divided")
def plain_sum(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.mT


@wrong("gram_matrix", "divided-by-chw")
def divided_by_everything(features: Tensor) -> Tensor:
    _, c, h, w = features.shape
    rows = features.flatten(2)
    return rows @ rows.mT / (c * h * w)


@wrong("gram_matrix", "divided-by-nchw")
def divided_by_numel(features: Tensor) -> Tensor:
    return torch.einsum("nchw,ndhw->ncd", features, features) / features.numel()


@wrong("gram_matrix", "divided-by-c")
def divided_by_channels(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    return rows @ rows.mT / rows.shape[1]


@wrong("gram_matrix", "centred")
def covariance(features: Tensor) -> Tensor:
    rows = features.flatten(2)
    rows = rows - rows.mean(2, keepdim=True)
    return rows @ rows.mT / rows.shape[2]


@wrong("gram_matrix", "scaled-to-one")
def cosine(features: Tensor) -> Tensor:
    rows = F.normalize(features.flatten(2), dim=-1)
    return rows @ rows.mT


@wrong("gram_matrix", "detached")
def through_numpy(features: Tensor) -> Tensor:
    rows = features.detach().numpy().reshape(*features.shape[:2], -1)
    return torch.from_numpy(rows @ np.swapaxes(rows, 1, 2) / rows.shape[2])


# --- four programs, one of them right -------------------------------------------------------


@right("gram_bugs")
def verdicts() -> dict[str, str]:
    return {"A": "no transpose", "B": "mixes pictures", "C": "right", "D": "compares positions"}


@right("gram_bugs")
def verdicts_in_another_order() -> dict[str, str]:
    return {"C": "right", "D": "compares positions", "A": "no transpose", "B": "mixes pictures"}


@right("gram_bugs")
def verdicts_with_spaces() -> dict[str, str]:
    return {"A": "no transpose ", "B": "mixes pictures", "C": " right", "D": "compares positions"}


@right("gram_bugs")
def verdicts_in_capitals() -> dict[str, str]:
    return {"A": "No transpose", "B": "Mixes pictures", "C": "Right", "D": "Compares  positions"}


@wrong("gram_bugs", "judged-by-shape")
def fooled_by_the_shape() -> dict[str, str]:
    return {"A": "right", "B": "mixes pictures", "C": "no transpose", "D": "compares positions"}


@wrong("gram_bugs", "judged-by-shape")
def two_right_ones() -> dict[str, str]:
    return {"A": "right", "B": "mixes pictures", "C": "right", "D": "compares positions"}


@wrong("gram_bugs", "judged-by-one-picture")
def fooled_by_one_picture() -> dict[str, str]:
    return {"A": "no transpose", "B": "right", "C": "mixes pictures", "D": "compares positions"}


@wrong("gram_bugs", "positions-called-right")
def fooled_by_positions() -> dict[str, str]:
    return {"A": "no transpose", "B": "mixes pictures", "C": "compares positions", "D": "right"}


@wrong("gram_bugs", "batch-and-positions-confused")
def confused() -> dict[str, str]:
    return {"A": "no transpose", "B": "compares positions", "C": "right", "D": "mixes pictures"}


@wrong("gram_bugs", "right-one-accused")
def accused() -> dict[str, str]:
    return {
        "A": "mixes pictures",
        "B": "mixes pictures",
        "C": "no transpose",
        "D": "compares positions",
    }


@wrong("gram_bugs", "bug-of-another-program")
def verdict_of_another_program() -> dict[str, str]:
    return {"A": "mixes pictures", "B": "mixes pictures", "C": "right", "D": "compares positions"}


@wrong("gram_bugs", "bug-of-another-program")
def verdict_of_another_program_in_capitals() -> dict[str, str]:
    return {"A": "No transpose", "B": "No transpose", "C": "Right", "D": "Compares positions"}


@wrong("gram_bugs", "unknown-verdict")
def own_words() -> dict[str, str]:
    return {"A": "wrong", "B": "wrong", "C": "right", "D": "wrong"}


# --- what a normaliser keeps constant -------------------------------------------------------

NAMES = tuple(
    f"{divisor}, {change}"
    for change in ("4 times the area", "every channel twice")
    for divisor in ("sum", "H·W", "C·H·W")
)


def factors(*values: float) -> dict[str, float]:
    """Name six factors: three for the area, three for the width."""
    return dict(zip(NAMES, values, strict=True))


@right("normaliser_factors")
def whole_numbers() -> dict[str, float]:
    return factors(4, 1, 1, 1, 1, 0.5)


@right("normaliser_factors")
def fractions() -> dict[str, float]:
    return factors(4.0, 4 / 4, 4 / 4, 1.0, 1.0, 1 / 2)


@right("normaliser_factors")
def measured() -> dict[str, float]:
    maps = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    found = []
    for other in (maps.tile(1, 1, 2, 2), maps.repeat_interleave(2, dim=1)):
        sums = [(m[0, 0] * m[0, 0]).sum() for m in (maps, other)]
        for count in (lambda m: 1, lambda m: m[0, 0].numel(), lambda m: m[0].numel()):
            found.append(float(sums[1] / count(other) / (sums[0] / count(maps))))
    return factors(*found)


@wrong("normaliser_factors", "cosmetic")
def nothing_changes() -> dict[str, float]:
    return factors(1, 1, 1, 1, 1, 1)


@wrong("normaliser_factors", "side-or-square")
def side_for_area() -> dict[str, float]:
    return factors(2, 1, 1, 1, 1, 0.5)


@wrong("normaliser_factors", "side-or-square")
def area_squared() -> dict[str, float]:
    return factors(16, 1, 1, 1, 1, 0.5)


@wrong("normaliser_factors", "area-divided-twice")
def divisor_without_sum() -> dict[str, float]:
    return factors(4, 0.25, 0.25, 1, 1, 0.5)


@wrong("normaliser_factors", "area-divided-twice")
def sum_without_divisor() -> dict[str, float]:
    return factors(4, 4, 4, 1, 1, 0.5)


@wrong("normaliser_factors", "more-entries-larger-entries")
def entries_counted() -> dict[str, float]:
    return factors(4, 1, 1, 4, 4, 2)


@wrong("normaliser_factors", "width-forgotten")
def width_forgotten() -> dict[str, float]:
    return factors(4, 1, 1, 1, 1, 1)


@wrong("normaliser_factors", "width-squared")
def width_squared() -> dict[str, float]:
    return factors(4, 1, 1, 1, 1, 0.25)


# --- how far apart two styles are -----------------------------------------------------------


def gram(features: Tensor) -> Tensor:
    """Return Gram matrices, for the answers below."""
    rows = features.flatten(2)
    return rows @ rows.mT / rows.shape[2]


@right("style_distance")
def distance_by_mse(features: Tensor, style_features: Tensor) -> Tensor:
    return F.mse_loss(gram(features), gram(style_features).detach())


@right("style_distance")
def distance_by_einsum(features: Tensor, style_features: Tensor) -> Tensor:
    def mean_products(maps: Tensor) -> Tensor:
        return torch.einsum("nchw,ndhw->ncd", maps, maps) / maps[0, 0].numel()

    return torch.mean((mean_products(features) - mean_products(style_features)) ** 2)


@right("style_distance")
def distance_by_loops(features: Tensor, style_features: Tensor) -> Tensor:
    n, c = features.shape[:2]
    total = features.new_zeros(())
    for k in range(n):
        for i in range(c):
            for j in range(c):
                g = (features[k, i] * features[k, j]).mean()
                a = (style_features[k, i] * style_features[k, j]).mean()
                total = total + (g - a) ** 2
    return total / (n * c * c)


@right("style_distance")
def distance_by_the_package(features: Tensor, style_features: Tensor) -> Tensor:
    """Use what the task asks to do without: right, but told so."""
    return style_loss(gram_matrix(features), gram_matrix(style_features))


@wrong("style_distance", "maps-compared")
def content_in_disguise(features: Tensor, style_features: Tensor) -> Tensor:
    return (features - style_features).pow(2).mean()


@wrong("style_distance", "maps-compared")
def content_by_mse(features: Tensor, style_features: Tensor) -> Tensor:
    return F.mse_loss(features, style_features)


@wrong("style_distance", "sums-compared")
def sums(features: Tensor, style_features: Tensor) -> Tensor:
    mine, theirs = features.flatten(2), style_features.flatten(2)
    return (mine @ mine.mT - theirs @ theirs.mT).square().mean()


@wrong("style_distance", "divided-by-chw")
def by_chw(features: Tensor, style_features: Tensor) -> Tensor:
    c = features.shape[1]
    return (gram(features) / c - gram(style_features) / c).square().mean()


@wrong("style_distance", "batch-mixed")
def one_large_matrix(features: Tensor, style_features: Tensor) -> Tensor:
    def mixed(maps: Tensor) -> Tensor:
        n, c, h, w = maps.shape
        rows = maps.reshape(n * c, h * w)
        return rows @ rows.T / (h * w)

    return (mixed(features) - mixed(style_features)).square().mean()


@wrong("style_distance", "squares-summed")
def summed(features: Tensor, style_features: Tensor) -> Tensor:
    return F.mse_loss(gram(features), gram(style_features), reduction="sum")


@wrong("style_distance", "batch-summed")
def by_c_squared(features: Tensor, style_features: Tensor) -> Tensor:
    c = features.shape[1]
    return (gram(features) - gram(style_features)).pow(2).sum() / (c * c)


@wrong("style_distance", "norm")
def frobenius(features: Tensor, style_features: Tensor) -> Tensor:
    return torch.dist(gram(features), gram(style_features))


@wrong("style_distance", "root-of-mean")
def root(features: Tensor, style_features: Tensor) -> Tensor:
    return F.mse_loss(gram(features), gram(style_features)).sqrt()


@wrong("style_distance", "absolute")
def absolute(features: Tensor, style_features: Tensor) -> Tensor:
    return F.l1_loss(gram(features), gram(style_features))


@wrong("style_distance", "quarter")
def with_the_papers_factor(features: Tensor, style_features: Tensor) -> Tensor:
    n, c = features.shape[:2]
    return (gram(features) - gram(style_features)).square().sum() / (4 * n * c**2)


@wrong("style_distance", "means-only")
def of_means(features: Tensor, style_features: Tensor) -> Tensor:
    return (features.mean((2, 3)) - style_features.mean((2, 3))).square().mean()


@wrong("style_distance", "style-unused")
def never_looks(features: Tensor, style_features: Tensor) -> Tensor:
    return gram(features).square().mean()


@wrong("style_distance", "one-divisor-for-both")
def divided_by_the_first(features: Tensor, style_features: Tensor) -> Tensor:
    mine, theirs = features.flatten(2), style_features.flatten(2)
    return ((mine @ mine.mT - theirs @ theirs.mT) / mine.shape[2]).square().mean()


@wrong("style_distance", "divisor-of-the-style")
def divided_by_the_second(features: Tensor, style_features: Tensor) -> Tensor:
    mine, theirs = features.flatten(2), style_features.flatten(2)
    positions = theirs.shape[2]
    return (mine @ mine.mT / positions - theirs @ theirs.mT / positions).square().mean()


@wrong("style_distance", "relative-loss")
def share_of_the_target(features: Tensor, style_features: Tensor) -> Tensor:
    target = gram(style_features).detach()
    return F.mse_loss(gram(features), target) / target.square().mean()


@wrong("style_distance", "detached")
def as_a_number(features: Tensor, style_features: Tensor) -> Tensor:
    loss = F.mse_loss(gram(features), gram(style_features))
    return torch.tensor(loss.item(), dtype=features.dtype)
