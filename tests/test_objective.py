"""The objective: weighted sum, constant targets, blends, sizes, gradients to the pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from nst_edu.features import Backbone
from nst_edu.losses import total_variation_loss
from nst_edu.objective import Losses, Objective, style_shares

LAYERS: dict[str, Any] = {"content_layers": ["relu2_1"], "style_layers": ["relu1_1", "relu3_1"]}


def pictures(count: int = 2, side: int = 32) -> list[Tensor]:
    return [torch.rand(1, 3, side, side) for _ in range(count)]


# --- Values ----------------------------------------------------------------------------------


def by_hand(backbone: Backbone, image: Tensor, photo: Tensor, style: Tensor) -> tuple[float, float]:
    """Work out both losses for `LAYERS` from the documented formula, apart from `losses.py`."""
    names = ["relu1_1", "relu2_1", "relu3_1"]
    F, P, S = (backbone(picture, names) for picture in (image, photo, style))
    target = P["relu2_1"]
    content = ((F["relu2_1"] - target) ** 2).mean() / (target**2).mean()
    terms = []
    for layer in ("relu1_1", "relu3_1"):
        G, A = (
            torch.einsum("nchw,ndhw->ncd", M, M) / M[0, 0].numel() for M in (F[layer], S[layer])
        )
        terms.append(((G - A) ** 2).mean() / (A**2).mean())
    return float(content), float(sum(terms)) / 2


def test_each_loss_is_the_documented_formula(tiny: Backbone) -> None:
    photo, image = pictures()
    style = torch.rand(1, 3, 24, 40)
    losses = Objective(tiny, photo, style, tv_weight=1, **LAYERS)(image)
    content, styled = by_hand(tiny, image, photo, style)
    assert losses.content.item() == pytest.approx(content, rel=1e-5)
    assert losses.style.item() == pytest.approx(styled, rel=1e-5)
    assert losses.tv.item() == pytest.approx(total_variation_loss(image).item())


@pytest.mark.parametrize(
    "weights", [(1.0, 100.0, 0.0), (0.5, 2.0, 3.0), (0, 1, 0), (7, 0, 0), (0, 0, 0)]
)
def test_the_total_is_the_weighted_sum(tiny: Backbone, weights: tuple[float, ...]) -> None:
    photo, style, image = pictures(3)
    names = ("content_weight", "style_weight", "tv_weight")
    options: dict[str, Any] = dict(zip(names, weights, strict=True))
    losses = Objective(tiny, photo, style, **LAYERS, **options)(image)
    terms = (losses.content, losses.style, losses.tv)
    assert all(term > 0 for term in terms)
    expected = sum(weight * term.item() for weight, term in zip(weights, terms, strict=True))
    assert losses.total.item() == pytest.approx(expected, rel=1e-5)


def test_zero_where_it_must_be(tiny: Backbone) -> None:
    photo, style = pictures()
    objective = Objective(tiny, photo, style, **LAYERS)
    assert objective(photo).content.item() == 0
    assert objective(style).style.item() == pytest.approx(0, abs=1e-9)
    assert objective(photo).style.item() > 0
    assert objective(torch.full_like(photo, 0.4)).tv.item() == 0


def test_a_style_of_another_size_with_the_same_texture_costs_nothing(tiny: Backbone) -> None:
    """The texture is one colour: at all sizes the same maps, but for the frame's padding."""
    style, image = torch.full((1, 3, 48, 20), 0.3), torch.full((1, 3, 32, 64), 0.3)
    objective = Objective(tiny, torch.rand(1, 3, 32, 64), style, **LAYERS)
    assert objective(image).style.item() < 1e-6


def test_detached_gives_floats_of_the_same_values(tiny: Backbone) -> None:
    photo, style, image = pictures(3)
    losses = Objective(tiny, photo, style)(image.requires_grad_())
    floats = losses.detached()
    assert isinstance(floats, Losses)
    assert losses.total.requires_grad
    for name in ("content", "style", "tv", "total"):
        assert type(getattr(floats, name)) is float
        assert getattr(floats, name) == pytest.approx(getattr(losses, name).item())


# --- Targets and layers ----------------------------------------------------------------------


