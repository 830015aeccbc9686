"""Predict how much memory a picture needs, before minutes of work end in "out of memory"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil
import torch
from torch import Tensor

from nst_edu.features import Backbone
from nst_edu.optimize import HISTORY

CGROUP = Path("/sys/fs/cgroup")
PROBE = 64  # px: what autograd keeps is measured on a picture of this size and scaled up

# What an evaluation takes on top of the maps that autograd keeps (gradients on their way back, the
# convolutions' scratch space), as a share of them. Measured once, not derived.
OVERHEAD = 1.0

# L-BFGS keeps two vectors for each move that it remembers, and a few more; 3 channels of 4 bytes.
OPTIMIZER_BYTES_PER_PIXEL = (2 * HISTORY + 8) * 3 * 4


def bytes_per_pixel(backbone: Backbone, layers: Iterable[str]) -> float:
    """Measure what one pixel of the picture costs in memory while it is being painted.

    The maps that autograd keeps for the backward pass are counted on a small picture.
    """
    kept: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()  # shared storage is counted once
        return tensor

    image = torch.zeros(1, 3, PROBE, PROBE, device=backbone.mean.device, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        maps = backbone(image, layers)
    for parameter in backbone.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    del maps  # kept alive until here, so that no address was used twice
    return (1 + OVERHEAD) * sum(kept.values()) / PROBE**2 + OPTIMIZER_BYTES_PER_PIXEL


def free_memory(device: torch.device) -> int:
    """Return how many bytes are free on `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    try:  # a container may have less than the machine (Linux, cgroup 2)
        limit, used = (int((CGROUP / f"memory.{kind}").read_text()) for kind in ("max", "current"))
        counts = (CGROUP / "memory.stat").read_text().split()
        # The file cache is counted as used, but is given up when a program needs the memory.
        cache = int(counts[counts.index("inactive_file") + 1])
    except (OSError, ValueError):  # no such files, or "max": no limit
        return free
    return max(0, min(free, limit - used + cache))


def check_memory(backbone: Backbone, layers: Iterable[str], height: int, width: int) -> None:
    """Refuse a picture that does not fit, and say which size would.

    Raises
    ------
    MemoryError
        If a picture of `height` × `width` px needs more than is free.
    """
    needed = bytes_per_pixel(backbone, layers) * height * width
    free = free_memory(backbone.mean.device)
    if needed > free:
        fits = max(1, int(max(height, width) * (0.9 * free / needed) ** 0.5))
        smaller = "" if backbone.name == "compact" else "the smaller backbone 'compact', "
        raise MemoryError(
            f"a picture of {width}×{height} px with {backbone.name!r} needs about "
            f"{needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free. Use size={fits} or less, "
            f"{smaller}or close other programs"
        )
