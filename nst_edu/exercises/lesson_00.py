"""Lesson 0: a picture on day one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import spelled, spelled_like


def _letter(letter: str) -> Callable[[Attempt], bool]:
    """Return a test for one letter, in any case."""
    return lambda attempt: bool(spelled(attempt.value) == letter)


CHANGING_TENSOR = Exercise(
    id="changing_tensor",
    lesson=0,
    title="The one tensor that changes",
    reference="d",
    accepts=spelled_like("d"),
    gradient=False,
    misconceptions=(
        Misconception(
            id="network-trained",
            message="Not the weights: nothing is trained here. The cell above compared them before "
            "and after. What did it print?",
            recognise=_letter("a"),
        ),
        Misconception(
            id="content-changed",
            message="Not the content picture. The painting starts as a copy of it, and a copy is "
            "another tensor. What did the cell above print about the content picture?",
            recognise=_letter("b"),
        ),
        Misconception(
            id="style-changed",
            message="Not the style picture. It is only looked at, once, before the loop begins. "
            "Which picture was not there before the run?",
            recognise=_letter("c"),
        ),
        Misconception(
            id="target-changed",
            message="Not these. They are computed once, before the loop begins. If the goal moved, "
            "what would the loop be searching for?",
            recognise=_letter("e"),
        ),
    ),
)


def overlay_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor, float]]:
    """Return a photo, a texture of the same size, and the texture's share: one photo first."""
    sizes = [
        ((1, 3, 5, 7), torch.float32, 0.25),
        ((2, 3, 6, 3), torch.float64, 0.8),
        ((2, 3, 3, 8), torch.float32, 0.0),
        ((1, 3, 7, 5), torch.float64, 1.0),
    ]
    return [
        (_picture(generator, shape, dtype), _picture(generator, shape, dtype), share)
        for shape, dtype, share in sizes
    ]


def _picture(generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)


def reference_overlay(photo: Tensor, texture: Tensor, share: float) -> Tensor:
    """Return the photo with the texture laid over it."""
    return (1 - share) * photo + share * texture


OVERLAY = Exercise(
    id="overlay",
    lesson=0,
    title="A filter laid over a photo",
    reference=reference_overlay,
    cases=overlay_cases,
    gradient=False,  # nobody knows of gradients yet
    misconceptions=(
        Misconception(
            id="shares-swapped",
            message="You gave the texture's share to the photo. With a share of 0, what should be "
            "left?",
            wrong=lambda photo, texture, share: share * photo + (1 - share) * texture,
        ),
        Misconception(
            id="always-half",
            message="Your result does not depend on `share`: it is always half and half. Use the "
            "third argument.",
            wrong=lambda photo, texture, share: (photo + texture) / 2,
        ),
        Misconception(
            id="shares-exceed-one",
            message="Your photo keeps its full share, and the texture is added. The sum gets too "
            "bright: the two shares must add up to 1.",
            wrong=lambda photo, texture, share: photo + share * texture,
        ),
        Misconception(
            id="multiplied",
            message="You multiplied the two pictures. That darkens: black times anything is black. "
            "A mixture *adds* a part of each.",
            wrong=lambda photo, texture, share: photo * texture,
        ),
        Misconception(
            id="brighter-one",
            message="You took the larger of the two values at each place. A mixture takes a part "
            "of both.",
            wrong=lambda photo, texture, share: torch.maximum(photo, texture),
        ),
    ),
)


def change_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return a picture before and after."""
    return [(photo, texture) for photo, texture, _ in overlay_cases(generator)]


def reference_change(before: Tensor, after: Tensor) -> Tensor:
    """Return the mean absolute difference."""
    return (after - before).abs().mean()


PICTURE_CHANGE = Exercise(
    id="picture_change",
    lesson=0,
    title="How much has a picture changed?",
    reference=reference_change,
    cases=change_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            id="signs-cancel",
            message="You took the mean of the differences with their signs. A pixel that gets "
            "brighter and one that gets darker cancel out. Does that mean that nothing changed?",
            wrong=lambda before, after: (after - before).mean(),
        ),
        Misconception(
            id="signs-cancel-late",
            message="You took the absolute value at the end, when the signs had cancelled already. "
            "Which comes first: the absolute value or the mean?",
            wrong=lambda before, after: (after - before).mean().abs(),
        ),
        Misconception(
            id="largest-only",
            message="You took the largest difference: it tells about one number of one pixel. The "
            "task asks for the average over all of them.",
            wrong=lambda before, after: (after - before).abs().max(),
        ),
        Misconception(
            id="summed",
            message="You added the differences up. Then a larger picture has a larger change, even "
            "if each pixel changes as much as before. What makes it an average?",
            wrong=lambda before, after: (after - before).abs().sum(),
        ),
        Misconception(
            id="squared",
            message="You took squared differences. They make large ones count more. The task asks "
            "for absolute differences.",
            wrong=lambda before, after: (after - before).square().mean(),
        ),
        Misconception(
            id="counted",
            message="You counted how many numbers changed, and not by how much.",
            wrong=lambda before, after: (after != before).to(after.dtype).mean(),
        ),
    ),
)

TRAINS, OVERLAYS = "it trains the network", "it lays the style picture over the photo"
RISES, SHIFT = "its content loss rises from 0", "it cares where things are in the style picture"


def _claims(claim: str, answer: bool) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.value[claim] is answer


CLAIMS = Exercise(
    id="claims",
    lesson=0,
    title="Four claims",
    reference={TRAINS: False, OVERLAYS: False, RISES: True, SHIFT: False},
    gradient=False,
    misconceptions=(
        Misconception(
            id="network-trained",
            message="You say that the network is trained. Training changes weights. Look at what "
            "the comparison of the weights before and after printed.",
            recognise=_claims(TRAINS, True),
        ),
        Misconception(
            id="filter",
            message="You say that the style picture is laid over the photo. Then a shifted style "
            "picture must give a shifted pattern. Which of the four pictures show that, and which "
            "do not?",
            recognise=_claims(OVERLAYS, True),
        ),
        Misconception(
            id="content-loss-must-fall",
            message="You say that the content loss does not rise. At step 0 the picture *is* the "
            "photo. Look at what the cell below the plot of the losses printed.",
            recognise=_claims(RISES, False),
        ),
        Misconception(
            id="positions-matter",
            message="You say that it matters where things are in the style picture. We shifted "
            "that picture by a third. Which changed more, the mixture or the painting?",
            recognise=_claims(SHIFT, True),
        ),
    ),
)


def check_changing_tensor(my_changing_tensor: str) -> Result:
    """Check the exercise "The one tensor that changes" of lesson 0."""
    return check_value(CHANGING_TENSOR, spelled(my_changing_tensor))


def check_overlay(my_overlay: Callable[..., Any]) -> Result:
    """Check the exercise "A filter laid over a photo" of lesson 0."""
    return check(OVERLAY, my_overlay)


def check_picture_change(my_picture_change: Callable[..., Any]) -> Result:
    """Check the exercise "How much has a picture changed?" of lesson 0."""
    return check(PICTURE_CHANGE, my_picture_change)


def check_claims(my_claims: dict[str, bool]) -> Result:
    """Check the exercise "Four claims" of lesson 0."""
    return check_value(CLAIMS, my_claims)
