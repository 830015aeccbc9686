"""The owl of the linocut, with its rows of feathers."""

from __future__ import annotations

import numpy as np

from .block import BEAK, BODY, EYE, FACE, PUPIL, SNOW, WING, Block
from .tools import Floats, Marks


def carve_owl(block: Block) -> None:
    """Cut the owl: body and wings in rows of feathers, ears, a face of radiating cuts."""
    y, x = block.y, block.x
    u, v = (x - 0.56) / 0.168, (y - 0.455) / 0.255
    body = np.hypot(u, v) < 1
    block.put(body, BODY, 0.0)
    _feathers(block, body & (v > -0.35), u, v, 7.5)
    for s in (-1, 1):
        p = (x - 0.56 - s * 0.135) / 0.075 + 0.25 * s * (y - 0.5) / 0.2
        wing = np.hypot(p, (y - 0.50) / 0.215) < 1
        block.put(wing, WING, 0.0)
        _feathers(block, wing, p * 0.5, (y - 0.5) / 0.2, 6.0)
        off = np.abs(x - 0.56 - s * (0.125 - 0.25 * (y - 0.165)))
        ear = (y > 0.165) & (y < 0.30) & (off < (y - 0.165) * 0.42)
        block.put(ear, WING, np.pi / 2)
    block.put(np.hypot((x - 0.56) / 0.158, (y - 0.30) / 0.105) < 1, BODY, 0.0)
    for s in (-1, 1):
        dx, dy = x - 0.56 - s * 0.071, y - 0.295
        d, a = np.hypot(dx, dy), np.arctan2(dy, dx)
        for radius, label in ((0.083, FACE), (0.046, EYE), (0.025, PUPIL)):
            block.put(d < radius * (1 + 0.03 * np.sin(24 * a) * (label == FACE)), label, a)
        block.put(np.hypot(dx + 0.009, dy + 0.010) < 0.007, SNOW, 0.0)
    beak = (np.abs(x - 0.56) < 0.021 * (1 - (y - 0.31) / 0.06)) & (y > 0.31) & (y < 0.37)
    block.put(beak, BEAK, 1.5)


def _feathers(block: Block, where: Marks, u: Floats, v: Floats, rows: float) -> None:
    """Lay overlapping rounded feathers, each with a dark rim, an eye and a cut quill."""
    for shift in (0.0, 1.0):  # a pixel lies in the feather of its own row or of the row above
        row = np.floor(v * rows) - shift
        fy = v * rows - row
        fx = 2 * ((u * 4.2 + 0.5 * (row % 2)) % 1) - 1
        d = np.hypot(fx, np.maximum(fy - 0.55, 0) / 0.62)
        inside = where & (d < 1.0) & (fy < 1.2)
        block.key[inside] = (d > 0.80)[inside]
        quill = (np.abs(fx) < 0.07) | (np.abs(np.abs(fx) - 0.42) < 0.06) & (fy > 0.45)
        pale = inside & (d < 0.66) & ~quill
        block.label[pale] = np.where(fy > 0.5, FACE, BEAK)[pale]
