r"""The losses of neural style transfer, as pure functions of tensors (lessons 6 and 7).

Sources: Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015, arXiv:1508.06576)
and "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from nst_edu.checks import check_name

ERRORS = ("squared", "absolute")
REDUCTIONS = ("mean", "sum")
GRAM_DIVISORS = ("hw", "chw", "none")


def content_loss(
    features: Tensor, target: Tensor, *, error: str = "squared", reduction: str = "mean"
) -> Tensor:
    r"""Measure how far feature maps are from the photo's feature maps.

    .. math:: L_{content} = \frac{1}{n} \sum_i (F_i - P_i)^2
       \quad\text{or}\quad \frac{1}{n} \sum_i |F_i - P_i|

    where *n* is the number of entries. The paper (2015, equation 1) takes
    :math:`\frac{1}{2} \sum_i (F_i - P_i)^2`: ``reduction="sum"`` is twice that.

    Parameters
    ----------
    features, target
        Feature maps of equal shape, for example (N, C, H, W).
    error
        ``"squared"``, or ``"absolute"`` (L1, which minds one large difference less).
    reduction
        ``"mean"`` does not depend on the picture's size; ``"sum"`` grows with it.

    Returns
    -------
    Tensor
        A scalar, 0 when the maps agree.

    Raises
    ------
    ValueError
        If the shapes differ, or for an unknown `error` or `reduction`.

    Examples
    --------
    >>> import torch
    >>> content_loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]))  # (1 + 9) / 2
    tensor(5.)
    >>> content_loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]), error="absolute")
    tensor(2.)
    """
    check_name(error, ERRORS, "error")
    check_name(reduction, REDUCTIONS, "reduction")
    _check_same_shape(features, target)
    measure = F.mse_loss if error == "squared" else F.l1_loss
    return measure(features, target, reduction=reduction)


def gram_matrix(features: Tensor, *, divide_by: str = "hw") -> Tensor:
    r"""Compute the Gram matrix of feature maps: which channels respond together.

    .. math:: G_{cd} = \frac{1}{H W} \sum_{y,x} F_{cyx} F_{dyx}

    The sum runs over all positions, so the Gram matrix does not know where anything is. The paper
    (2015, equation 3) does not divide here; it divides the loss by :math:`4 C^2 (HW)^2` instead.

    Parameters
    ----------
    features
        Shape (N, C, H, W).
    divide_by
        ``"hw"``: the mean over positions, the same for a small and a large piece of one texture.
        ``"chw"``: also divided by the number of channels. ``"none"``: the plain sum.

    Returns
    -------
    Tensor
        Shape (N, C, C), symmetric; each picture of the batch has its own.

    Raises
    ------
    ValueError
        If `features` does not have four dimensions, or for an unknown `divide_by`.

    Examples
    --------
    >>> import torch
    >>> gram_matrix(torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]]))  # 2 channels, 1×2 positions
    tensor([[[ 2.5000,  5.5000],
             [ 5.5000, 12.5000]]])
    """
    check_name(divide_by, GRAM_DIVISORS, "divide_by")
    if features.ndim != 4:
        raise ValueError(f"features must have shape (N, C, H, W), not {tuple(features.shape)}")
    _, c, h, w = features.shape
    rows = features.flatten(2)  # (N, C, H*W): one row per channel
    divisor = {"hw": h * w, "chw": c * h * w, "none": 1}[divide_by]
    return rows @ rows.mT / divisor  # (N, C, H*W) @ (N, H*W, C) -> (N, C, C)


def style_loss(gram: Tensor, target: Tensor) -> Tensor:
    r"""Measure how far a layer's Gram matrix is from the style picture's.

    .. math:: E_l = \frac{1}{C^2} \sum_{c,d} (G_{cd} - A_{cd})^2

    With Gram matrices divided by H·W this is 4 times the paper's :math:`E_l` (2015, equation 4),
    if both pictures have the same size.

    Parameters
    ----------
    gram, target
        Gram matrices, (N, C, C); the pictures they come from may differ in size.

    Returns
    -------
    Tensor
        A scalar, 0 when the Gram matrices agree.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import torch
    >>> style_loss(torch.zeros(1, 2, 2), torch.tensor([[[1.0, 0.0], [0.0, 3.0]]]))  # (1 + 9) / 4
    tensor(2.5000)
    """
    _check_same_shape(gram, target)
    return F.mse_loss(gram, target)


def total_variation_loss(image: Tensor) -> Tensor:
    r"""Measure how much neighbouring pixels differ: noise costs much, flat areas nothing.

    .. math:: L_{TV} = \operatorname{mean}\,(x_{y+1,x} - x_{y,x})^2
       + \operatorname{mean}\,(x_{y,x+1} - x_{y,x})^2

    The form of Mahendran and Vedaldi (2015, arXiv:1412.0035) with exponent 2, as a mean over all
    neighbouring pairs in place of a sum, so that it does not grow with the picture.

    Parameters
    ----------
    image
        Shape (N, 3, H, W).

    Returns
    -------
    Tensor
        A scalar. A direction in which the picture is one pixel long adds nothing.

    Examples
    --------
    >>> import torch
    >>> total_variation_loss(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]))  # columns differ by 1
    tensor(1.)
    """
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    # The mean of no pairs would be NaN: divide by at least 1.
    return down.square().sum() / max(down.numel(), 1) + right.square().sum() / max(right.numel(), 1)


def _check_same_shape(first: Tensor, second: Tensor) -> None:
    """Refuse what torch would silently broadcast."""
    if first.shape != second.shape:
        raise ValueError(
            f"the two tensors must have the same shape, not {tuple(first.shape)} and "
            f"{tuple(second.shape)}. Compare maps of the same layer (and, for the content loss, "
            "of pictures of the same size)"
        )
