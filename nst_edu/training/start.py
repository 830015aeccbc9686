"""What a run begins with: a student that copies the small teacher, with its dead channels replaced.

Where there is no small teacher (torchvision's VGG-19 gives all layers), it begins at random.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nst_edu.features import Backbone, vgg_stages

DEAD = 1e-3  # a channel that answers at fewer than one position in a thousand
SILENT = 1e-6  # a layer whose mean is not above this answers to nothing: there is nothing to scale


@torch.no_grad()
def make_student(
    channels: tuple[int, ...], slim: Backbone | None, image: Tensor, generator: torch.Generator
) -> Backbone:
    """Return a trainable network of these widths, every layer's mean activation 1 on `image`."""
    student = Backbone("student", vgg_stages("compact", channels))
    student.to(memory_format=torch.channels_last)
    if slim is not None:
        student.stages.load_state_dict(slim.stages.state_dict())
        equalise(student, image)
        revive(student, image, generator)
    else:
        for conv in convolutions(student).values():
            fan_in = conv.weight[0].numel()
            conv.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            conv.bias.zero_()  # type: ignore[union-attr]  # every convolution here has one
    equalise(student, image)
    return student.requires_grad_(True)


def convolutions(network: Backbone) -> dict[str, nn.Conv2d]:
    """Return the convolutions by the name of the ReLU that follows each."""
    stages = network.stages.items()
    return {n.replace("conv", "relu"): s for n, s in stages if isinstance(s, nn.Conv2d)}


@torch.no_grad()
def equalise(network: Backbone, image: Tensor) -> None:
    """Scale every layer to a mean activation of 1 on `image`, (N, 3, H, W).

    ReLU(s·x) = s·ReLU(x) for s > 0: a layer is multiplied by s, and the next layer's weights are
    divided by it, so that what the network computes stays the same up to that factor (Gatys et al.
    2015, section "Methods", rescale VGG in this way).
    """
    before = 1.0
    for relu, conv in convolutions(network).items():
        conv.weight.div_(before)
        mean = float(network(image, [relu])[relu].mean())
        mean = mean if mean > SILENT else 1.0
        conv.weight.div_(mean)
        conv.bias.div_(mean)  # type: ignore[union-attr]  # every convolution here has one
        before = 1 / mean


@torch.no_grad()
def revive(network: Backbone, image: Tensor, generator: torch.Generator) -> int:
    """Give each channel that never answers a random new filter; return how many there were.

    What follows listens to a new channel with small random weights, so that the rest of the network
    goes on nearly as before.
    """
    layers = list(convolutions(network).items())
    count = 0
    for number, (relu, conv) in enumerate(layers):
        dead = (network(image, [relu])[relu] > 0).float().mean((0, 2, 3)) < DEAD
        count += int(dead.sum())
        if not dead.any():
            continue
        conv.weight[dead] = torch.randn(conv.weight[dead].shape, generator=generator)
        before = network(image, [relu.replace("relu", "conv")]).popitem()[1][:, dead]
        centre = before.mean((0, 2, 3))  # so much too high: it would answer everywhere or nowhere
        size = (before - centre.view(-1, 1, 1)).relu().mean((0, 2, 3)).clamp_min(SILENT)
        conv.weight[dead] /= size.view(-1, 1, 1, 1)
        conv.bias[dead] -= centre  # type: ignore[index]  # every convolution here has one
        conv.bias[dead] /= size  # type: ignore[index]
        if number + 1 < len(layers):
            weight = layers[number + 1][1].weight
            noise = torch.randn(weight[:, dead].shape, generator=generator)
            weight[:, dead] = 0.1 * (2 / weight[0].numel()) ** 0.5 * noise
    return count


def least_squares(seen: Tensor, target: Tensor) -> nn.Linear:
    """Return the linear map from (P, C_s) to (P, C_t) with the least squared error."""
    x, y = seen.double(), target.double()
    ridge = 1e-3 * x.square().mean() * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    adapter = nn.Linear(x.shape[1], y.shape[1], bias=False)
    with torch.no_grad():
        adapter.weight.copy_(torch.linalg.solve(x.mT @ x + ridge, x.mT @ y).mT)
    return adapter
