"""Marbling: paint drops combed on water, after the exact transforms of an ideal fluid.

A drop pushes the plane away from its centre so that areas are kept; a tine drags it along a
line. Both can be inverted, so every pixel is traced back through all of them, last one first,
until it falls into the drop it came from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .tools import Bytes, Floats, Ints, finish, noise, palette

COLOURS = palette("14213d f4e9d0 b3261e e8a33a 1f6f78 2a4a8a 8fb8b0 e07a4a 5a1a2e")[0]
Undo = Callable[[Floats, Floats], tuple[Floats, Floats]]


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
    rng = np.random.default_rng(1447)
    side = 2 * size
    axis = ((np.arange(side) + 0.5) / side).astype(np.float32)
    x, y = (a.ravel() for a in np.meshgrid(axis, axis))
    colour = np.full(x.shape, -1)
    for undo in (*_curls(), *_combs()):
        x, y = undo(x, y)
    _undo_drops(x, y, colour, _drops(rng))
    picture = COLOURS[np.maximum(colour, 0)].reshape(side, side, 3)
    return finish(picture * _paper(rng, size).repeat(2, 0).repeat(2, 1)[..., None], size, soft=0.95)


def _paper(rng: np.random.Generator, size: int) -> Floats:
    """Return the brightness of laid paper: fibres, and pigment settling unevenly."""
    fibres = noise(rng, size, 180, 4.0) + noise(rng, size, 240)
    return 1 + 0.018 * fibres + 0.02 * noise(rng, size, 9)


def _undo_drops(x: Floats, y: Floats, colour: Ints, drops: Floats) -> None:
    """Trace the pixels not yet coloured back through the drops (x, y, radius, colour)."""
    for cx, cy, radius, ink in drops[::-1].astype(np.float32):
        dx, dy = x - cx, y - cy
        r2 = dx * dx + dy * dy
        inside = r2 < radius * radius
        colour[inside & (colour < 0)] = int(ink)
        pull = np.sqrt(np.maximum(1 - radius * radius / np.maximum(r2, 1e-9), 0))
        x[:], y[:] = cx + dx * pull, cy + dy * pull


def _drops(rng: np.random.Generator) -> Floats:
    """Return the drops that cover the bath, rings within rings, before combing."""
    drops = []
    for _ in range(40):
        cx, cy = rng.uniform(-0.15, 1.15, 2)
        order = rng.permutation(9)[:3]
        drops += [(cx, cy, 0.125 * 0.75**j, ink) for j, ink in enumerate(order)]
    return np.array(drops)


def _curls() -> list[Undo]:
    """Return the curls drawn last of all, in staggered rows."""
    rows = ((0.10, (0.02, 0.36, 0.70, 1.04)), (0.37, (0.19, 0.53, 0.87)),
            (0.64, (0.02, 0.36, 0.70, 1.04)), (0.91, (0.19, 0.53, 0.87)))  # fmt: skip
    return [_curl(cx, cy, 0.092, 3.0) for cy, centres in rows for cx in centres]


def _combs() -> list[Undo]:
    """Return the combing, last tool first: wave, fine comb down, wide combs across."""
    return [
        lambda x, y: (x - 0.030 * np.sin(2 * np.pi * (y * 1.5 + 0.1)), y),
        lambda x, y: (x, y - 0.018 * np.sin(2 * np.pi * x * 2.0)),
        _comb(across=False, gap=0.058, pull=0.080, sharp=0.015, both=False),
        _comb(across=True, gap=0.125, pull=0.30, sharp=0.040, both=True),
        _comb(across=False, gap=0.25, pull=0.22, sharp=0.06, both=True),
    ]


def _comb(across: bool, gap: float, pull: float, sharp: float, both: bool) -> Undo:
    """Return the inverse of a comb with tines ``gap`` apart, dragged by ``pull``.

    With ``both`` neighbouring tines run in opposite directions.
    """

    def undo(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        at = (y if across else x) / gap
        tine = np.round(at)
        drag = pull * 0.5 ** (np.abs(at - tine) * gap / sharp)
        if both:
            drag = np.where(tine % 2 == 0, drag, -drag)
        return (x - drag, y) if across else (x, y - drag)

    return undo


def _curl(cx: float, cy: float, radius: float, turn: float) -> Undo:
    """Return the inverse of a stylus drawn round in a spiral: the French curl."""

    def undo(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        dx, dy = x - cx, y - cy
        angle = -turn * np.exp(-(((dx * dx + dy * dy) / radius**2) ** 1.5))
        cos, sin = np.cos(angle), np.sin(angle)
        return cx + dx * cos - dy * sin, cy + dx * sin + dy * cos

    return undo
