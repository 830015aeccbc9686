"""Glass: a leaded window with a sun over mountains, a lake and water lilies."""

from __future__ import annotations

import numpy as np

from .tools import (
    Bytes,
    Floats,
    Ints,
    blend,
    curve,
    distance,
    edges,
    finish,
    grid,
    ndimage,
    noise,
    palette,
    relief,
    spatial,
    window,
)

SUN, RAY, AIR, PEAK, RIDGE, LAKE, PETAL, PAD, FRAME = range(9)
COLOURS = palette(
    "f08a10 f8b020 fcd040 fff0a0",
    "d8341c f0641e f89a2c fcd060",
    "1c3ca0 2f6cc8 58a8dc a8dce4",
    "4a2480 7440a0 a860b0 e0a0c8",
    "0c5a5c 148a6c 4ab068 b4d860",
    "0c2a80 1060a8 1898b8 70d0c8",
    "b01850 e03878 f47ca4 fdd4dc",
    "0a4a30 1a7a3c 5aa832 b8cc3c",
    "8c1420 c42a24 1c3a94 e0901c",
)
TOPS = (
    (PEAK, [(0, 0.50), (0.14, 0.36), (0.26, 0.47), (0.36, 0.40), (0.5, 0.53), (0.66, 0.46),
            (0.8, 0.32), (0.92, 0.44), (1, 0.40)], (10, 14)),
    (RIDGE, [(0, 0.56), (0.2, 0.53), (0.4, 0.60), (0.6, 0.59), (0.8, 0.53), (1, 0.57)], (13, 20)),
)  # fmt: skip
LILIES = np.array([(25, 83, 14), (72, 86, 15.5), (50, 73.5, 8.5), (88, 71, 7.5), (9, 70, 7)]) / 100


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
    rng = np.random.default_rng(1240)
    side = 2 * size
    y, x = grid(side)
    warp = 0.004 * noise(rng, side, 16)
    label, piece = _design(rng, y + warp, x + warp.T)
    piece = label * 100_000 + piece
    return finish(_light(rng, label, piece, y, x), size, soft=0.55)


def _design(rng: np.random.Generator, y: Floats, x: Floats) -> tuple[Ints, Ints]:
    """Return the kind of glass and the number of the piece for each pixel."""
    label, piece = _sky(y, x)
    for kind, points, (nx, ny) in TOPS:
        inside = y > curve(points, x)
        seeds = rng.uniform(0, 1, (nx * ny, 2)) * (1, 0.45) + (0, 0.25)
        tree = spatial.cKDTree(seeds * (nx, ny))
        label[inside] = kind
        piece[inside] = tree.query(np.stack([x[inside] * nx, y[inside] * ny], -1))[1]
    water = y > 0.635 + 0.01 * np.sin(9 * x)
    depth = np.clip(y - 0.6, 0, 1)
    row = np.floor(9 * depth**0.75 * 2 + 0.35 * np.sin(13 * x + 9 * depth)).astype(int)
    column = np.floor(x * (9 - 0.3 * row) + 0.37 * row + 0.2 * np.sin(30 * y)).astype(int)
    label[water], piece[water] = LAKE, (row * 40 + column)[water]
    for k, (cx, cy, r) in enumerate(LILIES):
        at = window(len(y), cx, cy, 2 * r)
        _lily(label[at], piece[at], y[at] - cy, x[at] - cx, r, k)
    beside, above = np.minimum(x, 1 - x), np.minimum(y, 1 - y)
    rim, run = np.minimum(beside, above), np.floor(np.where(beside < above, y, x) * 17.99)
    frame = rim < 0.05
    label[frame] = FRAME
    piece[frame] = (run * 8 + 4 * (x > y) + 2 * (x > 1 - y) + (rim < 0.014))[frame]
    return label, piece


