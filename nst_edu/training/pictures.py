"""Training pictures: crops of photos, varied so that the student meets what the optimiser makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png"}


def picture_files(folder: Path) -> list[Path]:
    """Return the .jpg and .png files in a folder, sorted by name."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"no .jpg or .png file in {folder}")
    return files


class Photos:
    """Random crops of every photo in a folder.

    Parameters
    ----------
    folder
        With .jpg and .png files.
    generator
        Decides photo, place, scale and variation: one seed, one sequence of crops.
    """

    def __init__(self, folder: Path, generator: torch.Generator) -> None:
        self.pixels = [np.asarray(Image.open(f).convert("RGB")) for f in picture_files(folder)]
        self.generator = generator

    def crops(self, count: int, size: int) -> Tensor:
        """Return `count` plain crops, (count, 3, size, size), range 0 to 1."""
        return torch.cat([self._crop(size) for _ in range(count)])

    def varied_crops(self, count: int, size: int) -> Tensor:
        """Return crops of which some are recoloured, blurred, noisy, or nothing but noise."""
        return torch.cat([self._vary(self._crop(size)) for _ in range(count)])

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw a number from this collection's own generator."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def _crop(self, size: int) -> Tensor:
        """Cut a square of 0.5 to 1.6 times `size` from a photo and scale it to `size`."""
        pixels = self.pixels[int(self.uniform(0, len(self.pixels) - 1e-6))]
        height, width = pixels.shape[:2]
        side = int(min(size * 2 ** self.uniform(-1.0, 0.7), height, width))
        top, left = int(self.uniform(0, height - side)), int(self.uniform(0, width - side))
        piece = torch.from_numpy(pixels[top : top + side, left : left + side].copy())
        image = piece.permute(2, 0, 1)[None].float() / 255
        image = F.interpolate(image, (size, size), mode="bilinear", antialias=True)
        return image.flip(-1) if self.uniform() < 0.5 else image

    def _vary(self, image: Tensor) -> Tensor:
        if self.uniform() < 0.3:  # other colours: mix and shift the channels
            mix = torch.eye(3) + 0.35 * torch.randn(3, 3, generator=self.generator)
            image = torch.einsum("ck,nkhw->nchw", mix, image - 0.5) + 0.5
        if self.uniform() < 0.3:  # more or less contrast and light
            image = (image - 0.5) * self.uniform(0.4, 1.8) + 0.5 + self.uniform(-0.2, 0.2)
        if self.uniform() < 0.15:  # soft, as an enlarged photo is
            small = max(8, int(image.shape[-1] / self.uniform(2, 6)))
            soft = F.interpolate(image, (small, small), mode="bilinear", antialias=True)
            image = F.interpolate(soft, image.shape[-2:], mode="bicubic")
        if self.uniform() < 0.2:
            noise = torch.randn(image.shape, generator=self.generator)
            image = image + self.uniform(0.02, 0.25) * noise
        if self.uniform() < 0.03:  # what a run that starts from noise begins with
            image = torch.rand(image.shape, generator=self.generator)
        return image.clamp(0, 1)
