"""The whole recipe, end to end on small pictures, and what happens when it is stopped."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from nst_edu.features import Backbone
from nst_edu.images import load_image, resize
from nst_edu.objective import Losses, Objective
from nst_edu.optimize import DivergedError, Step
from nst_edu.transfer import (
    COARSEST,
    NARROWEST,
    STARTS,
    better,
    first_picture,
    plan_scales,
    style_transfer,
    style_transfer_steps,
)

MakeTiny = Callable[[type[Backbone]], Backbone]


def picture(height: int = 64, width: int = 64) -> Tensor:
    return resize(torch.rand(1, 3, 8, 8), (height, width))


# So small a rate that the loss of the tiny random network does not run away.
SMALL_MOVES: Any = {"optimizer": "adam", "learning_rate": 0.005}


def steps_of(*arguments: Any, **options: Any) -> list[Step]:
    return list(style_transfer_steps(*arguments, **options))


# --- End to end ------------------------------------------------------------------------------


@pytest.mark.parametrize("start", STARTS)
def test_a_photo_is_painted(compact: Backbone, start: str) -> None:
    photo, style = load_image("chelsea", size=64), load_image("swirl", size=64)
    result = style_transfer(photo, style, steps=12, start=start, backbone=compact)
    assert result.shape == photo.shape
    assert result.dtype == torch.float32
    assert result.device.type == "cpu"
    assert not result.requires_grad
    assert 0 <= result.min() <= result.max() <= 1
    objective = Objective(compact, photo, style)
    first = first_picture(start, photo, (43, 64), seed=0)
    assert objective(result).total < 0.5 * objective(first).total
    assert (result - photo).abs().mean() > 0.01


# Eight steps at half the size and four at the whole, at a rate at which the loss goes up and down.
WOBBLY: Any = {"steps": 12, "scales": 2, "optimizer": "adam", "learning_rate": 0.06}


def wobbly_run(network: Backbone, scale: slice) -> tuple[Tensor, Tensor, list[Step]]:
    """Find photo, style and their steps where the best step of `scale` is not its last one."""
    for seed in range(20):
        torch.manual_seed(seed)
        photo, style = picture(), picture()
        try:
            steps = steps_of(photo, style, backbone=network, **WOBBLY)
        except DivergedError:
            continue
        totals = [step.losses.total for step in steps[scale]]
        if 0 < totals.index(min(totals)) < len(totals) - 1:
            return photo, style, steps
    raise AssertionError("in 20 runs the best step was the first, or the last")


def test_the_result_has_the_lowest_loss_of_the_last_scale(tiny: Backbone) -> None:
    photo, style, steps = wobbly_run(tiny, slice(8, 12))
    result = style_transfer(photo, style, backbone=tiny, **WOBBLY)
    best = min(steps[8:], key=lambda step: step.losses.total)
    assert torch.equal(result, best.image)


def test_a_picture_of_ones_own_may_be_the_start(tiny: Backbone) -> None:
    photo, own = picture(), picture(40, 80)  # of another shape: it is scaled
    steps = steps_of(photo, picture(), start=own, steps=1, backbone=tiny)
    torch.testing.assert_close(steps[0].image, resize(own, (64, 64)))


def test_sizes_may_all_differ(tiny: Backbone) -> None:
    styles = [picture(200, 90), picture(33, 150)]
    result = style_transfer(picture(60, 90), styles, steps=3, backbone=tiny, size=72)
    assert result.shape == (1, 3, 48, 72)
    larger = style_transfer(picture(60, 90), styles, steps=3, backbone=tiny, size=120)
    assert larger.shape == (1, 3, 80, 120)


def test_styles_are_scaled_to_the_size_of_the_picture(tiny: Backbone) -> None:
    """So the same style in twice the resolution gives the same painting."""
    photo, style = picture(), picture()
    large = resize(style, 128)
    options: Any = {"steps": 3, "backbone": tiny, "start": "noise"}
    first, second = (style_transfer(photo, s, **options) for s in (resize(large, 64), large))
    torch.testing.assert_close(first, second)


def test_several_styles_and_a_list_of_one(tiny: Backbone) -> None:
    photo, first, second = picture(), picture(), picture()
    options: Any = {"steps": 4, "backbone": tiny}
    alone = style_transfer(photo, first, **options)
    assert torch.equal(alone, style_transfer(photo, [first], **options))
    all_first = style_transfer(photo, (first, second), style_blend=[1, 0], **options)
    torch.testing.assert_close(alone, all_first)
    assert not torch.allclose(alone, style_transfer(photo, [first, second], **options))


def test_a_gray_photo_takes_the_colours_of_the_style(compact: Backbone) -> None:
    gray, style = load_image("camera", size=48), load_image("swirl", size=48)
    assert (gray[:, 0] == gray[:, 2]).all()
    result = style_transfer(gray, style, steps=10, backbone=compact)
    assert (result[:, 0] - result[:, 2]).abs().mean() > 0.01


def test_options_reach_the_objective(tiny: Backbone) -> None:
    photo, style = picture(), picture()
    options: Any = {"steps": 2, "backbone": tiny, **SMALL_MOVES}
    weights = {"content_weight": 3, "style_weight": 5, "tv_weight": 7}
    losses = steps_of(photo, style, **options, **weights)[1].losses
    expected = 3 * losses.content + 5 * losses.style + 7 * losses.tv
    assert losses.total == pytest.approx(expected, rel=1e-4)
    only = steps_of(photo, style, **options, content_layers=[], style_layers=["relu1_1"])
    assert only[1].losses.content == 0
    with pytest.raises(TypeError, match="style_wieght"):
        style_transfer(photo, style, steps=2, backbone=tiny, style_wieght=3)


def test_the_seed_decides_the_noise_and_nothing_else_does(tiny: Backbone) -> None:
    photo, style = picture(), picture()
    options: Any = {"steps": 4, "backbone": tiny, "start": "noise"}
    first = style_transfer(photo, style, seed=1, **options)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert torch.equal(first, style_transfer(photo, style, seed=1, **options))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(first, style_transfer(photo, style, seed=2, **options))


def test_the_pictures_given_are_not_changed(tiny: Backbone) -> None:
    given = [picture(), picture(), picture()]
    copies = [one.clone() for one in given]
    style_transfer(given[0], given[1], start=given[2], steps=4, backbone=tiny)
    assert all(map(torch.equal, given, copies))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_floats_of_other_widths_are_taken(tiny: Backbone, dtype: torch.dtype) -> None:
    """NumPy's floats are 64 bits wide: ``torch.from_numpy`` gives such pictures."""
    photo, style, start = picture(), picture(), picture()
    options: Any = {"steps": 3, "backbone": tiny}
    expected = style_transfer(photo, style, start=start, **options)
    result = style_transfer(photo.to(dtype), style.to(dtype), start=start.to(dtype), **options)
    assert result.dtype == torch.float32
    assert (result - expected).abs().mean() < 0.01


