"""Are the pictures that `compact` makes as good as VGG-19's? One command, a table and a sheet.

``python -m benchmarks.picture_quality --teachers FOLDER --paintings FOLDER`` paints every photo in
every style with every backbone, at one size and with the same loss, and lets the real VGG-19 judge
(`benchmarks.judge`). It writes OUT/pairs.csv and OUT/sheet.png, and prints a Markdown table.
Pictures that are in OUT already are judged again but not painted again.
"""

from __future__ import annotations

import argparse
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
from nst_edu.training.pictures import picture_files

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
GOAL = "vgg19"
LABEL = 18  # px: the height of a line of text on the sheet


@dataclass(frozen=True)
class Pair:
    """A photo and a style picture, with their names."""

    photo: str
    style: str
    content: Tensor
    painting: Tensor


def paint(backbone: Backbone, pair: Pair, steps: int, style_weight: float) -> Tensor:
    """Paint at the judge's layers, at one size, by L-BFGS; return the best picture."""
    return nst.style_transfer(
        pair.content,
        pair.painting,
        backbone=backbone,
        steps=steps,
        scales=1,
        style_weight=style_weight,
        content_layers=[CONTENT_LAYER],
        style_layers=STYLE_LAYERS,
    )


def painted(folder: Path, backbone: Backbone, pair: Pair, settings: tuple[int, float]) -> Tensor:
    """Return the picture that lies in `folder`, or paint it and put it there."""
    steps, weight = settings
    folder = folder / f"{backbone.name}-{fingerprint(backbone)}-{steps}-{weight:g}"
    file = folder / f"{pair.photo}--{pair.style}--{max(pair.content.shape)}.png"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        nst.save_image(paint(backbone, pair, steps, weight), file)
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
    add("--backbones", nargs="+", default=["compact", "random"], help="names or .safetensors files")
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
    backbones = [load_any(name, vgg) for name in [GOAL, *options.backbones]]
    verdicts = {"photo": [judge(vgg, p.content, p.content, p.painting) for p in pairs]}
    pictures: dict[str, list[Tensor]] = {}
    settings = (options.steps, options.style_weight)
    for backbone in backbones:
        bar = tqdm(pairs, desc=backbone.name, unit="picture")
        made = [painted(options.out, backbone, pair, settings) for pair in bar]
        pictures[backbone.name] = made
        trios = zip(made, pairs, strict=True)
        verdicts[backbone.name] = [judge(vgg, m, p.content, p.painting) for m, p in trios]
    write_pairs(options.out / "pairs.csv", pairs, verdicts)
    contact_sheet(pairs, pictures).save(options.out / "sheet.png")
    print(f"{len(pairs)} pairs, {options.size} px, {options.steps} evaluations, ", end="")
    print(f"style weight {options.style_weight:g}\n")
    print(*rows(verdicts, list(pictures), STYLE_LAYERS[1:]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
