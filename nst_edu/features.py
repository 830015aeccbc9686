"""Feature maps of a fixed network, by the names that papers use (lesson 5).

A *backbone* looks at a picture and returns what its layers respond to. It is never trained here:
its weights are frozen, and gradients flow through it to the pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Literal

import torch
from torch import Tensor, nn

from nst_edu.checks import check_name
from nst_edu.fast import Conv2d, stages_for
from nst_edu.settings import choose_backbone, choose_device
from nst_edu.torchvision_weights import fill_squeezenet, fill_vgg

BACKBONES = ("compact", "vgg16", "vgg19", "squeezenet1_1", "random")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

# Mean and standard deviation of ImageNet's pixels (RGB, range 0 to 1): every network here was
# trained on pictures from which the one was taken and which were divided by the other.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# How many convolutions stand in each of the five levels (a pooling layer ends a level).
VGG_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4), "compact": (2, 2, 4, 4, 1)}
VGG_CHANNELS = {
    "vgg16": (64, 128, 256, 512, 512),
    "vgg19": (64, 128, 256, 512, 512),
    "compact": (16, 32, 64, 128, 128),
}
# Zero padding is what VGG was trained with. `compact` repeats the border pixel instead, so that
# the frame of a picture is not seen as an edge.
VGG_PADDING: dict[str, Literal["zeros", "replicate"]] = {
    "vgg16": "zeros",
    "vgg19": "zeros",
    "compact": "replicate",
}

SQUEEZENET_LAYERS = (
    *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3"),
    *("fire4", "fire5", "pool5", "fire6", "fire7", "fire8", "fire9"),
)


class Backbone(nn.Module):
    """A frozen network whose layers have names; call it to get feature maps.

    Parameters
    ----------
    name
        What to call it in messages.
    stages
        Layer name → module, in the order in which they are applied.
    content_layers, style_layers
        The layers used when the caller names none.

    Examples
    --------
    >>> backbone = load_backbone("compact", device="cpu")
    >>> maps = backbone(torch.rand(1, 3, 64, 48), ["relu1_1", "relu3_1"])
    >>> {name: tuple(map_.shape) for name, map_ in maps.items()}
    {'relu1_1': (1, 16, 64, 48), 'relu3_1': (1, 64, 16, 12)}
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        stages: dict[str, nn.Module],
        *,
        content_layers: tuple[str, ...] = ("relu4_2",),
        style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    ) -> None:
        super().__init__()
        self.name = name
        self.stages = nn.ModuleDict(stages)
        self.content_layers, self.style_layers = content_layers, style_layers
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The names that can be asked for, from the shallowest to the deepest."""
        return tuple(self.stages)

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Compute the feature maps of `image` at `layers`, and nothing deeper.

        Parameters
        ----------
        image
            Shape (N, 3, H, W), RGB, range 0 to 1. The normalisation happens in here.
        layers
            Names from `self.layers`, in any order.

        Returns
        -------
        dict
            Layer name → (N, C, H_l, W_l), in the order asked for.

        Raises
        ------
        ValueError
            For an unknown layer, or if the picture is too small to reach the deepest one.
        """
        wanted = layers if isinstance(layers, str) else list(layers)
        maps = dict(self.walk(image, wanted))
        return {layer: maps[layer] for layer in wanted}

    def walk(self, image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Yield (layer, feature map) as the picture goes through the network: shallow ones first.

        Takes and raises what `forward` does. Whoever looks at a map at once, and lets it go, needs
        less memory: on the way back, too, its gradient is made when it is needed.
        """
        if isinstance(layers, str):
            raise TypeError(f"layers must be a list of names, such as [{layers!r}], not one string")
        wanted = {check_name(layer, self.layers, f"layer of {self.name!r}") for layer in layers}
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"image must have shape (N, 3, H, W), not {tuple(image.shape)}")
        x = self._normalised(image)
        stages = list(stages_for(self.stages, wanted))
        last = dict(stages)  # a pooling comes twice, if the ReLU before it is done after it
        for name, stage in stages:
            self._check_room(name, stage, x, image)
            x = stage(x)
            if name in wanted and stage is last[name]:
                yield name, x.to(image.dtype)

    def _normalised(self, image: Tensor) -> Tensor:
        """Return the picture as the network was trained to see it, in the network's precision."""
        x = (image - self.mean) / self.std
        weight = next(self.stages.parameters(), x)
        return x.to(weight.dtype) if weight.dtype == torch.bfloat16 else x

    def _check_room(self, name: str, stage: nn.Module, x: Tensor, image: Tensor) -> None:
        """Explain a picture that is too small, before torch complains about the window."""
        window = getattr(stage, "kernel_size", 1)
        window = window if isinstance(window, int) else window[0]
        padding = getattr(stage, "padding", 0)
        padding = padding if isinstance(padding, int) else padding[0]
        if min(x.shape[-2:]) + 2 * padding < window:
            height, width = image.shape[-2:]
            shallower = self.layers[: self.layers.index(name)]
            way_out = f", or no layer deeper than {shallower[-1]}" if shallower else ""
            raise ValueError(
                f"a picture of {width}×{height} px is too small for {self.name!r}: nothing is left "
                f"for {name} to look at. Use a larger picture{way_out}"
            )


def load_backbone(
    name: str | None = None,
    *,
    device: str | torch.device | None = None,
    precision: str = "float32",
) -> Backbone:
    """Load a backbone by name.

    Parameters
    ----------
    name
        ``"compact"``: a VGG-19 of a quarter of the width, made for this course, comes with the
        package. ``"vgg16"``, ``"vgg19"``, ``"squeezenet1_1"``: torchvision's ImageNet weights,
        downloaded on first use (VGG: about 550 MB). ``"random"``: VGG-19 with seeded random
        weights, to see what training is good for. None: the environment variable
        ``NST_EDU_BACKBONE``, or else ``"compact"``.
    device
        ``"cpu"``, ``"cuda"``, ``"mps"`` …; None: see `nst_edu.settings.choose_device`.
    precision
        ``"float32"``, or ``"bfloat16"``: the network computes with 8 bits in place of 24, and hands
        out maps of the picture's own type. Sooner done on processors with AMX; not measured on
        others and on GPUs. `benchmarks/README.md` says what it costs.

    Raises
    ------
    ValueError
        For an unknown name, device or precision.
    OSError
        If weights cannot be downloaded or read. The message says where to put the file.
    """
    name = check_name(choose_backbone(name), BACKBONES, "backbone")
    bits = PRECISIONS[check_name(precision, PRECISIONS, "precision")]
    chosen = choose_device(device)
    with torch.random.fork_rng(devices=[]):  # layers draw numbers when made; leave the user's alone
        if name == "squeezenet1_1":
            backbone = _squeezenet()
        else:
            backbone = Backbone(name, vgg_stages("vgg19" if name == "random" else name))
    if name == "random":
        _randomise(backbone)
    elif name == "compact":
        _load_shipped(backbone)
    elif name != "squeezenet1_1":
        fill_vgg(name, backbone.stages)
    backbone.stages.to(bits)  # not the mean and deviation: the picture is normalised in float32
    # Channels-last is the order in memory that convolutions like best, on CPU and GPU.
    return backbone.to(chosen).to(memory_format=torch.channels_last)


def vgg_stages(layout: str, channels: tuple[int, ...] | None = None) -> dict[str, nn.Module]:
    """Build the layers of a VGG, named as in the papers: conv1_1, relu1_1, …, pool1, conv2_1, ….

    The order is that of ``torchvision.models.vgg19().features``, so that the layer at position i
    here is ``features.i`` there. Unlike there, ReLU does not overwrite its input: a saved
    ``conv2_1`` stays what the convolution gave.
    """
    widths = channels or VGG_CHANNELS[layout]
    stages: dict[str, nn.Module] = {}
    c_in = 3
    for level, (count, c_out) in enumerate(zip(VGG_CONVOLUTIONS[layout], widths, strict=True), 1):
        for number in range(1, count + 1):
            stages[f"conv{level}_{number}"] = Conv2d(
                c_in, c_out, kernel_size=3, padding=1, padding_mode=VGG_PADDING[layout]
            )
            stages[f"relu{level}_{number}"] = nn.ReLU(inplace=False)
            c_in = c_out
        stages[f"pool{level}"] = nn.MaxPool2d(kernel_size=2, stride=2)
    if layout == "compact":  # it ends at relu5_1
        del stages["pool5"]
    return stages


def _randomise(backbone: Backbone, seed: int = 0) -> None:
    """Draw the weights as He et al. (2015, arXiv:1502.01852) do: variance 2 / fan-in, bias 0."""
    generator = torch.Generator().manual_seed(seed)
    for stage in backbone.stages.values():
        if isinstance(stage, nn.Conv2d):
            fan_in = stage.weight[0].numel()
            stage.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            assert stage.bias is not None  # every convolution here has one
            stage.bias.zero_()


def _load_shipped(backbone: Backbone) -> None:
    """Read `compact`'s weights from the package; safetensors holds numbers only, never code."""
    from safetensors.torch import load_file

    with resources.as_file(resources.files("nst_edu") / "weights" / "compact.safetensors") as path:
        backbone.stages.load_state_dict(load_file(path))


def _squeezenet() -> Backbone:
    from torchvision import models

    network = models.squeezenet1_1()
    fill_squeezenet(network)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # or the saved map of conv1 would turn into that of relu1
    return Backbone(
        "squeezenet1_1",
        dict(zip(SQUEEZENET_LAYERS, network.features, strict=True)),
        content_layers=("fire5",),
        style_layers=("relu1", "fire3", "fire5", "fire7", "fire9"),
    )
