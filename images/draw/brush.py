"""A paint brush: curved strokes of many bristles, with thickness that catches the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .tools import Bytes, Floats, Ints, Marks, finish, look_up, relief, scatter

OVER = 2  # the canvas is drawn at twice the size and averaged, which smooths the edges


@dataclass(frozen=True)
class Scene:
    """What to paint: per pixel a palette row, a tone (0..1) and a stroke direction (radians)."""

    labels: Ints
    tone: Floats
    angle: Floats


@dataclass(frozen=True)
class Brush:
    """How to paint: sizes in units of the picture's side."""

    width: float
    length: float
    bristles: int = 7
    jitter: float = 0.12
    shade: float = 10.0
    ragged: float = 0.18
    density: float = 1.0


class Canvas:
    """A picture under the brush; its alpha channel holds the thickness of the paint."""

    def __init__(self, size: int, ground: tuple[int, int, int]) -> None:
        self.size = size
        self.side = size * OVER
        self.image = Image.new("RGBA", (self.side, self.side), (*ground, 90))
        self.pen = ImageDraw.Draw(self.image)

    def stroke(
        self, rng: np.random.Generator, path: Floats, colour: Floats, brush: Brush,
        keep: Marks | None = None,
    ) -> None:  # fmt: skip
        """Lay strokes along ``path`` (N, P, 2) in the given colours (N, 3), first to last.

        Strokes outside ``keep`` are drawn by chance like the others, then dropped: so one
        stroke more or less cannot change the chances of all that follow.
        """
        n, b = len(path), brush.bristles
        width = brush.width * rng.uniform(0.75, 1.25, n)
        lines = _bristles(rng, path, width, brush) * self.side
        # The outer bristles push the paint into ridges; each bristle carries its own load.
        ridge = 45 * np.abs(np.linspace(-1, 1, b)) ** 3 if b > 1 else np.zeros(1)
        thick = 95 + ridge + rng.normal(0, 26, (n, b)) + rng.normal(0, 22, (n, 1))
        tint = colour[:, None] + rng.normal(0, brush.shade, (n, b, 1))
        inks = np.concatenate([tint, thick[..., None]], -1).clip(0, 255).astype(int)
        pens = np.maximum(2, np.ceil(1.7 * width / b * self.side)).astype(int)
        if keep is not None:
            lines, inks, pens = lines[keep], inks[keep], pens[keep]
        for paths, row, pen in zip(lines, inks.tolist(), pens.tolist(), strict=True):
            for line, ink in zip(paths, row, strict=True):
                self.pen.line(line.ravel().tolist(), fill=tuple(ink), width=pen)

    def result(self, strength: float, soft: float = 0.65) -> Bytes:
        """Light the paint from the upper left and return the picture."""
        layers = np.asarray(self.image).astype(np.float64)
        lit = relief(layers[..., 3] / 255, strength)[..., None]
        return finish(layers[..., :3] * lit + 60 * np.maximum(lit - 1.25, 0), self.size, soft)


def _bristles(rng: np.random.Generator, path: Floats, width: Floats, brush: Brush) -> Floats:
    """Return the bristle lines (N, B, P, 2) beside each path, with ragged ends."""
    n, points, _ = path.shape
    across = np.linspace(-0.5, 0.5, brush.bristles) if brush.bristles > 1 else np.zeros(1)
    ahead = np.gradient(path, axis=1)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True) + 1e-9
    normal = np.stack([-ahead[..., 1], ahead[..., 0]], -1)
    trim = brush.ragged * (rng.uniform(0, 1, (2, n, brush.bristles)) + 2 * across**2)
    t = np.linspace(0, 1, points)
    at = (trim[0, ..., None] * (1 - t) + (1 - trim[1, ..., None]) * t) * (points - 1)
    low = np.clip(at.astype(int), 0, points - 2)
    part = (at - low)[..., None]
    row = np.arange(n)[:, None, None]
    middle = path[row, low] * (1 - part) + path[row, low + 1] * part
    side = normal[row, low] * (across[None, :, None] * width[:, None, None])[..., None]
    lines: Floats = middle + side
    return lines


def trace(start: Floats, angle: Floats, length: Floats, points: int = 7) -> Floats:
    """Follow the direction field from ``start`` (N, 2); return centred paths (N, points, 2)."""
    step = (length / (points - 1))[:, None]
    path = np.repeat(start[:, None], points, axis=1)
    middle = points // 2
    for sign, stop in ((-1, -1), (1, points)):
        for k in range(middle + sign, stop, sign):
            here = path[:, k - sign]
            turn = look_up(angle, here)
            path[:, k] = here + sign * step * np.stack([np.cos(turn), np.sin(turn)], -1)
    return path


def cover(
    canvas: Canvas,
    rng: np.random.Generator,
    scene: Scene,
    colours: Floats,
    brush: Brush,
    only: tuple[int, ...] | None = None,
) -> None:
    """Cover the scene (or some of its labels) with one layer of strokes.

    Every stroke takes one pure colour from its label's row of the palette: neighbours differ
    visibly, as they do in a painting, instead of fading into each other.
    """
    at = scatter(rng, brush.width * 0.8 / brush.density)
    label = look_up(scene.labels, at)
    tone = look_up(scene.tone, at) + rng.normal(0, brush.jitter, len(at))
    shades = colours.shape[1]
    pick = np.clip((tone * shades).astype(int), 0, shades - 1)
    colour = colours[label, pick] + rng.normal(0, 7, (len(at), 3))
    length = brush.length * rng.uniform(0.6, 1.3, len(at))
    keep = None if only is None else np.isin(label, only)
    canvas.stroke(rng, trace(at, scene.angle, length), colour, brush, keep)
