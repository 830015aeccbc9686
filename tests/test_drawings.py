"""The bundled pictures are what their code draws, and each is described and credited."""

from __future__ import annotations

import io
import json
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from images import make_photos
from images.draw.__main__ import STYLES
from nst_edu.images import PICTURES, load_image, picture_alt, picture_names


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two pictures of the same size, of 255."""
    pair = [np.asarray(picture.convert("RGB"), np.float64) for picture in (one, other)]
    return float(np.abs(pair[0] - pair[1]).mean())


@pytest.mark.parametrize("name", STYLES)
def test_a_style_picture_is_redrawn_from_its_seed(name: str) -> None:
    drawn = Image.fromarray(import_module(f"images.draw.{name}").draw())
    stored = Image.open(PICTURES / "styles" / f"{name}.jpg")
    assert drawn.size == stored.size
    assert min(stored.size) >= 512
    assert mean_difference(drawn, stored) < 3  # what the JPEG format takes away


def test_all_style_pictures_are_drawn_by_the_code() -> None:
    assert picture_names("styles") == STYLES


@pytest.mark.parametrize("name", make_photos.FILES)
def test_a_photo_is_that_of_scikit_image(name: str) -> None:
    made = io.BytesIO()
    make_photos.make(name).save(made, "JPEG", quality=92, subsampling=0)
    assert mean_difference(Image.open(made), Image.open(PICTURES / "photos" / f"{name}.jpg")) < 0.5


def test_all_photos_are_made_by_the_code() -> None:
    assert picture_names("photos") == tuple(make_photos.FILES)


def test_each_picture_is_described_and_credited() -> None:
    alt = json.loads((PICTURES / "alt.json").read_text(encoding="utf-8"))
    assert sorted(alt) == sorted(picture_names())
    credits = (PICTURES / "CREDITS.md").read_text(encoding="utf-8")
    for kind in ("photos", "styles"):
        for name in picture_names(kind):
            assert f"`{kind}/{name}.jpg`" in credits
            assert 20 < len(picture_alt(name)) < 250
            assert picture_alt(name).endswith(".")


def test_no_two_pictures_look_alike() -> None:
    small = [load_image(name, size=16).mean((2, 3))[0] for name in picture_names("styles")]
    distances = [float((a - b).norm()) for i, a in enumerate(small) for b in small[:i]]
    assert min(distances) > 0.02
