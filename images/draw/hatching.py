"""Hatching: a pen drawing of hills, trees, a cottage and a rising sun in coloured inks."""

from __future__ import annotations

import numpy as np

from .engraving import (
    CLOUD,
    CROWN,
    FAR,
    HILL,
    HOUSE,
    LAKE,
    NEAR,
    ROOF,
    SKY,
    TRUNK,
    Sheet,
    ink,
)
from .tools import Bytes, curve, finish, grid, noise


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
    rng = np.random.default_rng(1640)
    side = 2 * size
    sheet = _scene(rng, side)
    return finish(ink(rng, sheet), size)


def _scene(rng: np.random.Generator, n: int) -> Sheet:
    y, x = grid(n)
    r, turn = np.hypot(x - 0.64, y - 0.30), np.arctan2(y - 0.30, x - 0.64)
    rays = turn * 72 / (2 * np.pi) * 2.0 ** np.clip(np.floor(np.log2(r / 0.11)), 0, 3)
    dark = 0.20 + 0.72 * np.clip(r - 0.1, 0, 1) + 0.09 * np.sin(turn * 15)
    sheet = Sheet(y, x, np.full((n, n), SKY), np.where(r < 0.075, 0.0, dark), rays)
    sheet.put((r > 0.075) & (r < 0.082), SKY, 1.0, 0 * r)
    for cloud in ((0.20, 0.17, 0.20), (0.88, 0.12, 0.17), (0.47, 0.085, 0.13),
                  (0.05, 0.36, 0.13), (0.96, 0.37, 0.10), (0.33, 0.30, 0.08)):  # fmt: skip
        _cloud(sheet, rng, *cloud)
    _hills(sheet, rng)
    for k in range(64):
        cx, cy = rng.uniform(0, 1), 0.585 + 0.0026 * k + rng.uniform(0, 0.01)
        if not 0.24 < cx < 0.56:
            _tree(sheet, rng, (cx, cy, 0.017 + 0.13 * (cy - 0.585)))
    _cottage(sheet.near(0.70, 0.70, 0.13))
    for place in ((0.10, 0.70, 0.125), (0.90, 0.76, 0.13), (0.985, 0.66, 0.085),
                  (0.245, 0.80, 0.06), (0.66, 0.87, 0.065), (0.42, 0.90, 0.05)):  # fmt: skip
        _tree(sheet, rng, place)
    return sheet


def _cloud(whole: Sheet, rng: np.random.Generator, cx: float, cy: float, width: float) -> None:
    """Pile a cloud of round puffs, each hatched round its own middle on the shaded side."""
    for a in (-1.0, 1.0, -0.62, 0.66, -0.28, 0.30, 0.02):
        r = width * (0.17 + 0.24 * np.cos(1.4 * a) ** 2) * rng.uniform(0.85, 1.15)
        px, py = cx + a * width, cy - 0.8 * r
        sheet = whole.near(px, py, 1.1 * r)
        dx, dy = (sheet.x - px) / r, (sheet.y - py) / r
        d = np.hypot(dx, dy)
        shade = np.clip(0.50 * dy + 0.30 * np.sign(px - 0.64) * dx + 0.10, -0.05, 1)
        rim = np.where(d > 1 - 0.0035 / r, 1.0, shade)
        inside = (d < 1) & (sheet.y < cy + 0.25 * r)
        sheet.put(inside, CLOUD, rim, r * 88 * np.hypot(dx - 0.4, dy + 0.5))


