"""Weave: a tapestry of birds, stepped lozenges and zigzags, seen yarn by yarn."""

from __future__ import annotations

import numpy as np

from .tools import Bytes, Floats, Ints, finish, grid, noise, palette

COLUMNS, ROWS = 96, 128
COLOURS = palette("2a1418 8c1c22 c03a28 e0813a e9b44c f1e3c0 1c3c6a 2f7a86 7a9a5a 5a2a4e")[0]
DARK, MADDER, RED, ORANGE, GOLD, CREAM, INDIGO, TEAL, GREEN, PLUM = range(10)
BIRD = (
    "......xx............",
    ".....xxxx...........",
    "....xxoxx.......x...",
    "..xxxxxxx......xx.x.",
    ".....xxx......xxxxx.",
    ".....xxxx....xx.xx.x",
    ".....xxxxxxxxxxxxxx.",
    ".....xxvvvvvvxxxx...",
    "......xvovovovxx....",
    "......xxvvvvvxx.....",
    ".......xxxxxxx......",
    "........xxxxx.......",
    ".........x.x........",
    ".........x.x........",
    "........xx.xx.......",
)
# Bands from the top: name, height in rows, ground, and three more colours.
BANDS = (
    ("steps", 8, MADDER, GOLD, DARK, TEAL), ("line", 2, CREAM, DARK, CREAM, DARK),
    ("birds", 19, INDIGO, CREAM, RED, GOLD), ("line", 2, GOLD, MADDER, GOLD, DARK),
    ("zigzag", 11, RED, DARK, GOLD, TEAL), ("line", 2, CREAM, INDIGO, CREAM, DARK),
    ("lozenge", 40, MADDER, INDIGO, CREAM, GOLD), ("line", 2, CREAM, INDIGO, CREAM, DARK),
    ("zigzag", 11, TEAL, CREAM, PLUM, ORANGE), ("line", 2, GOLD, MADDER, GOLD, DARK),
    ("birds", 19, PLUM, ORANGE, TEAL, CREAM), ("line", 2, CREAM, DARK, CREAM, DARK),
    ("steps", 8, INDIGO, ORANGE, DARK, CREAM),
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
    rng = np.random.default_rng(1532)
    side = 2 * size
    y, x = grid(side)
    # The cloth is pulled a little out of square, as every handmade one is.
    y = y + 0.0035 * noise(rng, side, 5)
    x = x + 0.0030 * noise(rng, side, 5)
    row = np.clip(np.floor(y * ROWS).astype(int), 0, ROWS - 1)
    offset = 0.5 * (row % 2)
    column = np.clip(np.floor(x * COLUMNS + offset).astype(int), 0, COLUMNS - 1)
    u = 2 * ((x * COLUMNS + offset) % 1) - 1
    v = 2 * ((y * ROWS) % 1) - 1
    colour = _dye(rng, _pattern())[row, column]
    return finish(colour * _yarn(rng, u, v, side)[..., None], size)


def _dye(rng: np.random.Generator, pattern: Ints) -> Floats:
    """Return the colour of each stitch; hand-dyed wool changes from skein to skein."""
    skein = np.repeat(rng.normal(0, 0.08, (ROWS // 4, 1)), 4, 0) + rng.normal(0, 0.03, (ROWS, 1))
    stitch = rng.normal(0, 0.055, (ROWS, COLUMNS))
    tint = rng.normal(0, 5, (ROWS, COLUMNS, 3))
    wool: Floats = COLOURS[pattern] * (1 + skein + stitch)[..., None] + tint
    return wool


def _yarn(rng: np.random.Generator, u: Floats, v: Floats, side: int) -> Floats:
    """Return the brightness over each stitch: a twisted yarn bulging between two warps."""
    bulge = np.sqrt(np.clip(1 - (0.96 * u) ** 2, 0, 1)) * np.sqrt(np.clip(1 - (0.9 * v) ** 2, 0, 1))
    lit = 0.34 + 0.72 * bulge + 0.20 * bulge * (-0.8 * v - 0.45 * u)
    twist = 0.10 * np.sin(2 * np.pi * (1.15 * u + 0.75 * v)) * bulge
    fuzz = 0.05 * noise(rng, side, 300, 3.0) + 0.03 * noise(rng, side, 7)
    brightness: Floats = lit + twist + fuzz
    return brightness


def _pattern() -> Ints:
    """Return the colour number of each stitch, mirrored about the middle."""
    cloth = np.zeros((ROWS, COLUMNS), dtype=int)
    top = 0
    for name, height, *inks in BANDS:
        c, r = np.meshgrid(np.arange(COLUMNS), np.arange(height))
        made = {"steps": _steps, "line": _line, "birds": _birds, "zigzag": _zigzag,
                "lozenge": _lozenge}[name]  # fmt: skip
        cloth[top : top + height] = made(r, c, height, inks)
        top += height
    return cloth


def _line(r: Ints, c: Ints, height: int, inks: list[int]) -> Ints:
    return np.where((c // 3 + r) % 2 == 0, inks[0], inks[1])


def _steps(r: Ints, c: Ints, height: int, inks: list[int]) -> Ints:
    """Return stepped pyramids that interlock, point up and point down."""
    wave = np.abs(c % 16 - 7.5) // 1
    up = r >= wave
    core = (r >= wave + 3) | (r <= wave - 4)
    return np.where(up, np.where(core, inks[3], inks[1]), np.where(core, inks[2], inks[0]))


def _zigzag(r: Ints, c: Ints, height: int, inks: list[int]) -> Ints:
    """Return four nested zigzags."""
    wave = (r + np.abs(c % 16 - 8)) % 12
    picked: Ints = np.array(inks)[(wave // 3).astype(int)]
    return picked


def _birds(r: Ints, c: Ints, height: int, inks: list[int]) -> Ints:
    """Return a row of birds facing the middle, with little crosses between them."""
    out = np.full(r.shape, inks[0])
    glyph = np.array([list(line) for line in BIRD])
    if inks[0] == INDIGO:
        glyph = glyph[:, ::-1]
    bodies = (CREAM, ORANGE, GOLD, GREEN) if inks[0] == INDIGO else (ORANGE, CREAM, GOLD, TEAL)
    for k, left in enumerate((2, 26, 50, 74)):
        turned = glyph if k < 2 else glyph[:, ::-1]
        body = bodies[k if k < 2 else 3 - k]
        for mark, ink in (("x", body), ("v", inks[2]), ("o", DARK)):
            out[2:17, left : left + 20][turned == mark] = ink
    dots = (np.abs((c + 1) % 24 - 0.5) + np.abs(r % 6 - 2.5) < 2) & (r < 18)
    out[dots] = inks[3]
    return out


def _lozenge(r: Ints, c: Ints, height: int, inks: list[int]) -> Ints:
    """Return large stepped lozenges with rings of colour, and small ones between."""
    rings = np.array([GOLD, DARK, RED, RED, CREAM, DARK, INDIGO, INDIGO, TEAL, GOLD, DARK])
    d = np.abs(c % 32 - 15.5) // 1 + (np.abs(r - 19.5) * 0.78) // 1
    out = np.where(d < 16, rings[np.clip((d * 0.68).astype(int), 0, 10)], inks[0])
    e = np.abs((c + 16) % 32 - 15.5) // 1 + np.minimum(r, 39 - r)
    small = np.array([CREAM, DARK, ORANGE, ORANGE, GREEN, DARK])
    out = np.where(e < 10, small[np.clip((e * 0.6).astype(int), 0, 5)], out)
    hooks = (d >= 16) & (e >= 10) & ((r + c) % 4 == 0) & (r % 2 == 0)
    return np.where(hooks, GOLD, out)
