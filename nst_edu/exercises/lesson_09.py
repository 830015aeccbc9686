"""Exercises of lesson 9: tests that fail on a bug and pass on right code, and a diagnosis."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nst_edu.exercises import museum
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.trials import Trial, Version, check_test, mistake, writing_exercise
from nst_edu.losses import gram_matrix

# A test for the Gram matrices of a batch ----------------------------------------------------------


def _batch_cases(_: torch.Generator) -> list[tuple[Any, ...]]:
    return [(version,) for version in (*museum.BATCH_BUGS, *museum.BATCH_RIGHT)]


def _batch_reference(gram: Version) -> None:
    assert gram not in museum.BATCH_BUGS


def _batches(trial: Trial) -> list[Tensor]:
    return [call[0] for call in trial.calls(museum.gram_by_package)]


def _batch_of_one(trial: Trial) -> bool:
    return bool(trial.missed) and all(len(maps) == 1 for maps in _batches(trial))


def _equal_pictures(trial: Trial) -> bool:
    batches = [maps for maps in _batches(trial) if len(maps) > 1]
    return bool(trial.missed) and all(bool((maps == maps[:1]).all()) for maps in batches)


def _shape_only(trial: Trial) -> bool:
    def noise(maps: Tensor) -> Tensor:
        return torch.rand(maps.shape[0], maps.shape[1], maps.shape[1])

    return bool(trial.missed) and trial.passes_on(noise)


def _keeping(place: int) -> Version:
    """Make a version that is right for one picture of a batch, and nonsense for the others."""

    def version(maps: Tensor) -> Tensor:
        matrices = gram_matrix(maps)
        spoilt = torch.rand_like(matrices)
        spoilt[place] = matrices[place]
        return spoilt

    return version


def _one_picture_only(trial: Trial) -> bool:
    return bool(trial.missed) and any(trial.passes_on(_keeping(place)) for place in (0, -1))


BATCH_TEST = writing_exercise(
    "batch_test",
    "A test for the batch",
    _batch_reference,
    _batch_cases,
    mistake(
        "batch-of-one",
        "Each batch in your test holds one picture. With one picture there is nothing to mix, and "
        "the bug gives the right numbers. How large must the batch be at least?",
        _batch_of_one,
    ),
    mistake(
        "equal-pictures",
        "The pictures of your batch are all equal. Their matrices are equal too, and who mixes "
        "equal things does no harm. Take pictures that differ.",
        _equal_pictures,
    ),
    mistake(
        "shape-only",
        "Your test looks at the shape only. A version that fills the right shape with random "
        "numbers would pass. Compare numbers as well: what is each picture's matrix on its own?",
        _shape_only,
    ),
    mistake(
        "one-picture-only",
        "Your test looks at one picture of the batch only. It passes on a version that is right "
        "for this picture and fills in nonsense for the others. The promise is about each picture.",
        _one_picture_only,
    ),
    mistake(
        "one-divisor",
        "Your test fails on versions that divide by another number, or not at all. The promise is "
        "that the pictures are not mixed; the divisor is not part of it. Compare the function "
        "with itself: the picture in the batch, and the same picture alone.",
        lambda t: t.missed == [] and set(t.accused) == {museum.gram_by_chw, museum.gram_undivided},
    ),
    mistake(
        "too-exact",
        "Your test fails on a right version whose last digit differs. Sums in another order have "
        "other rounding errors. Allow for them: which function of torch compares with a tolerance?",
        lambda t: t.accused == [museum.gram_in_chunks],
    ),
)


def check_batch_test(my_batch_test: Callable[..., Any]) -> Result:
    """Check the exercise "A test for the batch" of lesson 9."""
    return check_test(BATCH_TEST, my_batch_test)


# A test for a style loss that never looks at the style --------------------------------------------


def _style_cases(_: torch.Generator) -> list[tuple[Any, ...]]:
    return [(version,) for version in (*museum.STYLE_BUGS, *museum.STYLE_RIGHT)]


def _style_reference(loss: Version) -> None:
    assert loss not in museum.STYLE_BUGS


def _same(first: Any, second: Any) -> bool:
    return first.shape == second.shape and bool(torch.equal(first, second))


def _pairs(trial: Trial) -> list[tuple[Any, ...]]:
    return [call for call in trial.calls(museum.style_by_package) if len(call) == 2]


def _styles(trial: Trial) -> list[Tensor]:
    """Return the style maps that the test uses, each of them once."""
    found: list[Tensor] = []
    for _maps, style in _pairs(trial):
        if not any(_same(style, other) for other in found):
            found.append(style)
    return found


def _only_equal_pairs(trial: Trial) -> bool:
    return bool(trial.missed) and all(_same(*pair) for pair in _pairs(trial))


def _both_changed(trial: Trial) -> bool:
    pairs = itertools.combinations(_pairs(trial), 2)
    alone = any(_same(a[0], b[0]) and not _same(a[1], b[1]) for a, b in pairs)
    return bool(trial.missed) and not alone


def _same_style_in_disguise(trial: Trial) -> bool:
    """Tell whether two styles differ in the order of their positions only.

    Most right versions add up in that order, so their last digits may differ all the same.
    """
    grams = [gram_matrix(style) for style in _styles(trial)]
    equal = [
        a.shape == b.shape and torch.allclose(a, b, rtol=1e-4)
        for a, b in itertools.combinations(grams, 2)
    ]
    by_rounding = trial.accused == [museum.style_without_order]
    return bool(trial.accused and equal) and (all(equal) or (by_rounding and any(equal)))


def _asks_for_gradient(trial: Trial) -> bool:
    wrong = [o.arguments[0] for o in trial.right if o.error is not None]
    return wrong == [museum.style_of_constant]


def _stored_number(trial: Trial) -> bool:
    others = {museum.style_of_paper, museum.style_absolute}
    return others <= set(trial.accused) and museum.style_by_package not in trial.accused


STYLE_TEST = writing_exercise(
    "style_test",
    "A test for the style loss",
    _style_reference,
    _style_cases,
    mistake(
        "same-style-in-disguise",
        "Your two styles have the same Gram matrix: one is the other with its positions moved. "
        "A right style loss cannot tell them apart (lesson 7); at most the last digit differs, by "
        "rounding. Take styles that really differ.",
        _same_style_in_disguise,
    ),
    mistake(
        "asks-for-a-gradient",
        "Your test asks for a gradient with respect to the style. The style is a constant target, "
        "and right code may detach it. Look at the values of the loss.",
        _asks_for_gradient,
    ),
    mistake(
        "stored-number",
        "Your test compares with one number. It is the number of one divisor, but right style "
        "losses differ in theirs. Compare two values of the same loss with each other.",
        _stored_number,
    ),
    mistake(
        "only-equal-pairs",
        "In your test the picture is always equal to the style. There a loss that is always 0 "
        "looks right. Add a case in which the two differ.",
        _only_equal_pairs,
    ),
    mistake(
        "one-style-only",
        "Your test uses one style only. A loss that never looks at it can have any value there. "
        "Change the style, and look at what the loss does.",
        lambda trial: bool(trial.missed) and len(_styles(trial)) == 1,
    ),
    mistake(
        "both-changed",
        "Your test changes the picture and the style at the same time. If the loss changes, you "
        "cannot tell which of the two it was. Change one thing and keep the other.",
        _both_changed,
    ),
)


def check_style_test(my_style_test: Callable[..., Any]) -> Result:
    """Check the exercise "A test for the style loss" of lesson 9."""
    return check_test(STYLE_TEST, my_style_test)


# A test for a display -----------------------------------------------------------------------------


def _display_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Give every version a picture whose channels span 0 to 1, in both number types."""
    pictures = []
    for shape, dtype in (((1, 3, 6, 8), torch.float32), ((2, 3, 5, 7), torch.float64)):
        noise = torch.rand(shape, generator=generator, dtype=dtype)
        pictures.append(museum.channels_stretched(noise))
    versions = (*museum.DISPLAY_BUGS, *museum.DISPLAY_RIGHT)
    return [(version, pictures[k % 2]) for k, version in enumerate(versions)]


