"""`NST_EDU_BACKBONE=vgg19`: the same cells of every lesson run with torchvision's network.

Its weights are not to be had offline. A file of the right layout with random numbers stands in for
them, in torchvision's cache folder, so that the real loader reads it. What depends on what VGG-19
has learned is not compared.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nbformat.v4 import new_code_cell
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from nst_edu.authoring.texts import find_texts, read_text
from tests.lesson_kernel import run

# Those that name their networks themselves need no second run.
TEXTS = [p for p in find_texts() if "load_backbone()" in p.read_text(encoding="utf-8")]


@pytest.fixture(scope="module")
def torch_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file of VGG-19's layout where torchvision looks for it."""
    folder = tmp_path_factory.mktemp("torch_home")
    file = folder / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth"
    file.parent.mkdir(parents=True)
    torch.manual_seed(0)
    features = make_layers(cfgs["E"])
    for module in features:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    torch.save({f"features.{key}": value for key, value in features.state_dict().items()}, file)
    return folder


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_lesson_runs_with_vgg19(text: Path, tmp_path: Path, torch_home: Path) -> None:
    lesson = read_text(text)
    lesson.cells.append(new_code_cell("print(nst.load_backbone().name)"))
    settings = {"NST_EDU_BACKBONE": "vgg19", "TORCH_HOME": str(torch_home)}
    run(lesson, text.parent.parent, tmp_path, **settings)
    assert lesson.cells[-1].outputs[0].text == "vgg19\n"
