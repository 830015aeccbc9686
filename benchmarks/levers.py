"""What each way to save time or memory is worth in one evaluation, measured one at a time.

``python -m benchmarks.levers --out FOLDER`` takes away what `nst_edu` does for speed, one thing at
a time, and adds what it does not do. For each: time and memory as multiples of `nst_edu` as it
comes, in turns within one run; how far the gradient is from that of float64; and the seconds of
the first evaluation, in which `torch.compile` does its work. It prints tables and writes
``levers.csv``.

`random` stands for VGG-19: it has its layers and widths, and its numbers take as long.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from benchmarks.engine import BACKBONES, machine, peak
from nst_edu import fast, features, losses, objective
from nst_edu.allocation import reused_memory
from nst_edu.features import Backbone, load_backbone
from nst_edu.images import load_image, resize
from nst_edu.objective import Objective

Context = Callable[[], AbstractContextManager[object]]
ROUNDS = {256: 12, 512: 6}


@dataclass(frozen=True)
class Lever:
    """One change."""

    name: str
    settings: Context = nullcontext  # stands while the evaluation is prepared and while it runs
    change: Callable[[Backbone], Backbone] = lambda network: network
    precision: str = "float32"
    keeps_memory: bool = True


@contextlib.contextmanager
def convolutions_in(precision: str) -> Iterator[None]:
    """Let oneDNN round the float32 numbers inside its convolutions for a while."""
    settings = torch.backends.mkldnn.conv  # type: ignore[attr-defined]
    before = settings.fp32_precision
    settings.fp32_precision = precision
    try:
        yield
    finally:
        settings.fp32_precision = before


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with another number of threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def plain_stages(stages: nn.ModuleDict, wanted: Collection[str]) -> Iterator[tuple[str, nn.Module]]:
    """Yield the stages as they stand: nothing in place, nothing in another order."""
    names = list(stages)
    deepest = max(names.index(name) for name in wanted)
    yield from ((name, stages[name]) for name in names[: deepest + 1])


def in_place_stages(
    stages: nn.ModuleDict, wanted: Collection[str]
) -> Iterator[tuple[str, nn.Module]]:
    """Yield the stages in their order; ReLU overwrites its input."""
    before = ""
    for name, stage in plain_stages(stages, wanted):
        free = isinstance(stage, nn.ReLU) and before not in wanted
        yield name, nn.ReLU(inplace=True) if free else stage
        before = name


def folded(network: Backbone) -> Backbone:
    """Fold the normalisation of the picture into the first convolution.

    With zero padding, a border of zeros after the normalisation is one of `mean` before it; here
    the border is left wrong, which is why this is measured only.
    """
    first: nn.Conv2d = network.stages["conv1_1"]  # type: ignore[assignment]
    assert first.bias is not None
    with torch.no_grad():
        first.bias -= (first.weight * (network.mean / network.std)).sum((1, 2, 3))
        first.weight /= network.std
    network._normalised = lambda image: image  # type: ignore[method-assign]
    return network


class Checkpointed(Backbone):
    """Forgets the maps inside each level, and computes them again on the way back."""

    def walk(self, image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Yield the maps, level by level."""
        wanted, x = set(layers), self._normalised(image)
        stages = list(fast.stages_for(self.stages, wanted))
        for level in "12345":
            mine = [(name, stage) for name, stage in stages if name[4] == level]
            x, kept = checkpoint(_through, mine, wanted, x, use_reentrant=False)
            yield from kept.items()


def _through(
    stages: list[tuple[str, nn.Module]], wanted: Collection[str], x: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    kept = {}
    for name, stage in stages:
        x = stage(x)
        if name in wanted:
            kept[name] = x
    return x, kept


def checkpointed(network: Backbone) -> Backbone:
    """Return the same network; it keeps one map for each level."""
    network.__class__ = Checkpointed
    return network


def fused_stages(stages: nn.ModuleDict, wanted: Collection[str]) -> Iterator[tuple[str, nn.Module]]:
    """Yield the stages; a convolution and its ReLU are one step of oneDNN's."""
    convolution: nn.Conv2d | None = None
    for name, stage in plain_stages(stages, wanted):
        if isinstance(stage, nn.Conv2d):
            convolution = stage
        else:
            yield name, Fused(convolution) if convolution and isinstance(stage, nn.ReLU) else stage
            convolution = None


class Fused(nn.Module):
    """A convolution with the ReLU in it."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Return ReLU(convolution(x))."""
        conv = self.convolution
        around = 1
        if conv.padding_mode == "replicate":
            x, around = fast._BorderRepeated.apply(x), 0
        y: Tensor = _ConvolutionAndReLU.apply(x, conv.weight, conv.bias, around)
        return y


class _ConvolutionAndReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, around: int) -> Tensor:
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, [around] * 2, [1, 1], [1, 1], 1, "relu", [], ""
        )
        ctx.around = around
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        x, weight, y = ctx.saved_tensors
        gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        back, _, _ = torch.ops.aten.convolution_backward(
            *(gradient, x, weight, None, [1, 1], [ctx.around] * 2, [1, 1], False, [0, 0], 1),
            [True, False, False],
        )
        return back, None, None, None


def rows_in_order(network: Backbone) -> Backbone:
    """Return the network with PyTorch's usual order of memory."""
    return network.to(memory_format=torch.contiguous_format)