# --- Coarse to fine --------------------------------------------------------------------------


def test_plans_add_up_and_go_from_coarse_to_fine() -> None:
    sides, counts, scales = (1, 16, 47, 64, 130, 512, 2000), (1, 2, 7, 150), (None, 1, 2, 5)
    for height, width, steps, wanted in itertools.product(sides, sides, counts, scales):
        if wanted is not None and min(height, width) < 16 * 2 ** (wanted - 1) > 16:
            with pytest.raises(ValueError, match="scales must be from 1 to"):
                plan_scales(height, width, steps, wanted)
            continue
        plan = plan_scales(height, width, steps, wanted)
        shapes, parts = [shape for shape, _ in plan], [count for _, count in plan]
        assert sum(parts) == steps
        assert min(parts) >= 1
        assert parts == sorted(parts, reverse=True)  # the cheap sizes get most
        assert shapes[-1] == (height, width)
        assert shapes == sorted(shapes)
        assert min(min(shape) for shape in shapes) >= 1
        if wanted is None and len(plan) > 1:
            assert max(shapes[0]) >= COARSEST
            assert min(shapes[0]) >= NARROWEST
        if wanted is not None:
            assert len(plan) <= wanted


@pytest.mark.parametrize(("steps", "scales"), [(0, None), (-1, 1), (5, 0), (5, -2)])
def test_plans_without_steps_or_scales_are_refused(steps: int, scales: int | None) -> None:
    with pytest.raises(ValueError, match=r"(steps|scales) must be (1 or more|from 1 to)"):
        plan_scales(64, 64, steps, scales)


def test_steps_are_numbered_through_and_pictures_grow(tiny: Backbone) -> None:
    options: Any = {"steps": 14, "scales": 3, "backbone": tiny, **SMALL_MOVES}
    steps = steps_of(picture(64, 96), picture(), **options)
    assert [step.number for step in steps] == list(range(14))
    widths = [step.image.shape[-1] for step in steps]
    assert widths == [24] * 8 + [48] * 4 + [96] * 2


