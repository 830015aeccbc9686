"""Are the pictures that `compact` makes as good as VGG-19's? One command, a table and a sheet.

``python -m benchmarks.picture_quality --teachers FOLDER --paintings FOLDER`` paints every photo in
every style with every backbone, at one size and with the same loss, and lets the real VGG-19 judge
(`benchmarks.judge`). It writes OUT/pairs.csv and OUT/sheet.png, and prints a Markdown table.
Pictures that are in OUT already are judged again but not painted again.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

import nst_edu as nst
from benchmarks.judge import CONTENT_LAYER, STYLE_LAYERS, Verdict, judge, load_judge
from nst_edu.features import Backbone, vgg_stages
from nst_edu.images import to_bytes
from nst_edu.optimize import DivergedError
from nst_edu.training.pictures import picture_files

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
GOAL = "vgg19"
# `compact` once as VGG-19 paints, and once with content at three depths: a single layer of so small
# a network does not hold the photo well enough.
PAINTERS = ("compact", "compact@40:relu1_2,relu2_2,relu3_4", "random")
LABEL = 18  # px: the height of a line of text on the sheet


@dataclass(frozen=True)
class Pair:
    """A photo and a style picture, with their names."""

    photo: str
    style: str
    content: Tensor
    painting: Tensor


@dataclass(frozen=True)
class Painter:
    """A network, and what it is asked to match."""

    name: str
    backbone: Backbone
    style_weight: float
    content_layers: tuple[str, ...]

    def paint(self, pair: Pair, steps: int) -> Tensor:
        """Paint at one size, by L-BFGS; return the best picture."""
        evaluations = nst.style_transfer_steps(
            pair.content,
            pair.painting,
            backbone=self.backbone,
            steps=steps,
            scales=1,
            style_weight=self.style_weight,
            content_layers=self.content_layers,
            style_layers=STYLE_LAYERS,
        )
        made: list[tuple[float, int, Tensor]] = []
        # A search that diverges is judged by the best picture that it had found until then.
        with contextlib.suppress(DivergedError):
            made.extend((step.losses.total, step.number, step.image) for step in evaluations)
        return min(made)[2]

    def folder(self, steps: int) -> str:
        """Return a name for all that decides its pictures."""
        weights = fingerprint(self.backbone)
        text = f"{self.backbone.name}-{weights}-{steps}-{self.style_weight:g}"
        usual = self.content_layers == (CONTENT_LAYER,)
        return text if usual else f"{text}-{'+'.join(self.content_layers)}"


def make_painter(text: str, style_weight: float, vgg: Backbone) -> Painter:
    """Read ``NETWORK`` or ``NETWORK@STYLE_WEIGHT:CONTENT_LAYER,CONTENT_LAYER``."""
    network, _, recipe = text.partition("@")
    weight, _, layers = recipe.partition(":")
    content = tuple(layers.split(",")) if layers else (CONTENT_LAYER,)
    backbone = load_any(network, vgg)
    name = f"{backbone.name}@{recipe}" if recipe else backbone.name
    return Painter(name, backbone, float(weight or style_weight), content)


def painted(folder: Path, painter: Painter, pair: Pair, steps: int) -> Tensor:
    """Return the picture that lies in `folder`, or paint it and put it there."""
    folder = folder / painter.folder(steps)
    file = folder / f"{pair.photo}--{pair.style}--{max(pair.content.shape)}.png"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        nst.save_image(painter.paint(pair, steps), file)
    return nst.load_image(file)


def fingerprint(backbone: Backbone) -> str:
    """Return a name for the weights, so that other weights never pass for these."""
    digest = hashlib.sha256()
    for value in backbone.state_dict().values():
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]


def load_any(name: str, vgg: Backbone) -> Backbone:
    """Load a backbone by name, or one that `nst_edu.training` wrote to a .safetensors file."""
    if name == GOAL:
        vgg.name = GOAL
        return vgg
    if not name.endswith(".safetensors"):
        return nst.load_backbone(name, device="cpu")
    state = load_file(name)
    widths = tuple(len(state[f"conv{level}_1.bias"]) for level in range(1, 6))
    backbone = Backbone(Path(name).stem, vgg_stages("compact", widths))
    backbone.stages.load_state_dict(state)
    return backbone.to(memory_format=torch.channels_last)


def load_pairs(photos: Iterable[str], styles: Iterable[str], size: int) -> list[Pair]:
    """Load every combination."""
    contents = {Path(name).stem: nst.load_image(name, size=size) for name in photos}
    paintings = {Path(name).stem: nst.load_image(name, size=size) for name in styles}
    return [Pair(c, s, contents[c], paintings[s]) for c in contents for s in paintings]


def rows(
    verdicts: dict[str, list[Verdict]], names: list[str], layers: tuple[str, ...]
) -> Iterator[str]:
    """Yield the Markdown table: means over the pairs, and the worst pair of each share."""
    shares = "".join(f" gap closed, {layer} (worst) |" for layer in layers)
    yield f"| picture |{''.join(f' {n} |' for n in layers)} content | ÷ VGG-19's |{shares}"
    yield "|---" * (3 + 2 * len(layers) + 0) + "|"
    goal = statistics.mean(v.content for v in verdicts[GOAL])
    for name in ["photo", *names]:
        mean = {n: statistics.mean(v.style[n] for v in verdicts[name]) for n in layers}
        content = statistics.mean(v.content for v in verdicts[name])
        cells = [f"{mean[n]:.4f}" for n in layers] + [f"{content:.2f}", f"{content / goal:.2f}"]
        for layer in layers:
            trios = zip(verdicts[name], verdicts["photo"], verdicts[GOAL], strict=True)
            closed = [v.gap_closed(photo, best, layer) for v, photo, best in trios]
            cells.append(f"{statistics.mean(closed):.1%} ({min(closed):.1%})")
        yield f"| {name} | {' | '.join(cells)} |"


def write_pairs(file: Path, pairs: list[Pair], verdicts: dict[str, list[Verdict]]) -> None:
    """Write every single verdict, for a closer look."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "style", "picture", *STYLE_LAYERS, "content"])
        for name, list_ in verdicts.items():
            for pair, verdict in zip(pairs, list_, strict=True):
                numbers = [*verdict.style.values(), verdict.content]
                writer.writerow([pair.photo, pair.style, name, *(f"{n:.5f}" for n in numbers)])