def _hills(sheet: Sheet, rng: np.random.Generator) -> None:
    """Draw ranges of hills, lines following the fall of the slopes, and a lake between."""
    n, y, x = len(sheet.y), sheet.y, sheet.x
    spec = (
        (FAR, [(0, 0.50), (0.12, 0.40), (0.25, 0.47), (0.38, 0.36), (0.52, 0.47), (0.7, 0.43),
               (0.85, 0.37), (1, 0.46)], 0.50),
        (FAR, [(0, 0.53), (0.2, 0.50), (0.4, 0.54), (0.6, 0.49), (0.8, 0.52), (1, 0.48)], 0.36),
        (HILL, [(0, 0.55), (0.2, 0.60), (0.45, 0.62), (0.75, 0.56), (1, 0.55)], 0.30),
        (NEAR, [(0, 0.74), (0.25, 0.79), (0.5, 0.80), (0.75, 0.75), (1, 0.71)], 0.42),
        (NEAR, [(0, 0.92), (0.3, 0.88), (0.55, 0.93), (0.8, 0.95), (1, 0.89)], 0.66),
    )  # fmt: skip
    for k, (label, points, base) in enumerate(spec):
        top = curve(points, x)
        drop = y - top
        folds = np.sin(11 * x + 3 * k + 8 * drop) + 0.6 * noise(rng, n, 9)
        shade = base + 0.20 * folds + 0.16 * np.gradient(top, axis=1) * n - 0.5 * drop
        shade = np.where(drop < 0.0028, 1.0, shade)
        lines = 92 * (x + (0.5 + 0.15 * k) * drop * np.sign(folds + 0.2)) if k < 2 else (
            84 * (drop + 0.012 * np.sin(14 * x + 2 * k) + 0.010 * folds))  # fmt: skip
        sheet.put(drop > 0, label, shade, lines)
    shore = np.hypot((x - 0.40) / 0.165, (y - 0.675) / 0.038) + 0.10 * np.sin(19 * x + 60 * y)
    glitter = 0.3 * np.exp(-(((x - 0.45) / 0.05) ** 2))
    shine = 0.40 + 0.22 * np.sin(150 * y + 3 * np.sin(14 * x)) - glitter
    sheet.put(shore < 1, LAKE, shine, 96 * y + 0.4 * np.sin(40 * x))


def _tree(whole: Sheet, rng: np.random.Generator, place: tuple[float, float, float]) -> None:
    """Draw a tree of round leafy masses lit from the sun, over a ribbed trunk."""
    cx, cy, size = place
    sheet = whole.near(cx, cy, 2 * size)
    foot = np.clip((sheet.y - cy) / size - 0.7, 0, 1)
    trunk = (np.abs(sheet.x - cx) < 0.10 * size * (1 + 1.5 * foot)) & (sheet.y > cy)
    trunk &= sheet.y < cy + 1.05 * size
    sheet.put(trunk, TRUNK, 0.65 - 3 * (sheet.x - cx) / size, 150 * sheet.x)
    puffs = [(rng.normal(0, 0.45), rng.normal(0, 0.42), rng.uniform(0.36, 0.6)) for _ in range(9)]
    light = np.sign(0.64 - cx)
    for ox, oy, part in sorted(puffs, key=lambda p: p[1]):
        px, py, r = cx + ox * size, cy + oy * size * 0.9, part * size
        sheet = whole.near(px, py, 1.1 * r)
        dx, dy = (sheet.x - px) / r, (sheet.y - py) / r
        d = np.hypot(dx, dy) * (1 + 0.07 * np.sin(11 * np.arctan2(dy, dx) + 5 * ox))
        shade = 0.46 - 0.34 * light * dx + 0.34 * dy + 0.15 * oy
        shade = np.where(d > 1 - 0.003 / r, 1.0, shade)
        bow = 84 * r * (dy * 0.8 - light * dx + 0.45 * (dx**2 + dy**2))
        sheet.put(d < 1, CROWN, shade, bow + 0.35 * np.sin(60 * sheet.x + 50 * sheet.y))


def _cottage(sheet: Sheet) -> None:
    """Draw a cottage with a tiled roof, a chimney and three windows."""
    cx, cy, w, y, x = 0.70, 0.735, 0.075, sheet.y, sheet.x
    sheet.put((np.abs(x - 0.742) < 0.010) & (y > 0.60) & (y < 0.68), ROOF, 0.7, 160 * y)
    wall = (np.abs(x - cx) < w) & (y > cy - 0.055) & (y < cy + 0.02)
    sheet.put(wall, HOUSE, 0.22 + 3.0 * np.maximum(x - cx, 0) + 0.1 * (y > cy), 130 * y)
    for ox in (-0.045, 0.0, 0.045):
        pane = (np.abs(x - cx - ox) < 0.011) & (np.abs(y - cy + 0.016) < 0.017)
        sheet.put(pane, ROOF, 0.9, 150 * x)
    eaves = 1.16 * w - 0.45 * (cy - 0.045 - y)
    roof = (y > cy - 0.115) & (y < cy - 0.045) & (np.abs(x - cx) < eaves)
    sheet.put(roof, ROOF, 0.45 + 2.2 * (x - cx), 150 * (y + 0.2 * x))
