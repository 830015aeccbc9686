"""The training of `compact`, on a teacher small enough for a test."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from nst_edu.features import Backbone, load_backbone, vgg_stages
from nst_edu.images import PICTURES
from nst_edu.training import distill
from nst_edu.training.distill import Run, Settings
from nst_edu.training.on_policy import OwnPictures
from nst_edu.training.pictures import Photos
from nst_edu.training.teachers import LAYERS

TINY = Settings(steps=4, batch=4, size=32, channels=(4, 4, 6, 6, 6))


class TinyTeacher(nn.Module):
    """Random VGG maps of eight channels at every layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.network = Backbone("teacher", vgg_stages("compact", (8, 8, 8, 8, 8)))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            maps: dict[str, Tensor] = self.network(image, LAYERS)
        return maps


def photos() -> Photos:
    return Photos(PICTURES / "photos", torch.Generator().manual_seed(0))


def trained(steps: int, checkpoint: Path, *, resume: bool = False) -> Run:
    teacher, crops = TinyTeacher(), photos()
    if resume:
        run = distill.load_checkpoint(checkpoint, teacher, crops)  # type: ignore[arg-type]
    else:
        run = distill.start_run(TINY, teacher, crops)  # type: ignore[arg-type]
    while run.step < steps:
        distill.train_step(run, teacher, crops)  # type: ignore[arg-type]
        run.step += 1
    distill.save_checkpoint(run, checkpoint)
    return run


def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distill, "WARM_UP", 1)  # so that own pictures are part of it
    monkeypatch.setattr(OwnPictures, "refresh", short_refresh(OwnPictures.refresh))
    whole = trained(4, tmp_path / "whole.pt")
    trained(2, tmp_path / "killed.pt")
    resumed = trained(4, tmp_path / "killed.pt", resume=True)
    for one, other in zip(whole.student.parameters(), resumed.student.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(whole.own.store, resumed.own.store)
    assert len(whole.own.store) > 0


def short_refresh(refresh: object) -> object:
    """Paint two crops in place of eight: enough for a test."""
    return lambda self, student, crops: refresh(self, student, crops, 2)  # type: ignore[operator]


def test_the_fit_improves() -> None:
    torch.manual_seed(0)
    teacher, crops = TinyTeacher(), photos()
    settings = Settings(steps=60, batch=4, size=32, rate=5e-3, channels=TINY.channels)
    run = distill.start_run(settings, teacher, crops)  # type: ignore[arg-type]
    losses = []
    for run.step in range(40):
        losses.append(float(distill.train_step(run, teacher, crops)["gram"]))  # type: ignore[arg-type]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_export_scales_every_layer_to_a_mean_of_one(tmp_path: Path) -> None:
    run = trained(2, tmp_path / "run.pt")
    image = photos().crops(32, TINY.size)
    before = run.student(image, LAYERS)
    distill.export(run, photos(), tmp_path / "tiny.safetensors")
    student = Backbone("exported", vgg_stages("compact", TINY.channels))
    student.stages.load_state_dict(load_file(tmp_path / "tiny.safetensors"))
    after = student(image, LAYERS)
    for name in LAYERS:
        assert after[name].mean().item() == pytest.approx(1, rel=1e-3)
        torch.testing.assert_close(
            after[name], before[name] / before[name].mean(), rtol=1e-3, atol=1e-4
        )


def test_the_shipped_weights_have_a_mean_activation_of_about_one() -> None:
    image = photos().crops(8, 96)
    maps = load_backbone("compact", device="cpu")(image, LAYERS)
    means = {name: map_.mean().item() for name, map_ in maps.items()}
    assert all(0.5 < mean < 2 for mean in means.values()), means


def test_unexplained_is_zero_for_the_target_and_one_for_its_mean() -> None:
    target = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    assert distill.unexplained(target, target).item() == 0
    mean = target.mean((0, 2, 3), keepdim=True).expand_as(target)
    assert distill.unexplained(mean, target).item() == pytest.approx(1)


def test_equal_products_between_positions_mean_equal_gram_distances() -> None:
    """Check the identity that kernel_distance rests on, with maps of unequal channel counts."""
    generator = torch.Generator().manual_seed(0)
    teacher = torch.randn(2, 50, 6, generator=generator, dtype=torch.float64)  # picture, position
    rotation = torch.linalg.qr(torch.randn(9, 6, generator=generator, dtype=torch.float64))[0]
    student = teacher @ rotation.mT  # nine channels, the same products between positions

    def gram_distance(maps: Tensor) -> Tensor:
        grams = maps.mT @ maps / maps.shape[1]
        return (grams[0] - grams[1]).square().sum()

    torch.testing.assert_close(gram_distance(student), gram_distance(teacher))


def test_varied_crops_are_pictures_and_repeat_with_the_seed() -> None:
    crops = photos().varied_crops(40, 24)
    assert crops.shape == (40, 3, 24, 24)
    assert crops.min() >= 0
    assert crops.max() <= 1
    assert torch.equal(crops, photos().varied_crops(40, 24))


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \.jpg or \.png file"):
        Photos(tmp_path, torch.Generator())