def test_a_finer_scale_starts_from_the_best_of_the_coarser_one(tiny: Backbone) -> None:
    _, _, steps = wobbly_run(tiny, slice(0, 8))
    best = min(steps[:8], key=lambda step: step.losses.total)
    assert steps[7].image.shape == (1, 3, 32, 32)
    torch.testing.assert_close(steps[8].image, resize(best.image, (64, 64)))


def test_the_better_step_is_the_larger_or_else_the_lower() -> None:
    photo = picture(16, 16)
    low, high = (Step(0, photo, losses=_losses(total)) for total in (1.0, 2.0))
    large = Step(0, picture(32, 32), losses=_losses(9.0))
    assert better(None, high) is high
    assert better(high, low) is low
    assert better(low, high) is low
    assert better(low, large) is large


def _losses(total: float) -> Losses[float]:
    return Losses(total, 0.0, 0.0, total)


# --- Shapes at the edge ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 400), (400, 16), (20, 20), (47, 130)])
def test_long_and_small_photos(compact: Backbone, shape: tuple[int, int]) -> None:
    result = style_transfer(picture(*shape), picture(), steps=2, backbone=compact)
    assert result.shape == (1, 3, *shape)


@pytest.mark.parametrize("shape", [(40, 400), (600, 20)])
def test_long_styles(compact: Backbone, shape: tuple[int, int]) -> None:
    """Large enough for the network as they are: they must not be scaled down until they are not."""
    result = style_transfer(picture(), picture(*shape), steps=2, backbone=compact)
    assert result.shape == (1, 3, 64, 64)


@pytest.mark.parametrize("shape", [(1, 1), (15, 64), (64, 8)])
def test_a_photo_smaller_than_the_network_allows_is_explained(
    compact: Backbone, shape: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match=f"{shape[1]}×{shape[0]} px is too small"):
        style_transfer(picture(*shape), picture(), steps=2, backbone=compact)


def test_more_scales_than_the_network_allows_are_explained(compact: Backbone) -> None:
    """The photo is large enough: the message must be about `scales`, not about its size."""
    with pytest.raises(ValueError, match="scales"):
        style_transfer(picture(), picture(), steps=20, scales=5, backbone=compact)


@pytest.mark.parametrize("style_shape", [(1, 1), (2, 300)])
def test_a_style_that_is_nearly_nothing_works_or_is_explained(
    compact: Backbone, style_shape: tuple[int, int]
) -> None:
    try:
        result = style_transfer(
            picture(), torch.rand(1, 3, *style_shape), steps=2, backbone=compact
        )
    except ValueError as error:
        assert "style" in str(error)  # noqa: PT017 (it need not be raised)
    else:
        assert result.isfinite().all()


# --- Stopped and refused ---------------------------------------------------------------------


