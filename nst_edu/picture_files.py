"""Decode any picture file to sRGB values, and write one safely; used by `nst_edu.images`."""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

# As many pixels as a 9,500×8,400 photo. A larger one takes over a gigabyte as a tensor.
MAX_PIXELS = 80_000_000

WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

Array = NDArray[np.float32]


def read_picture(source: Path | Image.Image) -> Array:
    """Decode a picture to (H, W, 3), float32, range 0 to 1, sRGB, upright, on white.

    Raises
    ------
    ValueError
        If the file is empty, damaged, no picture, or has more than `MAX_PIXELS` pixels.
    """
    if isinstance(source, Image.Image):
        _check_size(source, "the picture")
        return _to_array(source, "the picture")
    name = repr(str(source))
    if source.is_dir():
        raise ValueError(f"{name} is a folder; name one picture in it")
    if source.stat().st_size == 0:
        raise ValueError(f"{name} is empty (0 bytes). Copy or download it again")
    return _to_array(_open(source, name), name)


def _open(source: Path, name: str) -> Image.Image:
    """Read the file to its end, and turn every way in which Pillow says "damaged" into one."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; _check_size refuses them in words of our own.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(source)
        with picture:
            _check_size(picture, name)
            picture.load()
            return ImageOps.exif_transpose(picture)
    except _TooLargeError:
        raise
    except Image.DecompressionBombError as error:
        raise _TooLargeError(f"{name} is too large: {error}. Scale it down first") from error
    except PermissionError as error:
        raise PermissionError(f"{name} may not be read: change its permissions") from error
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{name} is not a picture that can be read. Use a PNG, JPEG, WebP or TIFF file"
        ) from error
    except (OSError, SyntaxError, EOFError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name} is damaged or cut off ({error}). Copy or download it again"
        ) from error


class _TooLargeError(ValueError):
    """Has a message of its own already."""


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _TooLargeError(
            f"{name} has {width}×{height} = {width * height / 1e6:.0f} million pixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} million are accepted. Scale it down first"
        )


def _to_array(picture: Image.Image, name: str) -> Array:
    """Convert to sRGB values on white; `name` is for messages."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "F" or picture.mode.startswith("I"):
        return _deep_gray(picture, name)
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"), np.float32)[..., None] / 255
    rgb = np.asarray(_to_srgb(picture), np.float32) / 255
    if alpha is not None:
        rgb = rgb * alpha + (1 - alpha)
    return rgb.astype(np.float32)


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Convert to RGB, by the embedded colour profile if there is one."""
    profile = picture.info.get("icc_profile", b"")
    if not profile:
        return picture.convert("RGB")
    # Bytes 16 to 19 name the kind of values that the profile is for; Pillow's mode may be another.
    picture = picture.convert({b"GRAY": "L", b"CMYK": "CMYK"}.get(profile[16:20], "RGB"))
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(
            f"the picture's colour profile cannot be used ({error}); "
            "its colours are taken as sRGB and may be a little off",
            stacklevel=2,
        )
        return picture.convert("RGB")
    assert converted is not None  # profileToProfile returns None only when asked to work in place
    return converted


def _deep_gray(picture: Image.Image, name: str) -> Array:
    """Scale gray values of 16 bits (or floats from 0 to 1); Pillow itself would cut them off."""
    values = np.asarray(picture)
    gray = values.astype(np.float32) / (1 if picture.mode == "F" else 65535)
    if not (np.isfinite(gray).all() and gray.min() >= 0 and gray.max() <= 1):
        raise ValueError(
            f"the gray values of {name} run from {values.min()} to {values.max()}; expected 16-bit "
            "values (0 to 65535) or floats from 0 to 1. Save it as a PNG of 8 or 16 bits"
        )
    # The colour profile works on 8 bits: see what it does to 256 levels, and read in between.
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    ramp.info["icc_profile"] = picture.info.get("icc_profile", b"")
    levels = np.asarray(_to_srgb(ramp), np.float32)[0] / 255  # (256, 3)
    rgb = np.stack([np.interp(gray * 255, np.arange(256), levels[:, c]) for c in range(3)], axis=-1)
    rgb[values == picture.info.get("transparency")] = 1
    return rgb.astype(np.float32)


def write_picture(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write (H, W, 3) bytes to `path`, all of it or nothing: an old file survives a failure."""
    options: dict[str, Any] = (
        {"quality": 95, "subsampling": 0} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    )
    handle, name = tempfile.mkstemp(suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        Image.fromarray(pixels).save(temporary, **options)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp lets nobody else read the file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_output_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` if a picture can be written there; find out before the work, not after.

    Raises
    ------
    ValueError
        If the ending is none of `WRITABLE`.
    OSError
        If the folder is missing or cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(f"cannot write {str(path)!r}: let its name end in {', '.join(WRITABLE)}")
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; name a file in it, like picture.png")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}. Create it first"
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise type(error)(
            f"cannot write {str(path)!r}: {error.strerror or error}. Choose another folder"
        ) from error
    return path
