"""Lesson 7: Gram matrices and style loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_edu import losses
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import spelled, spelled_like

AREA, WIDTH = "4 times the area", "every channel twice"


def shape_cases(_: torch.Generator) -> list[tuple[int, int, int, int]]:
    """Return (n, c, h, w), so that no two of the usual answers are the same."""
    return [(2, 3, 5, 7), (1, 4, 6, 9), (5, 16, 2, 11), (3, 64, 13, 8)]


GRAM_SHAPE = Exercise(
    id="gram_shape",
    lesson=7,
    title="The shape of a Gram matrix",
    reference=lambda n, c, h, w: (n, c, c),
    cases=shape_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            id="batch-mixed",
            message="This is one large matrix for the whole batch. It would hold products of a "
            "channel of one picture with a channel of another one. Does such a product say "
            "anything about a style?",
            wrong=lambda n, c, h, w: (n * c, n * c),
        ),
        Misconception(
            id="positions-compared",
            message="This matrix has a row for each position. Which two indices does the formula "
            "keep, and over which ones does it sum?",
            wrong=lambda n, c, h, w: (n, h * w, h * w),
        ),
        Misconception(
            id="no-batch",
            message="This is the shape for one picture. How many pictures are in the batch, and "
            "may they share one matrix?",
            wrong=lambda n, c, h, w: (c, c),
        ),
        Misconception(
            id="positions-kept",
            message="This is the shape of the feature maps. The sum in the formula runs over y and "
            "x: do they still exist afterwards?",
            wrong=lambda n, c, h, w: (n, c, h, w),
        ),
        Misconception(
            id="only-flattened",
            message="This is the shape of the rows, before they are multiplied. What does a row "
            "times a row give?",
            wrong=lambda n, c, h, w: (n, c, h * w),
        ),
    ),
)


def gram_cases(generator: torch.Generator) -> list[tuple[Tensor]]:
    """Return feature maps: with and without a batch, of odd sizes, in two types of float."""
    shapes = [(2, 3, 5, 7), (2, 4, 3, 2), (1, 5, 4, 9), (3, 2, 7, 1)]
    types = [torch.float64, torch.float32, torch.float32, torch.float64]
    return [
        (torch.randn(shape, generator=generator, dtype=torch.float64).add(0.5).to(dtype),)
        for shape, dtype in zip(shapes, types, strict=True)
    ]


def _has_shape(shape: Callable[[int, int, int, int], tuple[int, ...]]) -> Callable[..., bool]:
    """Return a test for answers of a certain shape, whatever they were divided by."""

    def recognise(attempt: Attempt) -> bool:
        return bool(attempt.outcomes) and all(
            isinstance(outcome.value, Tensor)
            and tuple(outcome.value.shape) == shape(*outcome.arguments[0].shape)
            for outcome in attempt.outcomes
        )

    return recognise


def _rows(features: Tensor) -> Tensor:
    return features.flatten(2)  # (N, C, H*W)


def _centred(features: Tensor) -> Tensor:
    return losses.gram_matrix(features - features.mean((2, 3), keepdim=True))


def _not_transposed(features: Tensor) -> Tensor:
    rows = _rows(features)
    n, c, positions = rows.shape
    return rows @ rows.reshape(n, positions, c) / positions


# What one gets by a product of two batches of rows that do not fit. torch names axes and sizes, and
# not the transpose: the answer is known by what torch says of it.
NOT_TRANSPOSED: tuple[Callable[[Tensor], Tensor], ...] = (lambda rows: rows @ rows,)
ALL_TURNED: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda rows: rows @ rows.permute(2, 1, 0),
    lambda rows: torch.bmm(rows, rows.permute(2, 1, 0)),
    lambda rows: rows @ rows.t(),
    lambda rows: rows @ rows.transpose(0, 1),
)


def _said_of(product: Callable[[Tensor], Tensor], features: Tensor) -> str:
    """Return the text of the error that a product of rows raises, called as the check does."""
    try:
        product(_rows(features.clone().requires_grad_()))  # torch goes another way without it
    except RuntimeError as error:
        return str(error)
    return ""


def _stops_like(products: Sequence[Callable[[Tensor], Tensor]]) -> Callable[[Attempt], bool]:
    """Return a test for answers that stop with the error of one of these products of rows."""

    def recognise(attempt: Attempt) -> bool:
        said = [str(o.error) if o.error is not None else "no error" for o in attempt.outcomes]
        features = [o.arguments[0] for o in attempt.outcomes]
        alike = (said == [_said_of(product, f) for f in features] for product in products)
        return not attempt.too_slow and any(alike)

    return recognise


def _leaves_out_the_batch(attempt: Attempt) -> bool:
    """Tell whether torch refused to reshape the maps of several pictures to those of one."""
    several = [o for o in attempt.outcomes if o.arguments[0].shape[0] > 1]
    return bool(several) and all(
        f"shape '[{c}, {h * w}]' is invalid" in str(outcome.error)
        for outcome in several
        for _, c, h, w in [outcome.arguments[0].shape]
    )


def _cosine(features: Tensor) -> Tensor:
    rows = F.normalize(_rows(features), dim=2)
    return rows @ rows.mT


GRAM_MATRIX = Exercise(
    id="gram_matrix",
    lesson=7,
    title="The Gram matrix",
    reference=losses.gram_matrix,
    cases=gram_cases,
    misconceptions=(
        Misconception(
            id="batch-mixed",
            message="Your result is one matrix with N·C rows: channels of different pictures were "
            "multiplied with each other. Look at the line that reshapes: the batch must stay an "
            "axis of its own.",
            recognise=_has_shape(lambda n, c, h, w: (n * c, n * c)),
        ),
        Misconception(
            id="positions-compared",
            message="Your matrix has a row for each position: H·W by H·W. It compares places, and "
            "the sum runs over the channels. Look at which of the two factors is transposed.",
            recognise=_has_shape(lambda n, c, h, w: (n, h * w, h * w)),
        ),
        Misconception(
            id="not-flattened",
            message="Your result still has two axes for each pair of channels or rows of the map. "
            "The product ran over x only. Look at how y and x become one axis before the product.",
            recognise=_has_shape(lambda n, c, h, w: (n, c, h, h)),
        ),
        Misconception(
            id="batch-summed",
            message="Your result has no batch axis. The pictures of the batch were added up, or "
            "only one of them was used. Each picture has its own style.",
            recognise=_has_shape(lambda n, c, h, w: (c, c)),
        ),
        Misconception(
            id="pictures-compared",
            message="Your matrix has a row for each *picture* of the batch: you laid out all "
            "channels of a picture as one row. `flatten(1)` begins at the channels. Which axis "
            "should it begin with?",
            recognise=_has_shape(lambda n, c, h, w: (n, n)),
        ),
        Misconception(
            id="batch-left-out",
            message="For a batch of one picture your line that reshapes works; two pictures have "
            "twice as many numbers as its shape has room for. Which axis does the shape lack?",
            recognise=_leaves_out_the_batch,
        ),
        Misconception(
            id="diagonal-only",
            message="You have one number for each channel: how strong it is. The Gram matrix has "
            "one for each *pair* of channels. Look at what each row is multiplied with.",
            recognise=_has_shape(lambda n, c, h, w: (n, c)),
        ),
        Misconception(
            id="not-transposed",
            message="The shape is right, the numbers are not: the second factor was reshaped to "
            "H·W rows, and so its numbers went to other places. Is your matrix symmetric? Look "
            "at what a transpose does, and what a reshape does.",
            wrong=_not_transposed,
        ),
        Misconception(
            id="not-transposed-at-all",
            message="Torch stopped your product of the rows with themselves: rows times rows does "
            "not fit. In a matrix product the first factor has as many columns as the second one "
            "has rows. Which shape must the second factor have, and how do you get it from rows?",
            recognise=_stops_like(NOT_TRANSPOSED),
        ),
        Misconception(
            id="all-axes-turned",
            message="The second factor is turned in the wrong way. `.T` and `.t()` are made for a "
            "single matrix; with a batch, `.T` and `transpose(0, 1)` move the batch as well. Only "
            "the *last two* axes must be swapped. Which operation does that?",
            recognise=_stops_like(ALL_TURNED),
        ),
        Misconception(
            id="not-divided",
            message="Your matrix is the sum over the positions. The formula of this lesson has a "
            "mean: look at what stands in front of the sum.",
            wrong=lambda f: losses.gram_matrix(f, divide_by="none"),
        ),
        Misconception(
            id="divided-by-chw",
            message="Your matrix is the right one divided by C: you divided by C·H·W. How many "
            "terms does the sum for one entry have?",
            wrong=lambda f: losses.gram_matrix(f, divide_by="chw"),
        ),
        Misconception(
            id="divided-by-nchw",
            message="Your matrix is the right one divided by N·C: you divided by the number of all "
            "entries of the feature maps. How many terms does the sum for one entry have?",
            wrong=lambda f: losses.gram_matrix(f, divide_by="chw") / f.shape[0],
        ),
        Misconception(
            id="divided-by-c",
            message="You divided the sum by C. The number of channels is the size of the matrix, "
            "and not the number of terms in the sum for one entry.",
            wrong=lambda f: losses.gram_matrix(f, divide_by="none") / f.shape[1],
        ),
        Misconception(
            id="centred",
            message="You took the mean of each channel away first. That gives the covariance. Look "
            "at the formula: is a mean subtracted there?",
            wrong=_centred,
        ),
        Misconception(
            id="scaled-to-one",
            message="The diagonal of your matrix is 1: each row was divided by its length. So it "
            "no longer says how strong a channel is. Look at the formula: only H and W stand below "
            "the line.",
            wrong=_cosine,
        ),
    ),
)

VERDICTS = ("right", "mixes pictures", "compares positions", "no transpose")


def _says(**verdicts: str) -> Callable[[Attempt], bool]:
    """Return a test for answers that hold these verdicts, whatever the others are."""

    def recognise(attempt: Attempt) -> bool:
        return all(spelled(attempt.value[name]) == verdict for name, verdict in verdicts.items())

    return recognise


def _foreign_word(attempt: Attempt) -> bool:
    """Tell whether a verdict is none of the four that may be given."""
    return any(verdict not in VERDICTS for verdict in spelled(attempt.value).values())


RIGHT_VERDICTS = {
    "A": "no transpose",
    "B": "mixes pictures",
    "C": "right",
    "D": "compares positions",
}

GRAM_BUGS = Exercise(
    id="gram_bugs",
    lesson=7,
    title="Four programs, one of them right",
    reference=RIGHT_VERDICTS,
    accepts=spelled_like(RIGHT_VERDICTS),
    gradient=False,
    misconceptions=(
        Misconception(
            id="unknown-verdict",
            message="One of your verdicts is none of the four. Copy them letter by letter from the "
            "list in the task.",
            recognise=_foreign_word,
        ),
        Misconception(
            id="judged-by-shape",
            message="You call A right. Its shape is right, but a shape is no proof. Print one of "
            "its matrices: entry (0, 1) says the same as entry (1, 0), so what should hold?",
            recognise=_says(A="right"),
        ),
        Misconception(
            id="judged-by-one-picture",
            message="You call B right. For a batch of one picture its numbers are. Print the shape "
            "that it gives for two pictures.",
            recognise=_says(B="right"),
        ),
        Misconception(
            id="positions-called-right",
            message="You call D right. Count the rows of its matrix. Are there as many as "
            "channels, or as many as positions?",
            recognise=_says(D="right"),
        ),
        Misconception(
            id="batch-and-positions-confused",
            message="You have B and D the wrong way round. One gives 6 × 6 numbers for both "
            "pictures together, the other 20 × 20 for each. Where does a 20 come from?",
            recognise=_says(B="compares positions", D="mixes pictures"),
        ),
        Misconception(
            id="right-one-accused",
            message="You accuse C. Compare its numbers with `nst.gram_matrix` before you do.",
            recognise=lambda attempt: not _says(C="right")(attempt),
        ),
        Misconception(
            id="bug-of-another-program",
            message="You found the right one. But at least one of the others has another bug than "
            "the one that you name. Ask of each: is the shape right for two pictures, and if so, "
            "is the matrix symmetric?",
            recognise=_says(C="right"),
        ),
    ),
)

_RIGHT_FACTORS = {
    f"sum, {AREA}": 4.0,
    f"H·W, {AREA}": 1.0,
    f"C·H·W, {AREA}": 1.0,
    f"sum, {WIDTH}": 1.0,
    f"H·W, {WIDTH}": 1.0,
    f"C·H·W, {WIDTH}": 0.5,
}


def _factor_is(name: str, *values: float) -> Callable[[Attempt], bool]:
    return lambda attempt: any(abs(float(attempt.value[name]) - v) < 1e-6 for v in values)


NORMALISER_FACTORS = Exercise(
    id="normaliser_factors",
    lesson=7,
    title="What a normaliser keeps constant",
    reference=_RIGHT_FACTORS,
    gradient=False,
    misconceptions=(
        Misconception(
            id="cosmetic",
            message="All your factors are 1: as if the normaliser changed nothing. Take a map of "
            "ones with 3 positions, and one with 12. What is the sum of the products for each?",
            recognise=lambda attempt: all(abs(float(v) - 1) < 1e-6 for v in attempt.value.values()),
        ),
        Misconception(
            id="side-or-square",
            message="Look at the plain sum for 4 times the area. It has one term for each "
            "position. How many positions are there now for each one before?",
            recognise=_factor_is(f"sum, {AREA}", 2.0, 16.0, 0.25),
        ),
        Misconception(
            id="area-divided-twice",
            message="Look at 4 times the area with a divisor. The sum gets more terms, and the "
            "divisor gets larger, too. Do both at once.",
            recognise=lambda attempt: any(
                _factor_is(f"{name}, {AREA}", 0.25, 4.0)(attempt) for name in ("H·W", "C·H·W")
            ),
        ),
        Misconception(
            id="more-entries-larger-entries",
            message="Look at 'every channel twice' with no C in the divisor. The matrix gets more "
            "entries. But how many terms has the sum for *one* entry?",
            recognise=lambda attempt: any(
                _factor_is(f"{name}, {WIDTH}", 2.0, 4.0, 0.5, 0.25)(attempt)
                for name in ("sum", "H·W")
            ),
        ),
        Misconception(
            id="width-forgotten",
            message="Look at C·H·W with every channel twice. The sum for one entry stays as it is. "
            "Does its divisor?",
            recognise=_factor_is(f"C·H·W, {WIDTH}", 1.0),
        ),
        Misconception(
            id="width-squared",
            message="Look at C·H·W with every channel twice. The matrix has C·C entries, but the "
            "question is about one of them. How often does C stand in its divisor?",
            recognise=_factor_is(f"C·H·W, {WIDTH}", 0.25, 2.0),
        ),
    ),
)


def distance_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return two feature maps of equal width, of different and of equal sizes."""
    shapes = [
        ((2, 3, 5, 7), (2, 3, 2, 4), torch.float64),  # sizes far apart: a wrong divisor shows
        ((2, 4, 3, 2), (2, 4, 6, 5), torch.float32),
        ((1, 5, 4, 9), (1, 5, 7, 3), torch.float32),
        ((2, 2, 3, 5), (2, 2, 3, 5), torch.float64),
    ]
    return [
        (
            torch.randn(first, generator=generator, dtype=torch.float64).add(0.5).to(dtype),
            torch.randn(second, generator=generator, dtype=torch.float64).to(dtype),
        )
        for first, second, dtype in shapes
    ]


