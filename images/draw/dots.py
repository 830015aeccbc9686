"""Dots: sailing boats on an evening lake, set down in dots of complementary colours."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .tools import Bytes, Floats, Ints, curve, finish, grid, look_up, noise, palette, scatter

SKY, SUN, HILL, WATER, SAIL, HULL, TREE, BANK = range(8)
COLOURS = palette(
    "3a5fb0 5a86cc 86b4dc b8cfd8 f0d8b4 f8c088 f49a68 e8705a",
    "f0a030 f6bc40 fad35a fce480 fff0a8 fff6c8 fffade fffdf0",
    "2c2a6c 3f4490 5a62ac 7c82c0 9a94c4 b8a0bc d4a8a8 ecc09a",
    "163a7a 1f559c 2f78b8 4a9cc8 7cbcd0 b4cfc8 f0c890 fbe6a8",
    "b06a8a d0889a e8a8a0 f6c8a8 fbdfc0 fdf0d8 fff8e8 fffef6",
    "3a1428 5a1c34 8a2a34 b03c34 d05a3a 6a3a6a 2a2a6a e08a4a",
    "0c2440 123c4c 1a5a4a 2c7a48 549a44 8cb43c c4c840 f0d860",
    "143a4a 1c5c4e 3a8048 6aa040 a0b83c d0c844 f0d45a f8a850",
)
# The colour across the circle that is sprinkled among each label's own dots.
ACCENT = palette(
    "f8b890 fbd890 f2a8b8", "f08a50 f46a4a e8a0c0", "e08a5a c8607a 3a9a9a",
    "f28a3a f6b050 e0607a", "7aa8dc a8c8e8 f0a040", "2a8a8a f0a030 3a4ac0",
    "d0402a e06a8a 3a4ab0", "d83a30 e85a8a 5a4ab4",
)  # fmt: skip
# Bright forms take fewer accents, so that their outlines stay clear.
CALM = np.array([1.0, 0.35, 1.0, 1.0, 0.30, 0.4, 1.0, 1.0])
BOATS = ((0.36, 0.60, 0.34), (0.66, 0.535, 0.19), (0.12, 0.52, 0.15))
HILLS = (
    ([(0, 0.33), (0.2, 0.37), (0.45, 0.42), (0.7, 0.40), (0.85, 0.35), (1, 0.31)], 0.5),
    ([(0, 0.39), (0.25, 0.42), (0.5, 0.445), (0.8, 0.42), (1, 0.38)], 0.2),
)


def draw(size: int = 768) -> Bytes:
    """Draw the picture.

    Parameters
    ----------
    size : int
        Side of the square picture in pixels.

    Returns
    -------
    numpy.ndarray
        Bytes of shape (size, size, 3).
    """
    rng = np.random.default_rng(1884)
    labels, tone = _scene(rng, 512)
    side = 2 * size
    image = Image.new("RGB", (side, side), (226, 206, 176))
    pen = ImageDraw.Draw(image)
    for spacing, radius, accent in ((0.0145, 0.0108, 0.08), (0.0120, 0.0084, 0.14),
                                    (0.0112, 0.0062, 0.18)):  # fmt: skip
        _layer(pen, rng, labels, tone, side, (spacing, radius, accent))
    return finish(np.asarray(image).astype(np.float64), size)


def _layer(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, labels: Ints, tone: Floats,
    side: int, look: tuple[float, float, float],
) -> None:  # fmt: skip
    """Set one layer of dots; each is one unmixed colour, mixing is left to the eye."""
    spacing, radius, accent = look
    at = scatter(rng, spacing)
    label = look_up(labels, at)
    shade = look_up(tone, at) + rng.normal(0, 0.10, len(at))
    colour = COLOURS[label, np.clip((shade * 8).astype(int), 0, 7)]
    odd = rng.uniform(0, 1, len(at)) < accent * CALM[label]
    # In shade the accents are darkened, so that they keep the modelling of the form.
    dim = (0.80 + 0.3 * np.clip(shade, 0, 1))[:, None]
    colour = np.where(odd[:, None], ACCENT[label, rng.integers(0, 3, len(at))] * dim, colour)
    colour = (colour + rng.normal(0, 6, colour.shape)).clip(0, 255).astype(int)
    r = radius * rng.uniform(0.75, 1.2, len(at))
    box = np.stack([at[:, 0] - r, at[:, 1] - r, at[:, 0] + r, at[:, 1] + r], -1) * side
    for corners, ink in zip(box.tolist(), colour.tolist(), strict=True):
        pen.ellipse(corners, fill=tuple(ink))


def _scene(rng: np.random.Generator, n: int) -> tuple[Ints, Floats]:
    """Return labels and tones of the lake, from the sky to the near bank."""
    y, x = grid(n)
    labels = np.full((n, n), SKY)
    r = np.hypot(x - 0.56, y - 0.30)
    clouds = 0.13 * noise(rng, n, 9, 3.0)
    tone = 0.05 + 1.15 * y**0.8 + 0.6 * np.exp(-r / 0.16) * (y < 0.46) + clouds
    tone = np.where(tone > 0.62, 0.62 + 0.9 * (tone - 0.62), tone)
    _put(labels, tone, r < 0.062, SUN, 1.0 - 6 * r)
    _put(labels, tone, (r >= 0.062) & (r < 0.105), SUN, 0.50 - 4.5 * (r - 0.062))
    for points, base in HILLS:
        top = curve(points, x)
        _put(labels, tone, y > top, HILL, base + 4.0 * (y - top) + 0.3 * np.exp(-r / 0.2))
    _water(rng, labels, tone, y, x)
    for boat in BOATS:
        _boat(labels, tone, y, x, *boat)
    _shore(rng, labels, tone, y, x)
    return labels, tone


def _put(labels: Ints, tone: Floats, where: np.ndarray, label: int, shade: Floats) -> None:
    labels[where], tone[where] = label, shade[where]


def _water(rng: np.random.Generator, labels: Ints, tone: Floats, y: Floats, x: Floats) -> None:
    """Let the sun lay a broken path of light on the ripples."""
    depth = np.clip((y - 0.465) / 0.5, 0, 1)
    ripple = np.sin(95 * depth**0.55 + 1.2 * noise(rng, len(y), 10, 2.5))
    path = np.exp(-(((x - 0.56) / (0.035 + 0.11 * depth)) ** 2))
    shade = 0.60 - 0.50 * depth**0.6 + 0.10 * ripple + path * (0.42 + 0.25 * ripple)
    _put(labels, tone, y > 0.465, WATER, shade)


def _boat(labels: Ints, tone: Floats, y: Floats, x: Floats, cx: float, cy: float, h: float) -> None:
    """Draw a boat with two sails, its hull and its broken reflection."""
    up, side = (cy - y) / h, (x - cx) / h
    belly = 0.10 * np.sin(np.pi * np.clip(up, 0, 1))
    main = (side > 0.02) & (side < 0.42 * (1 - up) + belly) & (up > 0.02) & (up < 1)
    jib = (side < -0.03) & (side > -0.34 * (1 - up / 0.86) - belly) & (up > 0.02) & (up < 0.86)
    sheer = 0.01 + 0.22 * side**2
    hull = (np.abs(side) < 0.46 + 0.9 * up) & (up > -0.11) & (up < sheer)
    mirror = (np.abs(side - 0.05) < 0.36 * (1 + up / 1.1)) & (up < -0.10) & (up > -1.0)
    broken = mirror & (np.sin(170 * y + 3 * np.sin(40 * x)) > -0.25)
    _put(labels, tone, broken, SAIL, 0.42 + 0.35 * up)
    _put(labels, tone, main, SAIL, 0.95 - 1.5 * side)
    _put(labels, tone, jib, SAIL, 0.42 + 0.9 * (side + 0.3) + 0.2 * up)
    _put(labels, tone, hull, HULL, 0.35 + 3.5 * up)


def _shore(rng: np.random.Generator, labels: Ints, tone: Floats, y: Floats, x: Floats) -> None:
    """Close the picture with a bank in front and a tree whose crown hangs over the lake."""
    rough = 0.010 * noise(rng, len(y), 30)
    bank = curve([(0, 0.80), (0.2, 0.84), (0.45, 0.93), (0.7, 0.95), (1, 0.86)], x) + rough
    light = 0.62 - 2.4 * (y - bank) + 0.13 * noise(rng, len(y), 16)
    _put(labels, tone, y > bank, BANK, light)
    trunk = 0.91 + 0.035 * np.sin(9 * y + 1.5)
    thick = 0.018 + 0.02 * np.clip(y - 0.75, 0, 1) * 4
    _put(labels, tone, (np.abs(x - trunk) < thick) & (y < 0.90), HULL, 0.4 - 9 * (x - trunk))
    for cx, cy, r in ((0.95, 0.10, 0.16), (0.82, 0.17, 0.10), (0.98, 0.30, 0.11),
                      (0.76, 0.06, 0.10), (0.86, 0.30, 0.055), (0.66, 0.03, 0.06)):  # fmt: skip
        d = np.hypot(x - cx, 1.25 * (y - cy)) / r + 12 * rough
        _put(labels, tone, d < 1, TREE, 0.40 - 2.6 * (x - cx) - 2.8 * (y - cy) + 4 * rough)
