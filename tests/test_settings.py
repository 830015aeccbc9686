"""What a run uses when the caller does not say, and names that are misspelt."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nst_edu.checks import check_name
from nst_edu.settings import available_devices, choose_backbone, choose_device, is_fast


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKBONE", "DEVICE", "FAST"):
        monkeypatch.delenv(f"NST_EDU_{name}", raising=False)


def test_the_argument_wins_over_the_environment_and_that_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    best = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_backbone() == "compact"
    assert choose_device() == choose_device("auto") == torch.device(best)
    monkeypatch.setenv("NST_EDU_BACKBONE", "random")
    monkeypatch.setenv("NST_EDU_DEVICE", "cpu")
    assert choose_backbone() == "random"
    assert choose_device() == choose_device("auto") == torch.device("cpu")
    monkeypatch.setenv("NST_EDU_DEVICE", "no such device")
    assert choose_backbone("vgg16") == "vgg16"
    assert choose_device("cpu") == choose_device(torch.device("cpu")) == torch.device("cpu")


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKBONE", "DEVICE", "FAST"):
        monkeypatch.setenv(f"NST_EDU_{name}", "")
    assert choose_backbone() == "compact"
    assert choose_device().type in ("cpu", "cuda")
    assert not is_fast()


@pytest.mark.parametrize(
    "device", ["cdua", "gpu", "meta", "xpu", "cuda:99", "cuda:-1", "", 3.5, 99]
)
def test_devices_that_are_not_here_are_answered_with_those_that_are(device: Any) -> None:
    with pytest.raises(ValueError, match=r"device.* .*Usable here: cpu"):
        choose_device(device)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who never wrote ``device=`` must learn where the bad value comes from."""
    monkeypatch.setenv("NST_EDU_DEVICE", "cdua")
    with pytest.raises(ValueError, match="NST_EDU_DEVICE"):
        choose_device()


def test_available_devices_can_be_computed_on() -> None:
    devices = available_devices()
    assert devices[0] == "cpu"
    for name in devices:
        assert choose_device(name) == torch.device(name)
        assert (torch.ones(2, device=name) + 1).tolist() == [2, 2]


@pytest.mark.parametrize(("value", "fast"), [("1", True), ("yes", True), ("0", False)])
def test_fast(monkeypatch: pytest.MonkeyPatch, value: str, fast: bool) -> None:
    monkeypatch.setenv("NST_EDU_FAST", value)
    assert is_fast() is fast


def test_names_are_checked_against_what_is_there() -> None:
    choices = ["relu1_1", "relu1_2", "pool1"]
    assert check_name("pool1", iter(choices), "layer") == "pool1"
    with pytest.raises(ValueError, match=r"unknown layer 'relu11'. Did you mean 'relu1_"):
        check_name("relu11", choices, "layer")
    with pytest.raises(
        ValueError, match=r"unknown layer 'xyz'\. All choices: relu1_1, relu1_2, pool1"
    ):
        check_name("xyz", choices, "layer")
    with pytest.raises(ValueError, match=r"RELU1_1.*Did you mean 'relu1_1'"):
        check_name("RELU1_1", choices, "layer")
    with pytest.raises(TypeError, match="layer must be a name"):
        check_name(["pool1"], choices, "layer")