def _display_reference(display: Version, picture: Tensor) -> None:
    assert display not in museum.DISPLAY_BUGS


def _shown(trial: Trial) -> list[Tensor]:
    return [call[0] for call in trial.calls(museum.clamped)]


def _full_range(trial: Trial) -> bool:
    pictures = [picture.clamp(0, 1) for picture in _shown(trial)]
    return bool(trial.missed) and all(p.min() < 0.02 and p.max() > 0.98 for p in pictures)


def _misses_beside_stretching(trial: Trial, *versions: Version) -> bool:
    """Tell whether a test notices stretching, but does not notice one of these versions."""
    rightly = not trial.accused and not trial.crashes
    noticed = rightly and not set(museum.STRETCHING) & set(trial.missed)
    return noticed and bool(set(versions) & set(trial.missed))


def _only_the_range(trial: Trial) -> bool:
    def negative(picture: Tensor) -> Tensor:
        return 1 - picture.clamp(0, 1)

    return trial.blind and trial.passes_on(negative)


DISPLAY_TEST = writing_exercise(
    "display_test",
    "A test for the display",
    _display_reference,
    _display_cases,
    mistake(
        "changes-the-picture",
        "Your test changes the picture that it is given, and whoever uses it next gets a spoilt "
        "one. Look for *=, += or a method that ends in an underscore. Make a new tensor.",
        lambda trial: any(outcome.changed for outcome in trial.right),
    ),
    mistake(
        "full-range-picture",
        "The picture that your test shows begins at 0 and ends at 1. Stretching does not change "
        "such a picture, so the bug does not show. Which pictures does stretching change?",
        _full_range,
    ),
    mistake(
        "only-the-range",
        "Your test would pass for a display that shows the negative. All that it asks for is a "
        "property that a wrong picture can have as well. Compare the result with the picture.",
        _only_the_range,
    ),
    mistake(
        "black-passes",
        "Your test notices stretching, but a screen that stays black would pass. So it only makes "
        "sure that nothing is too bright. Compare what is shown with the picture.",
        lambda trial: _misses_beside_stretching(trial, museum.stays_black),
    ),
    mistake(
        "one-number-only",
        "Your test notices stretching, but it passes on a display whose pixels are all a little "
        "wrong. One number of a whole picture, such as its mean or its contrast, can stay the same "
        "then. Which comparison looks at each pixel?",
        lambda trial: _misses_beside_stretching(trial, museum.brighter, museum.grainy),
    ),
    mistake(
        "too-exact",
        "Your test fails on a display that rounds to the 256 levels of a screen. The task allows "
        "differences of 1/255. Compare with a tolerance.",
        lambda t: set(t.accused) == {museum.rounded_to_bytes, museum.cut_to_bytes},
    ),
)


