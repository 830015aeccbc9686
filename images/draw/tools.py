"""Small tools shared by the style modules: grids, noise, palettes, light, output.

All positions are in units of the picture's side, so that a picture drawn at another size
shows the same motif. Noise is drawn on a coarse lattice and interpolated for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import interpolate, ndimage, spatial  # type: ignore[import-untyped,unused-ignore]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bytes = NDArray[np.uint8]
Marks = NDArray[np.bool_]

__all__ = ["Bytes", "Floats", "Ints", "Marks", "interpolate", "ndimage", "spatial"]


def grid(n: int) -> tuple[Floats, Floats]:
    """Return the y and x coordinates (0..1, pixel centres) of an n by n picture."""
    y, x = np.mgrid[0:n, 0:n]
    return (y + 0.5) / n, (x + 0.5) / n


def noise(rng: np.random.Generator, n: int, cells: int, stretch: float = 1.0) -> Floats:
    """Return smooth noise of about unit deviation.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the lattice values.
    n : int
        Side of the result in pixels.
    cells : int
        Number of lattice cells along y; more cells give finer noise.
    stretch : float
        How many times longer the noise is along x than along y.
    """
    across = max(2, round(cells / stretch))
    lattice = rng.standard_normal((cells + 4, across + 4))
    axis = (np.arange(n) + 0.5) / n
    # A spline along each axis in turn: far cheaper than one point at a time.
    rows = interpolate.make_interp_spline(np.arange(cells + 4), lattice)(1.5 + axis * cells)
    columns = interpolate.make_interp_spline(np.arange(across + 4), rows.T)(1.5 + axis * across)
    values: Floats = columns.T
    return values / 0.72  # interpolation shrinks the deviation to about 0.72


def palette(*rows: str) -> Floats:
    """Return the colours named by rows of hexadecimal codes, shape (rows, colours, 3)."""
    table = [[[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in row.split()] for row in rows]
    return np.array(table, dtype=np.float64)


def blend(colours: Floats, t: Floats) -> Floats:
    """Interpolate along a row of colours; ``t`` runs from 0 to 1."""
    at = np.clip(t, 0, 1) * (len(colours) - 1)
    low = np.minimum(at.astype(int), len(colours) - 2)
    part = (at - low)[..., None]
    mixed: Floats = colours[low] * (1 - part) + colours[low + 1] * part
    return mixed


def look_up(field: NDArray[Any], xy: Floats) -> NDArray[Any]:
    """Return the values of a square field at unit positions ``xy`` (..., 2)."""
    n = len(field)
    at = np.clip((xy * n).astype(int), 0, n - 1)
    values: NDArray[Any] = field[at[..., 1], at[..., 0]]
    return values


def scatter(rng: np.random.Generator, spacing: float) -> Floats:
    """Return shuffled unit positions on a jittered grid, which covers without clumps."""
    axis = np.arange(-0.5, 1 / spacing + 1) * spacing
    xy = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    xy += rng.uniform(-0.5, 0.5, xy.shape) * spacing
    rng.shuffle(xy)
    return xy


def relief(height: Floats, strength: float, soft: float = 0.8) -> Floats:
    """Return the brightness factor of a height field lit from the upper left."""
    smooth = ndimage.gaussian_filter(height, soft)
    dy, dx = np.gradient(smooth)
    factor: Floats = np.clip(1 + strength * (dx + 1.2 * dy), 0.45, 1.7)
    return factor


def edges(labels: Ints) -> Marks:
    """Return the pixels whose right or lower neighbour has another label."""
    out = np.zeros(labels.shape, dtype=bool)
    out[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    out[:-1] |= labels[1:] != labels[:-1]
    return out


def distance(mask: Marks) -> Floats:
    """Return each pixel's distance, in pixels, to the nearest False pixel."""
    result: Floats = ndimage.distance_transform_edt(mask)
    return result


def window(n: int, cx: float, cy: float, reach: float) -> tuple[slice, slice]:
    """Return the rows and columns within ``reach`` of a point; small forms need no more."""
    rows, columns = (
        slice(max(int((c - reach) * n), 0), max(int((c + reach) * n) + 2, 0)) for c in (cy, cx)
    )
    return rows, columns


def finish(picture: Floats, size: int, soft: float = 0.8) -> Bytes:
    """Shrink a larger drawing to ``size`` by averaging and round it to bytes.

    The drawing is softened by ``soft`` pixels (at size 768), about as much as a camera's lens
    does. Strokes stay crisp, and the JPEG file needs half the bytes.
    """
    image = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX)).astype(np.float64)
    sigma = soft * size / 768
    smooth = ndimage.gaussian_filter(small, (sigma, sigma, 0))
    return np.asarray(np.clip(smooth + 0.5, 0, 255).astype(np.uint8))


def curve(points: Sequence[tuple[float, float]], x: Floats) -> Floats:
    """Return a smooth curve through (x, y) points, evaluated at ``x``."""
    known = np.array(points)
    dense = np.linspace(known[0, 0], known[-1, 0], 400)
    smooth: Floats = ndimage.gaussian_filter1d(
        np.interp(dense, known[:, 0], known[:, 1]), 12, mode="nearest"
    )
    return np.interp(x, dense, smooth)
