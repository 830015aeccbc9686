"""A matplotlib figure that says in words what it shows.

Nothing here touches pyplot's global state, so a figure appears where a cell displays it, once, and
nowhere else.
"""

from __future__ import annotations

import base64
import html
import io

import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

DPI = 128  # a power of two, so that pixels / DPI * DPI are exactly the same pixels again


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that carries a description for readers who cannot see it.

    JupyterLab shows it as an ``<img>`` whose ``alt`` attribute is that description. Pages that take
    no HTML from a notebook show the picture that is stored beside it.

    Parameters
    ----------
    width, height
        In pixels.
    alt
        What the figure shows, in words. It can also be set later: ``figure.alt = "…"``.
    photographic
        True: stored as JPEG. False: stored as PNG of 64 colours, which suits lines and text.

    Examples
    --------
    >>> figure = Figure(400, 200, alt="A parabola through (0, 0) and (1, 1).")
    >>> ax = figure.subplots()
    >>> _ = ax.plot([0, 0.5, 1], [0, 0.25, 1])
    """

    def __init__(
        self,
        width: float = 768,
        height: float = 400,
        *,
        alt: str = "",
        photographic: bool = False,
    ) -> None:
        super().__init__((width / DPI, height / DPI), DPI, layout="constrained")
        self.alt = alt
        self.photographic = photographic

    def to_picture(self) -> Image.Image:
        """Draw the figure and return its pixels."""
        canvas = FigureCanvasAgg(self)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())
        return Image.fromarray(pixels).convert("RGB")

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Tell IPython how to show the figure (it applies `include` and `exclude` itself)."""
        picture = self.to_picture()
        kind = "image/jpeg" if self.photographic else "image/png"
        # The second copy is for pages without HTML; a lower quality keeps the notebook small.
        shown, spare = (_encode(picture, kind, quality) for quality in (85, 60))
        image = f'<img alt="{html.escape(self.alt)}" src="data:{kind};base64,{shown}">'
        bundle = {"text/html": image, kind: spare, "text/plain": self.alt}
        return bundle, {kind: {"alt": self.alt}}


def _encode(picture: Image.Image, kind: str, quality: int) -> str:
    """Return a small file in base64; the quality concerns JPEG only."""
    file = io.BytesIO()
    if kind == "image/jpeg":
        picture.save(file, "JPEG", quality=quality, optimize=True)
    else:
        picture.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
