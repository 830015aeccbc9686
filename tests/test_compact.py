"""What the embedded backbone promises: live channels, comparable layers, styles told apart."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import nst_edu as nst
from nst_edu.features import Backbone, load_backbone
from nst_edu.training.teachers import LAYERS

STATISTICS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")  # AdaIN's (Huang and Belongie 2017)
CROP = 128  # px


@pytest.fixture(scope="module")
def compact() -> Backbone:
    return load_backbone("compact", device="cpu")


@pytest.fixture(scope="module")
def photo_maps(compact: Backbone) -> list[dict[str, Tensor]]:
    photos = [nst.load_image(name, size=256) for name in nst.picture_names("photos")]
    return [compact(photo, LAYERS) for photo in photos]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_channel_answers_to_some_photo(
    photo_maps: list[dict[str, Tensor]], layer: str
) -> None:
    share = torch.stack([(m[layer] > 0).float().mean((0, 2, 3)) for m in photo_maps]).mean(0)
    assert (share > 1e-3).all(), f"dead: {(share <= 1e-3).nonzero().flatten().tolist()}"


@pytest.mark.parametrize("layer", LAYERS)
def test_mean_activations_are_comparable(photo_maps: list[dict[str, Tensor]], layer: str) -> None:
    mean = torch.stack([maps[layer].mean() for maps in photo_maps]).mean().item()
    assert 0.5 < mean < 2


def statistics(backbone: Backbone, image: Tensor) -> Tensor:
    """Return the mean and the standard deviation of every channel: what AdaIN transfers."""
    maps = backbone(image, STATISTICS).values()
    return torch.cat([part for m in maps for part in (m.mean((0, 2, 3)), m.std((0, 2, 3)))])


def test_style_statistics_tell_our_styles_apart(compact: Backbone) -> None:
    """The nearest neighbour of a crop, among crops of all styles, is a crop of the same style."""
    rows, labels = [], []
    for label, name in enumerate(nst.picture_names("styles")):
        image = nst.load_image(name, size=512)
        for top in range(0, image.shape[-2] - CROP + 1, CROP):
            for left in range(0, image.shape[-1] - CROP + 1, CROP):
                crop = image[..., top : top + CROP, left : left + CROP]
                rows.append(statistics(compact, crop))
                labels.append(label)
    table, styles = torch.stack(rows), torch.tensor(labels)
    table = (table - table.mean(0)) / table.std(0)  # each statistic counts as much as the others
    nearest = torch.cdist(table, table).fill_diagonal_(torch.inf).argmin(1)
    assert (styles[nearest] == styles).float().mean().item() >= 0.95


@pytest.mark.parametrize("side", [64, 65, 300])
def test_it_takes_any_size(compact: Backbone, side: int) -> None:
    maps = compact(torch.rand(1, 3, side, 64), ["relu5_1"])["relu5_1"]
    assert maps.shape == (1, 128, side // 16, 4)
