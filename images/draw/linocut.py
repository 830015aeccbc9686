"""Linocut: an owl before the moon, printed from blocks that show every cut of the gouge."""

from __future__ import annotations

from itertools import count

import numpy as np

from .block import BEAK, FRUIT, HILL, LEAF, MOON, NIGHT, SNOW, WOOD, Block, pull
from .owl import carve_owl
from .tools import Bytes, curve, finish, grid

BRANCHES = (
    ([(-0.1, 0.86), (0.15, 0.78), (0.4, 0.735), (0.65, 0.735), (0.85, 0.68), (1.1, 0.60)], 0.021),
    ([(-0.1, 0.93), (0.3, 0.90), (0.6, 0.945), (1.1, 0.84)], 0.015),
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
    rng = np.random.default_rng(1919)
    side = 2 * size
    zero = np.full((side, side), NIGHT)
    block = Block(*grid(side), zero, zero.copy(), 0.0 * zero, zero > 0, count(1))
    _night(block, rng)
    carve_owl(block)
    _branch(block, rng)
    return finish(pull(rng, block), size)


def _night(block: Block, rng: np.random.Generator) -> None:
    """Cut the sky in rings round the moon, stars, and snowy hills under it."""
    y, x = block.y, block.x
    r, turn = np.hypot(x - 0.56, y - 0.38), np.arctan2(y - 0.38, x - 0.56)
    block.angle[:] = turn + np.pi / 2
    block.put(r < 0.335, MOON, turn)
    for cx, cy, s in ((0.10, 0.10, 0.030), (0.93, 0.07, 0.026), (0.15, 0.42, 0.022),
                      (0.31, 0.055, 0.024), (0.05, 0.26, 0.022),
                      (0.955, 0.34, 0.026)):  # fmt: skip
        part = block.near(cx, cy, s)
        d, a = np.hypot(part.x - cx, part.y - cy), np.arctan2(part.y - cy, part.x - cx)
        part.put(d < s * (0.62 + 0.38 * np.cos(8 * a)), SNOW, a)
    for label, points in ((HILL, [(0, 0.66), (0.2, 0.58), (0.4, 0.69), (0.75, 0.71), (1, 0.62)]),
                          (SNOW, [(0, 0.78), (0.3, 0.74), (0.6, 0.83), (1, 0.74)])):  # fmt: skip
        top = curve(points, x)
        slope = np.arctan2(np.gradient(top, axis=1) * len(y), 1)
        block.put(y > top, label, slope + 0.9 * np.sin(9 * x) * (label == HILL))
    for k in range(13):  # a row of firs on the far hill
        cx, h = 0.03 + 0.078 * k + rng.uniform(-0.02, 0.02), rng.uniform(0.10, 0.17)
        t = (y - 0.78 + h) / h
        half = 0.26 * h * t * (0.7 + 0.3 * ((5 * t) % 1))
        if not 0.36 < cx < 0.74:
            block.put((np.abs(x - cx) < half) & (t > 0) & (t < 1), LEAF, 1.0 * np.sign(x - cx))


def _branch(block: Block, rng: np.random.Generator) -> None:
    """Cut the branches, their leaves and berries, and the owl's feet."""
    y, x = block.y, block.x
    for s in (-1, 1):
        for k in (-1, 0, 1):
            toe = np.hypot((x - 0.56 - 0.055 * s - 0.017 * k) / 0.010, (y - 0.70) / 0.028) < 1
            block.put(toe, BEAK, np.pi / 2)
    for points, thick in BRANCHES:
        middle = curve(points, x)
        slope = np.arctan2(np.gradient(middle, axis=1) * len(y), 1)
        block.put(np.abs(y - middle - 0.004 * np.sin(50 * x)) < thick, WOOD, slope)
        for cx in np.arange(0.02, 1.0, 0.062):
            at = float(np.interp(cx, x[0], middle[0]))
            for s in (-1, 1):
                if s > 0 or not 0.36 < cx < 0.76:
                    _leaf(block, (cx, at), s * rng.uniform(0.6, 1.3), rng.uniform(0.075, 0.115))
        for cx in np.arange(0.05, 1.0, 0.11) + rng.uniform(-0.02, 0.02, 9):
            at = float(np.interp(cx, x[0], middle[0])) + 0.045
            part = block.near(cx, at, 0.02)
            part.put(np.hypot(part.x - cx, part.y - at) < 0.0165, FRUIT, 0.8)


def _leaf(block: Block, base: tuple[float, float], lean: float, size: float) -> None:
    block = block.near(*base, size)
    dx, dy = block.x - base[0], block.y - base[1]
    along = (dx * np.cos(lean) + dy * np.sin(lean)) / size
    across = (dy * np.cos(lean) - dx * np.sin(lean)) / size
    half = 0.25 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.85)
    block.put(np.abs(across) < half, LEAF, lean + 0.75 * np.sign(across))
    block.key |= (np.abs(across) < 0.03) & (along > 0) & (along < 0.95)
