"""The design of the mosaic: a peacock with its tail spread, in a border."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .tools import Floats, Ints, Marks, grid, palette

GOLD, RIM, RAY, EYE, RING, PUPIL, BODY, BEAK, EDGE, BAND, WING = range(11)
COLOURS = palette(
    "a87018 c48a20 d9a432 ecc04a f6d878 e0ac58",
    "123a3a 1a5450 0e2c3c 246a58 164848 1c5c66",
    "1c6a3c 2f8a48 5aa83c 8cc04a 3c9a6c b4cc5c",
    "b4641c d08a28 e4a83c c8742a e8bc58 d89a30",
    "1498a0 28b4b0 58ccc0 108088 3cb8c4 84dcd0",
    "141c5c 1c2c84 2a1c60 243ca0 101848 3850b8",
    "0c2c80 1848b0 2c70d0 48a0e4 1c58c0 78c4ec",
    "e0c8a0 f0dcb8 2a1c20 d8b488 f4e8d0 e8d0a0",
    "7c1c20 9c2824 b83c2c 6a1418 c44c34 8c2028",
    "e8dcc0 f4ecd8 dccca8 f8f4e4 e4d4b4 d4c49c",
    "8c2c48 b04460 6c1c3c c8607c 983450 d88098",
)
Put = Callable[[Marks, int], None]


def design(n: int) -> tuple[Ints, Ints]:
    """Return the kind and the number of the piece for each pixel."""
    y, x = grid(n)
    labels = np.full((n, n), GOLD)
    pieces = np.zeros((n, n), dtype=int)
    dx, dy = x - 0.5, y - 0.66
    r, turn = np.hypot(dx, dy), np.arctan2(dx, -dy)
    count = 0

    def put(where: Marks, label: int) -> None:
        nonlocal count
        count += 1
        labels[where], pieces[where] = label, count

    put((r < 0.575 + 0.012 * np.cos(turn * 21)) & (np.abs(turn) < 1.97), RIM)
    for reach, feathers, size in ((0.485, 11, 0.071), (0.335, 9, 0.056), (0.215, 7, 0.040)):
        for k in range(feathers):
            lean = (k - (feathers - 1) / 2) * 3.45 / (feathers - 0.3)
            cx, cy = 0.5 + reach * np.sin(lean), 0.66 - reach * np.cos(lean)
            along = (x - cx) * np.sin(lean) - (y - cy) * np.cos(lean)
            across = (x - cx) * np.cos(lean) + (y - cy) * np.sin(lean)
            d = np.hypot(along * 0.88, across) / size
            stem = (np.abs(across) < 0.36 * size * (1 + along / reach)) & (along < 0) & (r > 0.09)
            put((d < 1) | stem, RAY)
            for ring, label in ((0.74, EYE), (0.50, RING), (0.27, PUPIL)):
                put(np.hypot(along * 0.88 - 0.08 * size, across) / size < ring, label)
    _bird(put, y, x)
    _border(put, y, x)
    return labels, pieces


def _bird(put: Put, y: Floats, x: Floats) -> None:
    """Draw the bird itself: body, breast, neck, head, crest, beak and feet."""
    put((np.hypot((x - 0.5) / 0.105, (y - 0.745) / 0.15) < 1), BODY)
    for s in (-1, 1):
        put(np.hypot((x - 0.5 - s * 0.088) / 0.042, (y - 0.765) / 0.115) < 1, WING)
        foot = np.abs(x - 0.5 - s * 0.035 - s * 0.25 * (y - 0.87)) < 0.011
        put(foot & (y > 0.87) & (y < 0.925), EYE)
    neck = 0.5 + 0.018 * np.sin(13 * (y - 0.5))
    thick = 0.038 + 0.2 * np.clip(y - 0.58, 0, 1)
    put((np.abs(x - neck) < thick) & (y > 0.47) & (y < 0.70), BODY)
    put(np.hypot(x - 0.497, y - 0.462) < 0.050, BODY)
    for s in (-1, 0, 1):
        put(np.hypot(x - 0.497 - 0.036 * s, y - 0.388 - 0.012 * s * s) < 0.0145, RING)
    put((np.abs(y - 0.468) < 0.021 * (x - 0.425) / 0.04) & (x > 0.425) & (x < 0.466), BEAK)
    put(np.hypot(x - 0.485, y - 0.452) < 0.012, BAND)


def _border(put: Put, y: Floats, x: Floats) -> None:
    """Frame the picture with a band of red lozenges."""
    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    put(rim < 0.066, BAND)
    run = np.where(np.minimum(x, 1 - x) < np.minimum(y, 1 - y), y, x)
    lozenge = (run * 14) % 1 + np.abs(rim - 0.034) * 9 < 0.82
    put((rim < 0.058) & (rim > 0.010) & lozenge, EDGE)
