"""Copy the content photos out of scikit-image: ``python images/make_photos.py``.

Only pictures that scikit-image itself declares public domain or CC0 are taken; CREDITS.md
names their authors. Nothing is downloaded: these files are part of the installed package.
"""

from __future__ import annotations

from pathlib import Path

import skimage.data
from PIL import Image

FILES = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "hubble": "hubble_deep_field.jpg",
    "rocket": "rocket.jpg",
}
LONG_SIDE = 768


def make(name: str) -> Image.Image:
    """Return a photo in sRGB, with a long side of at most 768 pixels."""
    source = Path(skimage.data.__file__).parent / FILES[name]
    photo = Image.open(source).convert("RGB")
    photo.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)  # never enlarges
    return photo


def main() -> None:
    """Write every photo as a JPEG."""
    target = Path(__file__).parent / "photos"
    target.mkdir(exist_ok=True)
    for name in FILES:
        photo = make(name)
        photo.save(target / f"{name}.jpg", quality=92, subsampling=0, optimize=True)
        print(name, photo.size)


if __name__ == "__main__":
    main()
