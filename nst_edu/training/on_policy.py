"""Pictures that optimisation with the *current* student makes, to be learned from in turn.

A student that has only seen photos can be fooled: the optimiser finds pictures that satisfy the
student and look like noise to the teacher. Showing it its own pictures, with the teacher's
answers, closes that gap (measured: see the model card).
"""

from __future__ import annotations

import contextlib

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


class OwnPictures:
    """A rolling store of stylised crops, refreshed with the student as it is now."""

    def __init__(self, capacity: int, size: int) -> None:
        self.store = torch.empty(0, 3, size, size)
        self.capacity, self.size = capacity, size

    def refresh(self, student: Backbone, photos: Photos, count: int = 8) -> None:
        """Paint `count` crops in the styles of `count` others, and keep them; the oldest go."""
        content = photos.crops(count, self.size)
        styles = photos.varied_crops(count, self.size)
        start = content if photos.uniform() < 0.7 else photos.varied_crops(count, self.size)
        objective = Objective(
            student,
            content,
            styles,
            content_weight=0.0 if photos.uniform() < 0.15 else 1.0,
            style_weight=10 ** photos.uniform(0.5, 3.5),
            style_layers=STYLE_CHOICES[int(photos.uniform(0, len(STYLE_CHOICES) - 1e-6))],
            content_layers=(CONTENT_CHOICES[int(photos.uniform(0, 3 - 1e-6))],),
        )
        steps = int(photos.uniform(5, 20))
        rate = 10 ** photos.uniform(-1.9, -1.1)
        painted = start
        # A run may diverge at such rates; what it had painted until then is worth learning, too.
        with contextlib.suppress(DivergedError):
            for step in optimize_image(
                objective, start, steps=steps, optimizer="adam", learning_rate=rate
            ):
                painted = step.image
        self.store = torch.cat([self.store, painted])[-self.capacity :]

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return `count` of the stored pictures, (count, 3, size, size)."""
        return self.store[torch.randint(len(self.store), (count,), generator=generator)]
