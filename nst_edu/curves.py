"""Numbers over the evaluations, as curves and in words; `nst_edu.plots` hands them on."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from nst_edu.figures import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart; the dashes say it once more.
LOOKS = (
    ("black", "solid", 2.5),
    ("#D55E00", "dashed", 1.8),
    ("#0072B2", "dashdot", 1.8),
    ("#009E73", "dotted", 2.2),
    ("#CC79A7", (0, (8, 2, 1, 2, 1, 2)), 1.8),
    ("#56B4E9", (0, (1, 3)), 2.2),
)
LOSSES = ("total", "style", "content", "tv")
LABEL_WIDTH, LABEL_HEIGHT = 18, 0.085  # characters; share of the axes' height for each line


class _Step(Protocol):
    """What `plot_losses` reads of a `nst_edu.optimize.Step`; losses: content, style, tv, total."""

    @property
    def number(self) -> int: ...
    @property
    def image(self) -> Tensor: ...
    @property
    def losses(self) -> object: ...


def plot_lines(
    lines: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | None = None,
    xlabel: str = "evaluations",
    ylabel: str = "loss",
    title: str = "",
    log: bool = True,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Plot some series of numbers; each has its name beside its end, its own dashes and colour.

    Parameters
    ----------
    lines
        Name → values, at most six.
    x
        Where the values belong. None: 0, 1, 2, ….
    xlabel, ylabel, title
        What is written beside and above the axes.
    log
        True: a logarithmic scale, if any value is positive. Zeros are left out there.
    ax
        Where to draw; it must belong to a `Figure`, which carries alt text. None: a new figure.
    alt
        What there is to see. None: how each line begins and ends, in words and numbers.

    Returns
    -------
    Figure
        The new one, or that of `ax`, whose `alt` now ends with this plot's.

    Raises
    ------
    TypeError
        If the figure of `ax` cannot carry alt text.
    ValueError
        If a line has no values, or there are no lines or too many.
    """
    if not 1 <= len(lines) <= len(LOOKS) or not all(map(len, lines.values())):
        raise ValueError(
            f"lines must be one to {len(LOOKS)} series of at least one value, not "
            f"{ {name: len(values) for name, values in lines.items()} } (name: values)"
        )
    ax, figure = _axes(ax)
    log = log and any(value > 0 for values in lines.values() for value in values)
    ax.set_yscale("log" if log else "linear", **({"nonpositive": "mask"} if log else {}))
    for values, (color, dashes, width) in zip(lines.values(), LOOKS, strict=False):
        marker = "o" if len(values) == 1 else None
        places = range(len(values)) if x is None else x
        ax.plot(places, values, color=color, linestyle=dashes, linewidth=width, marker=marker)
    _dress(ax, xlabel, f"{ylabel} (logarithmic)" if log else ylabel, title)
    _label_ends(ax, lines, log=log)
    words = describe_lines(lines, ylabel, xlabel, title) if alt is None else alt
    figure.alt = f"{figure.alt} {words}".strip()
    return figure


def _axes(ax: Axes | None) -> tuple[Axes, Figure]:
    """Return axes to draw on, and their figure, if it can carry alt text."""
    ax = Figure().subplots() if ax is None else ax
    if not isinstance(ax.figure, Figure):
        raise TypeError(
            "ax belongs to a figure that carries no alt text. "
            "Make it with: ax = plots.Figure().subplots()"
        )
    return ax, ax.figure


def _dress(ax: Axes, xlabel: str, ylabel: str, title: str) -> None:
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.margins(x=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)