def _sky(y: Floats, x: Floats) -> tuple[Ints, Ints]:
    """Cut the sky into rings and rays round the sun."""
    r, turn = np.hypot(x - 0.5, y - 0.36), np.arctan2(y - 0.36, x - 0.5) / (2 * np.pi) + 0.5
    wave = r + 0.012 * np.sin(2 * np.pi * turn * 12) * (r > 0.11)
    ring = np.searchsorted([0.055, 0.115, 0.19, 0.27, 0.36, 0.46, 0.57], wave)
    count = np.array([1, 8, 16, 24, 24, 28, 32, 36])[ring]
    sector = (turn * count + 0.5 * (ring % 2) + 0.25 * np.sin(18 * r)).astype(int) % count
    label = np.array([SUN, SUN, RAY, RAY, AIR, AIR, AIR, AIR])[ring]
    label = np.where((ring > 3) & (sector % 4 == 0), RAY, label)
    return label, ring * 50 + sector


def _lily(label: Ints, piece: Ints, dy: Floats, dx: Floats, r: float, k: int) -> None:
    """Set a water lily: round leaves below, three tiers of pointed petals above."""
    for j, (ox, oy) in enumerate(((-0.9, 0.35), (0.9, 0.30), (0.0, 0.62))):
        px, py = dx / r - ox, 1.9 * (dy / r - oy)
        pad = np.hypot(px, py) < 0.85
        wedge = np.floor((np.arctan2(py, px) / (2 * np.pi) + 0.5) * 7).astype(int)
        label[pad], piece[pad] = PAD, (k * 100 + j * 10 + wedge)[pad]
    for j in (0, 8, 1, 7, 2, 6, 3, 5, 4):
        lean = (j - 4) * 0.36
        along = (dx * np.sin(lean) - (dy - 0.35 * r) * np.cos(lean)) / r
        across = (dx * np.cos(lean) + (dy - 0.35 * r) * np.sin(lean)) / r
        long = 1.15 - 0.07 * abs(j - 4)
        half = 0.26 * np.sin(np.pi * np.clip(along / long, 0, 1) ** 0.8)
        petal = np.abs(across) < half
        label[petal] = PETAL
        piece[petal] = (k * 100 + 2 * j + (along > 0.62 * long))[petal]


def _light(rng: np.random.Generator, label: Ints, piece: Ints, y: Floats, x: Floats) -> Floats:
    """Shine light through the pieces and solder the lead between them."""
    side, unit = len(y), len(y) / 1536
    draw_of = piece % 9973  # each piece draws its colour from a fixed table of chances
    streak = 0.6 * noise(rng, side, 40, 0.25) + 0.8 * noise(rng, side, 12, 0.6)
    pick = rng.uniform(0.05, 0.95, 9973)[draw_of]
    pick = np.where(label == FRAME, np.rint(3 * pick) / 3 + 0.03 * streak, pick + 0.13 * streak)
    row = np.zeros((side, side, 3))
    for kind, colours in enumerate(COLOURS):
        row[label == kind] = blend(colours, pick[label == kind])
    gap = distance(~edges(piece)) / unit
    hammered = relief(noise(rng, side, 80) + 0.3 * noise(rng, side, 180), 0.60 * unit, 1.0)
    sun = np.exp(-np.hypot(x - 0.5, y - 0.36) / 0.35)
    glow = 0.70 + 0.42 * (1 - np.exp(-gap / 14)) + 0.35 * sun * (label != FRAME)
    glow *= rng.uniform(0.86, 1.12, 9973)[draw_of] * hammered
    picture = row * glow[..., None]
    halo = ndimage.gaussian_filter(np.maximum(picture - 130, 0), (9 * unit, 9 * unit, 0))
    return _lead(picture + 0.5 * halo, gap, noise(rng, side, 150), unit)


def _lead(picture: Floats, gap: Floats, pits: Floats, unit: float) -> Floats:
    """Draw the lead cames: round in section, dull, lit from above."""
    width = 5.6 + 0.5 * pits
    section = np.sqrt(np.clip(1 - (gap / width) ** 2, 0, 1))
    shine = relief(section * 4 + 0.25 * pits, 0.5 * unit, 1.2)
    lead = np.array([48.0, 46.0, 54.0]) * shine[..., None]
    edge = np.clip(gap - width + 0.5, 0, 1)[..., None]
    shadow = 1 - 0.45 * np.exp(-np.maximum(gap - width, 0) / 3.5)[..., None]
    return np.asarray(picture * shadow * edge + lead * (1 - edge))
