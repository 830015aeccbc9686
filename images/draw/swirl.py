"""Swirl: a night sky of turning brush strokes over hills, a village and a dark tree."""

from __future__ import annotations

import numpy as np

from .brush import Brush, Canvas, Scene, cover
from .tools import Bytes, Floats, Ints, curve, grid, noise, palette

SKY, STAR, HILL, FIELD, TREE, HOUSE = range(6)
COLOURS = palette(
    "0a1445 10246b 17398f 2559b0 3f7fc4 6fa9d6 a9cfdc e9ecd2",
    "1c4c9c 4a86bc a8a04a d08a1c e8a824 f4c842 fbe383 fffbe0",
    "081030 0e1f4d 14386a 1c5480 25708a 3d8b8c 6aa58a a8bf7c",
    "0b1a38 143a4c 1d5a54 3a7a4f 6b9440 a3a63a cfae45 e8cf78",
    "050a18 0a1a22 10302c 1c4432 33562f 53632c 7a6a2c a8803a",
    "10183a 23345e 4a4a6e 8a4a3c b86a3c d89a4a f0c860 fff0b0",
)
STARS = np.array(
    [
        (0.84, 0.15, 0.115), (0.10, 0.12, 0.050), (0.30, 0.07, 0.040), (0.53, 0.13, 0.052),
        (0.66, 0.045, 0.035), (0.95, 0.40, 0.050), (0.40, 0.50, 0.048), (0.72, 0.54, 0.040),
        (0.22, 0.56, 0.036), (0.345, 0.20, 0.030), (0.97, 0.03, 0.03),
    ]
)  # fmt: skip
WHIRLS = ((0.38, 0.33, 0.15, 1.0), (0.635, 0.40, 0.105, -1.0), (0.05, 0.36, 0.11, 1.0))


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
    rng = np.random.default_rng(1889)
    scene = _scene(rng, 512)
    canvas = Canvas(size, (12, 24, 70))
    cover(canvas, rng, scene, COLOURS, Brush(0.022, 0.11, 8, 0.05, 9))
    cover(canvas, rng, scene, COLOURS, Brush(0.013, 0.085, 6, 0.08, 10, density=0.85))
    cover(canvas, rng, scene, COLOURS, Brush(0.010, 0.055, 5, 0.09), (STAR, FIELD, TREE))
    cover(canvas, rng, scene, COLOURS, Brush(0.008, 0.018, 4, 0.10), (HOUSE,))
    return canvas.result(1.5, soft=0.55)


def _scene(rng: np.random.Generator, n: int) -> Scene:
    y, x = grid(n)
    flow, tone = _sky(rng, n, y, x)
    labels = np.full((n, n), SKY)
    flow, tone = _stars(labels, y, x, flow, tone)
    flow, tone = _land(rng, labels, y, x, flow, tone)
    return Scene(labels, tone, flow)


