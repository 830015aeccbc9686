"""Pictures that optimisation with the *current* student makes, to be learned from in turn.

A student that has only seen photos can be fooled: the optimiser finds pictures that satisfy the
student and look like noise to the teacher. Showing it its own pictures, with the teacher's
answers, closes that gap. The longer a picture is optimised, the better it fools; so paintings are
not thrown away after a few moves but go on, with the student as it is then (as the chains of
persistent contrastive divergence do, Tieleman 2008).
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor

from nst_edu.features import Backbone
from nst_edu.objective import Objective
from nst_edu.optimize import DivergedError, optimize_image
from nst_edu.training.pictures import Photos

STYLE_CHOICES = (
    ("relu1_1", "relu2_1", "relu3_1"),
    ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
    ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    ("relu2_1",),
    ("relu3_1",),
)
CONTENT_CHOICES = ("relu3_1", "relu3_4", "relu4_2")
EASELS = 24  # paintings in the making at a time
CROPS = 6  # crops painted together in one of them
OLDEST = 200  # moves after which a painting is finished


class OwnPictures:
    """A rolling store of stylised crops, refreshed with the student as it is now.

    Attributes
    ----------
    store
        (count, 3, 3, size, size): at most `capacity` of the latest pictures, each with the style
        and the photo that it is painted from.
    easels
        The paintings in the making: a dict with `content`, `styles` and `image`, each
        (CROPS, 3, size, size), the `options` of the objective, and its `age` in moves.
    """

    def __init__(self, capacity: int, size: int) -> None:
        self.store = torch.empty(0, 3, 3, size, size)
        self.easels: list[dict[str, Any]] = []
        self.capacity, self.size = capacity, size

    def refresh(self, student: Backbone, photos: Photos) -> None:
        """Go on with one painting for 5 to 20 moves, and keep two of the pictures on the way."""
        if len(self.easels) < EASELS:
            painting = self._begin(photos)
        else:
            painting = self.easels.pop(0)
            if painting["age"] >= OLDEST:
                painting = self._begin(photos)
        objective = Objective(
            student, painting["content"], painting["styles"], **painting["options"]
        )
        moves = int(photos.uniform(5, 20))
        by_adam = photos.uniform() < 0.5
        # A painting that has come far is refined by smaller moves.
        rate = 10 ** photos.uniform(-1.9, -1.1) / (1 + painting["age"] / 40)
        pictures = []
        # A run may diverge at such rates; what it had painted until then is worth learning, too.
        with contextlib.suppress(DivergedError):
            for step in optimize_image(
                objective,
                painting["image"],
                steps=moves + 1,
                optimizer="adam" if by_adam else "lbfgs",
                learning_rate=rate if by_adam else None,
            ):
                pictures.append(step.image)
        painting["image"], painting["age"] = pictures[-1], painting["age"] + moves
        self.easels.append(painting)
        for picture in pictures[int(photos.uniform(1, len(pictures) - 1e-6))], pictures[-1]:
            trio = torch.stack([picture, painting["styles"], painting["content"]], 1)
            self.store = torch.cat([self.store, trio])[-self.capacity :]

    def _begin(self, photos: Photos) -> dict[str, Any]:
        """Choose photos, styles, weights and layers for a new painting."""
        content = photos.crops(CROPS, self.size)
        return {
            "content": content,
            "styles": photos.varied_crops(CROPS, self.size),
            "image": self._ground(content, photos),
            "age": 0,
            "options": {
                "content_weight": 0.0 if photos.uniform() < 0.2 else 1.0,
                "style_weight": 10 ** photos.uniform(0.5, 3.0),
                "style_layers": STYLE_CHOICES[int(photos.uniform(0, len(STYLE_CHOICES) - 1e-6))],
                "content_layers": (CONTENT_CHOICES[int(photos.uniform(0, 3 - 1e-6))],),
            },
        }

    def _ground(self, content: Tensor, photos: Photos) -> Tensor:
        """Return what to paint on: the photo itself (60 %), noise (20 %), or other pictures."""
        choice = photos.uniform()
        if choice < 0.6:
            return content
        if choice < 0.8:
            return torch.rand(content.shape, generator=photos.generator)
        return photos.varied_crops(len(content), self.size)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return `count` pictures, their styles, their photos, (3·count, 3, size, size)."""
        chosen = torch.randint(len(self.store), (count,), generator=generator)
        return self.store[chosen].movedim(1, 0).flatten(0, 1)
