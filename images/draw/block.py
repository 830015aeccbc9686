"""The printing block of the linocut: areas, their key lines, and the cuts of the gouge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .brush import trace
from .tools import (
    Floats,
    Ints,
    Marks,
    edges,
    look_up,
    ndimage,
    noise,
    palette,
    scatter,
    window,
)

NIGHT, MOON, BODY, WING, FACE, EYE, PUPIL, BEAK, WOOD, LEAF, FRUIT, HILL, SNOW = range(13)
# The flat colour of each kind, and the colour its cuts show.
FLAT = palette(
    "14274a e9b44a b5532a 6e2c22 f0dcb0 f2a51e 10141c d97a1c 2a1a1c 1d5f58 b8281e 1f4a6a efe3c4"
)[0]
CUT = palette(
    "3f7a9c fbe9b0 f2c07a d98a4a c26a34 fbe28a f6ecd0 f8d070 a8744a a9c46a f59a6a 86b4b8 9cb4b4"
)[0]
INK = palette("10141c")[0, 0]
# Per kind: spacing and length of the cuts; None leaves the block uncut.
CUTS = (
    (0.0185, 0.052), (0.0150, 0.045), None, None, (0.0105, 0.024), None, None, None,
    (0.0095, 0.045), (0.0100, 0.020), (0.0090, 0.012), (0.0130, 0.040), (0.0140, 0.050),
)  # fmt: skip


@dataclass
class Block:
    """The blocks being cut: kind of area, number of the piece, direction of cuts, key lines."""

    y: Floats
    x: Floats
    label: Ints
    piece: Ints
    angle: Floats
    key: Marks
    number: Iterator[int]

    def put(self, where: Marks, label: int, angle: Floats | float) -> None:
        """Cut one area out of what lies below it."""
        self.label[where], self.piece[where], self.key[where] = label, next(self.number), False
        self.angle[where] = np.broadcast_to(angle, where.shape)[where]

    def near(self, cx: float, cy: float, reach: float) -> Block:
        """Return a view of the square of half side ``reach`` round a point."""
        at = window(len(self.y), cx, cy, reach)
        cut = self.label[at], self.piece[at], self.angle[at], self.key[at]
        return Block(self.y[at], self.x[at], *cut, self.number)


def pull(rng: np.random.Generator, block: Block) -> Floats:
    """Print the block: flat colours, key lines, cuts, and the wear of the press."""
    side = len(block.y)
    key = block.key | ndimage.binary_dilation(edges(block.piece), iterations=max(1, side // 480))
    flat = np.where(key[..., None], INK, FLAT[block.label])
    image = Image.fromarray(flat.astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for kind, cuts in enumerate(CUTS):
        if cuts:
            _gouge(pen, rng, block, kind, *cuts)
    return _press(rng, np.asarray(image).astype(np.float64))


def _gouge(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, block: Block, kind: int,
    spacing: float, length: float,
) -> None:  # fmt: skip
    """Cut tapering grooves into every area of one kind, clear of its outlines."""
    at = scatter(rng, spacing)
    thick = rng.uniform(0.6, 1.25, (len(at), 1, 1))
    lengths = length * rng.uniform(0.6, 1.25, len(at))
    own = look_up(block.label, at) == kind
    at, thick = at[own], thick[own]
    path = trace(at, block.angle, lengths[own], 9)
    piece = look_up(block.piece, at)
    inside = (look_up(block.piece, path) == piece[:, None]) & ~look_up(block.key, path)
    path, thick = path[inside.mean(1) > 0.8], thick[inside.mean(1) > 0.8]
    ahead = np.gradient(path, axis=1)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True) + 1e-9
    taper = np.sin(np.pi * np.linspace(0.02, 0.98, 9)) ** 0.7 * spacing * 0.24
    side = np.stack([-ahead[..., 1], ahead[..., 0]], -1) * taper[:, None] * thick
    ring = np.concatenate([path + side, (path - side)[:, ::-1]], 1) * len(block.y)
    ink = tuple(int(c) for c in CUT[kind])
    for shape in ring.reshape(len(ring), -1).tolist():
        pen.polygon(shape, fill=ink)


def _press(rng: np.random.Generator, colour: Floats) -> Floats:
    """Roll the ink on unevenly and let the paper's tooth break it up."""
    n = len(colour)
    speck = noise(rng, n, 260) + 0.6 * noise(rng, n, 60)
    roller = 1 + 0.035 * noise(rng, n, 10)
    worn = np.clip((speck - 2.6) * 0.7, 0, 0.5)[..., None]
    printed: Floats = colour * roller[..., None] * (1 - worn) + FLAT[SNOW] * worn
    return printed
