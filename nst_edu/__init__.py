"""Learn neural style transfer: the package behind the lessons.

>>> import nst_edu as nst
>>> picture = nst.style_transfer(
...     nst.load_image("chelsea", size=64), nst.load_image("swirl", size=64), steps=2
... )
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.features import BACKBONES, Backbone, load_backbone
    from nst_edu.images import (
        check_image,
        load_image,
        picture_alt,
        picture_names,
        resize,
        save_image,
    )
    from nst_edu.losses import content_loss, gram_matrix, style_loss, total_variation_loss
    from nst_edu.objective import Losses, Objective
    from nst_edu.optimize import DivergedError, Step, optimize_image
    from nst_edu.settings import choose_device, is_fast
    from nst_edu.transfer import style_transfer, style_transfer_steps

__version__ = "0.1.0"

__all__ = [
    "BACKBONES",
    "Backbone",
    "DivergedError",
    "Losses",
    "Objective",
    "Step",
    "check_image",
    "choose_device",
    "content_loss",
    "gram_matrix",
    "is_fast",
    "load_backbone",
    "load_image",
    "optimize_image",
    "picture_alt",
    "picture_names",
    "resize",
    "save_image",
    "style_loss",
    "style_transfer",
    "style_transfer_steps",
    "total_variation_loss",
]

# Imported on first use: `nst-edu --help` needs no torch, `nst-edu doctor` survives a broken one.
_NAMES_IN = {
    "features": ("BACKBONES", "Backbone", "load_backbone"),
    "images": ("check_image", "load_image", "picture_alt", "picture_names", "resize", "save_image"),
    "losses": ("content_loss", "gram_matrix", "style_loss", "total_variation_loss"),
    "objective": ("Losses", "Objective"),
    "optimize": ("DivergedError", "Step", "optimize_image"),
    "settings": ("choose_device", "is_fast"),
    "transfer": ("style_transfer", "style_transfer_steps"),
}


def __getattr__(name: str) -> object:
    for module, names in _NAMES_IN.items():
        if name in names:
            value = getattr(import_module(f"nst_edu.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'nst_edu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})  # for the Tab key in JupyterLab
