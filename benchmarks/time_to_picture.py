"""How long until a picture is as good as the one that the textbook loop makes.

``python -m benchmarks.time_to_picture --teachers FOLDER --out FOLDER [--levers]`` lets the textbook
loop (`benchmarks.peers`) paint a photo at one size with 300 evaluations of L-BFGS, and takes its
best picture as the goal. Then `nst_edu` paints the same pair. The real VGG-19 judges every picture
on the way: content at relu3_4, style at relu1_1, relu2_1 and relu3_1. The clock stops while it
looks. What counts is

- VGG-19: the first picture whose loss, to the judge, is as low as the goal's;
- `compact`: the first picture that meets the bars of `benchmarks.picture_quality`: 98 % of the gap
  from the photo to the goal closed at relu2_1, 90 % at relu3_1, at most 1.5 times its content
  distance.

The judge's network ends at relu3_4, and so does the textbook's here: a tutorial's goes on to the
end, and takes about twice as long. ``--levers`` changes one thing at a time. The textbook's picture
is kept in OUT; its time is that of one evaluation, measured in every run, times 300.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import csv
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from tqdm import tqdm

import nst_edu as nst
from benchmarks.judge import CONTENT_LAYER, STYLE_LAYERS, Verdict, judge, load_judge
from benchmarks.peers import Textbook
from nst_edu import optimize
from nst_edu.features import PRECISIONS, Backbone, load_backbone
from nst_edu.images import resize
from nst_edu.objective import Objective
from nst_edu.optimize import DivergedError, Step
from nst_edu.transfer import better, plan_scales

EVALUATIONS = 300
GAP = {"relu2_1": 0.98, "relu3_1": 0.90}
CONTENT = 1.5
VGG, COMPACT = "VGG-19", "compact"
BARS = {VGG: 5.0, COMPACT: 40.0}  # so many times sooner than the textbook loop
PAINTS: dict[str, dict[str, Any]] = {
    VGG: {},
    COMPACT: {"style_weight": 40.0, "content_layers": ("relu1_2", "relu2_2", "relu3_4")},
}
Look = tuple[float, Tensor]  # seconds on the clock, the picture


@dataclass(frozen=True)
class Method:
    """One way to paint: what differs from `nst_edu` as it comes."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    history: int = optimize.HISTORY  # moves that L-BFGS remembers
    precision: str = "float32"
    last: str = ""  # the precision at the last scale, if it is another


METHODS = [
    Method("as it comes"),
    Method("one size", {"scales": 1}),
    Method("two sizes", {"scales": 2}),
    *(Method(f"{steps} evaluations", {"steps": steps}) for steps in (50, 100, 400)),
    *(Method(f"a memory of {history} moves", history=history) for history in (3, 5, 20, 100)),
    *(Method(f"Adam, {r}", {"optimizer": "adam", "learning_rate": r}) for r in (0.03, 0.1)),
    Method("first picture: noise", {"start": "noise"}),
    Method("bfloat16", precision="bfloat16"),
    Method("bfloat16, float32 at the last size", precision="bfloat16", last="float32"),
    Method("bfloat16, 50 evaluations", {"steps": 50}, precision="bfloat16"),
]


@dataclass(frozen=True)
class Pair:
    """What is painted, and the network that judges."""

    judge: Backbone
    content: Tensor
    style: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.content.shape[2], self.content.shape[3]

    def verdict(self, picture: Tensor) -> Verdict:
        """Compare a picture with the style and the photo."""
        return judge(self.judge, picture, self.content, self.style)

    def textbook(self) -> Iterator[tuple[float, Tensor]]:
        """Yield (loss, picture) for each evaluation: torch's L-BFGS as it comes, one size."""
        loop = Textbook(self.judge, self.content, self.style)
        image = self.content.clone().requires_grad_()
        found: list[tuple[float, Tensor]] = []
        optimizer = torch.optim.LBFGS([image], max_iter=1, tolerance_grad=0, tolerance_change=0)

        def closure() -> float:
            with torch.no_grad():
                image.clamp_(0, 1)
            optimizer.zero_grad()
            loss = loop(image)
            found.append((loss, image.detach().clone()))
            return loss

        while True:
            optimizer.step(closure)
            yield found.pop()

    def goal(self, file: Path) -> Tensor:
        """Return the textbook's best picture: from `file`, or painted now."""
        if not file.exists():
            bar = tqdm(itertools.islice(self.textbook(), EVALUATIONS), "textbook", EVALUATIONS)
            torch.save(min(bar, key=lambda look: look[0])[1], file)
        picture: Tensor = torch.load(file, weights_only=True)
        return picture

    def ours(self, network: str, method: Method) -> Iterator[Look]:
        """Paint with `nst_edu`; smaller pictures are enlarged to be looked at."""
        options: dict[str, Any] = {"style_layers": STYLE_LAYERS, "steps": 200, "scales": None}
        options |= PAINTS[network] | method.options
        parts = plan_scales(*self.shape, options["steps"], options["scales"])
        runs = [(max(self.shape), len(parts), options["steps"], method.precision)]
        if method.last:
            fine = parts[-1][1]
            coarse = max(parts[-2][0]), len(parts) - 1, options["steps"] - fine, method.precision
            runs = [coarse, (max(self.shape), 1, fine, method.last)]
        best: Step | None = None
        spent = 0.0
        for size, scales, steps, precision in runs:
            given: dict[str, Any] = {"size": size, "scales": scales, "steps": steps}
            if best is not None:
                given["start"] = best.image
            backbone = self.network(network, precision)
            began = time.perf_counter()
            painting = nst.style_transfer_steps(
                self.content, self.style, backbone=backbone, **options | given
            )
            for step in painting:
                best = better(best, step)
                spent += time.perf_counter() - began
                yield spent, resize(step.image, self.shape).clamp(0, 1)
                began = time.perf_counter()

    def network(self, name: str, precision: str) -> Backbone:
        """Return the network that paints; loading it is not counted."""
        if name == COMPACT:
            return load_backbone("compact", device="cpu", precision=precision)
        network = copy.deepcopy(self.judge)
        network.stages.to(PRECISIONS[precision])
        return network


