"""Waves: a colour woodblock print of breaking waves, a far mountain and a red sun."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .breaker import BLUES, FOAM, INK, breaker, discs, foam, rgb
from .tools import Bytes, Floats, blend, finish, grid, noise, palette

PAPER = palette("6f9cb0 a9c0b8 dcd6b8 eedfba f2d3a4 eab78a")[0]
RED = palette("cc4a30")[0, 0]
# Left, top and size of the breakers, and the swells (base, height, length, phase) before each.
BREAKERS = ((0.66, 0.555, 0.26), (0.12, 0.10, 0.56), (-0.02, 0.66, 0.30), (0.56, 0.70, 0.36))
SWELLS = (
    (0.555, 0.020, 0.24, 0.1), (0.595, 0.026, 0.31, 0.6), (0.660, 0.036, 0.40, 0.3),
    (0.720, 0.040, 0.36, 0.9), (0.800, 0.050, 0.45, 0.5), (0.880, 0.055, 0.42, 0.15),
    (0.965, 0.060, 0.50, 0.7),
)  # fmt: skip


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
    rng = np.random.default_rng(1831)
    side = 2 * size
    block = _sky(rng, side)
    pen = ImageDraw.Draw(block)
    _clouds(pen, side)
    _mountain(pen, side)
    order = (0, 1, "b0", 2, "b1", 3, 4, "b2", "b3", 5, 6)
    for item in order:
        if isinstance(item, int):
            _swell(pen, rng, side, SWELLS[item], item)
        else:
            breaker(pen, rng, side, *BREAKERS[int(item[1])])
    return finish(_grain(rng, np.asarray(block).astype(np.float64)), size, soft=0.55)


def _sky(rng: np.random.Generator, side: int) -> Image.Image:
    """Print the sky: a hand-wiped gradient under fine combed lines, and the sun."""
    y, x = grid(side)
    colour = blend(PAPER, y / 0.60 + 0.03 * noise(rng, side, 8, 3))
    r = np.hypot(x - 0.80, y - 0.20)
    bend = 0.012 * np.sin(9 * x) + 0.35 * (y - 0.2) * np.exp(-((r / 0.17) ** 2))
    lines = np.sin(2 * np.pi * 46 * (y + bend))
    colour = colour * (1 - 0.16 * (lines > 0.35 + 0.8 * y))[..., None]
    for radius, ink in ((0.120, INK), (0.115, RED), (0.098, FOAM), (0.094, RED)):
        colour[r < radius] = ink
    colour[(r < 0.094) & (np.sin(2 * np.pi * 60 * y) > 0.1 + 6 * (0.25 - y))] = RED * 0.82
    return Image.fromarray(colour.clip(0, 255).astype(np.uint8))


def _clouds(pen: ImageDraw.ImageDraw, side: int) -> None:
    """Print banks of cloud: rows of discs, each with an outline and a second tone."""
    for cx, cy, width in ((0.86, 0.30, 0.26), (0.66, 0.075, 0.30), (0.06, 0.09, 0.24),
                          (0.98, 0.42, 0.2), (0.03, 0.36, 0.2), (0.44, 0.045, 0.14)):  # fmt: skip
        t = np.linspace(-0.5, 0.5, 13)
        puffs = [(cx + width * a, cy - 0.022 * np.cos(3 * a) * abs(np.sin(9 * a + 1)),
                  0.012 + 0.03 * np.cos(np.pi * a) ** 2 * (0.6 + 0.4 * np.sin(17 * a)))
                 for a in t.tolist()]  # fmt: skip
        low = [(x + 0.004, y + 0.35 * r, 0.72 * r) for x, y, r in puffs]
        rim = 0.0022
        for group, ink, grow in ((puffs, INK, rim), (puffs, FOAM, 0.0), (low, PAPER[4], 0.0)):
            discs(pen, side, group, ink, grow)


def _mountain(pen: ImageDraw.ImageDraw, side: int) -> None:
    """Print the far mountain with its cap of snow."""
    t = np.linspace(-1, 1, 121)
    x, slope = 0.735 + 0.30 * t, 0.375 + 0.20 * np.maximum(np.abs(t), 0.05) ** 0.7
    _fill(pen, np.stack([x, slope], -1), BLUES[2], side)
    snow = np.abs(t) < 0.5
    inner = 1 - np.abs(t[snow]) / 0.5
    lower = slope[snow] + inner * (0.035 + 0.022 * np.abs(np.arange(snow.sum()) % 12 - 6) / 3)
    upper, lower = np.stack([x[snow], slope[snow]], -1), np.stack([x[snow], lower], -1)
    cap = (np.concatenate([upper, lower[::-1]]) * side).ravel().tolist()
    pen.polygon(cap, fill=rgb(FOAM), outline=rgb(INK), width=side // 500)


def _fill(pen: ImageDraw.ImageDraw, top: Floats, ink: Floats, side: int) -> None:
    """Fill everything under a line and draw the line itself in ink."""
    foot = np.array([[top[-1, 0], 1.3], [top[0, 0], 1.3]])
    pen.polygon((np.concatenate([top, foot]) * side).ravel().tolist(), fill=rgb(ink))
    pen.line((top * side).ravel().tolist(), fill=rgb(INK), width=max(2, side // 440))


def _swell(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int, swell: tuple[float, ...], k: int
) -> None:
    """Print a row of low waves in stripes, with a lace of foam on every crest."""
    base, height, length, phase = swell
    t = np.linspace(-0.2, 1.2, 500)
    up = np.abs(np.cos(np.pi * (t / length - phase))) ** 1.5
    for j in range(11):
        line = base + height * (0.20 * j - up * 0.86**j) + 0.1 * height * np.sin(23 * t + j)
        _fill(pen, np.stack([t, line], -1), BLUES[(4, 1, 3, 0, 2, 5, 1, 2)[(j + 3 * k) % 8]], side)
    crest = up > 0.72
    spots = np.stack([t, base - height * 0.85 * up], -1)[crest][::3]
    foam(pen, rng, side, spots, (0.20 * height + 0.002) * ((up[crest][::3] - 0.66) / 0.34), 0.35)


def _grain(rng: np.random.Generator, colour: Floats) -> Floats:
    """Let the grain of the block and the fibres of the paper show in the printed colour."""
    side = len(colour)
    y, x = grid(side)
    rings = np.sin(2 * np.pi * (34 * y + 1.5 * noise(rng, side, 4, 3)) + 3 * np.sin(3 * x))
    fibre = noise(rng, side, 220, 5.0)
    dark = 1 - colour.mean(-1, keepdims=True) / 255
    wood = 9 * dark * (rings * 0.7 + 0.5 * fibre)[..., None]
    printed: Floats = colour * (1 + 0.012 * fibre[..., None]) + wood
    return printed
