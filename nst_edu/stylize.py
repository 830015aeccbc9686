"""``nst-edu stylize``: check everything, paint, and save whatever has been painted."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from nst_edu.checks import check_name, check_number
from nst_edu.images import (
    KINDS,
    PICTURES,
    load_image,
    picture_names,
    resize,
    save_image,
    scaled_shape,
)
from nst_edu.objective import style_shares
from nst_edu.optimize import DEFAULT_RATES, DivergedError, Step
from nst_edu.picture_files import check_output_path
from nst_edu.progress import Plan, progress_bar, show_step
from nst_edu.signals import StopSignals
from nst_edu.transfer import STARTS, better, plan_scales, style_transfer_steps

DEFAULT_SIZE = 512  # px, the longer side; a phone's photo would take an hour at its own size
DIVERGED = 3  # exit code

WEIGHTS = ("content_weight", "style_weight", "tv_weight")
# The options that have the same name and meaning as arguments of style_transfer_steps.
PASSED_ON = (
    *("steps", "scales", "seed", "optimizer", "learning_rate", "backbone", "device", "precision"),
    *(*WEIGHTS, "style_blend", "content_layers", "style_layers"),
)


def stylize(args: argparse.Namespace, stop: StopSignals) -> int:
    """Run the command; return its exit code.

    Raises
    ------
    ValueError, TypeError, OSError, MemoryError
        For what the caller can mend; nothing has been painted then.
    """
    output = choose_output(args.output, [args.content, *args.style, args.start])
    check_options(args)
    began = time.perf_counter()
    content, *styles = (load_image(source) for source in (args.content, *args.style))
    longest = max(content.shape[-2:])
    size = min(longest, DEFAULT_SIZE) if args.size is None else args.size
    shape = scaled_shape(content, size)
    plan = plan_scales(*shape, args.steps, args.scales)
    options = {name: getattr(args, name) for name in PASSED_ON}
    steps = style_transfer_steps(
        content, styles, size=size, start=load_start(args.start), **options
    )

    best, trouble = paint(steps, plan, stop, quiet=args.quiet)
    saved = ""
    if best is not None:
        save_image(resize(best.image.cpu(), shape), output)
        saved = f"wrote {output}: {shape[1]}×{shape[0]} px"
    if trouble is not None or stop.number is not None:
        return report(saved + so_far(best, shape, args.steps), trouble, stop)
    print(f"{saved}, {args.steps} steps, {time.perf_counter() - began:.1f} s")
    return 0


def choose_output(output: str, inputs: list[str]) -> Path:
    """Return where to write, if that is possible and would not destroy one of the inputs."""
    path = check_output_path(Path(output).expanduser())
    for source in inputs:
        bundled = (PICTURES / kind / f"{source}.jpg" for kind in KINDS)
        for file in (Path(source).expanduser(), *bundled):
            if path.exists() and file.exists() and path.samefile(file):
                raise ValueError(
                    f"the output {output!r} is the input {source!r}, which would be lost. "
                    "Choose another name for the output"
                )
    return path


def check_options(args: argparse.Namespace) -> None:
    """Refuse wrong options that would otherwise be found late: after a download, for example."""
    check_name(args.optimizer, DEFAULT_RATES, "optimizer")
    for name in WEIGHTS:
        check_number(getattr(args, name), name, zero=True)
    style_shares(args.style_blend, len(args.style))
    if not 0 <= args.seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, not {args.seed}")


def load_start(start: str) -> str | Tensor:
    """Return ``"content"``, ``"noise"``, or the picture that `start` names."""
    path = Path(start)
    if start in STARTS:
        return start
    if not path.suffix and path.parent == Path() and not path.exists():  # one bare word: a name
        check_name(start, [*STARTS, *picture_names()], "start")
    return load_image(start)


def paint(
    steps: Iterator[Step], plan: Plan, stop: StopSignals, *, quiet: bool
) -> tuple[Step | None, Exception | None]:
    """Go through the steps; return the best one, and the error that ended them too early, if any.

    Nothing that has been painted is lost, whatever happens: after this, `stop` ignores signals.
    """
    best: Step | None = None
    trouble: Exception | None = None
    count = sum(number for _, number in plan)
    try:
        with progress_bar(plan, quiet=quiet) as bar:
            for step in steps:
                best = better(best, step)
                show_step(bar, step, count)
                if stop.number is not None:  # its KeyboardInterrupt was lost in a callback
                    break
        stop.ignore()  # inside the try: no moment is left at which a Ctrl-C could lose the picture
    except KeyboardInterrupt:
        pass
    except torch.OutOfMemoryError:
        trouble = MemoryError("the device's memory ran out. Use a smaller --size, or --device cpu")
    except Exception as error:
        trouble = error
    stop.ignore()
    return best, trouble


def so_far(best: Step | None, shape: tuple[int, int], steps: int) -> str:
    """Say how far an unfinished picture has come."""
    if best is None:
        return ""
    height, width = best.image.shape[-2:]
    enlarged = "" if (height, width) == shape else f", enlarged from {width}×{height} px"
    return f", the best picture so far (step {best.number + 1} of {steps}{enlarged})"


def report(saved: str, trouble: Exception | None, stop: StopSignals) -> int:
    """Say why the painting ended early, and what was saved; return the exit code."""
    if stop.number is not None:
        text = saved or "nothing was painted yet, and nothing was written"
        print(f"stopped: {text}", file=sys.stderr)
        return stop.exit_code
    if saved:
        print(saved, file=sys.stderr)
    if isinstance(trouble, DivergedError):
        print(f"nst-edu: error: {trouble}", file=sys.stderr)
        return DIVERGED
    assert trouble is not None  # or the painting would not have ended early
    raise trouble
