"""The prediction of memory against a hand count, and the refusal."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest
import torch
from torch import nn

from nst_edu.features import Backbone
from nst_edu.memory import (
    OPTIMIZER_BYTES_PER_PIXEL,
    OVERHEAD,
    bytes_per_pixel,
    check_memory,
    free_memory,
)


def test_the_maps_that_autograd_keeps_are_counted() -> None:
    """One convolution keeps its input, 3 floats a pixel; ReLU its output, 10; pooling its input.

    Pooling also keeps where each maximum was: 8 bytes for 10 channels at a quarter of the places.
    ReLU comes after it then, and keeps its output: 10 at a quarter of the places.
    """
    stages: dict[str, nn.Module] = {
        "conv1_1": nn.Conv2d(3, 10, 3, padding=1),
        "relu1_1": nn.ReLU(),
        "pool1": nn.MaxPool2d(2),
    }
    backbone = Backbone("three", stages)
    kept = {"relu1_1": 4 * (3 + 10), "pool1": 4 * (3 + 10 + 10 / 4) + 8 * 10 / 4}
    for layer, expected in kept.items():
        measured = (bytes_per_pixel(backbone, [layer]) - OPTIMIZER_BYTES_PER_PIXEL) / (1 + OVERHEAD)
        assert measured == pytest.approx(expected, rel=0.02), layer


def test_deeper_layers_cost_more_and_the_probe_leaves_no_trace(compact: Backbone) -> None:
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    costs = [bytes_per_pixel(compact, [layer]) for layer in layers]
    assert costs == sorted(costs)
    assert len(set(costs)) == 5
    assert bytes_per_pixel(compact, layers) == pytest.approx(costs[-1])
    assert all(parameter.grad is None for parameter in compact.parameters())


def test_free_memory_is_what_the_system_says() -> None:
    free = free_memory(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "used", "cache", "expected"),
    [
        ("300000000", 100_000_000, 0, 200_000_000),
        ("300000000", 290_000_000, 150_000_000, 160_000_000),  # files read: given back when needed
        ("300000000", 310_000_000, 0, 0),  # for a moment over the limit
    ],
)
def test_a_container_may_have_less_than_the_machine(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    used: int,
    cache: int,
    expected: int,
) -> None:
    """Linux, cgroup 2: `memory.current` counts the cache of files, which is free for the asking."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text(f"anon {used - cache}\ninactive_file {cache}\n")
    monkeypatch.setattr("nst_edu.memory.CGROUP", tmp_path)
    assert free_memory(torch.device("cpu")) == expected


def test_a_container_without_a_limit_has_what_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("100\n")
    monkeypatch.setattr("nst_edu.memory.CGROUP", tmp_path)
    free = psutil.virtual_memory().available
    assert free_memory(torch.device("cpu")) == pytest.approx(free, rel=0.2)


def test_the_size_that_the_message_offers_fits(
    compact: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [*compact.content_layers, *compact.style_layers]
    monkeypatch.setattr("nst_edu.memory.free_memory", lambda _: 300_000_000)
    with pytest.raises(
        MemoryError, match=r"8000×6000 px with 'compact' needs .* 0\.3 GB are free"
    ) as raised:
        check_memory(compact, layers, 6000, 8000)
    found = re.search(r"size=(\d+)", str(raised.value))
    assert found is not None
    size = int(found[1])
    assert size > 200
    check_memory(compact, layers, size * 3 // 4, size)
    with pytest.raises(MemoryError):
        check_memory(compact, layers, size, size * 4 // 3)


def test_where_no_size_fits_none_is_offered(
    compact: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst_edu.memory.free_memory", lambda _: 100)
    with pytest.raises(MemoryError) as raised:
        check_memory(compact, ["relu1_1"], 512, 512)
    assert "size=0" not in str(raised.value)


def test_a_measured_peak_stays_below_the_prediction(compact: Backbone) -> None:
    """The tensors alive after the forward pass, counted by their storage, on a larger picture."""
    layers = [*compact.content_layers, *compact.style_layers]
    side, seen = 160, {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    image = torch.rand(1, 3, side, side, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        maps = compact(image, layers)
    assert len(maps) == len(set(layers))
    assert sum(seen.values()) < bytes_per_pixel(compact, layers) * side * side