def reference_distance(features: Tensor, style_features: Tensor) -> Tensor:
    """Return the mean squared difference of the two Gram matrices."""
    return losses.style_loss(losses.gram_matrix(features), losses.gram_matrix(style_features))


def _with_gram(gram: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the distance with another matrix in place of the Gram matrix."""
    return lambda features, style: (gram(features) - gram(style)).square().mean()


def _mixed_gram(features: Tensor) -> Tensor:
    n, c, h, w = features.shape
    rows = features.reshape(n * c, h * w)
    return rows @ rows.T / (h * w)


def _one_divisor(features: Tensor, style: Tensor, divisor: Tensor) -> Tensor:
    """Divide both sums by the number of positions of one of the pictures."""
    sums = [losses.gram_matrix(maps, divide_by="none") for maps in (features, style)]
    return ((sums[0] - sums[1]) / divisor[0, 0].numel()).square().mean()


def _difference(features: Tensor, style: Tensor) -> Tensor:
    return losses.gram_matrix(features) - losses.gram_matrix(style)


def _compares_maps(attempt: Attempt) -> bool:
    """Tell whether feature maps themselves were compared, which works for equal sizes only."""
    same = [o for o in attempt.outcomes if o.arguments[0].shape == o.arguments[1].shape]
    expected = [losses.content_loss(*outcome.arguments) for outcome in same]
    return bool(same) and all(
        isinstance(outcome.value, Tensor) and torch.allclose(outcome.value, value)
        for outcome, value in zip(same, expected, strict=True)
    )


STYLE_DISTANCE = Exercise(
    id="style_distance",
    lesson=7,
    title="How far apart two styles are",
    reference=reference_distance,
    cases=distance_cases,
    no_gradient=(1,),  # the style is a constant: it may be detached
    forbidden=("gram_matrix", "style_loss"),
    misconceptions=(
        Misconception(
            id="maps-compared",
            message="You compared the feature maps position by position. That is the content loss "
            "of lesson 6; it fails when the two pictures differ in size. What is compared for the "
            "style?",
            recognise=_compares_maps,
        ),
        Misconception(
            id="sums-compared",
            message="You compared plain sums over the positions. The larger picture has the larger "
            "sums, even if both show the same texture. Which divisor makes the two comparable?",
            wrong=_with_gram(lambda f: losses.gram_matrix(f, divide_by="none")),
        ),
        Misconception(
            id="one-divisor-for-both",
            message="You divided both matrices by the number of positions of the *first* picture. "
            "The second one may have another size. How many positions does each sum run over?",
            wrong=lambda f, s: _one_divisor(f, s, f),
        ),
        Misconception(
            id="divisor-of-the-style",
            message="You divided both matrices by the number of positions of the *style*. The "
            "first picture may have another size. How many positions does each sum run over?",
            wrong=lambda f, s: _one_divisor(f, s, s),
        ),
        Misconception(
            id="relative-loss",
            message="Your value is divided by the mean square of the style's Gram matrix. "
            "`nst.Objective` does so, but the formula of this exercise does not: look at what "
            "follows the mean.",
            wrong=lambda f, s: (
                _difference(f, s).square().mean() / losses.gram_matrix(s).detach().square().mean()
            ),
        ),
        Misconception(
            id="divided-by-chw",
            message="Your value is the right one divided by C²: you divided each Gram matrix by "
            "C·H·W. This lesson divides it by H·W.",
            wrong=_with_gram(lambda f: losses.gram_matrix(f, divide_by="chw")),
        ),
        Misconception(
            id="batch-mixed",
            message="For one picture your value is right, for a batch it is not: channels of "
            "different pictures were multiplied. Look at how you reshape the feature maps.",
            wrong=_with_gram(_mixed_gram),
        ),
        Misconception(
            id="squares-summed",
            message="You added up the squared differences. The formula has a mean: look at what "
            "stands in front of its sum.",
            wrong=lambda f, s: _difference(f, s).square().sum(),
        ),
        Misconception(
            id="batch-summed",
            message="You divided the sum of squares by C², which is right for one picture. A batch "
            "of two has twice as many entries. The package takes the mean over all of them.",
            wrong=lambda f, s: _difference(f, s).square().sum() / f.shape[1] ** 2,
        ),
        Misconception(
            id="norm",
            message="You took the square root of the sum of squares, which is a norm. Look at the "
            "formula: it has squares and a mean, and no root.",
            wrong=lambda f, s: _difference(f, s).norm(),
        ),
        Misconception(
            id="root-of-mean",
            message="You took the square root at the end. Look at the formula: it has none.",
            wrong=lambda f, s: _difference(f, s).square().mean().sqrt(),
        ),
        Misconception(
            id="absolute",
            message="You took absolute differences. Look at the exponent in the formula.",
            wrong=lambda f, s: _difference(f, s).abs().mean(),
        ),
        Misconception(
            id="quarter",
            message="Your value is a quarter of the right one: the paper's formula has this factor "
            "of 4. The formula of this lesson has not.",
            wrong=lambda f, s: _difference(f, s).square().mean() / 4,
        ),
        Misconception(
            id="means-only",
            message="You compared one mean for each channel. So you see how strong a channel is, "
            "but not which channels respond together. Which matrix holds that?",
            wrong=_with_gram(lambda f: f.mean((2, 3))),
        ),
        Misconception(
            id="style-unused",
            message="Your value does not depend on the style at all: it is the mean square of one "
            "Gram matrix. A loss that never looks at its target cannot lead to it.",
            wrong=lambda f, s: losses.gram_matrix(f).square().mean(),
        ),
    ),
)


def check_gram_shape(my_gram_shape: Callable[..., Any]) -> Result:
    """Check the exercise "The shape of a Gram matrix" of lesson 7."""
    return check(GRAM_SHAPE, my_gram_shape)


def check_gram_matrix(my_gram_matrix: Callable[..., Any]) -> Result:
    """Check the exercise "The Gram matrix" of lesson 7."""
    return check(GRAM_MATRIX, my_gram_matrix)


def check_gram_bugs(my_gram_bugs: dict[str, str]) -> Result:
    """Check the exercise "Four programs, one of them right" of lesson 7."""
    return check_value(GRAM_BUGS, spelled(my_gram_bugs))


def check_normaliser_factors(my_normaliser_factors: dict[str, float]) -> Result:
    """Check the exercise "What a normaliser keeps constant" of lesson 7."""
    return check_value(NORMALISER_FACTORS, my_normaliser_factors)


def check_style_distance(my_style_distance: Callable[..., Any]) -> Result:
    """Check the exercise "How far apart two styles are" of lesson 7."""
    return check(STYLE_DISTANCE, my_style_distance)
