"""The losses against hand-worked values, slow loops, finite differences and their properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nst_edu import fast
from nst_edu.losses import content_loss, gram_matrix, style_loss, total_variation_loss


def maps(*shape: int) -> Tensor:
    """Draw float64 feature maps, negative values among them; default batch 2 and H != W."""
    return torch.randn(shape or (2, 3, 4, 5), dtype=torch.float64)


def loop_gram(features: Tensor, divide_by: str) -> Tensor:
    """Sum products one by one: the formula read aloud."""
    n, c, h, w = features.shape
    f = features.tolist()
    divisor = {"hw": h * w, "chw": c * h * w, "none": 1}[divide_by]
    result = torch.zeros(n, c, c, dtype=torch.float64)
    for i in range(n):
        for a in range(c):
            for b in range(c):
                total = 0.0
                for y in range(h):
                    for x in range(w):
                        total += f[i][a][y][x] * f[i][b][y][x]
                result[i, a, b] = total / divisor
    return result


def loop_total_variation(image: Tensor) -> float:
    """Average the squared differences of vertical, and of horizontal, neighbours."""
    down, right = [], []
    for planes in image.tolist():
        for plane in planes:
            for y in range(len(plane)):
                for x in range(len(plane[0])):
                    if y + 1 < len(plane):
                        down.append((plane[y + 1][x] - plane[y][x]) ** 2)
                    if x + 1 < len(plane[0]):
                        right.append((plane[y][x + 1] - plane[y][x]) ** 2)
    return float(sum(down) / len(down) + sum(right) / len(right))


@pytest.mark.parametrize(
    ("error", "reduction", "expected"),
    [
        ("squared", "mean", (1 + 9 + 4) / 4),  # differences 1, -3, 0, 2
        ("squared", "sum", 14),
        ("absolute", "mean", 6 / 4),
        ("absolute", "sum", 6),
    ],
)
def test_content_loss_by_hand(error: str, reduction: str, expected: float) -> None:
    features = torch.tensor([[[[1.0, -1.0], [5.0, 2.0]]]])
    target = torch.tensor([[[[0.0, 2.0], [5.0, 0.0]]]])
    loss = content_loss(features, target, error=error, reduction=reduction)
    assert loss.shape == ()
    assert loss.item() == expected


def test_the_sum_is_twice_the_papers_content_loss() -> None:
    F, P = maps(1, 2, 3, 4), maps(1, 2, 3, 4)
    pairs = zip(F.flatten().tolist(), P.flatten().tolist(), strict=True)
    paper = 0.5 * sum((f - p) ** 2 for f, p in pairs)  # 2015, equation 1
    assert content_loss(F, P, reduction="sum").item() == pytest.approx(2 * paper)


def test_gram_matrix_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0], [0.0, -1.0]], [[3.0, 0.0], [1.0, 1.0]]]])
    # rows (1, 2, 0, -1) and (3, 0, 1, 1): products 6, 3 - 1 = 2, 11
    assert gram_matrix(features, divide_by="none").tolist() == [[[6, 2], [2, 11]]]
    assert gram_matrix(features).tolist() == [[[1.5, 0.5], [0.5, 2.75]]]
    assert gram_matrix(features, divide_by="chw").tolist() == [[[0.75, 0.25], [0.25, 1.375]]]


@pytest.mark.parametrize("divide_by", ["hw", "chw", "none"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 5, 1, 7), (3, 1, 6, 2)])
def test_gram_matrix_agrees_with_the_loop(divide_by: str, shape: tuple[int, ...]) -> None:
    features = maps(*shape)
    expected = loop_gram(features, divide_by)
    torch.testing.assert_close(gram_matrix(features, divide_by=divide_by), expected)


def test_gram_matrix_ignores_positions_but_not_channels() -> None:
    features = maps(2, 3, 4, 5)
    order = torch.randperm(20)
    shuffled = features.flatten(2)[..., order].view_as(features)
    assert not torch.equal(shuffled, features)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(features))
    torch.testing.assert_close(gram_matrix(features.mT), gram_matrix(features))
    assert not torch.allclose(gram_matrix(features.roll(1, dims=1)), gram_matrix(features))


def test_gram_matrix_keeps_the_pictures_of_a_batch_apart() -> None:
    features = maps(3, 4, 5, 6)
    grams = gram_matrix(features)
    assert grams.shape == (3, 4, 4)
    for one, gram in zip(features, grams, strict=True):
        torch.testing.assert_close(gram_matrix(one[None])[0], gram)


def test_gram_matrix_is_symmetric_positive_semidefinite_and_quadratic() -> None:
    features = maps(2, 6, 2, 2)  # fewer positions than channels: rank 4 of 6
    grams = gram_matrix(features)
    torch.testing.assert_close(grams, grams.mT)
    eigenvalues = torch.linalg.eigvalsh(grams)
    assert eigenvalues.min() > -1e-12
    assert eigenvalues[:, :2].abs().max() < 1e-12
    torch.testing.assert_close(gram_matrix(-3 * features), 9 * grams)


def test_gram_matrix_of_a_tiled_texture_stays_the_same() -> None:
    features = maps(1, 3, 4, 5)
    tiled = features.repeat(1, 1, 3, 2)
    torch.testing.assert_close(gram_matrix(tiled), gram_matrix(features))
    larger = gram_matrix(tiled, divide_by="none")
    torch.testing.assert_close(larger, 6 * gram_matrix(features, divide_by="none"))


def test_gram_matrix_takes_maps_that_are_not_contiguous() -> None:
    features = maps(2, 5, 4, 3).permute(0, 3, 1, 2)
    assert not features.is_contiguous()
    torch.testing.assert_close(gram_matrix(features), loop_gram(features, "hw"))


def test_style_loss_by_hand_and_against_the_papers() -> None:
    gram, target = (
        torch.tensor([[[1.0, 2.0], [2.0, 0.0]]]),
        torch.tensor([[[0.0, 0.0], [2.0, 3.0]]]),
    )
    assert style_loss(gram, target).item() == (1 + 4 + 0 + 9) / 4
    F, S = maps(1, 3, 4, 5), maps(1, 3, 4, 5)
    G, A = loop_gram(F, "none"), loop_gram(S, "none")
    paper = sum(d * d for d in (G - A).flatten().tolist()) / (4 * 3**2 * 20**2)  # equation 4
    assert style_loss(gram_matrix(F), gram_matrix(S)).item() == pytest.approx(4 * paper)


def test_style_loss_is_zero_for_equal_symmetric_and_scales_with_the_fourth_power() -> None:
    F, S = maps(2, 3, 4, 5), maps(2, 3, 6, 3)
    G, A = gram_matrix(F), gram_matrix(S)
    assert style_loss(G, G).item() == 0
    torch.testing.assert_close(style_loss(G, A), style_loss(A, G))
    scaled = style_loss(gram_matrix(2 * F), gram_matrix(2 * S))
    torch.testing.assert_close(scaled, 16 * style_loss(G, A))


def test_total_variation_by_hand() -> None:
    image = torch.tensor([[[[0.0, 1.0, 1.0], [0.5, 1.0, 0.0]]]])
    down, right = (0.25 + 0 + 1) / 3, (1 + 0 + 0.25 + 1) / 4
    assert total_variation_loss(image).item() == pytest.approx(down + right)


def test_total_variation_agrees_with_the_loop_and_ignores_flat_pictures() -> None:
    image = maps(2, 3, 4, 5)
    assert total_variation_loss(image).item() == pytest.approx(loop_total_variation(image))
    assert total_variation_loss(image + 7).item() == pytest.approx(loop_total_variation(image))
    assert total_variation_loss(torch.full((1, 3, 4, 5), 0.3)).item() == 0
    torch.testing.assert_close(total_variation_loss(image.mT), total_variation_loss(image))


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 1, 4), (1, 3, 4, 1)])
def test_total_variation_of_a_line_is_finite(shape: tuple[int, ...]) -> None:
    image = torch.arange(math.prod(shape), dtype=torch.float64).view(shape).requires_grad_()
    loss = total_variation_loss(image)
    assert loss.item() == (0 if shape[2] == shape[3] else 1)
    (gradient,) = torch.autograd.grad(loss, image)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda f, t: content_loss(f, t),
        lambda f, t: content_loss(f, t, error="absolute", reduction="sum"),
        lambda f, t: style_loss(gram_matrix(f), gram_matrix(t)),
        lambda f, t: style_loss(gram_matrix(f, divide_by="chw"), gram_matrix(t, divide_by="chw")),
        lambda f, t: total_variation_loss(f - t),
    ],
)
def test_gradients_agree_with_finite_differences(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    features, target = maps(2, 3, 4, 5).requires_grad_(), maps(2, 3, 4, 5)
    assert torch.autograd.gradcheck(loss, (features, target))


def test_shapes_that_torch_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 3, 4, 5\) and \(2, 3, 4, 5\)"):
        content_loss(maps(1, 3, 4, 5), maps(2, 3, 4, 5))
    with pytest.raises(ValueError, match="same shape"):
        style_loss(maps(2, 3, 3), maps(1, 3, 3))
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), not \(3, 4, 5\)"):
        gram_matrix(maps(3, 4, 5))


def test_unknown_choices_are_named_with_the_right_ones() -> None:
    F = maps(1, 2, 2, 2)
    with pytest.raises(ValueError, match=r"unknown error 'square'. Did you mean 'squared'"):
        content_loss(F, F, error="square")
    with pytest.raises(ValueError, match=r"unknown reduction 'average'.*mean, sum"):
        content_loss(F, F, reduction="average")
    with pytest.raises(ValueError, match=r"unknown divide_by 'wh'.*hw, chw, none"):
        gram_matrix(F, divide_by="wh")


def test_the_fast_gram_matrix_has_the_plain_one_s_values_and_gradients() -> None:
    """Also for a loss that treats entry (c, d) and entry (d, c) differently."""
    torch.manual_seed(0)
    features = torch.randn(2, 5, 7, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 5, 5, dtype=torch.float64)
    for layout in (torch.contiguous_format, torch.channels_last):
        maps = features.contiguous(memory_format=layout)
        results = []
        for gram in (gram_matrix, fast.gram_matrix):
            value = gram(maps)
            loss = (weights * value.sin()).sum()
            results.append((value, *torch.autograd.grad(loss, features, retain_graph=True)))
        for plain, quick in zip(*results, strict=True):
            torch.testing.assert_close(quick, plain, rtol=1e-12, atol=1e-12)
