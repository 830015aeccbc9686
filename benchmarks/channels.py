"""Three channels of `compact` next to the channels of VGG-19 that they resemble most.

``python -m benchmarks.channels --teachers FOLDER`` writes images/gallery/channels.png (for lesson
5b) and prints the correlations. Nothing is picked by hand: at each layer every channel of the
student has a best partner among the teacher's, and the pair of *median* likeness is shown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

import nst_edu as nst
from benchmarks.judge import load_judge
from nst_edu import plots
from nst_edu.features import Backbone

LAYERS = ("relu1_2", "relu2_1", "relu3_1")
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
SIZE = 256  # px
SHOWN = "chelsea"
BORDER = 2  # positions: the two networks pad differently


def correlations(student: Tensor, teacher: Tensor) -> Tensor:
    """Return how each student's channel correlates with each teacher's, (C_s, C_t).

    Both are (P, C): the channels at the same P positions.
    """
    a, b = (x - x.mean(0) for x in (student.double(), teacher.double()))
    lengths: Tensor = a.norm(dim=0)[:, None] * b.norm(dim=0)
    return (a.mT @ b) / (lengths + 1e-12)


@torch.no_grad()
def positions(backbone: Backbone, layer: str) -> Tensor:
    """Return the maps of all photos at all positions but the border's, (P, C)."""
    rows = []
    for name in PHOTOS:
        maps = backbone(nst.load_image(name, size=SIZE), [layer])[layer]
        inner = maps[0, :, BORDER:-BORDER, BORDER:-BORDER]
        rows.append(inner.flatten(1).mT)  # (C, H, W) -> (H*W, C)
    return torch.cat(rows)


@torch.no_grad()
def as_picture(backbone: Backbone, layer: str, channel: int) -> Tensor:
    """Return one feature map as a gray picture: black is 0, white its largest value."""
    map_ = backbone(nst.load_image(SHOWN, size=SIZE), [layer])[layer][:, channel : channel + 1]
    picture = (map_ / map_.amax().clamp_min(1e-12)).expand(-1, 3, -1, -1)
    return nst.resize(picture, (170, 256))


def main() -> None:
    """Find the pairs, print them, and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.channels", description=__doc__)
    parser.add_argument("--teachers", type=Path, help="folder; else torchvision's VGG-19")
    parser.add_argument("--out", type=Path, default=Path("images/gallery/channels.png"))
    options = parser.parse_args()
    teacher, student = load_judge(options.teachers), nst.load_backbone("compact", device="cpu")
    pictures, titles = [], []
    for layer in LAYERS:
        table = correlations(positions(student, layer), positions(teacher, layer))
        best, partners = table.max(1)
        channel = int(best.sort().indices[len(best) // 2])
        partner = int(partners[channel])
        print(
            f"{layer}: channel {channel} and VGG-19's {partner}: {best[channel]:.2f}; all "
            f"channels: from {best.min():.2f} to {best.max():.2f}"
        )
        pictures += [as_picture(student, layer, channel), as_picture(teacher, layer, partner)]
        titles += [f"compact {layer}, {channel}", f"VGG-19 {layer}, {partner}"]
    plots.show_images(pictures, titles=titles, columns=2).to_picture().save(
        options.out, optimize=True
    )


if __name__ == "__main__":
    main()
