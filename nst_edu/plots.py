"""Figures for the lessons: pictures side by side, and curves of the losses.

Every figure says in words what it shows (`nst_edu.figures.Figure.alt`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nst_edu.curves import plot_lines, plot_losses
from nst_edu.figures import Figure
from nst_edu.images import check_image, resize, to_bytes

__all__ = ["Figure", "plot_lines", "plot_losses", "show_images"]

Bytes: TypeAlias = NDArray[np.uint8]  # a picture, (H, W, 3)

ROW_WIDTH = 800  # px: the room that a notebook page has beside an open side bar
COMFORTABLE = 256  # px: a smaller picture is enlarged, each of its pixels to a square of pixels
GAP, LINE_HEIGHT, CHARACTER = 12, 21, 10  # px: space between pictures, size of the titles' text


def show_images(
    images: Tensor | Sequence[Tensor],
    *,
    titles: Sequence[str] | None = None,
    alt: str | None = None,
    columns: int | None = None,
) -> Figure:
    """Show pictures side by side, at their true size or enlarged by a whole number.

    Only a row that is too wide for the page is shrunk. Values are clamped to the range 0 to 1 and
    never stretched, so that colours are what they are.

    Parameters
    ----------
    images
        One picture or several, each (1, 3, H, W), range 0 to 1; their sizes may differ.
    titles
        One for each picture.
    alt
        What there is to see, for readers who cannot see it. None: the titles, sizes and
        brightnesses; that is less than a sentence by you can say.
    columns
        Pictures in a row; None: all of them.

    Returns
    -------
    Figure
        Display it as the last line of a cell.

    Raises
    ------
    ValueError
        If there is no picture, one is not (1, 3, H, W), or the number of titles is another.
    """
    pictures = [images] if isinstance(images, Tensor) else list(images)
    names = [""] * len(pictures) if titles is None else list(titles)
    if not pictures or len(names) != len(pictures):
        raise ValueError(
            f"there are {len(pictures)} images and {len(names)} titles: give one image or more, "
            "and a title for each of them"
        )
    checked = [_clamped(picture, number) for number, picture in enumerate(pictures)]
    columns = min(columns or len(checked), len(checked))
    figure = _grid(_fitted(checked, columns), names, columns)
    figure.alt = _describe_images(checked, names) if alt is None else alt
    return figure


def _clamped(image: Tensor, number: int) -> Tensor:
    """Return one picture with its values clamped to the range 0 to 1."""
    name = f"images[{number}]"
    clamped = image.detach().clamp(0, 1) if isinstance(image, Tensor) else image
    check_image(clamped, name)
    if len(image) != 1:
        raise ValueError(
            f"{name} must be one picture, (1, 3, H, W), not {tuple(image.shape)}. "
            "For all of a batch: show_images(list(batch.split(1)))"
        )
    return clamped


def _fitted(images: Sequence[Tensor], columns: int) -> list[Bytes]:
    """Return (H, W, 3) bytes, all enlarged by one whole number, or all shrunk to fit a row."""
    total = sum(_column_widths([image.shape[-1] for image in images], columns))
    room = ROW_WIDTH - GAP * (columns - 1)
    if total > room:
        shapes = [[-(-side * room // total) for side in image.shape[-2:]] for image in images]
        return [to_bytes(resize(i, (h, w))) for i, (h, w) in zip(images, shapes, strict=True)]
    longest = max(max(image.shape[-2:]) for image in images)
    factor = min(-(-COMFORTABLE // longest), room // total)
    return [to_bytes(image).repeat(factor, axis=0).repeat(factor, axis=1) for image in images]


def _column_widths(widths: Sequence[int], columns: int) -> list[int]:
    """Return the width of the widest picture in each column."""
    return [max(widths[column::columns]) for column in range(columns)]


def _grid(pictures: Sequence[Bytes], titles: Sequence[str], columns: int) -> Figure:
    """Place the pictures in rows, counted in pixels so that nothing is resampled."""
    widths = _column_widths([picture.shape[1] for picture in pictures], columns)
    labels = [
        textwrap.wrap(title, max(widths[number % columns] // CHARACTER, 8))
        for number, title in enumerate(titles)
    ]
    band = LINE_HEIGHT * max(map(len, labels))
    row_height = band + max(picture.shape[0] for picture in pictures) + GAP
    height = row_height * -(-len(pictures) // columns) - GAP
    width = sum(widths) + GAP * (columns - 1)

    figure = Figure(width, height, photographic=True)
    figure.set_layout_engine("none")  # the positions are exact already
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        row, column = divmod(number, columns)
        h, w = picture.shape[:2]
        left, bottom = sum(widths[:column]) + GAP * column, height - row * row_height - band - h
        ax = figure.add_axes((left / width, bottom / height, w / width, h / height))
        ax.imshow(picture, interpolation="nearest", aspect="auto")
        ax.set_axis_off()
        ax.set_title("\n".join(label), fontsize=9, loc="left", pad=3)
    return figure


def _describe_images(images: Sequence[Tensor], titles: Sequence[str]) -> str:
    """Say in words what a program can know about the pictures."""
    parts = [
        f"{title or 'a picture'}, {image.shape[-1]} by {image.shape[-2]} pixels, "
        f"mean brightness {image.mean():.2f} of 1"
        for image, title in zip(images, titles, strict=True)
    ]
    return ("" if len(parts) == 1 else f"{len(parts)} pictures: ") + "; ".join(parts) + "."
