"""The networks that `compact` learns from, and the maps it is asked to imitate."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from nst_edu.features import Backbone, load_backbone, vgg_stages

OXFORD_LAYERS = (
    *("relu1_1", "relu1_2", "relu2_1", "relu2_2"),
    *("relu3_1", "relu3_2", "relu3_3", "relu3_4"),
)
DEEP_LAYERS = ("relu4_1", "relu4_2", "relu4_3", "relu4_4", "relu5_1")
LAYERS = OXFORD_LAYERS + DEEP_LAYERS


class Teachers(nn.Module):
    """Feature maps to imitate at every ReLU up to relu5_1.

    With torchvision's VGG-19 one teacher gives them all. Where only the files in
    ``shared/weights`` are at hand, levels 1 to 3 come from the original VGG-19, and levels 4 and 5
    from a published VGG-19 of a quarter of the width (Wang et al., CVPR 2020), with its own 1×1
    projections to VGG-19's channels at relu4_1 and relu5_1.

    Every convolution repeats the border pixel, so that the student never has to learn the dark
    frame that zero padding puts around a picture.
    """

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        if folder is None:
            self.full = load_backbone("vgg19", device="cpu")
            self.slim, self.projections = None, nn.ModuleDict()
        else:
            self.full = oxford_vgg19(folder)
            self.slim = _backbone(folder / "vgg19_slim16x_relu5_1.pt", "compact", "relu5_1")
            self.projections = _projections(folder / "vgg19_slim16x_aux.pt")
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
                module.padding_mode = "replicate"
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return layer name → maps to imitate, for pictures (N, 3, H, W)."""
        # bfloat16 and channels-last halve the teachers' time; the maps change by 0.3 %, the student
        # misses 20 % and more.
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.autocast(image.device.type, torch.bfloat16):
            maps: dict[str, Tensor]
            if self.slim is None:
                maps = self.full(image, LAYERS)
            else:
                maps = self.full(image, OXFORD_LAYERS) | self.slim(image, DEEP_LAYERS)
            for name, projection in self.projections.items():
                maps[name] = projection(maps[name])
        return maps


def oxford_vgg19(folder: Path) -> Backbone:
    """Load the original VGG-19 up to relu3_4, from ``vgg19_relu3_4_imagenet.pt`` in `folder`."""
    return _backbone(folder / "vgg19_relu3_4_imagenet.pt", "vgg19", "relu3_4")


def _backbone(file: Path, layout: str, last: str) -> Backbone:
    """Read weights with torchvision's keys (``features.7.weight``) into named stages."""
    state = torch.load(file, weights_only=True)
    channels = tuple(state[f"features.{i}.weight"].shape[0] for i in _first_convs(state))
    stages = vgg_stages(layout, channels + (1,) * (5 - len(channels)))
    names = list(stages)
    kept = {name: stages[name] for name in names[: names.index(last) + 1]}
    backbone = Backbone(f"teacher {file.stem}", kept)
    for index, stage in enumerate(kept.values()):
        for key, parameter in stage.named_parameters():
            parameter.data.copy_(state[f"features.{index}.{key}"])
    return backbone


def _first_convs(state: dict[str, Tensor]) -> list[int]:
    """Positions of the first convolution of each level in VGG-19, as far as `state` has them."""
    return [i for i in (0, 5, 10, 19, 28) if f"features.{i}.weight" in state]


def _projections(file: Path) -> nn.ModuleDict:
    """1×1 convolutions from the slim teacher's channels to VGG-19's at relu4_1 and relu5_1."""
    state = torch.load(file, weights_only=True)
    projections = nn.ModuleDict()
    for layer, key in (("relu4_1", "aux41"), ("relu5_1", "aux51")):
        c_out, c_in = state[f"{key}.weight"].shape[:2]
        projections[layer] = nn.Conv2d(c_in, c_out, kernel_size=1)
        projections[layer].load_state_dict({k: state[f"{key}.{k}"] for k in ("weight", "bias")})
    return projections
