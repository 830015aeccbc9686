"""The layers against torch, scipy, hand-worked values and slow loops, in value and gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor

from nst_edu.layers import (
    PADDING_MODES,
    POOLING_MODES,
    convolution_matrix,
    convolve2d,
    cross_correlate2d,
    linear,
    output_size,
    pad2d,
    pool2d,
    receptive_field,
    relu,
)

DTYPES = (torch.float32, torch.float64)
TORCH_MODE = {"zeros": "constant"}  # the others have the same name there


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draw normal numbers that take gradients."""
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def assert_same(
    ours: Callable[..., Tensor], reference: Callable[..., Tensor], *inputs: Tensor
) -> None:
    """Compare values, types and gradients, and check that the inputs stay what they were."""
    before = [x.detach().clone() for x in inputs]
    found, expected = ours(*inputs), reference(*inputs)
    rtol, atol = (1e-4, 1e-5) if found.dtype == torch.float32 else (1e-7, 1e-7)
    torch.testing.assert_close(found, expected, rtol=rtol, atol=atol)
    weights = torch.randn_like(expected)
    for x, y in zip(
        torch.autograd.grad(found, inputs, weights),
        torch.autograd.grad(expected, inputs, weights),
        strict=True,
    ):
        torch.testing.assert_close(x, y, rtol=rtol, atol=atol)
    assert all(map(torch.equal, before, inputs))


def test_output_size_counts_places() -> None:
    for size, window, padding, stride in itertools.product(
        range(1, 9), range(1, 5), (0, 1), (1, 3)
    ):
        padded = size + 2 * padding
        places = [left for left in range(0, padded, stride) if left + window <= padded]
        if places:
            assert output_size(size, window, padding=padding, stride=stride) == len(places)
        else:
            with pytest.raises(ValueError, match="does not fit"):
                output_size(size, window, padding=padding, stride=stride)


@pytest.mark.parametrize("bad", [{"stride": 0}, {"padding": -1}, {"stride": 1.5}])
def test_output_size_refuses_nonsense(bad: dict[str, int]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(bad))):
        output_size(5, 3, **bad)


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_pad2d_agrees_with_torch(mode: str, padding: int) -> None:
    def reference(images: Tensor) -> Tensor:
        return F.pad(images, (padding,) * 4, mode=TORCH_MODE.get(mode, mode))

    assert_same(lambda images: pad2d(images, padding, mode), reference, draw(2, 3, 4, 6))


def test_pad2d_by_hand() -> None:
    row = torch.tensor([[[[1.0, 2.0, 3.0]]]]).expand(1, 1, 3, 3)
    middle = {mode: pad2d(row, 2, mode)[0, 0, 2].tolist() for mode in PADDING_MODES}
    assert middle == {
        "zeros": [0, 0, 1, 2, 3, 0, 0],
        "reflect": [3, 2, 1, 2, 3, 2, 1],
        "replicate": [1, 1, 1, 2, 3, 3, 3],
        "circular": [2, 3, 1, 2, 3, 1, 2],
    }


def test_pad2d_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="cannot be reflected"):
        pad2d(torch.zeros(1, 1, 3, 5), 3, "reflect")
    with pytest.raises(ValueError, match="Did you mean 'zeros'"):
        pad2d(torch.zeros(1, 1, 3, 5), 1, "zero")
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), not \(3, 5\)"):
        pad2d(torch.zeros(3, 5), 1)