class Impatient(Backbone):
    """Presses Ctrl-C in the middle of an evaluation."""

    calls = 0
    stop_at = 10

    def walk(self, image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Count, interrupt the process, and go on as usual."""
        if image.requires_grad:
            self.calls += 1
            if self.calls == self.stop_at:
                signal.raise_signal(signal.SIGINT)
        yield from super().walk(image, layers)


@pytest.mark.parametrize("stop_at", [2, 8, 9, 11])  # in both scales, and right between them
def test_an_interrupt_keeps_the_best_picture(make_tiny: MakeTiny, stop_at: int) -> None:
    network = make_tiny(Impatient)
    assert isinstance(network, Impatient)
    network.stop_at = 10**6
    photo, style, steps = wobbly_run(network, slice(0, 8))
    network.calls = 0
    steps_of(photo, style, backbone=network, **WOBBLY)
    measuring = network.calls - len(steps)  # evaluations before the first step, for the memory
    network.calls, network.stop_at = 0, measuring + stop_at
    best = None
    for step in steps[: stop_at - 1]:
        best = better(best, step)
    assert best is not None
    with pytest.warns(UserWarning, match=f"stopped at step {stop_at - 2}"):
        result = style_transfer(photo, style, backbone=network, **WOBBLY)
    assert torch.equal(result, best.image)


def test_an_interrupt_before_the_first_step_is_an_interrupt(make_tiny: MakeTiny) -> None:
    network = make_tiny(Impatient)
    assert isinstance(network, Impatient)
    network.stop_at = 1
    with pytest.raises(KeyboardInterrupt):
        style_transfer(picture(), picture(), steps=3, backbone=network)


def test_break_leaves_nothing_running(make_tiny: MakeTiny) -> None:
    network = make_tiny(Impatient)
    assert isinstance(network, Impatient)
    network.stop_at = 10**6
    for step in style_transfer_steps(picture(), picture(), steps=50, backbone=network):
        if step.number == 2:
            break
    assert network.calls <= 4


def test_divergence_keeps_the_best_step_of_all_scales(tiny: Backbone) -> None:
    options: Any = {"optimizer": "gradient-descent", "learning_rate": 1e6, "backbone": tiny}
    with pytest.raises(DivergedError, match=r"learning_rate=1e\+06") as raised:
        style_transfer(picture(), picture(), steps=40, scales=2, **options)
    assert raised.value.best is not None
    assert raised.value.best.image.isfinite().all()


def test_too_little_memory_is_found_out_before_the_work(
    make_tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = make_tiny(Impatient)
    assert isinstance(network, Impatient)
    monkeypatch.setattr("nst_edu.memory.free_memory", lambda _: 20_000_000)
    options: Any = {"steps": 2, "backbone": network, **SMALL_MOVES}
    with pytest.raises(MemoryError, match=r"4096×3072 px with 'tiny' needs .* GB") as raised:
        style_transfer(picture(48, 64), picture(), size=4096, **options)
    assert network.calls <= 1  # the measurement on a small picture, and no more
    found = re.search(r"size=(\d+)", str(raised.value))
    assert found is not None
    network.stop_at = 10**6
    result = style_transfer(picture(48, 64), picture(), size=int(found[1]), **options)
    assert max(result.shape) == int(found[1])


@pytest.mark.parametrize("argument", ["content", "style", "start"])
@pytest.mark.parametrize(
    "bad",
    [
        torch.full((1, 3, 32, 32), torch.nan),
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8),
        torch.full((1, 3, 32, 32), 200.0),
        torch.rand(3, 32, 32),
        torch.rand(32, 32),
        torch.rand(1, 1, 32, 32),
    ],
)
def test_bad_pictures_are_refused_by_name(tiny: Backbone, argument: str, bad: Tensor) -> None:
    given: dict[str, Any] = {"content": picture(), "style": picture(), argument: bad}
    with pytest.raises((ValueError, TypeError), match=f"{argument} must|{argument} has"):
        style_transfer(**given, steps=2, backbone=tiny)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "nois"}, "unknown start 'nois'. Did you mean 'noise'"),
        ({"start": 3}, "start"),
        ({"backbone": "compakt"}, "unknown backbone 'compakt'. Did you mean 'compact'"),
        ({"device": "cdua", "backbone": "compact"}, "device 'cdua'.*cpu"),
        ({"optimizer": "lbgfs"}, "Did you mean 'lbfgs'"),
        ({"steps": 0}, "steps"),
        ({"steps": 2.0}, "steps"),
        ({"scales": 0}, "scales"),
        ({"size": 0}, "size must be"),
        ({"size": 64.0}, "size must be"),
        ({"seed": "a", "start": "noise"}, "seed"),
        ({"content_layers": ["relu42"]}, "Did you mean 'relu4_2'"),
        ({"content_layers": "relu4_2"}, r"list of names, such as \['relu4_2'\]"),
        ({"style_layers": "relu4_2"}, r"list of names, such as \['relu4_2'\]"),
        ({"style_weight": -1}, "style_weight"),
        ({"style_blend": [1, 2]}, "style_blend"),
    ],
)
def test_options_are_refused_by_name(tiny: Backbone, options: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        style_transfer(picture(), picture(), **{"steps": 2, "backbone": tiny, **options})


def test_paths_in_place_of_pictures_are_explained(tiny: Backbone) -> None:
    content: Any = "chelsea"
    with pytest.raises(TypeError, match=r"content must be a tensor, not str.*load_image"):
        style_transfer(content, picture(), backbone=tiny)
    with pytest.raises(TypeError, match=r"style must be a tensor, not str.*load_image"):
        style_transfer(picture(), content, backbone=tiny)
    with pytest.raises(ValueError, match="at least one style"):
        style_transfer(picture(), [], backbone=tiny)


def test_more_than_one_photo_is_refused_or_painted_whole(tiny: Backbone) -> None:
    """Documented is (1, 3, H, W); a batch must not fail half-way with a message about layers."""
    photos = torch.rand(2, 3, 32, 32)
    with pytest.raises(ValueError, match="content"):
        style_transfer(photos, picture(), steps=2, backbone=tiny)
