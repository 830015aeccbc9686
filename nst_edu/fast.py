"""The same numbers, sooner: what is fast and not obvious stands here, off the reading path.

Each function has a plain counterpart that it is tested against, in value and gradient.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# mallopt's names for what it sets, and the values that glibc starts with (malloc.h).
TRIM_THRESHOLD, MMAP_MAX = -1, -4
DEFAULTS = {TRIM_THRESHOLD: 128 * 1024, MMAP_MAX: 65536}
KEEP_ALL = {TRIM_THRESHOLD: 2**31 - 1, MMAP_MAX: 0}


def gram_matrix(features: Tensor) -> Tensor:
    """Compute `nst_edu.losses.gram_matrix` (divided by H·W) with two matrix products, not three.

    For G = F Fᵀ the gradient is (D + Dᵀ) F, where D is the gradient of what follows. Autograd
    multiplies D and Dᵀ with F one after the other. Here only one factor is differentiated, and the
    sum D + Dᵀ is made before it meets the long side of F. (Second derivatives are lost.)

    Parameters
    ----------
    features
        Shape (N, C, H, W).

    Returns
    -------
    Tensor
        Shape (N, C, C).
    """
    _, c, h, w = features.shape
    rows = features.flatten(2)  # (N, C, H*W)
    if len(rows) == 1:
        rows = rows.squeeze(0)  # (C, H*W): on the CPU, faster than a batch of one
    half = rows.detach() @ rows.mT / (h * w)  # (C, C), or (N, C, C)
    gram = half + half.mT - half.detach()
    return gram.view(-1, c, c)


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
        gradient[:, :, 1] += gradient[:, :, 0]
        gradient[:, :, -2] += gradient[:, :, -1]
        gradient[..., 1] += gradient[..., 0]
        gradient[..., -2] += gradient[..., -1]
        return gradient[:, :, 1:-1, 1:-1]


@contextmanager
def reused_memory() -> Iterator[None]:
    """Let freed memory be used again inside the block, and give it back at its end (Linux).

    glibc returns every large tensor to the system when it is freed, and the system clears every
    page that it hands out again. At 512 px that is a fifth of the time of an evaluation.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    for option, value in KEEP_ALL.items():
        libc.mallopt(option, value)
    try:
        yield
    finally:
        for option, value in DEFAULTS.items():
            libc.mallopt(option, value)
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return the C library if it is the GNU one; others have no mallopt or another."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
        _ = libc.mallopt, libc.malloc_trim, libc.gnu_get_libc_version
    except (OSError, AttributeError):
        return None
    return libc
