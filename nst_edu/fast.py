"""The same numbers, sooner: what is fast and not obvious stands here, off the reading path.

Each function has a plain counterpart that it is tested against, in value and gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def gram_matrix(features: Tensor) -> Tensor:
    """Compute `nst_edu.losses.gram_matrix` (divided by H·W) with two matrix products, not three.

    For G = F Fᵀ the gradient is (D + Dᵀ) F, where D is the gradient of what follows. Autograd
    multiplies D and Dᵀ with F one after the other. Here the sum D + Dᵀ is made before it meets the
    long side of F. (Second derivatives are lost.)

    Parameters
    ----------
    features
        Shape (N, C, H, W).

    Returns
    -------
    Tensor
        Shape (N, C, C).
    """
    gram: Tensor = _Gram.apply(features)
    return gram


class _Gram(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.size = n, c, h, w = features.shape
        rows = features.flatten(2)  # (N, C, H*W)
        if n == 1:
            rows = rows.squeeze(0)  # (C, H*W): on the CPU, faster than a batch of one
        ctx.save_for_backward(rows)
        return (rows @ rows.mT / (h * w)).view(n, c, c)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        _, _, h, w = ctx.size
        both = (gradient + gradient.mT) / (h * w)
        # Channels-last maps have the rows on end; so should their gradient.
        product: Tensor = (rows.mT @ (both if rows.ndim == 3 else both.squeeze(0))).mT
        return product.view(ctx.size)


_IN_PLACE = nn.ReLU(inplace=True)


def stages_for(stages: nn.ModuleDict, wanted: Collection[str]) -> Iterator[tuple[str, nn.Module]]:
    """Yield the stages that `wanted` needs in turn, changed where no wanted map shows it.

    ReLU overwrites its input: that saves memory and time. And ReLU before max pooling comes after
    it, where a quarter of the work is left: the largest of four values, cut off at 0, is the
    largest of the four values cut off at 0.
    """
    names = list(stages)
    deepest = max((names.index(name) for name in wanted), default=-1)
    late = {
        relu
        for relu, pool in itertools.pairwise(names)
        if isinstance(stages[relu], nn.ReLU) and isinstance(stages[pool], nn.MaxPool2d)
    }.difference(wanted)
    for before, name in zip(["", *names], names[: deepest + 1], strict=False):
        free = isinstance(stages[name], nn.ReLU) and before not in wanted
        if name not in late:
            yield name, _IN_PLACE if free else stages[name]
        if before in late:
            yield name, _IN_PLACE


class Conv2d(nn.Conv2d):
    """A 3×3 convolution that pads by 1, as ``nn.Conv2d`` does, a little sooner.

    With replicate padding, torch's way back adds the border up with one thread for each picture. At
    512 px that is a fifteenth of the time of an evaluation. (Second derivatives are lost.)
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "replicate":
            plain: Tensor = super()._conv_forward(input, weight, bias)
            return plain
        padded: Tensor = _BorderRepeated.apply(input)
        return F.conv2d(padded, weight, bias, self.stride)


class _BorderRepeated(Function):
    """Repeat the border pixels of (N, C, H, W) once."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        return F.pad(image, (1, 1, 1, 1), mode="replicate")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # A border pixel was used up to four times. Nobody else needs this gradient any more.
        for side in (2, 3):
            gradient.select(side, 1).add_(gradient.select(side, 0))
            gradient.select(side, -2).add_(gradient.select(side, -1))
        return gradient[:, :, 1:-1, 1:-1]
