"""The breaking wave of the woodblock print, and its foam."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from .tools import Floats, interpolate, palette

BLUES = palette("0f2544 16365f 1f4f86 3a76ac 74a5c4 b4cdd2")[0]
FOAM, SHADE, INK = palette("f8efd8 a4c6d0 0c1c38")[0]
# A breaker in its own frame: its back and its hollow, both from the foot to the curling tip.
BACK = [(-0.75, 1.10), (-0.50, 0.86), (-0.30, 0.60), (-0.12, 0.35), (0.10, 0.13), (0.34, 0.02),
        (0.58, 0.05), (0.76, 0.18), (0.84, 0.36)]  # fmt: skip
HOLLOW = [(1.35, 1.10), (1.02, 1.02), (0.74, 0.93), (0.54, 0.80), (0.43, 0.62), (0.42, 0.45),
          (0.52, 0.31), (0.68, 0.28), (0.84, 0.36)]  # fmt: skip


def rgb(colour: Floats) -> tuple[int, int, int]:
    """Return a colour as Pillow wants it."""
    r, g, b = (int(c) for c in np.clip(colour, 0, 255))
    return r, g, b


def discs(
    pen: ImageDraw.ImageDraw, side: int, discs: list[tuple[float, float, float]],
    ink: Floats, grow: float,
) -> None:  # fmt: skip
    """Draw discs (x, y, radius), each larger by ``grow``."""
    for x, y, r in discs:
        box = np.array([x - r - grow, y - r - grow, x + r + grow, y + r + grow]) * side
        pen.ellipse(box.tolist(), fill=rgb(ink))


def _smooth(points: list[tuple[float, float]], count: int) -> Floats:
    known = np.array(points)
    at = interpolate.PchipInterpolator(np.linspace(0, 1, len(known)), known)
    curve: Floats = at(np.linspace(0, 1, count))
    return curve


def breaker(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int,
    left: float, top: float, size: float,
) -> None:  # fmt: skip
    """Print a breaker: stripes run from its foot up into the curl, foam claws hang from it."""
    place = np.array([left, top])
    back, hollow = (_smooth(p, 120) * size + place for p in (BACK, HOLLOW))
    # The share of every stripe; the inside of the hollow is pale, the back dark.
    cut = np.cumsum([0, 9, 3, 8, 2, 7, 3, 7, 2, 6, 3, 6, 4, 5, 6])
    inks = (0, 3, 1, 4, 0, 2, 5, 1, 4, 0, 3, 5, 2, 5)
    for a, b, ink in zip(cut[:-1] / cut[-1], cut[1:] / cut[-1], inks, strict=True):
        one, two = back * (1 - a) + hollow * a, back * (1 - b) + hollow * b
        band = np.concatenate([one, two[::-1]]) * side
        pen.polygon(band.ravel().tolist(), fill=rgb(BLUES[ink]))
        pen.line((one * side).ravel().tolist(), fill=rgb(INK), width=max(2, side // 480))
        for c in np.linspace(a, b, round(120 * (b - a) * size / 0.56) + 1)[1:-1].tolist():
            vein = (back * (1 - c) + hollow * c)[4 + int(30 * (c * 37 % 1)) : 112] * side
            pen.line(vein.ravel().tolist(), fill=rgb(BLUES[(ink + 1) % 6]), width=side // 700)
    pen.line((hollow * side).ravel().tolist(), fill=rgb(INK), width=side // 330)
    foam(pen, rng, side, back[46::3], 0.036 * size * np.linspace(0.3, 1, 25), 1.0)
    foam(pen, rng, side, hollow[88::4], 0.036 * size * np.linspace(0.5, 1, 8), 1.0)
    flight = np.abs(rng.normal(0, 0.13, (90, 2))) * size * (1, -0.8)
    spray = back[rng.integers(50, 120, 90)] + flight
    dots = [(x, y, float(size * rng.uniform(0.003, 0.010))) for x, y in spray.tolist()]
    discs(pen, side, dots, BLUES[2], 0.0012)
    discs(pen, side, dots, FOAM, 0.0)


def foam(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int, spots: Floats, sizes: Floats,
    claw: float,
) -> None:  # fmt: skip
    """Set foam along a crest: blobs that share one outline, with claws bending down."""
    blobs, shades = [], []
    for (x, y), size in zip(spots.tolist(), sizes.tolist(), strict=True):
        r = size * rng.uniform(0.7, 1.15)
        blobs.append((x, y, r))
        shades.append((x + 0.1 * r, y + 0.75 * r, 0.95 * r))
        lean, reach = rng.uniform(0.5, 1.1), claw * size * rng.uniform(2.0, 4.2)
        for s in np.linspace(0.15, 1, 9).tolist():
            bend = lean + 1.5 * s
            blobs.append((x + reach * s * np.cos(bend) * 0.9, y + reach * s * np.sin(bend),
                          r * (0.62 - 0.50 * s)))  # fmt: skip
    rim = 0.0019
    for group, ink, grow in ((shades, INK, rim), (shades, SHADE, 0.0), (blobs, INK, rim),
                             (blobs, FOAM, 0.0)):  # fmt: skip
        discs(pen, side, group, ink, grow)
