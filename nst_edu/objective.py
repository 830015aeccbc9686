"""What the optimisation makes small: content, style and total variation, weighted (lesson 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from nst_edu.checks import check_number
from nst_edu.fast import gram_matrix  # the same numbers as losses.gram_matrix
from nst_edu.features import Backbone
from nst_edu.losses import content_loss, style_loss, total_variation_loss

Number = TypeVar("Number", Tensor, float)


@dataclass(frozen=True)
class Losses(Generic[Number]):
    """The three losses, unweighted, and their weighted sum.

    Tensors while they are being optimised, plain floats in a `nst_edu.optimize.Step`.
    """

    content: Number
    style: Number
    tv: Number
    total: Number

    def detached(self) -> Losses[float]:
        """Return the same losses as Python floats, cut off from the graph."""
        values = torch.stack([self.content, self.style, self.tv, self.total])  # type: ignore[list-item]
        return Losses(*values.detach().tolist())


class Target(NamedTuple):
    """What one layer should come to."""

    value: Tensor  # a feature map, or a Gram matrix
    weight: Tensor  # the layer's share of the loss, divided by the value's mean square


class Objective:
    r"""The loss of a picture, for one photo and one or more styles.

    .. math:: L = \alpha L_{content} + \beta L_{style} + \gamma L_{TV}

    The targets (the photo's feature maps, the styles' Gram matrices) are computed once, without
    gradients. Each layer's loss is divided by the target's own mean square, so that 0 means
    "equal" and 1 means "as far away as a map of zeros", at every layer of every network. The paper
    has no such divisor; there the network's weights are rescaled instead, for a similar effect.

    Parameters
    ----------
    backbone
        From `nst_edu.features.load_backbone`.
    content
        The photo, (N, 3, H, W), range 0 to 1.
    styles
        One style picture or several, each (1, 3, H', W') of any size; or each (N, 3, H', W'), to
        give every photo of a batch its own.
    content_weight, style_weight, tv_weight
        α, β and γ.
    style_blend
        The share of each style; they are divided by their sum. None: equal shares.
    content_layers, style_layers
        Layer names; None: the backbone's own choice.

    Examples
    --------
    >>> from nst_edu.features import load_backbone
    >>> photo, style = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 48, 32)
    >>> objective = Objective(load_backbone("compact", device="cpu"), photo, style)
    >>> losses = objective(photo)
    >>> losses.content.item()
    0.0
    >>> bool(losses.style > 0)
    True
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Tensor,
        styles: Tensor | Sequence[Tensor],
        *,
        content_weight: float = 1.0,
        style_weight: float = 50.0,
        tv_weight: float = 0.0,
        style_blend: Sequence[float] | None = None,
        content_layers: Sequence[str] | None = None,
        style_layers: Sequence[str] | None = None,
    ) -> None:
        self.backbone = backbone
        self.weights = tuple(
            check_number(weight, name, zero=True)
            for name, weight in [
                ("content_weight", content_weight),
                ("style_weight", style_weight),
                ("tv_weight", tv_weight),
            ]
        )
        styles = [styles] if isinstance(styles, Tensor) else list(styles)
        shares = style_shares(style_blend, len(styles))
        self.content_layers = choose_layers(content_layers, backbone.content_layers)
        self.style_layers = choose_layers(style_layers, backbone.style_layers)
        with torch.no_grad():  # the targets are constants: no gradient may flow into them
            self.content_targets = _targets(backbone(content, self.content_layers), 1.0)
            self.style_targets = [
                _targets(_gram_matrices(backbone, picture, self.style_layers), share)
                for picture, share in zip(styles, shares, strict=True)
            ]

    def __call__(self, image: Tensor) -> Losses[Tensor]:
        """Compute the losses of `image`, (N, 3, H, W) of the photo's size, in one pass."""
        content = style = image.new_zeros(())
        # In a fixed order: a set's changes from run to run, and with it the sum's last digits.
        layers = dict.fromkeys([*self.content_layers, *self.style_layers])
        for layer, map_ in _maps(self.backbone, image, layers):
            if layer in self.content_targets:
                target = self.content_targets[layer]
                content = content + target.weight * content_loss(map_, target.value)
            if layer in self.style_layers:
                gram = gram_matrix(map_)
                for targets in self.style_targets:  # one style for a batch: the same for each photo
                    goal, weight = targets[layer].value.expand_as(gram), targets[layer].weight
                    style = style + weight * style_loss(gram, goal)

        alpha, beta, gamma = self.weights
        with torch.set_grad_enabled(gamma > 0 and torch.is_grad_enabled()):
            tv = total_variation_loss(image)
        total = alpha * content + beta * style
        if gamma:
            total = total + gamma * tv
        return Losses(content, style, tv, total)


def _maps(
    backbone: Backbone | Callable[[Tensor, Iterable[str]], dict[str, Tensor]],
    image: Tensor,
    layers: Iterable[str],
) -> Iterable[tuple[str, Tensor]]:
    """Return (layer, map) as they come; of anything else that is called like a backbone, all."""
    if isinstance(backbone, Backbone):
        return backbone.walk(image, layers)
    return backbone(image, layers).items()


def _gram_matrices(
    backbone: Backbone, picture: Tensor, layers: tuple[str, ...]
) -> dict[str, Tensor]:
    try:
        return {name: gram_matrix(map_) for name, map_ in backbone(picture, layers).items()}
    except ValueError as error:
        raise ValueError(f"style: {error}") from error


def _targets(values: dict[str, Tensor], share: float) -> dict[str, Target]:
    """Give each layer the same part of `share`."""
    part = share / max(len(values), 1)
    return {layer: Target(value, part / mean_square(value)) for layer, value in values.items()}


def mean_square(target: Tensor) -> Tensor:
    """Return the mean of the squares, or 1 where all are 0 (nothing responds: do not divide)."""
    energy = target.square().mean()
    return torch.where(energy > 0, energy, torch.ones_like(energy))


def style_shares(blend: Sequence[float] | None, count: int) -> tuple[float, ...]:
    """Turn the styles' weights into shares that sum to 1.

    Examples
    --------
    >>> style_shares([3, 1], 2)
    (0.75, 0.25)
    """
    if count == 0:
        raise ValueError("at least one style picture is needed, none was given")
    blend = (
        [1.0] * count
        if blend is None
        else [check_number(b, "style_blend", zero=True) for b in blend]
    )
    if len(blend) != count or sum(blend) <= 0:
        raise ValueError(
            f"style_blend must have one weight for each of the {count} styles, "
            f"not all of them 0; it is {list(blend)}"
        )
    return tuple(share / sum(blend) for share in blend)


def choose_layers(layers: Sequence[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the default when nothing was said; an empty choice stays empty."""
    if isinstance(layers, str):
        raise TypeError(f"layers must be a list of names, such as [{layers!r}], not one string")
    return default if layers is None else tuple(dict.fromkeys(layers))  # each of them once
