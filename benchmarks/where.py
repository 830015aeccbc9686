"""Where the time of one evaluation goes: by kind of work, and by convolution.

``python -m benchmarks.where --out FOLDER`` prints two tables and writes ``where.png``. `random`
stands for VGG-19: it has its layers and widths, and its numbers take as long.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.engine import BACKBONES, machine, made, pictures
from nst_edu.allocation import reused_memory
from nst_edu.features import load_backbone

ROUNDS = 6
DEEPEST = "relu5_1"
# What a step of the profile belongs to, by a part of its name; the first that fits.
KINDS = {
    "convolutions": ("convolution",),
    "Gram matrices": ("aten::mm", "aten::bmm", "_Gram"),
    "pooling": ("max_pool2d",),
    "ReLU": ("relu", "threshold", "clamp_min"),
    "padding": ("pad", "_BorderRepeated"),
}
OTHER = "everything else"


@dataclass(frozen=True)
class Layer:
    """One convolution, forward and back to its input."""

    name: str
    seconds: float
    operations: float  # multiply-adds, forward and back


def by_kind(backbone: str, size: int) -> dict[str, float]:
    """Return the seconds of one evaluation, by kind of work."""
    run, photo = made(backbone, "ours", size), pictures(size)[0]
    run(photo.clone().requires_grad_())
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(ROUNDS):
            run(photo.clone().requires_grad_())
    seconds = dict.fromkeys([*KINDS, OTHER], 0.0)
    for event in seen.key_averages():
        kind = next((k for k, parts in KINDS.items() if any(p in event.key for p in parts)), OTHER)
        seconds[kind] += event.self_cpu_time_total / 1e6 / ROUNDS
    return seconds


def by_layer(backbone: str, size: int) -> list[Layer]:
    """Return what each convolution costs alone."""
    network = load_backbone(BACKBONES[backbone], device="cpu")
    found, x = [], pictures(size)[0].contiguous(memory_format=torch.channels_last)
    for name, stage in network.stages.items():
        y = stage(x)
        if isinstance(stage, nn.Conv2d):
            operations = 2 * y.numel() * stage.weight[0].numel()  # as many back as forward
            found.append(Layer(name, _median(_alone(stage, x)), operations))
        if name == DEEPEST:
            break
        x = y
    return found


def _alone(convolution: nn.Conv2d, x: Tensor) -> Callable[[], object]:
    """Return the convolution of `x`, and the way back of a gradient."""
    weight = convolution.weight
    x = x.detach().requires_grad_()
    gradient = torch.randn_like(F.conv2d(x, weight, padding=1))
    return lambda: torch.autograd.grad(F.conv2d(x, weight, padding=1), x, gradient)


def _median(run: Callable[[], object]) -> float:
    """Return the seconds of one run; the first does not count."""
    clock = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        run()
        clock.append(time.perf_counter() - began)
    return statistics.median(clock[1:])


def draw(
    kinds: dict[str, dict[str, float]], layers: dict[str, list[Layer]], size: int, file: Path
) -> None:
    """Draw shares of time by kind of work, and time beside multiply-adds by convolution."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    top, *below = figure.subplot_mosaic([["kinds"] * 2, list(layers)]).values()
    for row, seconds in enumerate(kinds.values()):
        left = 0.0
        for number, (kind, value) in enumerate(seconds.items()):
            share = 100 * value / sum(seconds.values())
            label = kind if row == 0 else None
            top.barh(row, share, left=left, color=f"C{number}", label=label, edgecolor="white")
            if share >= 4:
                top.text(left + share / 2, row, f"{share:.0f} %", ha="center", va="center")
            left += share
    names = [f"{name}\n{1000 * sum(seconds.values()):.0f} ms" for name, seconds in kinds.items()]
    top.set_yticks(range(len(kinds)), names)
    top.invert_yaxis()
    top.set(xlim=(0, 100), xlabel="share of the time of one evaluation, %", title=f"{size} px")
    top.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.5, -0.45), frameon=False)
    for axis, (backbone, found) in zip(below, layers.items(), strict=True):
        place = range(len(found))
        times, operations = [x.seconds for x in found], [x.operations for x in found]
        for shift, values, label in ((-0.2, times, "time"), (0.2, operations, "multiply-adds")):
            shares = [100 * value / sum(values) for value in values]
            axis.bar([p + shift for p in place], shares, 0.4, label=label)
        axis.set_xticks(place, [x.name for x in found], rotation=60, ha="right")
        axis.set(title=f"{backbone}: each convolution alone", ylabel="share, %")
        axis.set_ylim(top=1.2 * axis.get_ylim()[1])  # room for the legend
        axis.legend(frameon=False, ncols=2, loc="upper center")
    figure.savefig(file, dpi=120)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="folder for where.png")
    parser.add_argument("--size", type=int, default=512, help="px (default: %(default)s)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with reused_memory():
        kinds = {name: by_kind(name, args.size) for name in BACKBONES}
        layers = {name: by_layer(name, args.size) for name in BACKBONES}
    print(f"{machine()}, {args.size} px\n")
    print(f"| network | {' | '.join([*KINDS, OTHER])} |\n|---|{'---|' * (len(KINDS) + 1)}")
    for name, found in kinds.items():
        cells = [f"{1000 * s:.1f} ms ({s / sum(found.values()):.0%})" for s in found.values()]
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| network | convolution | ms | 10⁹ multiply-adds | 10⁹ multiply-adds per second |")
    print("|---|---|---|---|---|")
    for name, parts in layers.items():
        for x in parts:
            speed = x.operations / x.seconds / 1e9
            print(
                f"| {name} | {x.name} | {1000 * x.seconds:.1f} | {x.operations / 1e9:.2f} | "
                f"{speed:.0f} |"
            )
    draw(kinds, layers, args.size, args.out / "where.png")


if __name__ == "__main__":
    main()
