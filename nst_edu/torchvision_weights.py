"""Weights that torchvision offers: read from its cache folder, or downloaded into it.

Used by `nst_edu.features` alone. torchvision is imported only when such a network is asked for.
"""

from __future__ import annotations

import pickle
import urllib.error
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

# What a failed download and all kinds of damaged files end in.
TROUBLE = (
    *(urllib.error.URLError, OSError, EOFError, pickle.UnpicklingError),
    *(RuntimeError, ValueError, KeyError, TypeError, AttributeError),
)


def fill_vgg(name: str, stages: nn.ModuleDict) -> None:
    """Copy the weights of ``"vgg16"`` or ``"vgg19"`` into the stages of a `Backbone`."""
    from torchvision import models

    def copy(state: dict[str, Tensor]) -> None:
        # Position i in `stages` is features.i there; the classifier's weights are not needed.
        for index, stage in enumerate(stages.values()):
            for key, parameter in stage.named_parameters():
                parameter.data.copy_(state[f"features.{index}.{key}"])

    enum = {"vgg16": models.VGG16_Weights, "vgg19": models.VGG19_Weights}[name]
    _fetch(enum.IMAGENET1K_V1, name, copy)


def fill_squeezenet(network: nn.Module) -> None:
    """Copy the weights of SqueezeNet 1.1 into torchvision's own network."""
    from torchvision import models

    weights = models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    _fetch(weights, "squeezenet1_1", network.load_state_dict)


def _fetch(weights: Any, name: str, use: Callable[[dict[str, Tensor]], object]) -> None:
    """Load the weights and pass them to `use`; explain what to do when that fails."""
    file = weights.url.rsplit("/", 1)[-1]
    folder = f"{torch.hub.get_dir()}/checkpoints"
    try:
        use(weights.get_state_dict(progress=True, check_hash=True))
    except TROUBLE as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise OSError(
            f"the weights of {name!r} could not be loaded ({reason}). "
            f"Use backbone 'compact', which needs no download; or fetch {file} on a machine with a "
            f"network and put it into {folder}; if it lies there already, it is damaged: delete it"
        ) from error
