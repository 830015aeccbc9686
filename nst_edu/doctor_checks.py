"""What ``nst-edu doctor`` looks at: each function returns one line, or raises what is wrong.

Libraries are imported inside, so that a broken one spoils its own line only.
"""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path


def python() -> str:
    """Name the interpreter and the machine, but not the host's name."""
    return f"{platform.python_version()} on {platform.platform()}, {platform.machine()}"


def package() -> str:
    """Return this package's version."""
    import nst_edu

    return nst_edu.__version__


def torch_build() -> str:
    """Return torch's version, and what it was built for."""
    import torch

    cuda = torch.version.cuda
    return f"{torch.__version__}, built {f'for CUDA {cuda}' if cuda else 'without CUDA'}"


def torchvision_build() -> str:
    """Import torchvision: a build that does not fit torch fails here."""
    import torchvision

    return str(torchvision.__version__)


def library(name: str) -> str:
    """Return the version of an installed library, without importing it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed; the lessons need it"


def devices() -> str:
    """Name the devices, and the one that is used unless another is asked for."""
    import torch

    from nst_edu.settings import available_devices, choose_device

    names = [
        f"{name} ({torch.cuda.get_device_name(name)})" if name.startswith("cuda") else name
        for name in available_devices()
    ]
    return f"{', '.join(names)}; used by default: {choose_device()}"


def cpu() -> str:
    """Count the cores, those that this process may use, and torch's threads."""
    import torch

    cores = os.cpu_count()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    return f"{cores} cores, {usable} usable, {torch.get_num_threads()} threads"


def memory() -> str:
    """Return the total and the free memory in GB (1e9 bytes)."""
    import psutil

    found = psutil.virtual_memory()
    return f"{found.total / 1e9:.1f} GB, {found.available / 1e9:.1f} GB free"


def compact() -> str:
    """Read the weights that come with the package."""
    from nst_edu.features import load_backbone

    load_backbone("compact", device="cpu")
    return "weights in the package, readable"


def download(name: str) -> str:
    """Look for the weights of a torchvision network where torch keeps them."""
    import torch

    files = sorted((Path(torch.hub.get_dir()) / "checkpoints").glob(f"{name}-*.pth"))
    if not files:
        return "weights not downloaded; fetched on first use"
    return f"weights found: {files[0]} ({files[0].stat().st_size / 1e6:.0f} MB)"


def variables() -> str:
    """Show the environment variables that change what this package does."""
    found = [f"{name}={os.environ[name]}" for name in sorted(os.environ) if "NST_EDU_" in name]
    return ", ".join(found) or "no NST_EDU_ variables"


def backbone() -> str:
    """Name the backbone that is used unless another is asked for."""
    from nst_edu.checks import check_name
    from nst_edu.features import BACKBONES
    from nst_edu.settings import choose_backbone

    return f"used by default: {check_name(choose_backbone(), BACKBONES, 'backbone')}"


def self_test(size: int = 64, steps: int = 10) -> str:
    """Paint a bundled photo on the default device; raise an error unless the loss falls."""
    from nst_edu.images import load_image
    from nst_edu.transfer import style_transfer_steps

    began = time.perf_counter()
    photo, style = load_image("chelsea", size=size), load_image("swirl", size=size)
    painting = style_transfer_steps(photo, style, steps=steps, backbone="compact")
    first, *later = (step.losses.total for step in painting)
    if not min(later) < first:
        raise ArithmeticError(f"the loss did not fall: {first:.3g}, then {min(later):.3g} at best")
    return f"painted {size} px in {steps} steps and {time.perf_counter() - began:.1f} s"
