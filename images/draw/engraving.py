"""Engraving: a sheet that collects forms with tone and line direction, and the inking of it.

Lines are the level curves of a phase field; the tone sets their width, and darker tones get
further layers of lines that cross the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .tools import Floats, Ints, Marks, edges, ndimage, noise, palette, window

SKY, CLOUD, FAR, HILL, NEAR, CROWN, TRUNK, HOUSE, ROOF, LAKE = range(10)
# Per kind: washed paper, then the inks of the first and second layer of lines.
WASH = palette("f4d6a0 f8eed8 c4d0d4 dcd084 c0c070 a8bc70 d8b080 f6e4c0 e08a58 b8dce0")[0]
FIRST = palette("c8501e 5a6284 2a4a94 2e5a58 2a4a34 1c4032 4a2a1c 7a4a30 7a2418 1e4a72")[0]
SECOND = palette("c83c20 30406c 222c5c 142c40 101c20 0a1a20 1c0e10 3a2018 3a100c 0c2048")[0]


@dataclass(frozen=True)
class Sheet:
    """The drawing in progress: kinds, darkness (0..1) and a phase in line spacings."""

    y: Floats
    x: Floats
    label: Ints
    dark: Floats
    phase: Floats

    def put(self, where: Marks, label: int, dark: Floats | float, phase: Floats) -> None:
        """Draw one form over what is there."""
        self.label[where] = label
        self.dark[where] = np.broadcast_to(dark, where.shape)[where]
        self.phase[where] = phase[where]

    def near(self, cx: float, cy: float, reach: float) -> Sheet:
        """Return a view of the square of half side ``reach``; small forms need no more."""
        at = window(len(self.y), cx, cy, reach)
        form = self.label[at], self.dark[at], self.phase[at]
        return Sheet(self.y[at], self.x[at], *form)


def ink(rng: np.random.Generator, sheet: Sheet) -> Floats:
    """Draw the layers of lines over the washed paper."""
    n = len(sheet.label)
    y, x = sheet.y, sheet.x
    hand = 0.16 * noise(rng, n, 26) + 0.05 * noise(rng, n, 110)
    tooth = 0.5 * noise(rng, n, 300) + 0.6 * noise(rng, n, 90)
    dark = np.clip(ndimage.gaussian_filter(sheet.dark, n / 900), 0, 1.1)
    wash = 1 - 0.16 * dark + 0.02 * noise(rng, n, 12) + 0.012 * tooth
    picture = WASH[sheet.label] * wash[..., None]
    crossed = 64 * (x + 0.75 * y), 68 * (y - 0.45 * x)
    layers = ((sheet.phase, 0.03, FIRST), (crossed[0], 0.34, SECOND), (crossed[1], 0.56, SECOND))
    for phase, start, inks in layers:
        weight = np.clip((dark - start) / 0.75, 0, 1) + 0.10 * (dark > start)
        line = np.abs((phase + hand) % 1 - 0.5)  # 0 in the middle of a pen line
        width = 0.40 * weight + 0.035 * tooth * (weight > 0) - 0.02
        cover = np.clip((width - line) * 9 + 0.5, 0, 1) * np.clip(weight * 30, 0, 1)
        picture += (inks[sheet.label] - picture) * (0.92 * cover)[..., None]
    outline = ndimage.binary_dilation(edges(sheet.label), iterations=max(1, n // 900))
    lined = SECOND[TRUNK] * outline[..., None] + picture * ~outline[..., None]
    drawn: Floats = 0.85 * lined + 0.15 * picture
    return drawn
