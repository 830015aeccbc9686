"""Embroidery: satin-stitched flowers, leaves and knots on dark blue cloth."""

from __future__ import annotations

import numpy as np

from .brush import Brush, Canvas, Scene, trace
from .tools import Bytes, Floats, grid, look_up, noise, palette, scatter, window

CLOTH, LEAF, STEM, RED, PINK, GOLD, BLUE, CREAM, HEART = range(9)
COLOURS = palette(
    "0b1730 10203f 152a4e 1b355e 24426c",
    "0f4a3c 1d6a4a 3a8a52 6aab58 a8c868",
    "5a6a1e 7c8426 9a9a34 b8b04a d8ca70",
    "7a0f1e a51624 c92a2a e2503a f28a62",
    "98285c c24478 de6c94 f09ab0 fcccd0",
    "a85a0a cf820f eaa61e f8c844 fde68c",
    "14508a 1f76b0 3c9ccc 74c2de b4e2ec",
    "b8a888 d6c8a6 eadfc2 f7f0dc fffcf2",
    "3a1430 6a1c3c 2a1a3a 8a2a3a 501838",
)
# Flowers: x, y, radius, petals, outer colour, inner colour, turn.
FLOWERS = (
    (0.50, 0.40, 0.165, 8, RED, PINK, 0.2), (0.20, 0.70, 0.118, 7, BLUE, CREAM, 0.0),
    (0.80, 0.70, 0.118, 7, PINK, RED, 0.3), (0.19, 0.26, 0.112, 6, GOLD, RED, 0.5),
    (0.81, 0.26, 0.112, 6, CREAM, BLUE, 0.1), (0.50, 0.78, 0.125, 9, GOLD, CREAM, 0.0),
    (0.50, 0.09, 0.075, 6, BLUE, GOLD, 0.2), (0.05, 0.49, 0.070, 5, PINK, GOLD, 0.0),
    (0.95, 0.49, 0.070, 5, RED, GOLD, 0.6), (0.06, 0.93, 0.075, 6, RED, CREAM, 0.0),
    (0.94, 0.93, 0.075, 6, GOLD, BLUE, 0.4), (0.33, 0.94, 0.052, 5, CREAM, PINK, 0.0),
    (0.67, 0.94, 0.052, 5, BLUE, PINK, 0.5), (0.05, 0.06, 0.070, 6, BLUE, PINK, 0.0),
    (0.95, 0.06, 0.070, 6, PINK, CREAM, 0.3), (0.33, 0.10, 0.045, 5, RED, GOLD, 0.1),
    (0.67, 0.10, 0.045, 5, GOLD, RED, 0.7), (0.345, 0.585, 0.050, 5, CREAM, RED, 0.0),
    (0.655, 0.585, 0.050, 5, BLUE, CREAM, 0.9),
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
    rng = np.random.default_rng(1903)
    canvas = Canvas(size, (8, 16, 34))
    scene = _scene(rng, 768)
    _stitch(canvas, rng, scene, Brush(0.0075, 0.030, 3, 0.16, 5, 0.03), (CLOTH,))
    _stitch(canvas, rng, scene, Brush(0.0062, 0.026, 3, 0.05, 5, 0.05), tuple(range(1, 9)))
    _knots(canvas, rng)
    return canvas.result(1.6)


def _scene(rng: np.random.Generator, n: int) -> Scene:
    """Lay out the design: stems and leaves first, then flowers over them."""
    y, x = grid(n)
    labels, tone = np.full((n, n), CLOTH), 0.5 + 0.22 * noise(rng, n, 12)
    angle = np.pi / 4 + 0.9 * np.sin(7 * x) * np.cos(6 * y)
    scene = Scene(labels, tone, angle)
    for k in range(76):
        _vine(scene, rng, y, x, k)
    for flower in FLOWERS:
        _flower(scene, y, x, *flower)
    return scene


def _vine(scene: Scene, rng: np.random.Generator, y: Floats, x: Floats, k: int) -> None:
    """Grow a spray of leaves out from behind a flower."""
    cx, cy, radius = FLOWERS[k % len(FLOWERS)][:3]
    turn = 2.4 * k + rng.uniform(-0.3, 0.3)
    for step in range(2):
        at = radius * 0.95 + 0.055 * step
        bend = turn + 0.28 * step
        px, py = cx + at * np.cos(bend), cy + at * np.sin(bend)
        for side in (-1, 1):
            lean = bend + (0.95 - 0.45 * step) * side
            size = 0.090 - 0.012 * step
            _leaf(scene, y, x, (px, py, lean, size), LEAF if k % 4 else STEM)


def _leaf(
    scene: Scene, y: Floats, x: Floats, place: tuple[float, float, float, float], label: int
) -> None:
    """Fill one leaf or petal with stitches that slant away from its middle line."""
    px, py, lean, size = place
    at = window(len(y), px, py, 1.05 * size)
    dx, dy = x[at] - px, y[at] - py
    along, across = dx * np.cos(lean) + dy * np.sin(lean), dy * np.cos(lean) - dx * np.sin(lean)
    t = np.clip(along / size, 0, 1)
    inside = np.abs(across) < 0.23 * size * np.sqrt(np.clip(np.sin(np.pi * t**0.8), 0, 1))
    side = np.sign(across)
    scene.labels[at][inside] = label
    scene.angle[at][inside] = (lean + 0.7 * side)[inside]
    scene.tone[at][inside] = (0.18 + 0.5 * t + 0.30 * side)[inside]


def _flower(
    scene: Scene, y: Floats, x: Floats, cx: float, cy: float, radius: float,
    petals: int, outer: int, inner: int, turn: float,
) -> None:  # fmt: skip
    """Stitch a flower: two rings of petals worked from the heart outwards."""
    r, theta = np.hypot(x - cx, y - cy) / radius, np.arctan2(y - cy, x - cx) + turn
    for label, reach, shift in ((outer, 1.0, 0.0), (inner, 0.62, 0.5)):
        phase = (theta * petals / (2 * np.pi) + shift) % 1 - 0.5
        rim = reach * (0.80 + 0.20 * np.sqrt(np.clip(1 - (2 * phase) ** 2, 0, 1)))
        inside = r < rim
        scene.labels[inside] = label
        scene.angle[inside] = (theta - turn - 1.1 * phase)[inside]
        shade = 0.05 + 0.95 * (r / rim) ** 1.3 - 0.25 * (np.abs(phase) > 0.43)
        scene.tone[inside] = shade[inside]
    heart = r < 0.24
    scene.labels[heart], scene.tone[heart] = HEART, 0.5
    scene.angle[heart] = (theta + np.pi / 2)[heart]


def _stitch(
    canvas: Canvas, rng: np.random.Generator, scene: Scene, brush: Brush, only: tuple[int, ...]
) -> None:
    """Work one layer of stitches; silk shines where the thread runs across the light."""
    at = scatter(rng, brush.width * 0.92)
    label = look_up(scene.labels, at)
    path = trace(at, scene.angle, brush.length * rng.uniform(0.7, 1.1, len(at)), 5)
    # A stitch must stay inside its petal: ends that stray are pulled back to the middle.
    stray = look_up(scene.labels, path) != label[:, None]
    path = np.where(stray[..., None], at[:, None] + 0.25 * (path - at[:, None]), path)
    tone = look_up(scene.tone, at) + rng.normal(0, brush.jitter, len(at))
    pick = np.clip((tone * 5).astype(int), 0, 4)
    sheen = 1 + 0.20 * np.cos(2 * (look_up(scene.angle, at) - 0.6))
    colour = COLOURS[label, pick] * (sheen * rng.normal(1, 0.05, len(at)))[:, None]
    canvas.stroke(rng, path, colour, brush, np.isin(label, only))


def _knots(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the hearts with French knots: short thick coils of gold and cream."""
    for cx, cy, radius, *_ in FLOWERS:
        count = int(2600 * radius**1.6) + 8
        r = 0.21 * radius * np.sqrt((np.arange(count) + 0.5) / count)
        turn = np.arange(count) * 2.39996
        at = np.stack([cx + r * np.cos(turn), cy + r * np.sin(turn)], -1)
        coil = np.stack([np.cos(turn), np.sin(turn)], -1)[:, None] * np.array([-1, 1])[:, None]
        colour = COLOURS[[GOLD, CREAM, GOLD], [3, 2, 2]][rng.integers(0, 3, count)]
        canvas.stroke(rng, at[:, None] + 0.0028 * coil, colour, Brush(0.006, 0.006, 3, ragged=0))
