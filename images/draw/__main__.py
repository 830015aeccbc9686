"""Redraw the style pictures: ``python -m images.draw [NAME ...] [--size 768] [--out DIR]``."""

from __future__ import annotations

import argparse
import io
import time
from importlib import import_module
from pathlib import Path

from PIL import Image

from .tools import Bytes

STYLES = (
    "dots", "embroidery", "glass", "hatching", "linocut", "marbling", "mosaic", "strokes",
    "swirl", "waves", "weave",
)  # fmt: skip
LIMIT = 300_000  # bytes of one file: the pictures travel with the course


def encode(picture: Bytes) -> bytes:
    """Return the picture as a JPEG of the best quality that stays within the limit."""
    data = b""
    for quality in range(92, 60, -2):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(
            buffer, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True
        )
        data = buffer.getvalue()
        if len(data) <= LIMIT:
            break
    return data


def main(arguments: list[str] | None = None) -> None:
    """Draw the named styles (all of them by default) and save them."""
    parser = argparse.ArgumentParser(prog="python -m images.draw", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STYLES))
    parser.add_argument("--size", type=int, default=768, help="side in pixels (768)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "styles", help="folder to write to"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(STYLES))
    if unknown:
        parser.error(f"no style called {', '.join(unknown)}; there are {', '.join(STYLES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or STYLES:
        start = time.perf_counter()
        picture: Bytes = import_module(f"{__package__}.{name}").draw(options.size)
        path = options.out / f"{name}.jpg"
        path.write_bytes(encode(picture))
        spent = time.perf_counter() - start
        print(f"{path.name:16s} {path.stat().st_size / 1000:6.0f} kB {spent:6.1f} s")


if __name__ == "__main__":
    main()