def loop_cross_correlation(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Sum products one by one: the formula read aloud."""
    (n, _, height, width), (c_out, c_in, kh, kw) = x.shape, w.shape
    result = torch.zeros(n, c_out, height - kh + 1, width - kw + 1, dtype=x.dtype)
    for m, k, i, j in itertools.product(*map(range, result.shape)):
        total = b[k].item()
        for c, u, v in itertools.product(range(c_in), range(kh), range(kw)):
            total += w[k, c, u, v].item() * x[m, c, i + u, j + v].item()
        result[m, k, i, j] = total
    return result


def test_cross_correlate2d_agrees_with_the_loop() -> None:
    x, w, b = draw(2, 3, 5, 6), draw(4, 3, 3, 2), draw(4)
    torch.testing.assert_close(cross_correlate2d(x, w, b).detach(), loop_cross_correlation(x, w, b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "window"), [((2, 3, 7, 5), (3, 3)), ((1, 1, 4, 9), (2, 4)), ((2, 2, 5, 5), (1, 1))]
)
@pytest.mark.parametrize(("padding", "stride"), [(0, 1), (1, 2), (2, 3)])
def test_cross_correlate2d_agrees_with_torch(
    dtype: torch.dtype,
    shape: tuple[int, ...],
    window: tuple[int, int],
    padding: int,
    stride: int,
) -> None:
    x, b = draw(*shape, dtype=dtype), draw(4, dtype=dtype)
    w = draw(4, shape[1], *window, dtype=dtype)
    assert_same(
        lambda x, w, b: cross_correlate2d(x, w, b, padding=padding, stride=stride),
        lambda x, w, b: F.conv2d(x, w, b, padding=padding, stride=stride),
        *(x, w, b),
    )


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_cross_correlate2d_pads_like_torchs_layer(mode: Any) -> None:
    layer = torch.nn.Conv2d(3, 4, 3, padding=2, padding_mode=mode, dtype=torch.float64)
    x = draw(2, 3, 6, 5)
    ours = cross_correlate2d(x, layer.weight, layer.bias, padding=2, padding_mode=mode)
    torch.testing.assert_close(ours, layer(x))


def test_convolve2d_agrees_with_scipy() -> None:
    x, w = draw(1, 1, 6, 8).detach(), draw(1, 1, 3, 4).detach()
    expected = scipy.signal.convolve2d(x[0, 0].numpy(), w[0, 0].numpy(), mode="valid")
    np.testing.assert_allclose(convolve2d(x, w)[0, 0].numpy(), expected)
    turned = scipy.signal.correlate2d(x[0, 0].numpy(), w[0, 0].numpy(), mode="valid")
    np.testing.assert_allclose(cross_correlate2d(x, w)[0, 0].numpy(), turned)


def test_convolve2d_passes_everything_on_and_has_gradients() -> None:
    x, w, b = draw(2, 3, 6, 5), draw(4, 3, 3, 3), draw(4)
    assert_same(
        lambda x, w, b: convolve2d(x, w, b, padding=1, padding_mode="circular", stride=2),
        lambda x, w, b: F.conv2d(F.pad(x, (1,) * 4, "circular"), w.rot90(2, (2, 3)), b, stride=2),
        *(x, w, b),
    )


def test_the_impulse_shows_the_kernel_and_the_turned_kernel() -> None:
    impulse = torch.zeros(1, 1, 5, 5)
    impulse[0, 0, 2, 2] = 1
    kernel = torch.arange(9.0).view(1, 1, 3, 3)
    assert torch.equal(convolve2d(impulse, kernel), kernel)
    assert torch.equal(cross_correlate2d(impulse, kernel), kernel.rot90(2, (2, 3)))


def test_convolutions_explain_shapes_that_do_not_fit() -> None:
    x, w = torch.zeros(1, 3, 5, 5), torch.zeros(2, 3, 3, 3)
    with pytest.raises(ValueError, match="images have 3 channels and the kernels expect 1"):
        cross_correlate2d(x, w[:, :1])
    with pytest.raises(ValueError, match=r"bias must have shape \(2,\), not \(1, 2\)"):
        cross_correlate2d(x, w, torch.zeros(1, 2))
    with pytest.raises(ValueError, match="C_out, C_in, kh, kw"):
        convolve2d(x, w[0])
    with pytest.raises(ValueError, match="a window of 3 does not fit on 2"):
        cross_correlate2d(x[:, :, :2], w)
    with pytest.raises(TypeError, match="kernels must be a tensor, not list"):
        cross_correlate2d(x, w.tolist())  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("window", "stride"), [(2, None), (3, 2), (2, 3), (1, 1)])
@pytest.mark.parametrize("mode", POOLING_MODES)
def test_pool2d_agrees_with_torch(
    mode: str, window: int, stride: int | None, dtype: torch.dtype
) -> None:
    def reference(x: Tensor) -> Tensor:
        if mode == "average":
            return F.avg_pool2d(x, window, stride)
        sign = 1 if mode == "max" else -1
        return sign * F.max_pool2d(sign * x, window, stride)

    x = draw(2, 3, 7, 5, dtype=dtype)
    assert_same(lambda x: pool2d(x, window, stride=stride, mode=mode), reference, x)


def test_max_pooling_gives_ties_the_gradient_that_torch_gives() -> None:
    x = relu(draw(2, 3, 6, 8)).detach().requires_grad_()  # many windows of zeros
    assert_same(lambda x: pool2d(x, 2), lambda x: F.max_pool2d(x, 2), x)


def test_pool2d_refuses_unknown_modes() -> None:
    with pytest.raises(ValueError, match="unknown pooling mode 'mean'"):
        pool2d(torch.zeros(1, 1, 4, 4), 2, mode="mean")


def test_relu_agrees_with_torch_at_zero_and_beyond_numbers() -> None:
    assert_same(relu, torch.relu, draw(3, 4))
    zero = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    assert_same(relu, torch.relu, zero)
    special = torch.tensor([float("nan"), float("inf"), -float("inf")])
    torch.testing.assert_close(relu(special), torch.relu(special), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_agrees_with_torch(dtype: torch.dtype) -> None:
    x, weight, bias = (draw(*shape, dtype=dtype) for shape in ((3, 5), (4, 5), (4,)))
    assert_same(linear, F.linear, x, weight, bias)
    assert_same(linear, F.linear, x, weight)


def test_linear_explains_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"x\.flatten\(1\) first"):
        linear(torch.zeros(1, 3, 2, 2), torch.zeros(4, 12))
    with pytest.raises(ValueError, match="same number of inputs"):
        linear(torch.zeros(1, 11), torch.zeros(4, 12))
    with pytest.raises(ValueError, match="bias must have shape"):
        linear(torch.zeros(1, 12), torch.zeros(4, 12), torch.zeros(4, 1))


@pytest.mark.parametrize(("height", "width"), [(4, 5), (3, 3), (2, 6)])
def test_convolution_matrix_is_the_same_map(height: int, width: int) -> None:
    w, x = draw(2, 3, 2, 3), draw(4, 3, height, width)
    matrix = convolution_matrix(w, height, width)
    assert matrix.shape == (2 * (height - 1) * (width - 2), 3 * height * width)
    assert_same(
        lambda w, x: linear(x.flatten(1), convolution_matrix(w, height, width)),
        lambda w, x: F.conv2d(x, w).flatten(1),
        *(w, x),
    )


@pytest.mark.parametrize(
    "layers", [[(3, 1)], [(3, 1), (3, 1)], [(5, 2), (2, 2), (3, 1)], [(1, 3), (4, 1)], [(2, 5)]]
)
def test_receptive_field_is_what_the_gradient_reaches(layers: list[tuple[int, int]]) -> None:
    x = torch.ones(1, 1, 60, 60, requires_grad=True)
    y = x
    for window, stride in layers:
        y = cross_correlate2d(y, torch.ones(1, 1, window, window), stride=stride)
    y[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert int(x.grad.nonzero().max()) + 1 == receptive_field(layers)


def test_receptive_field_of_vggs_layers() -> None:
    block, pool = [(3, 1), (3, 1)], (2, 2)
    assert receptive_field([]) == 1
    assert receptive_field([*block, pool, *block]) == 14  # relu2_2
