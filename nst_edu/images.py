"""Pictures: file ↔ tensor (lesson 0).

Everywhere in this package a picture is a float32 tensor of shape (1, 3, H, W): one picture, three
colour channels (red, green, blue; sRGB), H rows from top to bottom, W columns, range 0 to 1.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nst_edu.checks import check_count, check_name
from nst_edu.picture_files import check_output_path, read_picture, write_picture

# A wheel carries the pictures inside the package; in a clone they are the folder beside it.
_PACKAGE = Path(__file__).parent
PICTURES = next(
    folder for folder in (_PACKAGE / "pictures", _PACKAGE.parent / "images") if folder.is_dir()
)
KINDS = ("photos", "styles")


def picture_names(kind: str | None = None) -> tuple[str, ...]:
    """Name the bundled pictures: the ``"photos"``, the ``"styles"``, or (None) both.

    Examples
    --------
    >>> "chelsea" in picture_names("photos"), "swirl" in picture_names("styles")
    (True, True)
    """
    kinds = KINDS if kind is None else (check_name(kind, KINDS, "kind of picture"),)
    return tuple(file.stem for k in kinds for file in sorted((PICTURES / k).glob("*.jpg")))


def picture_alt(name: str) -> str:
    """Describe a bundled picture in one sentence, for readers who cannot see it."""
    texts: dict[str, str] = json.loads((PICTURES / "alt.json").read_text(encoding="utf-8"))
    return texts[check_name(name, picture_names(), "picture")]


def load_image(source: str | os.PathLike[str] | Image.Image, *, size: int | None = None) -> Tensor:
    """Load a picture as a tensor.

    It is turned upright (EXIF), its colours are converted to sRGB by the embedded profile (ICC),
    gray becomes three equal channels, transparent places become white, and 16-bit gray keeps its
    brightness. (Pillow reads 16-bit *colour* with 8 bits: an error of less than 1/255.)

    Parameters
    ----------
    source
        The name of a bundled picture (see `picture_names`), a file, or a PIL picture.
    size
        Scale the longer side to this many pixels. None: leave it as it is.

    Returns
    -------
    Tensor
        (1, 3, H, W), float32, range 0 to 1.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged, no picture, or too large; or for a bare word that is not the
        name of a bundled picture.

    Examples
    --------
    >>> load_image("chelsea", size=256).shape
    torch.Size([1, 3, 170, 256])
    """
    pixels = read_picture(source if isinstance(source, Image.Image) else _find(source))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]  # (H, W, 3) -> (1, 3, H, W)
    return image.contiguous() if size is None else resize(image, size)


def _find(source: str | os.PathLike[str]) -> Path:
    """Return the file of a bundled picture, or the path itself."""
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"source must be a name, a file or a PIL picture, not {type(source).__name__}"
        )
    if str(source) in picture_names():
        return next(PICTURES.glob(f"*/{source}.jpg"))
    path = Path(source).expanduser()
    if path.exists():
        return path
    if not path.suffix and path.parent == Path():  # one bare word: meant as a name
        check_name(str(source), picture_names(), "picture")
    raise FileNotFoundError(
        f"there is no file {str(source)!r} (looked in {str(Path.cwd())!r}). "
        f"Bundled pictures: {', '.join(picture_names())}"
    )


def resize(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Scale a picture, without aliasing.

    Parameters
    ----------
    image
        (N, 3, H, W), range 0 to 1.
    size
        The longer side in pixels (the other one keeps the proportions), or (height, width).

    Returns
    -------
    Tensor
        (N, 3, height, width), range 0 to 1.

    Examples
    --------
    >>> resize(torch.zeros(1, 3, 50, 100), 40).shape
    torch.Size([1, 3, 20, 40])
    """
    if isinstance(size, tuple):
        height, width = (check_count(side, "size") for side in size)
    else:
        height, width = scaled_shape(image, check_count(size, "size"))
    if (height, width) == tuple(image.shape[-2:]):
        return image
    # Bicubic overshoots at edges: back to the range of a picture.
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def scaled_shape(image: Tensor, size: int | None) -> tuple[int, int]:
    """Return (height, width) of `image` once its longer side has `size` pixels (None: as it is).

    Examples
    --------
    >>> scaled_shape(torch.zeros(1, 3, 50, 100), 40)
    (20, 40)
    """
    height, width = image.shape[-2:]
    if size is None:
        return height, width
    size = check_count(size, "size")
    longest = max(height, width)
    return max(1, round(height * size / longest)), max(1, round(width * size / longest))


def check_image(image: object, name: str = "image") -> Tensor:
    """Return `image` if it is a picture as this package understands it.

    Raises
    ------
    TypeError
        If it is no tensor.
    ValueError
        If its shape, type or values are not those of a picture; the message says what to do.
    """
    if not isinstance(image, Tensor):
        raise TypeError(
            f"{name} must be a tensor, not {type(image).__name__}. load_image(...) makes one"
        )
    if image.ndim != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise ValueError(
            f"{name} must have shape (1, 3, H, W), not {tuple(image.shape)}. "
            "For (H, W, 3) use image.permute(2, 0, 1)[None]; load_image(...) does all of it"
        )
    if not image.is_floating_point():
        raise ValueError(
            f"{name} must hold floats from 0 to 1, not {image.dtype}. Bytes: image.float() / 255"
        )
    if not image.isfinite().all():
        raise ValueError(f"{name} has values that are NaN or infinite: look where it was computed")
    low, high = image.aminmax()
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must hold values from 0 to 1, not {low:.3g} to {high:.3g}. "
            "Divide bytes by 255; do not normalise: the backbone does that itself"
        )
    return image


def to_bytes(image: Tensor) -> NDArray[np.uint8]:
    """Turn a picture (1, 3, H, W) into bytes (H, W, 3), clamped (never stretched) to 0 … 255."""
    first = image.detach()[0].clamp(0, 1).permute(1, 2, 0)  # (1, 3, H, W) -> (H, W, 3)
    return (first * 255).round().to(torch.uint8).cpu().numpy()


def save_image(image: Tensor, path: str | os.PathLike[str]) -> None:
    """Write a picture to a file; the ending (.png, .jpg, .webp …) decides the format.

    Raises
    ------
    ValueError
        If `image` is not (1, 3, H, W), or the ending is unknown.
    OSError
        If the file cannot be written. A file that was there before is then left as it was.
    """
    image = check_image(image.detach().clamp(0, 1) if isinstance(image, Tensor) else image)
    if len(image) != 1:
        raise ValueError(f"image holds {len(image)} pictures; save them one by one: image[0:1], …")
    write_picture(to_bytes(image), check_output_path(path))