def _sky(rng: np.random.Generator, n: int, y: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Return direction and tone of the wind: ribbons along it, spirals where it turns."""
    psi = y + 0.05 * np.sin(6.5 * x + 1) + 0.012 * noise(rng, n, 6)
    vx, vy = np.gradient(psi, axis=0) * n, -np.gradient(psi, axis=1) * n
    tone = 0.33 + 0.24 * np.sin(46 * psi) + 0.10 * noise(rng, n, 9, 2) - 0.10 * (y < 0.1)
    for cx, cy, radius, turn in WHIRLS:
        dx, dy = x - cx, y - cy
        r = np.hypot(dx, dy) + 1e-4
        near = np.exp(-((r / radius) ** 4))
        pull = 0.25  # a little inward motion makes spirals out of rings
        vx = vx * (1 - near) + near * (-turn * dy - pull * dx) / r
        vy = vy * (1 - near) + near * (turn * dx - pull * dy) / r
        arms = np.sin(2 * np.arctan2(dy, dx) * turn + 9 * np.log(r / radius + 0.12))
        tone = tone * (1 - near) + near * (0.55 + 0.36 * arms)
    return np.arctan2(vy, vx), tone


def _stars(labels: Ints, y: Floats, x: Floats, flow: Floats, tone: Floats) -> tuple[Floats, Floats]:
    """Set stars with round halos into the sky."""
    for cx, cy, radius in STARS:
        ring = np.arctan2(y - cy, x - cx) + np.pi / 2
        r = np.hypot(x - cx, y - cy) * (1 + 0.10 * np.sin(2 * ring + 40 * cx))
        flow = np.where(r < 1.5 * radius, ring, flow)
        rings = 0.12 * np.cos(2 * np.pi * r / radius * 2.5)
        tone = np.where(r < 1.25 * radius, 1.05 - 0.95 * r / radius + rings, tone)
        labels[r < 1.25 * radius] = STAR
    # The largest one is a crescent moon: a second disc bites a piece out of it.
    cx, cy, radius = STARS[0]
    bite = (np.hypot(x - cx + 0.03, y - cy) < 0.045) & (np.hypot(x - cx, y - cy) < 0.075)
    tone = np.where(bite, 0.42, tone)
    return flow, tone


def _land(
    rng: np.random.Generator, labels: Ints, y: Floats, x: Floats, flow: Floats, tone: Floats
) -> tuple[Floats, Floats]:
    """Put hills, fields, houses and the tree in front of the sky."""
    far = curve([(0, 0.74), (0.2, 0.70), (0.45, 0.73), (0.7, 0.63), (0.85, 0.66), (1, 0.59)], x)
    near = curve([(0, 0.80), (0.3, 0.83), (0.6, 0.79), (0.8, 0.82), (1, 0.76)], x)
    for label, top, waves in ((HILL, far, 60.0), (FIELD, near, 75.0)):
        inside = y > top
        slope = np.arctan2(np.gradient(top, axis=1) * len(y), 1)
        roll = slope + 0.35 * np.sin(9 * x + 12 * (y - top))
        flow, labels[inside] = np.where(inside, roll, flow), label
        rows = 0.42 + 0.3 * np.sin(waves * (y - top) + 5 * np.sin(7 * x))
        tone = np.where(inside, rows + 0.45 * np.exp(-(y - top) / 0.02) * (label == HILL), tone)
    for k in range(17):
        cx, w = 0.30 + 0.041 * k, rng.uniform(0.012, 0.019)
        base = float(np.interp(cx, x[0], near[0])) + rng.uniform(-0.012, 0.03)
        roof = base - 1.3 * w - 1.6 * (w - np.abs(x - cx))
        house = (np.abs(x - cx) < w) & (y < base) & (y > roof)
        labels[house], wall = HOUSE, y > base - 1.3 * w
        tone = np.where(house, np.where(wall, 0.25 + 0.65 * (k % 3 != 0), 0.48), tone)
        flow = np.where(house, np.where(wall, np.pi / 2, 0.7 * np.sign(x - cx)), flow)
    return _tree(labels, y, x, flow, tone)


def _tree(labels: Ints, y: Floats, x: Floats, flow: Floats, tone: Floats) -> tuple[Floats, Floats]:
    """Let a flame-shaped tree rise at the left from the lower edge into the sky."""
    for cx, top, width in ((0.155, 0.22, 0.085), (0.235, 0.50, 0.05)):
        t = (y - top) / (1 - top)
        half = width * np.clip(t, 0, 1) ** 0.75 * (1 + 0.14 * np.sin(26 * t))
        sway = cx + 0.022 * np.sin(7.5 * t)
        inside = (np.abs(x - sway) < half) & (t > 0)
        labels[inside] = TREE
        lick = np.sin(34 * (x - sway) / width + 9 * t)
        tone = np.where(inside, 0.34 + 0.28 * lick - 0.2 * (x - sway) / width, tone)
        flow = np.where(inside, -np.pi / 2 + 0.55 * np.sin(20 * t + 18 * x), flow)
    return flow, tone
