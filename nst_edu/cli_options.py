"""The options of ``nst-edu stylize``, and their explanations.

Nothing is imported from the package, so that --help is quick. tests/test_cli.py compares the
defaults with those of `nst_edu.transfer.style_transfer_steps` and `nst_edu.objective.Objective`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

DESCRIPTION = """\
Repaint the photo CONTENT in the manner of the picture STYLE.

The pixels of the photo are changed step by step, so that a sum becomes small:

  total = alpha * content + beta * style + gamma * tv

  content   how far the picture is from the photo: which things are where
  style     how far it is from the style: colours, strokes, textures anywhere
  tv        total variation: how much neighbouring pixels differ (noise)

Only beta / alpha matters for the balance: the larger it is, the more paint
and the less photo. Change it by factors of 10 to see a difference.
"""

EXAMPLES = """\
examples with the bundled pictures ('nst-edu list' names them all):

  The default, a photo of a cat as a swirling painting:
    nst-edu stylize chelsea swirl -o cat.png

  Less paint and more photo, quickly and small, to try out a weight:
    nst-edu stylize coffee mosaic -o cup.png --size 256 --style-weight 10

  Two styles, three parts of one and one of the other, from noise:
    nst-edu stylize astronaut waves glass -o both.jpg \\
        --style-blend 3,1 --start noise --seed 7

Ctrl-C stops early and saves the best picture so far. Exit codes: 0 painted,
2 wrong input (nothing painted), 3 learning rate too large (the best picture
so far is saved), 130 stopped by Ctrl-C (the same).
"""


def numbers(text: str) -> list[float]:
    """Read numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected numbers with commas between them, such as 3,1, not {text!r}"
        ) from None


def names(text: str) -> list[str]:
    """Read names with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


# Title of a group -> (option, what it takes, type, default, explanation).
OPTIONS: dict[str, list[tuple[str, str, Callable[[str], Any], Any, str]]] = {
    "size and effort": [
        ("--size", "PX", int, None,
         "longer side of the result in pixels; twice the size takes about four times as long and "
         "as much memory (default: that of the photo, but at most 512)"),
        ("--steps", "N", int, 200,
         "how often the picture is changed, 1 or more; beyond a few hundred little happens "
         "(default: %(default)s)"),
        ("--scales", "N", int, None,
         "paint at N sizes, each twice the one before: coarse strokes first, then details; 1 is "
         "the final size alone (default: as many as keep the smallest at 128 px)"),
    ],
    "what the picture should be like": [
        ("--content-weight", "ALPHA", float, 1.0,
         "alpha, 0 or more; with 0 the photo does not count (default: %(default)g)"),
        ("--style-weight", "BETA", float, 50.0,
         "beta, 0 or more; with 0 the photo stays as it is (default: %(default)g)"),
        ("--tv-weight", "GAMMA", float, 0.0,
         "gamma, 0 or more; makes the picture smoother (default: %(default)g)"),
        ("--style-blend", "W,W,...", numbers, None,
         "how much each STYLE counts: one number for each, such as 3,1 (default: all the same)"),
        ("--content-layers", "NAME,...", names, None,
         "layers at which the photo is compared: a deeper one leaves more freedom (default: the "
         "backbone's own, for a VGG relu4_2)"),
        ("--style-layers", "NAME,...", names, None,
         "layers at which the style is compared: early ones see colours and fine texture, deep "
         "ones larger shapes (default: the backbone's own, for a VGG relu1_1,relu2_1,relu3_1,"
         "relu4_1,relu5_1)"),
    ],
    "how it is painted": [
        ("--start", "FIRST", str, "content",
         "the first picture: content (the photo), noise, or a picture, which is stretched to the "
         "photo's shape (default: %(default)s)"),
        ("--seed", "N", int, 0, "decides the noise, 0 or more (default: %(default)s)"),
        ("--optimizer", "NAME", str, "lbfgs",
         "lbfgs (needs the fewest steps), adam or gradient-descent (default: %(default)s)"),
        ("--learning-rate", "RATE", float, None,
         "how far one step goes, larger than 0; too far, and the loss grows (default: 1 for lbfgs, "
         "0.03 for adam; for gradient-descent it is found from the first step)"),
    ],
    "where it is computed": [
        ("--backbone", "NAME", str, None,
         "the network that compares: compact (comes with the course), vgg16, vgg19, squeezenet1_1 "
         "(downloaded at first use; the VGGs about 550 MB each), or random (untrained, to see what "
         "training is good for) (default: $NST_EDU_BACKBONE, or compact)"),
        ("--device", "NAME", str, None,
         "cpu, cuda, cuda:1, mps (Apple) or auto: a CUDA GPU if there is one, else the CPU "
         "(default: $NST_EDU_DEVICE, or auto)"),
        ("--precision", "NAME", str, "float32",
         "float32; or bfloat16: less exact; faster on processors with AMX, not measured on others "
         "and on GPUs (default: %(default)s)"),
    ],
}  # fmt: skip


def add_stylize_options(parser: argparse.ArgumentParser) -> None:
    """Add everything that ``nst-edu stylize`` understands."""
    source = "a file, or the name of a bundled picture"
    group = parser.add_argument_group("pictures")
    group.add_argument("content", metavar="CONTENT", help=f"the photo: {source}")
    group.add_argument(
        "style", metavar="STYLE", nargs="+", help=f"the style: {source}; several are blended"
    )
    text = "where to write: a name ending in .png, .jpg or .webp; an old file is replaced"
    group.add_argument("-o", "--output", metavar="OUT", required=True, help=text)
    for title, options in OPTIONS.items():
        group = parser.add_argument_group(title)
        for option, metavar, kind, default, text in options:
            group.add_argument(option, metavar=metavar, type=kind, default=default, help=text)
    group.add_argument("--quiet", action="store_true", help="no progress bar")
