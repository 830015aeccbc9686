"""The same numbers, sooner: what is fast and not obvious stands here, off the reading path.

Each function has a plain counterpart that it is tested against, in value and gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input


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
        ctx.save_for_backward(features)
        rows = _rows(features)
        n, c, h, w = features.shape
        return (rows @ rows.mT / (h * w)).view(n, c, c)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        rows, (_, _, h, w) = _rows(features), features.shape
        both = (gradient + gradient.mT) / (h * w)
        # Channels-last maps have the rows on end; so should their gradient. It is written into a
        # tensor of its own: to a view, autograd would not add the next layer's gradient in place.
        last = features.is_contiguous(memory_format=torch.channels_last)
        order = torch.channels_last if last else torch.contiguous_format
        result = torch.empty_like(features, memory_format=order)
        torch.matmul(rows.mT, both if rows.ndim == 3 else both.squeeze(0), out=_rows(result).mT)
        return result


def _rows(features: Tensor) -> Tensor:
    """Return (N, C, H·W), or (C, H·W) for a single map: on the CPU, faster than a batch of one."""
    rows = features.flatten(2)
    return rows.squeeze(0) if len(rows) == 1 else rows


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
    """A 3×3 convolution that pads by 1, as ``nn.Conv2d`` does, sooner and with less memory.

    With replicate padding, torch's way back adds the border up with one thread for each picture: at
    512 px a fifteenth of the time of an evaluation. And it keeps the padded map, of which only the
    gradient of the weights has need. (Second derivatives are lost.)
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "replicate" or self.stride != (1, 1):
            plain: Tensor = super()._conv_forward(input, weight, bias)
            return plain
        if weight.requires_grad:
            padded: Tensor = _BorderRepeated.apply(input)
            return F.conv2d(padded, weight, bias)
        frozen: Tensor = _FrozenConvolution.apply(input, weight, bias)
        return frozen


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


class _FrozenConvolution(Function):
    """Repeat the border, and convolve with weights that take no gradient."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
        ctx.save_for_backward(weight)
        ctx.shape = padded.shape
        return F.conv2d(padded, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        back = conv2d_input(ctx.shape, weight, gradient)
        return _BorderRepeated.backward(ctx, back), None, None