def test_targets_are_constants(tiny: Backbone) -> None:
    """No gradient flows into them, and changing the pictures afterwards changes nothing."""
    photo, style, image = (picture.requires_grad_() for picture in pictures(3))
    objective = Objective(tiny, photo, style, **LAYERS)
    targets = [*objective.content_targets.values(), *objective.style_targets[0].values()]
    assert not any(tensor.requires_grad for target in targets for tensor in target)
    before = objective(image)
    torch.autograd.backward(before.total)
    assert image.grad is not None
    assert photo.grad is None
    assert style.grad is None
    with torch.no_grad():
        photo.zero_()
        style.zero_()
    assert objective(image).total.item() == before.total.item()


def test_an_objective_can_be_called_again(tiny: Backbone) -> None:
    photo, style, image = pictures(3)
    objective = Objective(tiny, photo, style)
    first, _, again = objective(image), objective(style), objective(image)
    assert first.detached() == again.detached()


def test_an_empty_choice_switches_a_loss_off(tiny: Backbone) -> None:
    photo, style, image = pictures(3)
    texture = Objective(tiny, photo, style, content_layers=[])(image)
    assert texture.content.item() == 0
    assert texture.style.item() > 0
    rebuild = Objective(tiny, photo, style, style_layers=())(image)
    assert rebuild.style.item() == 0
    assert rebuild.total.item() == rebuild.content.item() > 0
    smooth = Objective(tiny, photo, style, content_layers=[], style_layers=[], tv_weight=2)(image)
    assert smooth.total.item() == pytest.approx(2 * total_variation_loss(image).item())


def test_a_layer_named_twice_counts_once_or_twice_but_not_half(tiny: Backbone) -> None:
    photo, style, image = pictures(3)
    once = Objective(tiny, photo, style, content_layers=["relu2_1"], style_layers=["relu2_1"])
    twice = Objective(
        tiny, photo, style, content_layers=["relu2_1"] * 2, style_layers=["relu2_1"] * 2
    )
    assert twice(image).content.item() == pytest.approx(once(image).content.item())
    assert twice(image).style.item() == pytest.approx(once(image).style.item())


def test_one_layer_may_serve_content_and_style(tiny: Backbone) -> None:
    photo, style, image = pictures(3)
    both = Objective(tiny, photo, style, content_layers=["conv2_1"], style_layers=["conv2_1"])(
        image
    )
    apart = Objective(tiny, photo, style, content_layers=["conv2_1"], style_layers=["relu1_1"])(
        image
    )
    assert both.content.item() == apart.content.item()


def test_layers_are_refused_by_name(tiny: Backbone) -> None:
    photo, style = pictures()
    with pytest.raises(
        ValueError, match=r"unknown layer of 'tiny' 'relu42'. Did you mean 'relu4_2'"
    ):
        Objective(tiny, photo, style, content_layers=["relu42"])
    with pytest.raises(ValueError, match="relu5_4"):
        Objective(tiny, photo, style, style_layers=["relu1_1", "relu5_4"])
    with pytest.raises(TypeError, match=r"list of names, such as \['relu4_2'\]"):
        Objective(tiny, photo, style, content_layers="relu4_2")


# --- Several styles --------------------------------------------------------------------------


def test_a_blend_is_the_weighted_mean_of_its_styles(tiny: Backbone) -> None:
    photo, first, image = pictures(3)
    second = torch.rand(1, 3, 40, 24)
    a, b = (Objective(tiny, photo, s)(image).style.item() for s in (first, second))
    blend = Objective(tiny, photo, [first, second], style_blend=[3, 1])(image).style.item()
    assert blend == pytest.approx(0.75 * a + 0.25 * b, rel=1e-5)
    equal = Objective(tiny, photo, (first, second))(image).style.item()
    assert equal == pytest.approx((a + b) / 2, rel=1e-5)
    only = Objective(tiny, photo, [first, second], style_blend=[0, 5])(image).style.item()
    assert only == pytest.approx(b, rel=1e-5)


@pytest.mark.parametrize("blend", [[1], [1, 2, 3], [0, 0], [-1, 2], [1, math.nan], [1, math.inf]])
def test_a_blend_that_fits_no_two_styles_is_refused(tiny: Backbone, blend: list[float]) -> None:
    photo, first, second = pictures(3)
    with pytest.raises(ValueError, match="style_blend"):
        Objective(tiny, photo, [first, second], style_blend=blend)


def test_no_style_is_refused(tiny: Backbone) -> None:
    with pytest.raises(ValueError, match="at least one style picture"):
        Objective(tiny, pictures(1)[0], [])
    assert sum(style_shares([0.1, 0.2, 0.7], 3)) == pytest.approx(1)