def _label_ends(ax: Axes, lines: Mapping[str, Sequence[float]], *, log: bool) -> None:
    """Write each line's name and last value at its right end."""
    to_fraction = ax.transData + ax.transAxes.inverted()
    ax.get_ylim()  # settles the limits, which the transformation depends on
    ends = []
    for (name, values), look in zip(lines.items(), LOOKS, strict=False):
        drawn = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        if drawn:
            height = float(to_fraction.transform((0, drawn[-1]))[1])
            ends.append((height, textwrap.wrap(f"{name} {drawn[-1]:.2g}", LABEL_WIDTH), look[0]))
    ends.sort()
    sizes = [LABEL_HEIGHT * len(label) for _height, label, _color in ends]
    places = spread([height for height, _label, _color in ends], sizes)
    for height, (_height, label, color) in zip(places, ends, strict=True):
        ax.annotate(
            "\n".join(label),
            xy=(1, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            color=[0.65 * part for part in to_rgb(color)],  # dark enough to be read
            va="center",
            annotation_clip=False,
        )


def spread(heights: Sequence[float], sizes: Sequence[float], top: float = 1.05) -> list[float]:
    """Move labels apart: up where two overlap, then down where that leads above the top.

    Parameters
    ----------
    heights
        The middles, in ascending order.
    sizes
        The height of each label.
    top
        Where the highest label may end.

    Examples
    --------
    >>> spread([0.25, 0.25, 1.0], [0.25, 0.25, 0.25], top=1)
    [0.25, 0.5, 0.875]
    """
    placed = list(heights)
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + (sizes[i - 1] + sizes[i]) / 2)
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], top - sizes[i] / 2)
        top = placed[i] - sizes[i] / 2
    return placed


def describe_lines(
    lines: Mapping[str, Sequence[float]], ylabel: str, xlabel: str, title: str = ""
) -> str:
    """Say in words how each line begins and ends.

    Examples
    --------
    >>> describe_lines({"total": [43.21, 9, 0.8]}, "loss", "evaluations")
    'Loss over 3 evaluations: total falls from 43.2 to 0.8.'
    """
    parts = []
    for name, values in lines.items():
        first, last = values[0], values[-1]
        verb = "falls" if last < first else "rises" if last > first else "goes"
        parts.append(f"{name} {verb} from {first:.3g} to {last:.3g}")
    count = max(map(len, lines.values()))
    text = f"{title}{': ' if title else ''}{ylabel} over {count} {xlabel}: {'; '.join(parts)}."
    return text[0].upper() + text[1:]


def plot_losses(
    steps: Iterable[_Step], *, title: str = "", ax: Axes | None = None, alt: str | None = None
) -> Figure:
    """Plot the losses over the evaluations, on a logarithmic scale.

    A dotted upright line marks where the picture was enlarged.

    Parameters
    ----------
    steps
        What `nst_edu.optimize_image` or `nst_edu.style_transfer_steps` yielded.
    title, ax, alt
        As for `plot_lines`.

    Returns
    -------
    Figure
        As from `plot_lines`.

    Raises
    ------
    ValueError
        If there is no step.
    """
    taken = list(steps)
    if not taken:
        raise ValueError(
            "steps is empty: collect at least one step, with list(optimize_image(...))"
        )
    lines = {name: [getattr(step.losses, name) for step in taken] for name in LOSSES}
    ax, figure = _axes(ax)
    numbers = [step.number for step in taken]
    plot_lines(lines, x=numbers, ylabel="losses", title=title, ax=ax, alt=alt)
    for number, height, width in enlargements(taken):
        ax.axvline(number, color="gray", linestyle=(0, (1, 3)), linewidth=1)
        label = f" {width}×{height} px"
        above = ax.get_xaxis_transform()  # x in evaluations, y from 0 to 1
        ax.text(number, 1, label, transform=above, va="top", fontsize=8, color="dimgray")
        if alt is None:
            figure.alt += (
                f" At evaluation {number} the picture grows to {width} by {height} pixels."
            )
    return figure


def enlargements(steps: Sequence[_Step]) -> list[tuple[int, int, int]]:
    """Return (number, height, width) of each step whose picture has another size than before."""
    sizes = [(step.number, *step.image.shape[-2:]) for step in steps]
    return [now for before, now in itertools.pairwise(sizes) if before[1:] != now[1:]]
