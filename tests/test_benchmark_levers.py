"""The benchmarks of speed compare ways to one and the same result, and know a good picture."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch

from benchmarks.levers import LEVERS, Lever, made
from benchmarks.peers import Lean, Textbook
from benchmarks.time_to_picture import COMPACT, VGG, Pair, Plan, assess, plans
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
    return Pair(judge, load_image("chelsea", size=48), load_image("swirl", size=48), "pair")


@pytest.mark.parametrize("plan", plans(), ids=lambda plan: f"{plan.network}, {plan.name}")
def test_every_plan_paints(pair: Pair, plan: Plan) -> None:
    scales = min(plan.options["scales"] or 1, 2)
    short = dataclasses.replace(plan, options=plan.options | {"steps": 2, "scales": scales})
    seconds, picture = pair.paint(short)
    assert seconds > 0
    assert picture.shape == pair.content.shape


def test_the_lean_loop_paints_what_the_textbook_paints(pair: Pair) -> None:
    """So its pictures may stand for the textbook's, which take three times as long."""
    lean, textbook = (
        list(itertools.islice(pair.search(loop(pair.judge, pair.content, pair.style)), 3))
        for loop in (Lean, Textbook)
    )
    assert [a for a, _ in lean] == pytest.approx([b for b, _ in textbook], rel=1e-3)
    assert min(a for a, _ in lean[1:]) < lean[0][0]


def test_a_goal_is_painted_once(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.time_to_picture.EVALUATIONS", 4)
    goal = pair.goal(tmp_path)
    monkeypatch.setattr(Pair, "search", None)
    assert torch.equal(pair.goal(tmp_path), goal)


def test_the_judge_knows_good_from_bad(pair: Pair) -> None:
    _, picture = pair.paint(Plan(VGG, "", {"steps": 6, "scales": 1}))
    same = assess([pair, pair], [picture] * 2, [(1.0, picture), (3.0, picture)])
    assert same.seconds == 2
    assert (same.loss, same.content) == pytest.approx((1, 1))
    assert list(same.gap.values()) == pytest.approx([1, 1])
    assert same.good(VGG)
    assert same.good(COMPACT)
    photo = assess([pair], [picture], [(1.0, pair.content)])
    assert photo.loss > 1
    assert list(photo.gap.values()) == pytest.approx([0, 0])
    assert not photo.good(VGG)
    assert not photo.good(COMPACT)
