"""Fixtures for all tests: a seed, no network, small networks; GPU tests only with a GPU."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from nst_edu.features import Backbone, load_backbone, vgg_stages
from nst_edu.settings import available_devices

DESELECTED = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests marked `gpu` on a machine without one (a skip would look like a gap)."""
    if len(available_devices()) > 1:
        return
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    items[:] = [item for item in items if item not in gpu]
    config.hook.pytest_deselected(items=gpu)
    config.stash[DESELECTED] = len(gpu)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say at the end what was taken out."""
    if count := config.stash.get(DESELECTED, 0):
        terminalreporter.write_line(f"{count} gpu tests deselected: torch finds no GPU here")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def network_attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuse connections to other machines, and fail the test that tried to make one.

    A test that expects the attempt asks for this list, checks it and clears it.
    """
    attempts: list[str] = []

    def refuse_if_remote(host: object) -> None:
        if not _is_local(host):
            attempts.append(str(host))
            raise OSError(f"tests have no network: {host}")

    def guard(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                refuse_if_remote(address[0])
            return real(sock, address)

        return connect

    def getaddrinfo(host: object, *args: Any, **options: Any) -> Any:
        refuse_if_remote(host)
        return look_up(host, *args, **options)

    look_up: Callable[..., Any] = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guard(getattr(socket.socket, name)))
    yield attempts
    assert not attempts, f"this test tried to reach {attempts}"


def _is_local(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session")
def compact() -> Backbone:
    """Load the backbone that comes with the package."""
    return load_backbone("compact", device="cpu")


@pytest.fixture
def tiny() -> Backbone:
    """Build VGG-19 to relu5_1 with few channels, seeded random weights and biases."""
    return make_tiny()


def make_tiny(kind: type[Backbone] = Backbone) -> Backbone:
    """Build the `tiny` backbone; `kind` may be a subclass that watches its own calls."""
    generator = torch.Generator().manual_seed(1)
    backbone = kind("tiny", vgg_stages("compact", channels=(4, 6, 8, 8, 8)))
    for stage in backbone.stages.values():
        if isinstance(stage, nn.Conv2d):
            assert stage.bias is not None
            stage.weight.normal_(0, (2 / stage.weight[0].numel()) ** 0.5, generator=generator)
            stage.bias.normal_(0, 0.1, generator=generator)
    return backbone


@pytest.fixture(name="make_tiny")
def _make_tiny() -> Callable[[type[Backbone]], Backbone]:
    """Hand out the function itself, for tests that need a subclass."""
    return make_tiny