class Compiled(Backbone):
    """One program made by `torch.compile`."""

    def walk(self, image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Yield the maps; the program makes all of them at once."""
        yield from _compiled(self, image, tuple(sorted(layers))).items()


@torch.compile
def _compiled(network: Backbone, image: Tensor, layers: tuple[str, ...]) -> dict[str, Tensor]:
    return dict(Backbone.walk(network, image, layers))


def compiled(network: Backbone) -> Backbone:
    """Let `torch.compile` make one program of the network."""
    network.__class__ = Compiled
    return network


LEVERS = [
    Lever("as it comes"),
    Lever("without: channels-last", change=rows_in_order),
    Lever(
        "without: ReLU after pooling",
        partial(patch.object, features, "stages_for", in_place_stages),
    ),
    Lever("without: ReLU in place", partial(patch.object, features, "stages_for", plain_stages)),
    Lever(
        "without: our Gram matrix",
        partial(patch.object, objective, "gram_matrix", losses.gram_matrix),
    ),
    Lever(
        "without: our replicate padding",
        partial(patch.object, fast.Conv2d, "_conv_forward", nn.Conv2d._conv_forward),
    ),
    Lever("without: memory used again", keeps_memory=False),
    Lever("with: one thread", partial(threads, 1)),
    Lever("with: normalisation in conv1_1", change=folded),
    Lever(
        "with: ReLU in oneDNN's convolution",
        partial(patch.object, features, "stages_for", fused_stages),
    ),
    Lever("with: levels computed twice (checkpointing)", change=checkpointed),
    Lever("with: torch.compile", change=compiled),
    Lever("with: bfloat16 inside float32 convolutions", partial(convolutions_in, "bf16")),
    Lever("with: bfloat16", precision="bfloat16"),
]


def pictures(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a photo, a style, and a picture between the two."""
    shape = (size, size)
    photo, style = (resize(load_image(name), shape) for name in ("chelsea", "swirl"))
    return photo, style, (photo + style.flip(3)) / 2


def made(lever: Lever, name: str, size: int) -> Callable[[], tuple[float, Tensor]]:
    """Return the evaluation; it returns the loss and its gradient."""
    network = lever.change(load_backbone(BACKBONES[name], device="cpu", precision=lever.precision))
    photo, style, start = pictures(size)
    with lever.settings():
        goal = Objective(network, photo, style)

    def evaluate() -> tuple[float, Tensor]:
        image = start.clone().requires_grad_()
        with lever.settings():
            total = goal(image).total
            total.backward()
        assert image.grad is not None
        return total.item(), image.grad

    return evaluate


def trial(name: str, lever: str, size: str, device: str) -> Callable[[], object]:
    """Return an evaluation whose memory is measured; all of them are the CPU's."""
    assert device == "cpu"
    return made(next(one for one in LEVERS if one.name == lever), name, int(size))


def exact_gradient(name: str, size: int) -> Tensor:
    """Return the gradient in float64."""
    network = load_backbone(BACKBONES[name], device="cpu").double()
    photo, style, start = (picture.double() for picture in pictures(size))
    start.requires_grad_()
    Objective(network, photo, style)(start).total.backward()
    assert start.grad is not None
    return start.grad


def measured(name: str, size: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each lever, all measured in turns."""
    exact = exact_gradient(name, size)
    runs = {lever: made(lever, name, size) for lever in LEVERS}
    times: dict[Lever, list[float]] = {lever: [] for lever in LEVERS}
    first: dict[Lever, float] = {}
    errors: dict[Lever, float] = {}
    for _ in range(ROUNDS[size]):
        for lever, run in runs.items():
            with reused_memory() if lever.keeps_memory else nullcontext():
                for turn in range(3):  # the first finds caches and memory as another left them
                    began = time.perf_counter()
                    gradient = run()[1]
                    seconds = time.perf_counter() - began
                    if turn:
                        times[lever].append(seconds)
                    first.setdefault(lever, seconds)
            errors[lever] = float((gradient - exact).norm() / exact.norm())
    base = statistics.median(times[LEVERS[0]])
    memory = {lever: peak("benchmarks.levers", name, lever.name, size, "cpu") for lever in LEVERS}
    for lever in LEVERS:
        low, middle, high = (value / base for value in statistics.quantiles(times[lever], n=4))
        yield {
            **{"network": name, "size": size, "lever": lever.name, "seconds": middle * base},
            **{"time": middle, "low": low, "high": high},
            "memory": memory[lever] / memory[LEVERS[0]],
            **{"error": errors[lever], "first": first[lever]},
        }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="folder for levers.csv")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(ROUNDS), choices=list(ROUNDS))
    parser.add_argument("--networks", nargs="+", default=list(BACKBONES), choices=list(BACKBONES))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; time and memory as multiples of `nst_edu` as it comes")
    rows = []
    for name, size in itertools.product(args.networks, args.sizes):
        print(f"\n{name}, {size} px\n")
        print("| | time (quartiles) | memory | gradient's error | first evaluation |")
        print("|---|---|---|---|---|")
        for row in measured(name, size):
            rows.append(row)
            print(
                "| {lever} | {time:.2f} ({low:.2f}–{high:.2f}) | {memory:.2f} | {error:.0e} | "
                "{first:.2f} s |".format(**row),
                flush=True,
            )
    with (args.out / "levers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