def contact_sheet(pairs: list[Pair], pictures: dict[str, list[Tensor]]) -> Image.Image:
    """Put the pictures of each pair side by side: photo, style, one column for each backbone."""
    columns = {
        "photo": [pair.content for pair in pairs],
        "style": [pair.painting for pair in pairs],
        **pictures,
    }
    side = max(max(pair.content.shape) for pair in pairs)
    heights = [
        max(column[row].shape[-2] for column in columns.values()) for row in range(len(pairs))
    ]
    sheet = Image.new("RGB", (side * len(columns), LABEL + sum(heights)), "white")
    for number, (name, column) in enumerate(columns.items()):
        ImageDraw.Draw(sheet).text((number * side + 4, 2), name, fill="black")
        top = LABEL
        for height, image in zip(heights, column, strict=True):
            sheet.paste(Image.fromarray(to_bytes(image)), (number * side, top))
            top += height
    return sheet


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.picture_quality", description=__doc__
    )
    add = parser.add_argument
    add("--teachers", type=Path, help="folder with the judge's weights; else torchvision's VGG-19")
    add("--photos", type=Path, help=f"folder; else the bundled {', '.join(PHOTOS)}")
    add("--paintings", type=Path, help="folder of style pictures; else the bundled styles")
    text = "names or .safetensors files; NAME@STYLE_WEIGHT:LAYER,LAYER for other content layers"
    add("--backbones", nargs="+", default=list(PAINTERS), help=f"{text} (default: {PAINTERS})")
    add("--size", type=int, default=256, help="longer side in pixels (default: 256)")
    add("--steps", type=int, default=80, help="evaluations for each picture (default: 80)")
    add("--style-weight", type=float, default=50.0, help="(default: 50)")
    add("--out", type=Path, default=Path("picture_quality"), help="folder for pictures and tables")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Paint, judge, and print; return 2 if the judge's weights are not there."""
    options = parse(arguments)
    try:
        vgg = load_judge(options.teachers)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    pairs = load_pairs(
        map(str, picture_files(options.photos)) if options.photos else PHOTOS,
        map(str, picture_files(options.paintings))
        if options.paintings
        else nst.picture_names("styles"),
        options.size,
    )
    weight = options.style_weight
    painters = [make_painter(text, weight, vgg) for text in [GOAL, *options.backbones]]
    verdicts = {"photo": [judge(vgg, p.content, p.content, p.painting) for p in pairs]}
    pictures: dict[str, list[Tensor]] = {}
    for painter in painters:
        bar = tqdm(pairs, desc=painter.name, unit="picture")
        made = [painted(options.out, painter, pair, options.steps) for pair in bar]
        pictures[painter.name] = made
        trios = zip(made, pairs, strict=True)
        verdicts[painter.name] = [judge(vgg, m, p.content, p.painting) for m, p in trios]
    write_pairs(options.out / "pairs.csv", pairs, verdicts)
    contact_sheet(pairs, pictures).save(options.out / "sheet.png")
    print(f"{len(pairs)} pairs, {options.size} px, {options.steps} evaluations, ", end="")
    print(f"style weight {weight:g} where no other is named\n")
    print(*rows(verdicts, list(pictures), STYLE_LAYERS[1:]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
