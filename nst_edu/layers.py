r"""The layers of a convolutional network, written out slowly (lessons 1 to 3).

Each function does what torch's own does, in value and in gradient, with nothing but sums, products
and comparisons of tensors. It is here to be read; `torch.nn.functional` is there to be fast.

Sources: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016,
arXiv:1603.07285) for sizes; Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional
Neural Networks" (Distill, 2019) for receptive fields.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nst_edu.checks import check_count, check_name

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
POOLING_MODES = ("max", "min", "average")


def output_size(size: int, window: int, *, padding: int = 0, stride: int = 1) -> int:
    r"""Count the places at which a window fits on a line.

    .. math:: \left\lfloor \frac{size + 2\,padding - window}{stride} \right\rfloor + 1

    Parameters
    ----------
    size
        Pixels on the line, without padding.
    window
        Pixels that the window covers.
    padding
        Pixels added at *each* end.
    stride
        Pixels from one place to the next.

    Raises
    ------
    ValueError
        If the window is longer than the padded line.

    Examples
    --------
    >>> output_size(5, 3), output_size(5, 3, padding=1), output_size(6, 3, stride=2)
    (3, 5, 2)
    """
    size, window = check_count(size, "size"), check_count(window, "window")
    padding = check_count(padding, "padding", smallest=0)
    padded = size + 2 * padding
    if window > padded:
        raise ValueError(
            f"a window of {window} does not fit on {padded} pixels ({size}, and {padding} of "
            "padding at each end). Use a smaller window, a larger picture or more padding"
        )
    return (padded - window) // check_count(stride, "stride") + 1


def pad2d(images: Tensor, padding: int, mode: str = "zeros") -> Tensor:
    """Add a frame around each picture.

    Parameters
    ----------
    images
        Shape (N, C, H, W).
    padding
        Width of the frame in pixels.
    mode
        With a, b, c, d as the row and two pixels of padding:
        ``"zeros"``: 0 0 a b c d 0 0;
        ``"reflect"``: c b a b c d c b (a mirror *on* the border pixel, which is not repeated);
        ``"replicate"``: a a a b c d d d;
        ``"circular"``: c d a b c d a b.

    Returns
    -------
    Tensor
        (N, C, H + 2·padding, W + 2·padding).

    Raises
    ------
    ValueError
        For an unknown mode, or if ``"reflect"`` needs more pixels than there are.

    Examples
    --------
    >>> row = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> pad2d(row, 1)[0, 0, 1].tolist()
    [0.0, 1.0, 2.0, 3.0, 0.0]
    >>> pad2d(row, 1, "circular")[0, 0, 1].tolist()
    [3.0, 1.0, 2.0, 3.0, 1.0]
    """
    _check_dimensions(images, "images", "N, C, H, W")
    check_name(mode, PADDING_MODES, "padding mode")
    padding = check_count(padding, "padding", smallest=0)
    n, c, h, w = images.shape
    if mode == "zeros":
        padded = images.new_zeros(n, c, h + 2 * padding, w + 2 * padding)
        padded[:, :, padding : padding + h, padding : padding + w] = images
        return padded
    rows, columns = (_source_positions(size, padding, mode) for size in (h, w))
    return images[:, :, rows][:, :, :, columns]  # -> (N, C, H + 2p, W) -> (N, C, H + 2p, W + 2p)


def _source_positions(size: int, padding: int, mode: str) -> list[int]:
    """Say for each position of a padded line which pixel of the line comes there."""
    if mode == "reflect" and padding >= size:
        raise ValueError(
            f"padding {padding} cannot be reflected from {size} pixels: it must be less than "
            'their number. Use less padding, or the mode "replicate"'
        )
    places = range(-padding, size + padding)  # those below 0 and from size on are in the frame
    if mode == "circular":
        return [place % size for place in places]
    if mode == "replicate":
        return [min(max(place, 0), size - 1) for place in places]
    last = size - 1
    return [last - abs(last - abs(place)) for place in places]


def cross_correlate2d(
    images: Tensor,
    kernels: Tensor,
    bias: Tensor | None = None,
    *,
    padding: int = 0,
    padding_mode: str = "zeros",
    stride: int = 1,
) -> Tensor:
    r"""Slide kernels over pictures: what deep learning calls a convolution.

    .. math:: y_{k,i,j} = b_k + \sum_c \sum_{u,v} w_{k,c,u,v}\, x_{c,\,si+u,\,sj+v}

    where *s* is the stride and *x* the padded picture. The sum runs over all input channels *c*,
    so each kernel gives one output channel. `torch.nn.functional.conv2d` computes the same.

    Parameters
    ----------
    images
        Shape (N, C_in, H, W).
    kernels
        Shape (C_out, C_in, kh, kw).
    bias
        Shape (C_out,): one number for each output channel. None: 0.
    padding, padding_mode
        See `pad2d`.
    stride
        Pixels from one place of the kernel to the next.

    Returns
    -------
    Tensor
        (N, C_out, H_out, W_out), sizes as in `output_size`.

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> row = torch.tensor([[[[1.0, 2.0, 4.0, 8.0]]]])
    >>> cross_correlate2d(row, torch.tensor([[[[-1.0, 1.0]]]])).tolist()  # right minus left
    [[[[1.0, 2.0, 4.0]]]]
    """
    _check_dimensions(kernels, "kernels", "C_out, C_in, kh, kw")
    padded = pad2d(images, padding, padding_mode)
    c_out, c_in, kh, kw = kernels.shape
    if padded.shape[1] != c_in:
        raise ValueError(
            f"images have {padded.shape[1]} channels and the kernels expect {c_in}: the second "
            "number of both shapes must be the same"
        )
    if bias is not None and bias.shape != (c_out,):
        raise ValueError(f"bias must have shape ({c_out},), not {tuple(bias.shape)}")
    result: Tensor | float = 0.0
    for (u, v), shifted in _windows(padded, kh, kw, stride):
        # One number of every kernel, times the pixels that it meets, summed over the channels.
        result = result + torch.einsum("kc,ncij->nkij", kernels[:, :, u, v], shifted)
    assert isinstance(result, Tensor)  # a kernel has at least one number
    return result if bias is None else result + bias.view(1, c_out, 1, 1)


def convolve2d(
    images: Tensor,
    kernels: Tensor,
    bias: Tensor | None = None,
    *,
    padding: int = 0,
    padding_mode: str = "zeros",
    stride: int = 1,
) -> Tensor:
    r"""Convolve in the sense of mathematics and signal processing: the kernel is turned by 180°.

    .. math:: y_{k,i,j} = b_k
       + \sum_c \sum_{u,v} w_{k,c,\,kh-1-u,\,kw-1-v}\, x_{c,\,si+u,\,sj+v}

    Equal to `cross_correlate2d` exactly when the turned kernel is equal to the kernel.
    `scipy.signal.convolve2d` computes the same for one channel.

    Parameters
    ----------
    images, kernels, bias, padding, padding_mode, stride
        As for `cross_correlate2d`.

    Returns
    -------
    Tensor
        (N, C_out, H_out, W_out).

    Examples
    --------
    >>> row = torch.tensor([[[[1.0, 2.0, 4.0, 8.0]]]])
    >>> convolve2d(row, torch.tensor([[[[-1.0, 1.0]]]])).tolist()  # left minus right
    [[[[-1.0, -2.0, -4.0]]]]
    """
    turned = kernels.flip(-2, -1)
    return cross_correlate2d(
        images, turned, bias, padding=padding, padding_mode=padding_mode, stride=stride
    )


def pool2d(images: Tensor, window: int, *, stride: int | None = None, mode: str = "max") -> Tensor:
    """Replace each window of pixels by one number, channel by channel. Nothing is learned.

    Parameters
    ----------
    images
        Shape (N, C, H, W).
    window
        Side of the square window, in pixels.
    stride
        Pixels from one window to the next. None: `window`, so that windows do not overlap.
    mode
        ``"max"``, ``"min"`` or ``"average"``.

    Returns
    -------
    Tensor
        (N, C, H_out, W_out), sizes as in `output_size`. Pixels at the right and lower border that
        fill no window are left out.

    Examples
    --------
    >>> image = torch.tensor([[[[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]]])
    >>> pool2d(image, 2).item(), pool2d(image, 2, mode="average").item()
    (4.0, 2.5)
    >>> pool2d(image, 2, stride=1, mode="min").tolist()
    [[[[1.0, 2.0]]]]
    """
    _check_dimensions(images, "images", "N, C, H, W")
    check_name(mode, POOLING_MODES, "pooling mode")
    step = window if stride is None else stride
    shifted = torch.stack([part for _, part in _windows(images, window, window, step)])
    if mode == "average":  # shifted: (window·window, N, C, H_out, W_out)
        return shifted.mean(dim=0)
    return shifted.max(dim=0).values if mode == "max" else shifted.min(dim=0).values


def _windows(
    images: Tensor, height: int, width: int, stride: int
) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Yield each place (u, v) of a window, and the pixel that every window has there.

    The pixels come as one tensor (N, C, H_out, W_out): the picture, shifted by (u, v).
    """
    h_out = output_size(images.shape[-2], height, stride=stride)
    w_out = output_size(images.shape[-1], width, stride=stride)
    for u, v in itertools.product(range(height), range(width)):
        bottom, right = u + (h_out - 1) * stride + 1, v + (w_out - 1) * stride + 1
        yield (u, v), images[:, :, u:bottom:stride, v:right:stride]


def relu(x: Tensor) -> Tensor:
    """Replace negative numbers by 0, in a new tensor: max(x, 0).

    Examples
    --------
    >>> relu(torch.tensor([-1.5, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return torch.where(x <= 0, torch.zeros_like(x), x)  # NaN is not <= 0, and stays


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Apply a dense (fully connected) layer: each output is a weighted sum of all inputs.

    .. math:: y_k = b_k + \sum_i W_{ki}\, x_i

    Parameters
    ----------
    x
        Shape (N, inputs).
    weight
        Shape (outputs, inputs). The number of inputs is fixed by the weights.
    bias
        Shape (outputs,). None: 0.

    Returns
    -------
    Tensor
        (N, outputs).

    Raises
    ------
    ValueError
        If the number of inputs is another than that of the weights.

    Examples
    --------
    >>> linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[10.0, 1.0]]), torch.tensor([0.5]))
    tensor([[12.5000]])
    """
    if x.ndim != 2 or weight.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(
            f"x must be (N, inputs) and weight (outputs, inputs), with the same number of inputs, "
            f"not {tuple(x.shape)} and {tuple(weight.shape)}. For pictures: x.flatten(1) first"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias must have shape ({len(weight)},), not {tuple(bias.shape)}")
    sums = (x[:, None, :] * weight).sum(
        dim=-1
    )  # (N, 1, in) * (out, in) -> (N, out, in) -> (N, out)
    return sums if bias is None else sums + bias


def convolution_matrix(kernels: Tensor, height: int, width: int) -> Tensor:
    """Write `cross_correlate2d` (no padding, stride 1) as one matrix.

    The columns of a linear map's matrix are what the map makes of the unit vectors. Here these are
    pictures with one pixel of 1 and zeros elsewhere (impulses).

    Parameters
    ----------
    kernels
        Shape (C_out, C_in, kh, kw).
    height, width
        Size of the pictures.

    Returns
    -------
    Tensor
        (C_out·H_out·W_out, C_in·height·width): `linear(images.flatten(1), matrix)` is
        `cross_correlate2d(images, kernels).flatten(1)`.

    Examples
    --------
    >>> convolution_matrix(torch.tensor([[[[-1.0, 1.0]]]]), 1, 3).tolist()
    [[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]]
    """
    _check_dimensions(kernels, "kernels", "C_out, C_in, kh, kw")
    pixels = kernels.shape[1] * height * width
    impulses = torch.eye(pixels, dtype=kernels.dtype, device=kernels.device)
    images = impulses.view(pixels, kernels.shape[1], height, width)
    return cross_correlate2d(images, kernels).flatten(1).T  # (outputs, pixels)


def receptive_field(windows_and_strides: Sequence[tuple[int, int]]) -> int:
    r"""Count the pixels, along one side, that one unit of the last layer sees.

    .. math:: r = 1 + \sum_l (window_l - 1) \prod_{m<l} stride_m

    Parameters
    ----------
    windows_and_strides
        (window, stride) of each layer, convolution or pooling, from the picture on.

    Examples
    --------
    >>> receptive_field([(3, 1), (3, 1)])  # two 3×3 see as far as one 5×5
    5
    >>> receptive_field([(3, 1), (2, 2), (3, 1)])  # behind a pooling layer, steps are longer
    8
    """
    seen, step = 1, 1  # step: pixels from one unit of this layer to its neighbour
    for window, stride in windows_and_strides:
        seen += (check_count(window, "window") - 1) * step
        step *= check_count(stride, "stride")
    return seen


def _check_dimensions(tensor: Tensor, name: str, shape: str) -> None:
    """Refuse a tensor that has not four dimensions, none of them empty."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a tensor, not {type(tensor).__name__}")
    if tensor.ndim != 4 or 0 in tensor.shape:
        raise ValueError(f"{name} must have shape ({shape}), not {tuple(tensor.shape)}")
