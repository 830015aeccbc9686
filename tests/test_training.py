"""The training of `compact`, on a teacher small enough for a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import nst_edu as nst
from nst_edu.features import Backbone, load_backbone, vgg_stages
from nst_edu.images import PICTURES
from nst_edu.training import distill, on_policy
from nst_edu.training.distill import Run, Settings
from nst_edu.training.on_policy import OwnPictures
from nst_edu.training.pictures import Photos
from nst_edu.training.start import convolutions, least_squares, make_student
from nst_edu.training.teachers import LAYERS

TINY = Settings(steps=4, batch=8, own=2, size=32, channels=(4, 4, 6, 6, 6))


class TinyTeacher(nn.Module):
    """Random VGG maps of eight channels at every layer."""

    slim = None

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
    monkeypatch.setattr(on_policy, "EASELS", 3)  # few and small: enough for a test
    monkeypatch.setattr(on_policy, "CROPS", 2)
    monkeypatch.setattr(distill, "ENOUGH", 4)
    monkeypatch.setattr(distill, "REFRESH_EVERY", 1)
    whole = trained(4, tmp_path / "whole.pt")
    trained(2, tmp_path / "killed.pt")
    resumed = trained(4, tmp_path / "killed.pt", resume=True)
    for one, other in zip(whole.student.parameters(), resumed.student.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(whole.own.store, resumed.own.store)
    assert [e["age"] for e in whole.own.easels] == [e["age"] for e in resumed.own.easels]


def test_the_fit_improves() -> None:
    torch.manual_seed(0)
    teacher, crops = TinyTeacher(), photos()
    settings = replace(TINY, steps=60, rate=5e-3)
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
    target = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert distill.unexplained(target, target).item() == 0
    mean = target.mean(0).expand_as(target)
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


def test_kernel_distance_does_not_mind_other_axes() -> None:
    """Vectors turned in their space have the same products with each other."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(30, 6, generator=generator)
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
    assert distill.kernel_distance(target @ rotation, target).item() == pytest.approx(0, abs=1e-10)
    assert distill.kernel_distance(0 * target, target).item() == pytest.approx(1)


def test_distances_of_own_pictures_from_their_styles_and_photos() -> None:
    """Two pictures: the first is its style, the second is twice its photo."""
    maps = torch.rand(8, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    maps[0] = maps[2]  # painted 0 is style 0
    maps[1] = 2 * maps[5]  # painted 1 is twice photo 1
    found = distill.distances(maps, own=2)
    assert found[0, 0].item() == pytest.approx(0, abs=1e-3)  # Gram matrices agree
    assert found[1, 1].item() == pytest.approx(1)  # |2P - P| / |P|
    grams = [nst.gram_matrix(maps[n : n + 1]) for n in (1, 3)]
    expected = (grams[0] - grams[1]).norm() / grams[1].norm()
    assert found[0, 1].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_painting_goes_on_with_its_own_photo_and_style(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_policy, "EASELS", 1)
    monkeypatch.setattr(on_policy, "CROPS", 2)
    crops, own = photos(), OwnPictures(capacity=6, size=32)
    student = make_student(TINY.channels, None, crops.crops(4, 32), crops.generator)
    student.requires_grad_(False)
    for _ in range(3):
        own.refresh(student, crops)
    (painting,) = own.easels
    assert 15 <= painting["age"] <= 60  # three times 5 to 20 moves
    assert own.store.shape == (6, 3, 3, 32, 32)  # two kept each time, of two crops: the oldest went
    latest = own.store[-2:]
    assert torch.equal(latest[:, 0], painting["image"])
    assert torch.equal(latest[:, 1], painting["styles"])
    assert torch.equal(latest[:, 2], painting["content"])
    pictures, styles, contents = own.sample(3, crops.generator).split(3)
    for trio in zip(pictures, styles, contents, strict=True):
        assert any(torch.equal(torch.stack(trio), stored) for stored in own.store)


def test_a_student_begins_as_the_small_teacher_without_its_dead_channels() -> None:
    image = photos().crops(4, 32)
    slim = Backbone("slim", vgg_stages("compact", TINY.channels))
    for conv in convolutions(slim).values():
        nn.init.ones_(conv.bias)  # type: ignore[arg-type]  # all channels answer …
    slim.get_parameter("stages.conv2_1.weight").data[1] = 0  # … but one
    slim.get_parameter("stages.conv2_1.bias").data[1] = -1
    generator = torch.Generator().manual_seed(0)
    student = make_student(TINY.channels, slim, image, generator)
    before, after = slim(image, LAYERS), student(image, LAYERS)
    kept = [0, 2, 3]  # of the four channels of relu2_1
    ratio = after["relu2_1"][:, kept].mean() / before["relu2_1"][:, kept].mean()
    torch.testing.assert_close(after["relu2_1"][:, kept], ratio * before["relu2_1"][:, kept])
    assert (after["relu2_1"][:, 1] > 0).any()
    assert after["relu2_1"].mean().item() == pytest.approx(1, rel=1e-4)


def test_least_squares_finds_a_linear_map() -> None:
    generator = torch.Generator().manual_seed(0)
    seen, true = torch.randn(200, 4, generator=generator), torch.randn(4, 7, generator=generator)
    adapter = least_squares(seen, seen @ true)
    torch.testing.assert_close(adapter.weight, true.mT, rtol=0.01, atol=0.01)  # a small ridge


def test_varied_crops_are_pictures_and_repeat_with_the_seed() -> None:
    crops = photos().varied_crops(40, 24)
    assert crops.shape == (40, 3, 24, 24)
    assert crops.min() >= 0
    assert crops.max() <= 1
    assert torch.equal(crops, photos().varied_crops(40, 24))


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \.jpg or \.png file"):
        Photos(tmp_path, torch.Generator())
