"""The judge of pictures and its benchmark, with a VGG-19 of four channels."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from PIL import Image

import nst_edu as nst
from benchmarks import channels, picture_quality
from benchmarks.judge import STYLE_LAYERS, Verdict, judge, load_judge
from nst_edu.features import Backbone, vgg_stages


@pytest.fixture
def teachers(tmp_path: Path) -> Path:
    """Make a folder with the judge's file, four channels wide."""
    folder = tmp_path / "teachers"
    folder.mkdir()
    stages = list(vgg_stages("vgg19", (4, 4, 4, 4, 4)).items())[:18]  # up to relu3_4
    backbone = Backbone("tiny", dict(stages))
    state = {
        f"features.{index}.{key}": value + 0.05  # most channels answer
        for index, stage in enumerate(backbone.stages.values())
        for key, value in stage.named_parameters()
    }
    torch.save(state, folder / "vgg19_relu3_4_imagenet.pt")
    return folder


def test_a_picture_is_at_no_distance_from_itself(teachers: Path) -> None:
    vgg = load_judge(teachers)
    image, style = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 24, 24)
    assert judge(vgg, image, image, style).content == 0
    assert judge(vgg, style, style, style).style == dict.fromkeys(STYLE_LAYERS, 0.0)


def test_distances_are_relative_squares(teachers: Path) -> None:
    vgg = load_judge(teachers)
    image, photo, style = torch.rand(3, 1, 3, 32, 24)
    verdict = judge(vgg, image, photo, style)
    maps, target = (vgg(x, ["relu2_1"])["relu2_1"][0].flatten(1).double() for x in (image, style))
    grams = [m @ m.mT / m.shape[1] for m in (maps, target)]
    expected = ((grams[0] - grams[1]).norm() / grams[1].norm()) ** 2
    assert verdict.style["relu2_1"] == pytest.approx(float(expected), rel=1e-4)


def test_the_gap_closed_is_the_share_of_the_way() -> None:
    photo, best, ours = (Verdict({"relu2_1": d}, 0.0) for d in (0.5, 0.1, 0.2))
    assert ours.gap_closed(photo, best, "relu2_1") == pytest.approx(0.75)


def test_missing_weights_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert picture_quality.main(["--teachers", str(tmp_path)]) == 2
    words = capsys.readouterr().err
    assert "vgg19_relu3_4_imagenet.pt" in words
    assert "--teachers" in words


def test_the_benchmark_paints_judges_and_does_not_paint_twice(
    teachers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paintings, out = tmp_path / "paintings", tmp_path / "out"
    paintings.mkdir()
    nst.save_image(nst.load_image("swirl", size=40), paintings / "one.png")
    command = ["--teachers", str(teachers), "--paintings", str(paintings), "--out", str(out)]
    command += ["--size", "40", "--steps", "3"]
    command += ["--backbones", "compact", "compact@40:relu1_2,relu3_4"]
    assert picture_quality.main(command) == 0
    table = capsys.readouterr().out
    assert "4 pairs, 40 px, 3 evaluations" in table
    names = [line.split()[1] for line in table.splitlines()[4:]]
    assert names == ["photo", "vgg19", "compact", "compact@40:relu1_2,relu3_4"]
    rows = list(csv.DictReader((out / "pairs.csv").read_text().splitlines()))
    assert len(rows) == 4 * 4
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 5 * 40  # photo, style, three painters

    before = {file: file.stat().st_mtime_ns for file in out.glob("*/*.png")}
    assert len(before) == 3 * 4
    assert picture_quality.main(command) == 0
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/*.png")} == before


def test_correlations_find_the_partner() -> None:
    teacher = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    student = torch.stack([2 * teacher[:, 2] + 1, -teacher[:, 0]], 1)
    table = channels.correlations(student, teacher)
    assert table[0].argmax() == 2
    assert table[0, 2].item() == pytest.approx(1)
    assert table[1, 0].item() == pytest.approx(-1)