def check_display_test(my_display_test: Callable[..., Any]) -> Result:
    """Check the exercise "A test for the display" of lesson 9."""
    return check_test(DISPLAY_TEST, my_display_test)


# From symptoms to causes --------------------------------------------------------------------------

# symptom -> (the right cause, {a wrong cause: (id of the mistake, message)})
DIAGNOSES: dict[str, tuple[int, dict[int, tuple[str, str]]]] = {
    "A": (
        3,
        {
            2: (
                "gradients-for-unchanged-picture",
                "Symptom A: gradients that add up drive the pixels too far. The picture would "
                "change much, not stay as it was. What did change, if the loss fell?",
            ),
            5: (
                "unconnected-for-falling-loss",
                "Symptom A: a loss that is not connected to what the optimiser changes cannot "
                "fall. Here it falls. What did change, if not the picture?",
            ),
        },
    ),
    "B": (
        6,
        {
            4: (
                "normalised-for-swapped-colours",
                "Symptom B: preparing a picture twice makes its contrasts too strong. It does "
                "not turn blue into orange. Which mistake exchanges two colours?",
            ),
            1: (
                "clamping-for-swapped-colours",
                "Symptom B: clamping inside the closure upsets the optimiser, and the strokes "
                "are lost, too. Here the strokes are right. Which mistake exchanges two colours?",
            ),
        },
    ),
    "C": (
        1,
        {
            2: (
                "gradients-for-late-explosion",
                "Symptom C: gradients that add up make the loss swing from the first steps on. "
                "Here all went well for a hundred steps. What has a memory, and is cheated?",
            ),
            4: (
                "normalised-for-late-explosion",
                "Symptom C: wrong inputs are wrong from the first step on. Here all went well "
                "for a hundred steps. What has a memory, and is cheated?",
            ),
        },
    ),
    "D": (
        5,
        {
            3: (
                "weights-for-constant-loss",
                "Symptom D: an optimiser that was given the weights makes the loss fall. Here "
                "it is the same number at each step. What does the loss look at?",
            ),
            2: (
                "gradients-for-constant-loss",
                "Symptom D: with gradients that add up the loss swings. Here it is the same "
                "number at each step. What does the loss look at?",
            ),
        },
    ),
    "E": (
        2,
        {
            1: (
                "clamping-for-early-swings",
                "Symptom E: the loop of symptom E uses gradient descent, which has no memory "
                "that a clamp could spoil. What is added to what, if you forget a line?",
            ),
            5: (
                "unconnected-for-swings",
                "Symptom E: a loss that is not connected to the picture stays the same. Here it "
                "swings, so the picture moves, and it moves too far.",
            ),
        },
    ),
}


def _exchanged(symptom: str, cause: int) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.value.get(symptom) == cause


DIAGNOSIS = Exercise(
    "diagnosis",
    9,
    "From symptoms to causes",
    {symptom: cause for symptom, (cause, _) in DIAGNOSES.items()},
    misconceptions=tuple(
        Misconception(name, message, recognise=_exchanged(symptom, cause))
        for symptom, (_, wrong) in DIAGNOSES.items()
        for cause, (name, message) in wrong.items()
    ),
)


def check_diagnosis(my_diagnosis: Any) -> Result:
    """Check the exercise "From symptoms to causes" of lesson 9."""
    return check_value(DIAGNOSIS, my_diagnosis)
