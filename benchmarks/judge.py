"""The judge of finished pictures: how far they are from their style and their photo to VGG-19."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nst_edu.features import Backbone, load_backbone
from nst_edu.losses import gram_matrix
from nst_edu.training.teachers import oxford_vgg19

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
CONTENT_LAYER = "relu3_4"
LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)


@dataclass(frozen=True)
class Verdict:
    """Relative squared distances: 0 is equal, 1 is as far away as nothing at all."""

    style: dict[str, float]  # layer → |G - A|² / |A|², of Gram matrices
    content: float  # |F - P|² / |P|², of maps at relu3_4

    def gap_closed(self, photo: Verdict, best: Verdict, layer: str) -> float:
        """Return which share of the way from the photo to the best picture this one has come."""
        start, goal = photo.style[layer], best.style[layer]
        return (start - self.style[layer]) / (start - goal)


def load_judge(folder: Path | None) -> Backbone:
    """Load the real VGG-19: from the teachers' folder, or (None) as torchvision has it.

    Raises
    ------
    OSError
        If the weights are not there; the message says where they should be.
    """
    if folder is None:
        return load_backbone("vgg19", device="cpu")
    file = folder / "vgg19_relu3_4_imagenet.pt"
    if not file.exists():
        raise FileNotFoundError(
            f"the judge's weights are not there: {file}. Name the folder that has them with "
            "--teachers, or leave --teachers out to use torchvision's VGG-19 (a download)"
        )
    return oxford_vgg19(folder).to(memory_format=torch.channels_last)


@torch.no_grad()
def judge(vgg: Backbone, picture: Tensor, photo: Tensor, style: Tensor) -> Verdict:
    """Compare a picture with its style at three layers and with its photo at one."""
    maps, wanted = vgg(picture, LAYERS), vgg(style, STYLE_LAYERS)
    content = vgg(photo, [CONTENT_LAYER])[CONTENT_LAYER]
    return Verdict(
        {name: _distance(gram_matrix(maps[name]), gram_matrix(wanted[name])) for name in wanted},
        _distance(maps[CONTENT_LAYER], content),
    )


def _distance(value: Tensor, target: Tensor) -> float:
    return float((value - target).square().sum() / target.square().sum())
