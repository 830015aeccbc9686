"""How long until a picture is as good as the one that the textbook loop makes.

``python -m benchmarks.time_to_picture --teachers FOLDER --out FOLDER`` lets the textbook loop
(`benchmarks.peers`) paint a photo at one size with 300 evaluations of L-BFGS. The real VGG-19
judges the picture: content at relu3_4, style at relu1_1, relu2_1 and relu3_1. Then `nst_edu` paints
the same pair, with VGG-19 and with `compact`. The clock stops while the judge looks. What counts is

- VGG-19: the first picture whose loss, to the judge, is as low as the textbook's last;
- `compact`: the first picture that meets the bars of `benchmarks.picture_quality`: 98 % of the gap
  closed at relu2_1, 90 % at relu3_1, at most 1.5 times the content distance.

The teachers' VGG-19 ends at relu3_4. Above it the layers have random weights: they cost the same.
The textbook's trajectory is kept in OUT and used again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

import nst_edu as nst
from benchmarks.judge import CONTENT_LAYER, STYLE_LAYERS, Verdict, judge, load_judge
from benchmarks.peers import Textbook
from nst_edu.features import Backbone, load_backbone
from nst_edu.images import resize
from nst_edu.objective import Objective

EVALUATIONS = 300
GAP = {"relu2_1": 0.98, "relu3_1": 0.90}
CONTENT = 1.5
TIMES = {"vgg19": 5.0, "compact": 40.0}  # the bars: so many times sooner than the textbook
COMPACT: dict[str, object] = {
    "style_weight": 40.0,
    "content_layers": ("relu1_2", "relu2_2", "relu3_4"),
    "style_layers": STYLE_LAYERS,
}
Look = tuple[float, Tensor]  # seconds on the clock, the picture


def whole_vgg19(judge_: Backbone) -> Backbone:
    """Return VGG-19 to pool5: real weights as far as the judge has them, random ones above."""
    whole = load_backbone("random", device="cpu")
    for name, stage in judge_.stages.items():
        whole.stages[name].load_state_dict(stage.state_dict())
    whole.mean.copy_(judge_.mean)
    whole.std.copy_(judge_.std)
    return whole


def textbook(vgg: Backbone, content: Tensor, style: Tensor, evaluations: int) -> Iterator[Look]:
    """Paint as the tutorials do: one size, torch's L-BFGS as it comes, clamped before each look."""
    loop = Textbook(vgg, content, style)
    image = content.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([image], max_iter=evaluations, max_eval=evaluations)
    looks: list[Look] = []
    began = time.perf_counter()

    def closure() -> float:
        with torch.no_grad():
            image.clamp_(0, 1)
        optimizer.zero_grad()
        loss = loop(image)
        looks.append((time.perf_counter() - began, image.detach().clone()))
        bar.update()
        return loss

    with tqdm(total=evaluations, desc="textbook loop") as bar:
        while len(looks) < evaluations:
            optimizer.step(closure)
    yield from looks[:evaluations]


def ours(
    backbone: Backbone, content: Tensor, style: Tensor, steps: int, **options: object
) -> Iterator[Look]:
    """Paint with `nst_edu`, from coarse to fine; small pictures are enlarged to be looked at."""
    spent, began = 0.0, time.perf_counter()
    options = {**options, "backbone": backbone, "steps": steps}
    for step in nst.style_transfer_steps(content, style, **options):  # type: ignore[arg-type]
        spent += time.perf_counter() - began
        yield spent, resize(step.image, (content.shape[2], content.shape[3])).clamp(0, 1)
        began = time.perf_counter()


def first(looks: Iterator[Look], good: Callable[[Tensor], bool]) -> float | None:
    """Return the seconds until the first picture that is good; None if there is none."""
    return next((seconds for seconds, picture in looks if good(picture)), None)


def meets_the_bars(verdict: Verdict, photo: Verdict, goal: Verdict) -> bool:
    """Tell whether a picture is as good as `benchmarks.picture_quality` asks for."""
    closed = all(verdict.gap_closed(photo, goal, name) >= bar for name, bar in GAP.items())
    return closed and verdict.content <= CONTENT * goal.content


def kept(file: Path, looks: Callable[[], Iterator[Look]]) -> tuple[float, Tensor]:
    """Return the textbook's seconds and last picture: from `file`, or painted now."""
    if not file.exists():
        seconds, picture = list(looks())[-1]
        torch.save(picture, file.with_suffix(".pt"))
        file.write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
    seconds = float(json.loads(file.read_text(encoding="utf-8"))["seconds"])
    return seconds, torch.load(file.with_suffix(".pt"), weights_only=True)


def main() -> None:
    """Paint, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    add = parser.add_argument
    add("--teachers", type=Path, required=True, help="folder with vgg19_relu3_4_imagenet.pt")
    add("--out", type=Path, required=True, help="folder for the textbook's picture")
    add("--photo", default="chelsea")
    add("--style", default="swirl")
    add("--size", type=int, default=512, help="px of the longer side (default: %(default)s)")
    add("--steps", type=int, default=200, help="our evaluations (default: %(default)s)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    judge_ = load_judge(args.teachers)
    vgg = whole_vgg19(judge_)
    content = nst.load_image(args.photo, size=args.size)
    style = nst.load_image(args.style, size=args.size)
    fixed = Objective(
        judge_, content, style, content_layers=[CONTENT_LAYER], style_layers=STYLE_LAYERS
    )

    def loss(picture: Tensor) -> float:
        with torch.no_grad():
            return float(fixed(picture).total)

    file = args.out / f"textbook-{args.photo}-{args.style}-{args.size}.json"
    seconds, goal = kept(file, lambda: textbook(vgg, content, style, EVALUATIONS))
    print(f"textbook loop: {EVALUATIONS} evaluations in {seconds:.0f} s, loss {loss(goal):.3f}")
    photo, best = (judge(judge_, picture, content, style) for picture in (content, goal))
    goods: dict[str, Callable[[Tensor], bool]] = {
        "vgg19": lambda picture: loss(picture) <= loss(goal),
        "compact": lambda picture: meets_the_bars(
            judge(judge_, picture, content, style), photo, best
        ),
    }
    compact = load_backbone("compact", device="cpu")
    runs = {
        "vgg19": ours(vgg, content, style, args.steps),
        "compact": ours(compact, content, style, args.steps, **COMPACT),
    }
    print("| network | s to a picture as good | times sooner | bar | met |\n|---|---|---|---|---|")
    for name, looks in runs.items():
        needed = first(looks, goods[name])
        times = seconds / needed if needed else 0.0
        met = "yes" if times >= TIMES[name] else "NO"
        said = "never" if needed is None else f"{needed:.1f}"
        print(f"| {name} | {said} | {times:.1f} | ≥ {TIMES[name]:g} | {met} |", flush=True)


if __name__ == "__main__":
    main()
