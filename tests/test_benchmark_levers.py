"""The benchmarks of speed compare ways to one and the same result, and their clocks run forward."""

from __future__ import annotations

import itertools

import pytest
import torch

from benchmarks.levers import LEVERS, Lever, made
from benchmarks.time_to_picture import COMPACT, VGG, Method, Pair, first_good
from nst_edu.features import load_backbone
from nst_edu.images import load_image

BASE, *OTHERS = LEVERS
EXACT = [one for one in OTHERS if "bfloat16" not in one.name and "compile" not in one.name]


@pytest.mark.parametrize("lever", EXACT, ids=lambda lever: lever.name)
def test_every_lever_leads_to_the_same_loss_and_gradient(lever: Lever) -> None:
    loss, gradient = made(BASE, COMPACT, 48)()
    other, other_gradient = made(lever, COMPACT, 48)()
    assert other == pytest.approx(loss, rel=1e-5)
    assert (other_gradient - gradient).norm() / gradient.norm() < 1e-3


@pytest.fixture(scope="module")
def pair() -> Pair:
    judge = load_backbone("random", device="cpu")
    judge.content_layers = ("relu3_4",)
    judge.style_layers = ("relu1_1", "relu2_1", "relu3_1")
    return Pair(judge, load_image("chelsea", size=128), load_image("swirl", size=128))


@pytest.mark.parametrize("network", [VGG, COMPACT])
@pytest.mark.parametrize(
    "method", [Method("two sizes", {"steps": 4, "scales": 2}), Method("two", {"steps": 4}, last="")]
)
def test_pictures_come_at_full_size_and_later_and_later(
    pair: Pair, network: str, method: Method
) -> None:
    looks = list(pair.ours(network, method))
    assert len(looks) == 4
    assert {picture.shape for _, picture in looks} == {pair.content.shape}
    assert all(a[0] < b[0] for a, b in itertools.pairwise(looks))


def test_the_last_size_may_have_another_precision(pair: Pair) -> None:
    options = {"steps": 6, "scales": 2}
    plain = list(pair.ours(COMPACT, Method("float32", options)))
    mixed = list(pair.ours(COMPACT, Method("mixed", options, precision="bfloat16", last="float32")))
    assert len(mixed) == len(plain) == 6
    difference = (mixed[-1][1] - plain[-1][1]).abs().mean()
    assert 0 < difference < 0.05


def test_the_textbook_loop_lowers_the_loss(pair: Pair) -> None:
    losses = [loss for loss, _ in itertools.islice(pair.textbook(), 8)]
    assert min(losses[1:]) < losses[0]


def test_the_first_good_picture_counts() -> None:
    looks = [(float(number), torch.full((1,), float(number))) for number in range(5)]
    assert first_good(iter(looks), lambda picture: picture.item() >= 3) == (3.0, 4)
    assert first_good(iter(looks), lambda picture: False) is None
