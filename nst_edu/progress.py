"""What ``nst-edu stylize`` shows while it paints: how far it is, the losses, and the time left."""

from __future__ import annotations

import sys

from tqdm import tqdm

from nst_edu.optimize import Step

Plan = list[tuple[tuple[int, int], int]]  # ((height, width), steps) for each scale

BAR = "{desc} {percentage:3.0f}%|{bar}| {remaining} left{postfix}"


def progress_bar(plan: Plan, *, quiet: bool = False) -> tqdm[None]:
    """Return a bar on stderr that is full when the plan is done; use it in a ``with`` block.

    It counts pixels, not steps: a step at 512 px takes 16 times as long as one at 128 px, and the
    time left would be far too short if all steps counted the same.
    """
    pixels = sum(height * width * count for (height, width), count in plan)
    steps = sum(count for _, count in plan)
    return tqdm(
        total=pixels,
        desc=f"step 0/{steps}",
        bar_format=BAR,
        dynamic_ncols=True,
        disable=quiet,
        delay=1e-3,  # nothing is shown before the first step: wrong input is found by then
        mininterval=0,
        miniters=1,  # with the line above: every step is shown
        file=sys.stderr,
    )


def show_step(bar: tqdm[None], step: Step, steps: int) -> None:
    """Move the bar on by one step out of `steps`, and show its losses."""
    losses = step.losses
    bar.set_description_str(f"step {step.number + 1}/{steps}", refresh=False)
    bar.set_postfix_str(
        f"total {losses.total:.3g}, content {losses.content:.3g}, style {losses.style:.3g}",
        refresh=False,
    )
    bar.update(step.image.shape[-2] * step.image.shape[-1])
