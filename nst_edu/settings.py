"""What a run uses when the caller does not say: backbone, device, and short runs for tests.

Three environment variables change a notebook's run without a cell being edited:
``NST_EDU_BACKBONE`` (a name), ``NST_EDU_DEVICE`` (``cpu``, ``cuda``, ``mps``) and
``NST_EDU_FAST`` (``1``: fewer steps and smaller pictures).
"""

from __future__ import annotations

import os

import torch


def choose_backbone(name: str | None = None) -> str:
    """Return `name`, or else ``NST_EDU_BACKBONE``, or else ``"compact"``."""
    return name if name is not None else os.environ.get("NST_EDU_BACKBONE") or "compact"


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    device
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"`` or a torch device. None or ``"auto"``: the
        environment variable ``NST_EDU_DEVICE``, or else a CUDA GPU if there is one, or else the
        CPU. An Apple GPU is used when ``"mps"`` is asked for by name.

    Raises
    ------
    ValueError
        If torch does not know the device, or this machine does not have it.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    wanted, source = device, "device"
    if device in (None, "auto"):
        wanted, source = os.environ.get("NST_EDU_DEVICE") or "auto", "NST_EDU_DEVICE"
    if wanted in (None, "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"{source}: unknown device {wanted!r}. "
            f"Usable here: {', '.join(available_devices())}, or auto"
        ) from error
    if str(chosen).split(":")[0] not in {name.split(":")[0] for name in available_devices()} or (
        chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count()
    ):
        raise ValueError(
            f"{source}: {str(wanted)!r} is not available on this machine. "
            f"Usable here: {', '.join(available_devices())}, or auto"
        )
    return chosen


def available_devices() -> tuple[str, ...]:
    """Name the devices of this machine that torch can compute on."""
    cuda = tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return ("cpu", *cuda, *mps)


def is_fast() -> bool:
    """Tell whether ``NST_EDU_FAST`` asks for short runs."""
    return os.environ.get("NST_EDU_FAST", "") not in ("", "0")
