"""Neural style transfer, the whole recipe from top to bottom (lessons 0 and 8)."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from nst_edu.checks import check_count, check_name
from nst_edu.features import Backbone, load_backbone
from nst_edu.images import check_image, resize, scaled_shape
from nst_edu.memory import check_memory
from nst_edu.objective import Objective, choose_layers
from nst_edu.optimize import DivergedError, Step, optimize_image

# px: a smaller picture has too few positions left at relu5_1 (a sixteenth of each side).
COARSEST = 128  # for the longer side
NARROWEST = 48  # for the shorter one
SMALLEST = 16  # for the shorter one, when the caller insists: one position is left at relu5_1
STARTS = ("content", "noise")


def style_transfer(content: Tensor, style: Tensor | Sequence[Tensor], **options: Any) -> Tensor:
    """Paint the photo `content` in the manner of `style`; return the finished picture.

    Parameters
    ----------
    content
        The photo, (1, 3, H, W), range 0 to 1.
    style
        The style picture, of any size, or a list of several to be blended.
    **options
        Everything that `style_transfer_steps` takes.

    Returns
    -------
    Tensor
        (1, 3, H, W) on the CPU, range 0 to 1: the picture with the lowest loss. Interrupted by
        Ctrl-C or JupyterLab's stop button, it returns the best picture so far, with a warning.

    Examples
    --------
    >>> from nst_edu import load_image
    >>> photo, style = load_image("chelsea", size=64), load_image("swirl", size=64)
    >>> style_transfer(photo, style, steps=2).shape
    torch.Size([1, 3, 43, 64])
    """
    best = None
    try:
        for step in style_transfer_steps(content, style, **options):
            best = better(best, step)
    except KeyboardInterrupt:
        if best is None:
            raise
        warnings.warn(f"stopped at step {step.number}: best picture so far", stacklevel=2)
    assert best is not None  # at least one step was made
    return best.image.cpu()


def style_transfer_steps(
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    size: int | None = None,
    steps: int = 200,
    scales: int | None = None,
    start: str | Tensor = "content",
    seed: int = 0,
    optimizer: str = "lbfgs",
    learning_rate: float | None = None,
    backbone: str | Backbone | None = None,
    device: str | torch.device | None = None,
    precision: str = "float32",
    **objective_options: Any,
) -> Iterator[Step]:
    """Paint, and yield every step on the way: for plots, widgets and progress bars.

    The picture is painted small first, then enlarged and refined: coarse strokes are cheap while
    the picture is small, and reach further than they would in a large one.

    Parameters
    ----------
    content, style
        As for `style_transfer`.
    size
        The longer side of the result in pixels; None: that of the photo. The style pictures are
        scaled to the same longer side.
    steps
        Evaluations in all. Each scale gets half as many as the next coarser one.
    scales
        How many sizes to paint at, each half of the next. None: as many as keep the smallest at
        128 px or more.
    start
        The first picture: ``"content"``, ``"noise"``, or a picture of your own, which is scaled to
        the photo's shape.
    seed
        Decides the noise: 0 to 2**63 - 1.
    optimizer, learning_rate
        As for `nst_edu.optimize.optimize_image`.
    backbone, device, precision
        As for `nst_edu.features.load_backbone`; or a backbone that is already loaded.
    **objective_options
        Weights and layers, as for `nst_edu.objective.Objective`.

    Yields
    ------
    Step
        Numbered through over all scales. The picture grows from scale to scale.

    Raises
    ------
    TypeError, ValueError
        For pictures or options that are not as described; the message names them.
    MemoryError
        Before anything is computed, if the size asked for does not fit.
    DivergedError
        If the learning rate is too large; ``error.best`` has the best step so far.
    """
    styles = [style] if isinstance(style, Tensor) else list(style)
    for picture, name in [(content, "content"), *((picture, "style") for picture in styles)]:
        if len(check_image(picture, name)) != 1:
            raise ValueError(f"{name} must be one picture, (1, 3, H, W), not {len(picture)}")
    network = (
        backbone
        if isinstance(backbone, Backbone)
        else load_backbone(backbone, device=device, precision=precision)
    )
    # To the network's device and its number type: float64 comes from NumPy, for example.
    content, *styles = (picture.to(network.mean) for picture in (content, *styles))
    height, width = scaled_shape(content, size)
    check_memory(network, _layers(network, objective_options), height, width)
    plan = plan_scales(height, width, steps, scales)
    image = first_picture(start, content, plan[0][0], seed)

    done = 0
    kept: Step | None = None
    for shape, count in plan:
        objective = Objective(
            network,
            resize(content, shape),
            [resize(picture, style_shape(picture, shape)) for picture in styles],
            **objective_options,
        )
        try:
            for step in optimize_image(
                objective,
                resize(image, shape),
                steps=count,
                optimizer=optimizer,
                learning_rate=learning_rate,
            ):
                numbered = dataclasses.replace(step, number=done + step.number)
                kept = better(kept, numbered)
                yield numbered
        except DivergedError as error:
            error.best = kept  # with what an earlier scale has made
            raise
        assert kept is not None  # every scale makes at least one step
        image, done = kept.image, done + count


def better(best: Step | None, step: Step) -> Step:
    """Return the step to keep: of the larger picture, or else of the lower loss."""
    if best is None or step.image.shape != best.image.shape:
        return step
    return step if step.losses.total < best.losses.total else best


def plan_scales(
    height: int, width: int, steps: int, scales: int | None = None
) -> list[tuple[tuple[int, int], int]]:
    """Return ((height, width), steps) for each scale, from coarse to fine.

    Examples
    --------
    >>> plan_scales(300, 512, 140)
    [((75, 128), 80), ((150, 256), 40), ((300, 512), 20)]
    >>> plan_scales(300, 512, 140, scales=1)
    [((300, 512), 140)]
    """
    check_count(steps, "steps")
    if scales is None:
        room = min(max(height, width) / COARSEST, min(height, width) / NARROWEST)
        scales = 1 + int(math.log2(max(room, 1)))
    most = 1 + int(math.log2(max(min(height, width) / SMALLEST, 1)))
    check_count(scales, "scales", largest=most)
    scales = min(scales, steps)
    parts = [2**k for k in reversed(range(scales))]  # for three scales: 4 : 2 : 1
    counts = [max(1, steps * part // sum(parts)) for part in parts]
    counts[0] += steps - sum(counts)  # what the rounding left over
    shapes = [(max(1, round(height / part)), max(1, round(width / part))) for part in parts]
    return list(zip(shapes, counts, strict=True))


def first_picture(
    start: str | Tensor, content: Tensor, shape: tuple[int, int], seed: int
) -> Tensor:
    """Return the picture that the optimisation starts from, on the photo's device."""
    if isinstance(start, Tensor):
        return check_image(start, "start").to(content)
    if check_name(start, STARTS, "start") == "content":
        return content
    check_count(seed, "seed", largest=2**63 - 1, smallest=0)
    # Drawn at the size of the first scale (to shrink noise is to lose it), and on the CPU, so that
    # a GPU starts from the same noise.
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, *shape, generator=generator).to(content)


def style_shape(style: Tensor, shape: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of the style picture at this scale.

    Its longer side becomes that of the painting, so that strokes keep their size in relation to
    it; but the shorter side of a very long picture is not scaled down below `NARROWEST`.

    Examples
    --------
    >>> style_shape(torch.zeros(1, 3, 300, 400), (100, 200))
    (150, 200)
    >>> style_shape(torch.zeros(1, 3, 48, 4000), (100, 200))
    (48, 4000)
    """
    height, width = style.shape[-2:]
    scale = max(shape) / max(height, width)
    scale = max(scale, min(1.0, NARROWEST / min(height, width)))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _layers(network: Backbone, options: dict[str, Any]) -> list[str]:
    """Return the layers that an `Objective` with these options looks at."""
    content = choose_layers(options.get("content_layers"), network.content_layers)
    return [*content, *choose_layers(options.get("style_layers"), network.style_layers)]