def load_pair(teachers: Path, photo: str, style: str, size: int) -> Pair:
    """Load pictures and judge; it judges the loss that the VGG-19s make small."""
    network = load_judge(teachers)
    network.content_layers, network.style_layers = (CONTENT_LAYER,), STYLE_LAYERS
    return Pair(network, nst.load_image(photo, size=size), nst.load_image(style, size=size))


def goods(pair: Pair, goal: Tensor) -> dict[str, Callable[[Tensor], bool]]:
    """Return for each network what makes a picture good."""
    fixed = Objective(pair.judge, pair.content, pair.style)
    photo, best = pair.verdict(pair.content), pair.verdict(goal)

    @torch.no_grad()
    def loss(picture: Tensor) -> float:
        return float(fixed(picture).total)

    def meets_the_bars(picture: Tensor) -> bool:
        verdict = pair.verdict(picture)
        closed = all(verdict.gap_closed(photo, best, name) >= bar for name, bar in GAP.items())
        return closed and verdict.content <= CONTENT * best.content

    least = loss(goal)
    print(f"the textbook's best picture: loss {least:.4f}; the photo: {loss(pair.content):.4f}\n")
    return {VGG: lambda picture: loss(picture) <= least, COMPACT: meets_the_bars}


def first_good(looks: Iterator[Look], good: Callable[[Tensor], bool]) -> tuple[float, int] | None:
    """Return the seconds and the number of the first good picture; None if there is none."""
    with contextlib.suppress(DivergedError):
        for number, (seconds, picture) in enumerate(looks, 1):
            if good(picture):
                return seconds, number
    return None


def seconds_of_textbook(pair: Pair, rounds: int = 4) -> float:
    """Return the seconds of its 300 evaluations: the median of some, less the first."""
    clock = [time.perf_counter()]
    for _ in itertools.islice(pair.textbook(), rounds + 1):
        clock.append(time.perf_counter())
    return EVALUATIONS * statistics.median(b - a for a, b in itertools.pairwise(clock[1:]))


def main() -> None:
    """Paint, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    add = parser.add_argument
    add("--teachers", type=Path, required=True, help="folder with vgg19_relu3_4_imagenet.pt")
    add("--out", type=Path, required=True, help="folder for the textbook's picture and the table")
    add("--photo", default="chelsea")
    add("--style", default="swirl")
    add("--size", type=int, default=512, help="px of the longer side (default: %(default)s)")
    add("--levers", action="store_true", help="change one thing at a time")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pair = load_pair(args.teachers, args.photo, args.style, args.size)
    name = f"{args.photo}-{args.style}-{args.size}"
    good = goods(pair, pair.goal(args.out / f"textbook-{name}.pt"))
    seconds = seconds_of_textbook(pair)
    print(f"| network | how | s | evaluations | times sooner than {seconds:.0f} s | bar | met |")
    print("|---|---|---|---|---|---|---|")
    found = []
    for network, method in itertools.product(BARS, METHODS if args.levers else METHODS[:1]):
        with patch.object(optimize, "HISTORY", method.history):
            needed = first_good(pair.ours(network, method), good[network])
        times = seconds / needed[0] if needed else 0.0
        cells = (
            [f"{needed[0]:.1f}", str(needed[1]), f"{times:.1f}"] if needed else ["never", "", ""]
        )
        met = "yes" if times >= BARS[network] else "NO"
        found.append([network, method.name, *cells])
        print(f"| {' | '.join(found[-1])} | ≥ {BARS[network]:g} | {met} |", flush=True)
    with (args.out / f"times-{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["network", "how", "seconds", "evaluations", "times"], *found])


if __name__ == "__main__":
    main()
