"""Every fast path against a plain one in float64: how far the loss and its gradient may be off."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_edu.features import Backbone, load_backbone
from nst_edu.images import load_image, resize
from nst_edu.losses import content_loss, gram_matrix, style_loss
from nst_edu.objective import Objective, mean_square
from nst_edu.transfer import style_transfer_steps

# (loss, gradient): relative errors at most. Measured here at 96 px: 7e-8 and 1e-6 in float32. Near
# a tie, rounding decides which pixel wins a pooling; one that falls otherwise costs the gradient
# up to 4e-3 (measured at 256 px). In bfloat16, with its 8 bits, many do: 4e-4 and 0.09 for
# `compact`, 2e-4 and 0.17 for `random`.
BARS = {
    ("compact", "float32"): (1e-6, 5e-3),
    ("random", "float32"): (1e-6, 2e-2),
    ("compact", "bfloat16"): (2e-3, 0.25),
    ("random", "bfloat16"): (2e-3, 0.35),
}


def plain_maps(network: Backbone, image: Tensor) -> dict[str, Tensor]:
    """Compute all maps in float64: one layer after the other, nothing in place."""
    maps, x = {}, (image.double() - network.mean) / network.std
    for name, stage in network.stages.items():
        if isinstance(stage, nn.Conv2d):
            mode = "replicate" if stage.padding_mode == "replicate" else "constant"
            assert stage.bias is not None
            x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode), stage.weight.double(), stage.bias.double())
        else:
            x = F.relu(x) if isinstance(stage, nn.ReLU) else F.max_pool2d(x, 2)
        maps[name] = x
    return maps


def plain_loss(network: Backbone, image: Tensor, photo: Tensor, style: Tensor) -> Tensor:
    """Compute the default objective from `plain_maps`."""
    maps, wanted, styles = (plain_maps(network, picture) for picture in (image, photo, style))
    total = torch.zeros((), dtype=torch.float64)
    for name in network.content_layers:
        part = content_loss(maps[name], wanted[name]) / mean_square(wanted[name])
        total = total + part / len(network.content_layers)
    for name in network.style_layers:
        gram = gram_matrix(styles[name])
        part = style_loss(gram_matrix(maps[name]), gram) / mean_square(gram)
        total = total + 50 * part / len(network.style_layers)
    return total


@pytest.mark.parametrize(("name", "precision"), BARS)
def test_loss_and_gradient_are_those_of_the_plain_way_in_float64(name: str, precision: str) -> None:
    photo = load_image("chelsea", size=96)
    style = load_image("swirl", size=96)
    start = 0.5 * photo + 0.5 * resize(style, (photo.shape[2], photo.shape[3])).flip(3)

    image = start.clone().requires_grad_()
    loss = Objective(load_backbone(name, device="cpu", precision=precision), photo, style)(image)
    (gradient,) = torch.autograd.grad(loss.total, image)
    image = start.double().requires_grad_()
    exact = plain_loss(load_backbone(name, device="cpu"), image, photo, style)
    (slope,) = torch.autograd.grad(exact, image)

    of_loss = abs(loss.total.item() - exact.item()) / exact.item()
    of_gradient = ((gradient - slope).norm() / slope.norm()).item()
    assert gradient.dtype == loss.total.dtype == torch.float32
    most_loss, most_gradient = BARS[name, precision]
    assert of_loss < most_loss, (of_loss, of_gradient)
    assert of_gradient < most_gradient, (of_loss, of_gradient)


def test_bfloat16_paints_as_well() -> None:
    """In the end it is the picture that counts: float32 judges both."""
    photo, style = load_image("chelsea", size=96), load_image("swirl", size=96)
    judge = Objective(load_backbone("compact", device="cpu"), photo, style)
    found = {}
    for precision in ("float32", "bfloat16"):
        network = load_backbone("compact", device="cpu", precision=precision)
        steps = style_transfer_steps(photo, style, backbone=network, steps=40)
        found[precision] = min(judge(step.image).total.item() for step in steps)
    assert found["bfloat16"] < 1.1 * found["float32"]
