"""Exercises of lesson 6: the content loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import accepts, letters, spelled, spelled_like
from nst_edu.losses import content_loss

# Batches of 2 and 3, height ≠ width, odd sizes: wrong axes show. Small: a loop is right, too.
SHAPES = ((2, 2, 3, 5), (3, 2, 2, 1), (1, 2, 4, 3), (2, 3, 1, 2))


def pairs_of_maps(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return pairs (features, target) of equal shape, float32 and float64 in turn."""
    kinds = (torch.float32, torch.float64)
    return [
        (
            torch.randn(shape, generator=generator, dtype=kinds[number % 2]),
            # Each picture's target has a scale of its own: mixing the pictures shows.
            torch.randn(shape, generator=generator, dtype=kinds[number % 2])
            * (1.0 + torch.arange(shape[0], dtype=kinds[number % 2]).view(-1, 1, 1, 1))
            + 0.5,
        )
        for number, shape in enumerate(SHAPES)
    ]


# The content loss ---------------------------------------------------------------------------------


def content_loss_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try each error with each reduction on maps of several shapes."""
    return [
        (features, target, error, reduction)
        for features, target in pairs_of_maps(generator)
        for error in ("squared", "absolute")
        for reduction in ("mean", "sum")
    ]


def _content_loss(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    return content_loss(features, target, error=error, reduction=reduction)


def _errors(features: Tensor, target: Tensor, error: str) -> Tensor:
    difference = features - target
    return difference.square() if error == "squared" else difference.abs()


def _reduced(values: Tensor, reduction: str) -> Tensor:
    return values.mean() if reduction == "mean" else values.sum()


def _swapped(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    other = "absolute" if error == "squared" else "squared"
    return _content_loss(features, target, other, reduction)


def _signed(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    if error == "squared":
        return _content_loss(features, target, error, reduction)
    return _reduced(features - target, reduction)


def _square_of_the_mean(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    value = _reduced(features - target, reduction)
    return value.square() if error == "squared" else value.abs()


def _rooted(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    loss = _content_loss(features, target, error, reduction)
    return loss.sqrt() if error == "squared" else loss


def _difference_of_squares(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    if error == "absolute":
        return _content_loss(features, target, error, reduction)
    return _reduced(features.square() - target.square(), reduction)


def _divided_by_batch(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    errors = _errors(features, target, error)
    return errors.sum() if reduction == "sum" else errors.sum() / len(features)


def _half(features: Tensor, target: Tensor, error: str, reduction: str) -> Tensor:
    loss = _content_loss(features, target, error, reduction)
    return loss / 2 if error == "squared" else loss


CONTENT_LOSS = Exercise(
    id="content_loss",
    lesson=6,
    title="The content loss",
    reference=_content_loss,
    cases=content_loss_cases,
    no_gradient=(1,),  # the target is a constant: who detaches it is right
    misconceptions=(
        Misconception(
            "errors-swapped",
            'For "squared" your numbers are those of the absolute error, and the other way round. '
            "Look at which branch of the if-expression is taken when.",
            wrong=_swapped,
        ),
        Misconception(
            "always-summed",
            'For reduction="mean" you return the sum of the errors. So your loss grows with '
            "the picture's size. Look at the last line: what does the formula do with n?",
            wrong=lambda f, p, error, reduction: _content_loss(f, p, error, "sum"),
        ),
        Misconception(
            "always-squared",
            'For error="absolute" you return the squared error. Compare the two formulas: one of '
            "them has no power of two.",
            wrong=lambda f, p, error, reduction: _content_loss(f, p, "squared", reduction),
        ),
        Misconception(
            "always-absolute",
            'For error="squared" you return the absolute error (L1). Look at what the first '
            "formula does with each difference.",
            wrong=lambda f, p, error, reduction: _content_loss(f, p, "absolute", reduction),
        ),
        Misconception(
            "square-of-the-mean",
            "You add the differences up first, and square the result (or take its absolute value) "
            "afterwards. Positive and negative differences cancel out then. Look at the order of "
            "the two steps in the formula.",
            wrong=_square_of_the_mean,
        ),
        Misconception(
            "signed-differences",
            'For error="absolute" you use differences with their signs. They cancel out, and the '
            "loss can be negative. What do the bars in the formula mean?",
            wrong=_signed,
        ),
        Misconception(
            "rooted",
            "Your squared error is the square root of the right one. That is the distance of the "
            "two maps, not the formula's mean of squares. Look for a root that the formula does "
            "not have.",
            wrong=_rooted,
        ),
        Misconception(
            "difference-of-squares",
            "You square the two maps and subtract the squares. The formula subtracts first. With "
            "your order the loss is 0 for F = −P, too.",
            wrong=_difference_of_squares,
        ),
        Misconception(
            "divided-by-batch",
            "You divide the sum by the number of pictures in the batch only. Count again what n "
            "is: how many entries does the sum run over?",
            wrong=_divided_by_batch,
        ),
        Misconception(
            "papers-half",
            "Your squared error is half of the right one. The paper has a factor of one half; the "
            "formula of this lesson has none.",
            wrong=_half,
        ),
    ),
)


def check_content_loss(my_content_loss: Callable[..., Any]) -> Result:
    """Check the exercise "The content loss" of lesson 6."""
    return check(CONTENT_LOSS, my_content_loss)


# One number for each picture ----------------------------------------------------------------------

EACH = (1, 2, 3)  # all dimensions of maps but the batch


def _relative_losses(features: Tensor, target: Tensor) -> Tensor:
    errors = (features - target).square().mean(dim=EACH)
    return errors / target.square().mean(dim=EACH)


def _of_unbatched(features: Tensor, target: Tensor, divisor: Tensor) -> Tensor:
    return (features - target).square().mean(dim=EACH) / divisor


RELATIVE_CONTENT_LOSSES = Exercise(
    id="relative_content_losses",
    lesson=6,
    title="One number for each picture",
    reference=_relative_losses,
    cases=pairs_of_maps,
    no_gradient=(1,),
    misconceptions=(
        Misconception(
            "one-number-for-the-batch",
            "You return one number for the whole batch. The pictures are mixed. Look at which "
            "dimensions your mean runs over: the batch must stay.",
            wrong=lambda f, p: (f - p).square().mean() / p.square().mean(),
        ),
        Misconception(
            "mixed-divisor",
            "Your divisor is the mean over all pictures of the batch. So a picture's number "
            "depends on the other targets. Each picture has to be divided by its own mean square.",
            wrong=lambda f, p: _of_unbatched(f, p, p.square().mean()),
        ),
        Misconception(
            "not-divided",
            "Your numbers are the content losses, not yet divided by the target's mean square.",
            wrong=lambda f, p: (f - p).square().mean(dim=EACH),
        ),
        Misconception(
            "divided-by-features",
            "You divide by the mean square of the features, not of the target. The features "
            "change from step to step, so the loss could fall only because they grow.",
            wrong=lambda f, p: _of_unbatched(f, p, f.square().mean(dim=EACH)),
        ),
        Misconception(
            "square-of-the-mean",
            "Your divisor is the square of the target's mean. Positive and negative entries "
            "cancel out in it. Look at the order: which comes first, the square or the mean?",
            wrong=lambda f, p: _of_unbatched(f, p, p.mean(dim=EACH).square()),
        ),
        Misconception(
            "divided-by-the-root",
            "You divide by the root of the target's mean square. Then the result still depends on "
            "the scale of the maps. Test it: multiply both maps by 10. The number should stay.",
            wrong=lambda f, p: _of_unbatched(f, p, p.square().mean(dim=EACH).sqrt()),
        ),
        Misconception(
            "mean-of-quotients",
            "You divide entry by entry and take the mean afterwards. One target entry near 0 then "
            "decides everything. Take both means first.",
            wrong=lambda f, p: ((f - p).square() / p.square()).mean(dim=EACH),
        ),
        Misconception(
            "positions-kept",
            "Your result still has a number for each position. Look at which dimensions the means "
            "run over: only N may stay.",
            wrong=lambda f, p: (f - p).square().mean(dim=1) / p.square().mean(dim=1),
        ),
        Misconception(
            "channels-kept",
            "Your result still has a number for each channel. Look at which dimensions the means "
            "run over: only N may stay.",
            wrong=lambda f, p: (f - p).square().mean(dim=(2, 3)) / p.square().mean(dim=(2, 3)),
        ),
    ),
)


def check_relative_content_losses(my_relative_content_losses: Callable[..., Any]) -> Result:
    """Check the exercise "One number for each picture" of lesson 6."""
    return check(RELATIVE_CONTENT_LOSSES, my_relative_content_losses)


# The order of copies ------------------------------------------------------------------------------

COPIES = ["relu1_2", "conv2_2", "relu3_3", "relu5_1"]


def _places(attempt: Attempt) -> dict[str, int]:
    """Return where each name stands, if each of them stands there once; otherwise raise."""
    names = _names(attempt)
    if sorted(names) != sorted(COPIES):
        raise ValueError("not each name once")
    return {name: place for place, name in enumerate(names)}


def _names(attempt: Attempt) -> list[str]:
    if not isinstance(attempt.value, (list, tuple)):
        raise TypeError("not a list")
    return list(spelled(attempt.value))


ORDER_OF_COPIES = Exercise(
    id="order_of_copies",
    lesson=6,
    title="Order the copies",
    reference=COPIES,
    accepts=spelled_like(COPIES),
    gradient=False,
    misconceptions=(
        Misconception(
            "unknown-name",
            "Your list holds a name that is not one of the four. Look at the spelling in the task.",
            recognise=lambda attempt: not set(_names(attempt)) <= set(COPIES),
        ),
        Misconception(
            "not-each-once",
            "Each of the four names has to stand in the list once.",
            recognise=lambda attempt: sorted(_names(attempt)) != sorted(COPIES),
        ),
        Misconception(
            "second-digit-first",
            "You ordered by the number behind the underscore. It counts convolutions *within* a "
            "level. Which of the two numbers counts the pooling layers?",
            recognise=lambda attempt: (
                _places(attempt)["relu5_1"] == 0 and _places(attempt)["relu3_3"] == 3
            ),
        ),
        Misconception(
            "deeper-copies-better",
            "In your order a copy from relu5_1 is nearer to the photo than one from relu1_2. "
            "Compare with the pictures above: did the copies get better or worse with depth? "
            "Think of what pooling throws away.",
            recognise=lambda attempt: _places(attempt)["relu5_1"] < _places(attempt)["relu1_2"],
        ),
        Misconception(
            "conv-before-relu",
            "Your names stand in the order of the alphabet, conv before relu. The digits of a "
            "name say how deep the layer lies.",
            recognise=lambda attempt: _names(attempt) == sorted(COPIES),
        ),
        Misconception(
            "one-pair-turned",
            "relu1_2 and relu5_1 stand the right way round, but not all of the names do. Compare "
            "the first digits of neighbours.",
            recognise=lambda attempt: _places(attempt)["relu1_2"] < _places(attempt)["relu5_1"],
        ),
    ),
)


def check_order_of_copies(my_order_of_copies: Sequence[str]) -> Result:
    """Check the exercise "Order the copies" of lesson 6."""
    return check_value(ORDER_OF_COPIES, spelled(my_order_of_copies))


# The lines in order -------------------------------------------------------------------------------

LINES = ["E", "C", "A", "G", "F", "B", "D"]


def _lines(attempt: Attempt) -> list[str]:
    """Return the letters, if each of them stands there once; otherwise raise."""
    lines = letters(attempt.value)
    if sorted(lines) != sorted(LINES):
        raise ValueError("not each letter once")
    return lines


def _before(lines: list[str], *some: str) -> bool:
    """Tell whether some letters stand in this order."""
    places = [lines.index(letter) for letter in some]
    return places == sorted(places)


def lines_work(lines: list[str]) -> bool:
    """Tell whether the lines, run in this order, rebuild the photo.

    E, C and A stand before the loop in any order that has C before A. In the loop, G may stand
    anywhere but between B and D.
    """
    if sorted(lines) != sorted(LINES):
        return False
    first, loop = lines[:3], lines[3:]
    before_loop = sorted(first) == ["A", "C", "E"] and _before(first, "C", "A")
    return before_loop and _before(loop, "F", "B", "D") and not _before(loop, "B", "G", "D")


REBUILD_LINES = Exercise(
    id="rebuild_lines",
    lesson=6,
    title="Put the lines in order",
    reference=LINES,
    accepts=accepts(lines_work),
    gradient=False,
    misconceptions=(
        Misconception(
            "not-each-once",
            "Each of the letters A to G has to stand in the list once.",
            recognise=lambda attempt: sorted(letters(attempt.value)) != sorted(LINES),
        ),
        Misconception(
            "optimizer-before-pixels",
            "Line A uses the name pixels before line C has made it. Python would stop with a "
            "NameError.",
            recognise=lambda attempt: _before(_lines(attempt), "A", "C"),
        ),
        Misconception(
            "set-up-in-the-loop",
            "A line that is needed once stands among those of the loop, or the other way round. "
            "Lines B, D, F and G are inside the loop, so the other three come first.",
            recognise=lambda attempt: sorted(_lines(attempt)[:3]) != ["A", "C", "E"],
        ),
        Misconception(
            "gradient-forgotten-too-late",
            "You erase the gradient between backward() and step(). Then the optimiser finds no "
            "gradient, and the picture never changes.",
            recognise=lambda attempt: _before(_lines(attempt), "B", "G", "D"),
        ),
        Misconception(
            "step-before-backward",
            "The optimiser moves before the gradient of this loss has been computed. Which line "
            "computes it?",
            recognise=lambda attempt: _before(_lines(attempt), "F", "D", "B"),
        ),
        Misconception(
            "used-before-measured",
            "A line uses the loss, or moves the pixels, before the loss has been measured. Look "
            "for the line that makes the name loss.",
            recognise=lambda attempt: not _before(_lines(attempt), "F", "B", "D"),
        ),
    ),
)


def check_rebuild_lines(my_rebuild_lines: Sequence[str]) -> Result:
    """Check the exercise "Put the lines in order" of lesson 6."""
    return check_value(REBUILD_LINES, my_rebuild_lines)


# A doctor for runs --------------------------------------------------------------------------------


def _run_is_healthy(contents: list[float], styles: list[float], alpha: float, beta: float) -> bool:
    first = alpha * contents[0] + beta * styles[0]
    last = alpha * contents[-1] + beta * styles[-1]
    return last < first


def _totals(contents: list[float], styles: list[float], alpha: float, beta: float) -> list[float]:
    return [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]


def run_cases(_: torch.Generator) -> list[tuple[Any, ...]]:
    """Return runs that a wrong rule gets wrong: each has (contents, styles, alpha, beta)."""
    return [
        ([0.0, 0.5, 0.75], [2.0, 1.0, 0.5], 1.0, 50.0),  # from the photo: the content loss rises
        ([2.0, 1.0, 0.5], [1.0, 1.0, 1.25], 1.0, 50.0),  # the content loss falls, the total rises
        ([2.0, 1.0, 0.5], [0.25, 0.5, 0.75], 4.0, 1.0),  # the style loss rises, the total falls
        ([4.0, 3.0, 2.0], [1.0, 1.5, 2.0], 1.0, 4.0),  # the unweighted sum falls, the total rises
        ([2.0, 1.5, 1.0], [1.0, 2.0, 3.0], 4.0, 1.0),  # the unweighted sum rises, the total falls
        ([1.0, 2.0, 1.5], [1.0, 1.0, 1.25], 4.0, 8.0),  # all rises, and falls a little at last
        ([2.0, 3.0, 1.0], [2.0, 3.0, 1.0], 1.0, 2.0),  # up first, down in the end
        ([2.0, 0.5, 3.0], [2.0, 0.5, 3.0], 1.0, 2.0),  # down first, up in the end
        ([1.0, 0.5, 1.0], [1.0, 0.5, 1.0], 1.0, 2.0),  # as it was: not smaller
        ([3.0, 2.0, 1.0, 0.5], [1.0, 0.5, 0.25, 0.125], 0.5, 0.25),  # all falls
        ([0.0, 1.0], [4.0, 0.5], 8.0, 1.0),  # α is so large that the total rises
        ([1.0], [1.0], 1.0, 1.0),  # one step: nothing has moved
    ]


Rule: TypeAlias = Callable[[list[float], list[float], float, float], bool]


def _answers_like(*rules: Rule) -> Callable[[Attempt], bool]:
    """Return whether an attempt gave one rule's answer to every run, not only to the telling ones.

    With two possible answers, an unrelated rule often agrees in the few runs that tell.
    """

    def recognise(attempt: Attempt) -> bool:
        given = [outcome.value for outcome in attempt.outcomes]
        return not attempt.too_slow and any(
            given == [rule(*outcome.arguments) for outcome in attempt.outcomes] for rule in rules
        )

    return recognise


def _falling(losses: Sequence[float]) -> bool:
    """Tell whether each loss is below the one before it: true of a single one, too."""
    return all(after < before for before, after in itertools.pairwise(losses))


def _falls_at_every_step(
    contents: list[float], styles: list[float], alpha: float, beta: float
) -> bool:
    return _falling(_totals(contents, styles, alpha, beta))


def _both_fall_at_every_step(
    contents: list[float], styles: list[float], alpha: float, beta: float
) -> bool:
    return _falling(contents) and _falling(styles)


RUN_IS_HEALTHY = Exercise(
    id="run_is_healthy",
    lesson=6,
    title="A doctor for runs",
    reference=_run_is_healthy,
    cases=run_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "content-must-fall",
            "Your rule asks that the content loss falls. Then every run that starts from the "
            "photo is called ill: its content loss begins at 0 and can only rise. Look at what "
            "the optimiser was told to make smaller.",
            recognise=_answers_like(
                lambda contents, styles, alpha, beta: contents[-1] < contents[0]
            ),
        ),
        Misconception(
            "style-must-fall",
            "Your rule looks at the style loss alone. A run with a large α may give up style to "
            "win content, and still be healthy.",
            recognise=_answers_like(lambda contents, styles, alpha, beta: styles[-1] < styles[0]),
        ),
        Misconception(
            "both-must-fall",
            "Your rule asks that both losses fall. The optimiser may let one of them rise if it "
            "wins more with the other one.",
            recognise=_answers_like(
                lambda contents, styles, alpha, beta: (
                    contents[-1] < contents[0] and styles[-1] < styles[0]
                )
            ),
        ),
        Misconception(
            "one-of-both-falls",
            "Your rule is content with one loss that falls. The other one may rise so much that "
            "the total rises, too.",
            recognise=_answers_like(
                lambda contents, styles, alpha, beta: (
                    contents[-1] < contents[0] or styles[-1] < styles[0]
                )
            ),
        ),
        Misconception(
            "without-weights",
            "You add the two losses without their weights. The optimiser sees them with α and β.",
            recognise=_answers_like(
                lambda contents, styles, alpha, beta: (
                    contents[-1] + styles[-1] < contents[0] + styles[0]
                )
            ),
        ),
        Misconception(
            "at-every-step",
            "You ask that the total falls at every single step. The task asks about the start and "
            "the end. A run may go up for a step and still come down.",
            recognise=_answers_like(
                _falls_at_every_step, lambda *run: len(run[0]) > 1 and _falls_at_every_step(*run)
            ),
        ),
        Misconception(
            "both-fall-at-every-step",
            "You ask that both losses fall at every single step. The optimiser works on one total, "
            "and the task asks about its start and its end.",
            recognise=_answers_like(
                _both_fall_at_every_step,
                lambda *run: len(run[0]) > 1 and _both_fall_at_every_step(*run),
            ),
        ),
        Misconception(
            "best-of-all-steps",
            "You compare with the best step, not with the last one. A run that got worse again "
            "after a good step would be called healthy.",
            recognise=_answers_like(lambda *run: min(_totals(*run)) < _totals(*run)[0]),
        ),
        Misconception(
            "no-change-is-healthy",
            "A run whose total did not change at all counts as healthy for you. Was it smaller at "
            "the end?",
            recognise=_answers_like(lambda *run: _totals(*run)[-1] <= _totals(*run)[0]),
        ),
        Misconception(
            "the-wrong-way-round",
            "Your answers are all turned round: True where the total rose. Look at the direction "
            "of the comparison.",
            recognise=_answers_like(lambda *run: _totals(*run)[-1] > _totals(*run)[0]),
        ),
    ),
)


def check_run_is_healthy(my_run_is_healthy: Callable[..., Any]) -> Result:
    """Check the exercise "A doctor for runs" of lesson 6."""
    return check(RUN_IS_HEALTHY, my_run_is_healthy)
