"""Strokes: thick oil paint; a poppy meadow with lavender under an evening sky."""

from __future__ import annotations

import numpy as np

from .brush import Brush, Canvas, Scene, cover, trace
from .tools import Bytes, Floats, Ints, curve, grid, noise, palette

SKY, CLOUD, FAR, HILL, LAVENDER, WHEAT, MEADOW, TREE, SUN = range(9)
COLOURS = palette(
    "1a5c92 2580ac 46a4bc 7cc4be b8d8b0 f0dc90 f8bc64 f4945a",
    "8a5f96 c0708a e08a86 f3a98a f8c89c fbe0b4 fdeecb fff8e6",
    "33366e 3f4a8c 5563a0 6f7fb4 8f95c0 b29cc0 d0a6b4 e8b8a8",
    "123f4a 1c5a56 2c7560 4a9065 78a860 a8bd5c d2ca66 f0dc8c",
    "2a1a5a 3f2780 5a389c 7a52b4 9a74c6 b997d4 6c8a5c d9b8e0",
    "8a4a14 b06a1a cf8a20 e4a830 f0c24a f6d870 fae89c 9aa83c",
    "0c2f2a 164a32 23683a 3c8640 66a245 9aba4c cfce5a 2a6a7a",
    "081e2a 0e3434 164e3c 286a40 478846 7aa04a b0b656 dfc66a",
    "e0561e ee7424 f69428 fab030 fcc840 fddc60 feec90 fff8d0",
)
# Petal colours by kind of flower, dark to light.
PETALS = palette(
    "8a0f1a b8141c d92a1c ee4a22 f8733a",
    "a81a4e cf2f63 e4567e f28aa0 fbc0c4",
    "d8d0e0 efe6ea fff6ee fffdf6 ffe9c0",
    "1f3f9a 2f5cc4 4f80dc 80a8ec b8cff6",
    "c8780a e8980f f8b81e fdd23f fee988",
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
    rng = np.random.default_rng(1890)
    scene = _scene(rng, 512)
    canvas = Canvas(size, (150, 90, 60))
    cover(canvas, rng, scene, COLOURS, Brush(0.034, 0.085, 9, 0.05, 9))
    cover(canvas, rng, scene, COLOURS, Brush(0.022, 0.055, 7, 0.08, 10, density=0.9))
    fine = (FAR, HILL, LAVENDER, WHEAT, TREE, SUN)
    cover(canvas, rng, scene, COLOURS, Brush(0.013, 0.030, 5, 0.10, 9), fine)
    _grass(canvas, rng)
    _flowers(canvas, rng)
    return canvas.result(1.7)


def _scene(rng: np.random.Generator, n: int) -> Scene:
    y, x = grid(n)
    labels, flow, tone = _sky(rng, n, y, x)
    tops = (
        (FAR, curve([(0, 0.36), (0.25, 0.31), (0.5, 0.37), (0.75, 0.30), (1, 0.34)], x)),
        (HILL, curve([(0, 0.43), (0.3, 0.40), (0.55, 0.44), (0.8, 0.39), (1, 0.41)], x)),
        (WHEAT, curve([(0, 0.47), (0.5, 0.455), (1, 0.47)], x)),
        (LAVENDER, curve([(0, 0.50), (0.35, 0.51), (0.7, 0.50), (1, 0.53)], x)),
        (MEADOW, curve([(0, 0.68), (0.4, 0.71), (0.7, 0.68), (1, 0.72)], x)),
    )
    for label, top in tops:
        inside = y > top
        labels[inside] = label
        slope = np.arctan2(np.gradient(top, axis=1) * n, 1)
        shade = 0.75 - 7.5 * (y - top) + 0.15 * noise(rng, n, 14)
        flow, tone = np.where(inside, slope + 0.25, flow), np.where(inside, shade, tone)
    flow, tone = _rows(labels, y, x, flow, tone)
    meadow = labels == MEADOW
    tone = np.where(meadow, 0.42 + 0.2 * noise(rng, n, 10) - 0.5 * (y - 0.72), tone)
    flow = np.where(meadow, -np.pi / 2 + 0.5 * noise(rng, n, 5), flow)
    for k, cx in enumerate((0.06, 0.12, 0.185, 0.74, 0.80, 0.93)):
        height, half = 0.14 + 0.035 * (k % 3), 0.030
        up = np.maximum((0.49 - y) / height, 0)
        body = np.abs(x - cx) < half * np.sqrt(np.clip(np.sin(np.pi * up**0.7), 0, 1))
        crown = body & (up > 0) & (up < 1)
        labels[crown] = TREE
        tone = np.where(crown, 0.42 - 9 * (x - cx) + 0.2 * up, tone)
        flow = np.where(crown, -1.1 + 12 * (x - cx), flow)
    return Scene(labels, tone, flow)


def _sky(rng: np.random.Generator, n: int, y: Floats, x: Floats) -> tuple[Ints, Floats, Floats]:
    """Return labels, direction and tone of a sky that turns warm round a low sun."""
    r = np.hypot(x - 0.62, y - 0.30)
    labels = np.full((n, n), SKY)
    flow = np.arctan2(y - 0.30, x - 0.62) + np.pi / 2 + 0.3 * noise(rng, n, 4)
    rings = 0.07 * np.cos(2 * np.pi * r / 0.085)
    tone = 0.93 - 1.30 * r + rings + 0.05 * noise(rng, n, 10, 2)
    puffs = noise(rng, n, 9, 2.6) - 0.30 - 12.0 * (y - 0.13) ** 2 - 1.8 * np.exp(-((r / 0.17) ** 4))
    cloud = puffs > 0
    labels[cloud] = CLOUD
    down, right = np.gradient(puffs)
    lit = n * (0.035 * down + 0.012 * right)
    tone = np.where(cloud, 0.55 - 0.55 * lit, tone)
    flow = np.where(cloud, np.arctan2(right, -down), flow)
    labels[r < 0.065] = SUN
    return labels, flow, np.where(r < 0.065, 0.95 - 8 * r, tone)


def _rows(labels: Ints, y: Floats, x: Floats, flow: Floats, tone: Floats) -> tuple[Floats, Floats]:
    """Plant lavender and wheat in rows that run together at the horizon."""
    dx, dy = x - 0.55, np.maximum(y - 0.435, 0.01)
    rows = 0.45 + 0.33 * np.cos(19 * dx / dy)
    lavender, wheat = labels == LAVENDER, labels == WHEAT
    flow = np.where(lavender, np.arctan2(dy, dx), np.where(wheat, 0.06, flow))
    tone = np.where(lavender, rows, np.where(wheat, 0.6 + 0.2 * np.sin(420 * y), tone))
    return flow, tone


def _grass(canvas: Canvas, rng: np.random.Generator) -> None:
    """Let blades and stems rise between the flowers."""
    at = np.stack([rng.uniform(0, 1, 900), rng.uniform(0.7, 1.04, 900)], -1)
    at = at[np.argsort(at[:, 1])]
    lean = -np.pi / 2 + rng.normal(0, 0.3, (1, 900)).repeat(2, 0)
    angle = np.full((2, 2), -np.pi / 2)
    path = trace(at, angle, rng.uniform(0.04, 0.09, 900))
    path[..., 0] += (np.linspace(0, 1, 7) ** 2) * np.cos(lean[0])[:, None] * 0.08
    canvas.stroke(rng, path, COLOURS[MEADOW, rng.integers(0, 8, 900)], Brush(0.007, 0, 3))


def _flowers(canvas: Canvas, rng: np.random.Generator) -> None:
    """Paint each flower as a rosette of thick dabs; flowers grow towards the viewer."""
    depth = np.sort(rng.uniform(0, 1, 150) ** 0.8)
    for d in depth:
        x, y = rng.uniform(-0.02, 1.02), 0.685 + 0.33 * d
        kind = rng.choice(5, p=[0.5, 0.17, 0.12, 0.12, 0.09])
        size = (0.008 + 0.026 * d) * (1.15 if kind == 0 else 0.85)
        petals = 7 + int(6 * d)
        turn = rng.uniform(0, 6.3) + np.arange(petals) * 2 * np.pi / petals
        ray = np.stack([np.cos(turn), 0.72 * np.sin(turn)], -1)
        reach = np.linspace(0.2, 1.0, 4)[:, None] * size
        path = np.array([x, y]) + ray[:, None] * reach
        shade = np.clip(2 - 1.7 * ray[:, 1] - ray[:, 0] + rng.normal(0, 0.7, petals), 0, 4)
        brush = Brush(0.55 * size, size, 5, ragged=0.06)
        canvas.stroke(rng, path, PETALS[kind, shade.astype(int)], brush)
        heart = np.array([[[x - 0.2 * size, y], [x + 0.2 * size, y + 0.05 * size]]])
        tint = PETALS[4, 2:3] if kind in (2, 3) else np.array([[40.0, 22.0, 40.0]])
        canvas.stroke(rng, heart, tint, Brush(0.36 * size, size, 3, ragged=0.0))