def test_a_batch_takes_one_style_or_one_for_each(tiny: Backbone) -> None:
    """Documented: style pictures are (1, 3, H', W'), or N of them."""
    photos, styles, image = (torch.rand(2, 3, 32, 32) for _ in range(3))
    each = Objective(tiny, photos, styles)(image)
    apart = [Objective(tiny, photos[n, None], styles[n, None])(image[n, None]) for n in range(2)]
    assert each.style.item() > 0
    assert min(losses.style.item() for losses in apart) > 0
    one = Objective(tiny, photos, styles[:1])(image)
    assert one.style.item() > 0


# --- Weights and gradients -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["content_weight", "style_weight", "tv_weight"])
@pytest.mark.parametrize("weight", [-1, math.nan, math.inf, -math.inf, "3", None])
def test_weights_are_refused_by_name(tiny: Backbone, name: str, weight: Any) -> None:
    photo, style = pictures()
    options: Any = {name: weight}
    with pytest.raises((ValueError, TypeError), match=name):
        Objective(tiny, photo, style, **options)


def test_gradients_agree_with_finite_differences(tiny: Backbone) -> None:
    """Central differences in double precision, for each loss at pixels drawn at random."""
    backbone = tiny.double()
    photo, image = (torch.rand(1, 3, 16, 16, dtype=torch.float64) for _ in range(2))
    styles = [torch.rand(1, 3, 20, 18, dtype=torch.float64), photo.flip(3)]
    objective = Objective(backbone, photo, styles, tv_weight=10, style_blend=[2, 1])
    image.requires_grad_()
    for name in ("content", "style", "tv", "total"):
        (gradient,) = torch.autograd.grad(getattr(objective(image), name), image)
        assert gradient.abs().max() > 0
        scale = gradient.abs().max().item()
        for index in torch.randint(image.numel(), (6,)).tolist():
            shift = torch.zeros_like(image)
            shift.view(-1)[index] = 1e-6
            with torch.no_grad():
                above, below = (getattr(objective(image + s), name) for s in (shift, -shift))
            difference = (above - below).item() / 2e-6
            assert gradient.view(-1)[index].item() == pytest.approx(difference, abs=1e-4 * scale)


def test_flat_targets_give_finite_losses_and_gradients(tiny: Backbone) -> None:
    """A network that answers nothing to the style must not divide by 0."""
    for parameter in tiny.parameters():
        parameter.zero_()
    photo, style, image = pictures(3)
    losses = Objective(tiny, photo, style)(image.requires_grad_())
    assert losses.detached() == Losses(0.0, 0.0, losses.tv.item(), 0.0)
    torch.autograd.backward(losses.total)
    assert image.grad is not None
    assert image.grad.isfinite().all()


def test_a_picture_of_another_size_than_the_photo_is_explained(tiny: Backbone) -> None:
    photo, style = pictures()
    with pytest.raises(ValueError, match="same shape"):
        Objective(tiny, photo, style)(torch.rand(1, 3, 48, 32))


def test_layers_are_asked_for_in_a_fixed_order(compact: Backbone) -> None:
    """The order of a set changes from run to run, and with it the last digits of the sum."""
    asked: list[list[str]] = []

    class Listening:
        content_layers, style_layers = ("relu4_2", "relu2_1"), ("relu3_1", "relu2_1", "relu1_1")

        def __call__(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
            asked.append(list(layers))
            maps: dict[str, Tensor] = compact(image, asked[-1])
            return maps

    photo, style, image = torch.rand(3, 1, 3, 32, 40)
    Objective(Listening(), photo, style)(image)  # type: ignore[arg-type]
    assert asked[-1] == ["relu4_2", "relu2_1", "relu3_1", "relu1_1"]


def test_anything_that_is_called_like_a_backbone_will_do(compact: Backbone) -> None:
    class Brighter:
        """A lesson's own backbone: it changes the picture first."""

        content_layers, style_layers = compact.content_layers, compact.style_layers

        def __call__(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
            maps: dict[str, Tensor] = compact(image * 1.1, layers)
            return maps

    photo, style, image = torch.rand(3, 1, 3, 32, 40)
    losses = Objective(Brighter(), photo, style)(image)  # type: ignore[arg-type]
    expected = Objective(compact, photo * 1.1, style * 1.1)(image * 1.1)
    assert losses.total == expected.total
