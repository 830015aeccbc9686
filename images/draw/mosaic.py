"""Mosaic: a peacock displaying on a gold ground, in tesserae that follow every contour."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .peacock import COLOURS, design
from .tools import Bytes, Floats, Ints, Marks, distance, finish, ndimage, noise, relief

TESSERA = 0.0142


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
    rng = np.random.default_rng(547)
    n = 768
    labels, pieces = design(n)
    depth, angle = _contours(pieces)
    side = 2 * size
    image = Image.new("RGBA", (side, side), (74, 66, 60, 0))
    placed: list[tuple[int, int, float]] = []
    for stone in (TESSERA, 0.60 * TESSERA):  # chips fill the gaps between whole stones
        placed = _lay(image, rng, labels, depth, angle, placed, stone)
    return finish(_light(rng, np.asarray(image).astype(np.float64)), size)


def _contours(pieces: Ints) -> tuple[Floats, Floats]:
    """Return the depth inside each piece and the direction along its contour."""
    step = np.zeros(pieces.shape, dtype=bool)
    for axis in (0, 1):
        step |= np.roll(pieces, 1, axis) != pieces
    depth = distance(~step) / len(pieces)
    smooth = ndimage.gaussian_filter(depth, 2.5)
    gy, gx = np.gradient(smooth)
    return depth, np.arctan2(gx, -gy)


def _lay(
    image: Image.Image, rng: np.random.Generator, labels: Ints, depth: Floats,
    angle: Floats, placed: list[tuple[int, int, float]], stone: float,
) -> list[tuple[int, int, float]]:  # fmt: skip
    """Set the tesserae row by row from every contour inwards, skipping occupied places."""
    pen, n, taken = ImageDraw.Draw(image), len(labels), np.zeros(labels.shape, dtype=bool)
    for i, j, size in placed:
        _mark(taken, i, j, float(angle[i, j]), 0.42 * (size + stone) * n)
    stones = list(placed)
    row = np.floor(depth / stone)
    miss = np.abs(depth / stone - row - 0.5) + rng.uniform(0, 0.25, depth.shape)
    along = np.arctan2(*(np.indices(depth.shape) - n * 0.62))
    order = np.lexsort((along.ravel() + 0.02 * miss.ravel(), row.ravel()))
    good = order[miss.ravel()[order] < (0.22 if stone == TESSERA else 9)]
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.45 * stone
    chance = rng.uniform(0, 1, (n * n, 14))  # by place, so that one stone more changes nothing
    for at in good.tolist():
        i, j = divmod(at, n)
        if taken[i, j]:
            continue
        _mark(taken, i, j, float(angle[i, j]), 0.82 * stone * n)
        stones.append((i, j, stone))
        lot = chance[at]
        tilt = angle[i, j] + 0.18 * (lot[0] - 0.5)
        turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        shape = corner * (0.88 + 0.16 * lot[1:9].reshape(4, 2)) @ turn + np.array([j, i]) / n
        ink = COLOURS[labels[i, j], int(6 * lot[9])] + 26 * (lot[10:13] - 0.5)
        fill = (*(int(v) for v in ink.clip(0, 255)), 150 + int(105 * lot[13]))
        pen.polygon((shape * image.width).ravel().tolist(), fill=fill)
    return stones


def _mark(taken: Marks, i: int, j: int, angle: float, clear: float) -> None:
    """Mark the places whose tesserae would overlap the one at row i, column j."""
    reach = int(1.42 * clear)
    top, left = max(i - reach, 0), max(j - reach, 0)
    window = taken[top : i + reach + 1, left : j + reach + 1]
    di, dj = np.ogrid[top - i : top - i + window.shape[0], left - j : left - j + window.shape[1]]
    u = np.abs(dj * np.cos(angle) + di * np.sin(angle))
    v = np.abs(di * np.cos(angle) - dj * np.sin(angle))
    window |= np.maximum(u, v) < clear


def _light(rng: np.random.Generator, layers: Floats) -> Floats:
    """Bed the stones in grout, tilt each a little and let some of them glint."""
    side = len(layers)
    height = layers[..., 3] / 255
    stone = height > 0.3
    lit = relief(ndimage.gaussian_filter(height, 1.2), 1.0, 1.0)[..., None]
    veins = 1 + 0.05 * noise(rng, side, 260)[..., None]
    glint = 34 * np.clip(height - 0.88, 0, 1)[..., None] / 0.12
    grout = np.array([92.0, 84.0, 76.0]) * (1 + 0.10 * noise(rng, side, 300)[..., None])
    shade = ndimage.gaussian_filter(stone.astype(float), 3)[..., None]
    stones = layers[..., :3] * lit * veins + glint
    return np.where(stone[..., None], stones, grout * (1.25 - 0.6 * shade))
