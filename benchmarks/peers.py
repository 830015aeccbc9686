"""Stand-ins for what others do, written after the usual tutorials and the leanest published loop.

All compute the loss of `nst_edu.Objective` with its default layers and weights, and its gradient to
the pixels, so that only the way there differs. Weights come from our backbone of the same layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from nst_edu.features import Backbone
from nst_edu.losses import content_loss, gram_matrix, style_loss
from nst_edu.objective import Objective, mean_square

ALPHA, BETA = 1.0, 50.0  # as Objective has them


class Textbook:
    """The loop of the tutorials: the whole network, and two passes through it for each step.

    Nothing is frozen, so the gradients of all weights are computed too. Nothing is cut off below
    the deepest layer in use. And the loss is looked at in every step.
    """

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor) -> None:
        self.layers = backbone.content_layers, backbone.style_layers
        self.names = backbone.layers
        self.network = copied(backbone, in_place=False)
        self.mean, self.std = backbone.mean, backbone.std
        with torch.no_grad():
            self.content = self.maps(content, self.layers[0])
            self.grams = {n: gram_matrix(m) for n, m in self.maps(style, self.layers[1]).items()}

    def maps(self, image: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Push the picture through all layers, and keep some maps."""
        x, kept = (image - self.mean) / self.std, {}
        for name, layer in zip(self.names, self.network, strict=True):
            x = layer(x)
            if name in wanted:
                kept[name] = x
        return kept

    def __call__(self, image: Tensor) -> float:
        """Return the loss; its gradient is in ``image.grad``."""
        content_maps = self.maps(image, self.layers[0])
        style_maps = self.maps(image, self.layers[1])
        total = weighted(content_maps, style_maps, self.content, self.grams)
        self.network.zero_grad()
        total.backward()
        return total.item()


class Lean:
    """The leanest published design: cut off, frozen, ReLU in place, one pass."""

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor) -> None:
        self.layers = backbone.content_layers, backbone.style_layers
        wanted = {*backbone.content_layers, *backbone.style_layers}
        deepest = max(backbone.layers.index(name) for name in wanted)
        self.names = backbone.layers[: deepest + 1]
        self.network = copied(backbone, in_place=True)[: deepest + 1].requires_grad_(False)
        self.mean, self.std = backbone.mean, backbone.std
        with torch.no_grad():
            maps = self.maps(content)
            self.content = {name: maps[name] for name in self.layers[0]}
            maps = self.maps(style)
            self.grams = {name: gram_matrix(maps[name]) for name in self.layers[1]}

    def maps(self, image: Tensor) -> dict[str, Tensor]:
        """Push the picture through the layers, and keep some maps."""
        x, kept = (image - self.mean) / self.std, {}
        for name, layer in zip(self.names, self.network, strict=True):
            x = layer(x)
            if name in self.layers[0] or name in self.layers[1]:
                kept[name] = x
        return kept

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss; its gradient is in ``image.grad``."""
        maps = self.maps(image)
        total = weighted(maps, maps, self.content, self.grams)
        total.backward()
        return total.detach()


class Ours:
    """What `nst_edu.optimize` evaluates."""

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor) -> None:
        self.objective = Objective(backbone, content, style)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss; its gradient is in ``image.grad``."""
        total = self.objective(image).total
        total.backward()
        return total.detach()


Loop = Textbook | Lean | Ours
LOOPS: dict[str, Callable[[Backbone, Tensor, Tensor], Loop]] = {
    "ours": Ours,
    "lean loop": Lean,
    "textbook loop": Textbook,
}


def copied(backbone: Backbone, *, in_place: bool) -> nn.Sequential:
    """Return torchvision's VGG-19, as deep as our backbone and with its weights, rows in order."""
    network: nn.Sequential = make_layers(cfgs["E"])[: len(backbone.stages)]
    for stage, layer in zip(backbone.stages.values(), network, strict=True):
        if isinstance(layer, nn.Conv2d):
            layer.load_state_dict({k: v.contiguous() for k, v in stage.state_dict().items()})
        if isinstance(layer, nn.ReLU):
            layer.inplace = in_place
    return network.to(backbone.mean.device)


def weighted(
    content_maps: dict[str, Tensor],
    style_maps: dict[str, Tensor],
    content: dict[str, Tensor],
    grams: dict[str, Tensor],
) -> Tensor:
    """Return the loss of `nst_edu.Objective`, written down plainly."""
    total = torch.zeros((), device=next(iter(grams.values())).device)
    for name, target in content.items():
        part = content_loss(content_maps[name], target) / mean_square(target)
        total = total + ALPHA * part / len(content)
    for name, gram in grams.items():
        part = style_loss(gram_matrix(style_maps[name]), gram) / mean_square(gram)
        total = total + BETA * part / len(grams)
    return total
