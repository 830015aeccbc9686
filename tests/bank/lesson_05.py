"""Right and wrong answers to the exercises of lesson 5."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.transforms.functional import normalize

from nst_edu.features import VGG_CONVOLUTIONS
from tests.bank.marks import right, wrong

Plan = tuple[int, ...]

# The index of a layer -----------------------------------------------------------------------------


@right("layer_index")
def by_a_list_of_names(level: int, number: int, convolutions: Plan) -> int:
    names = []
    for at, count in enumerate(convolutions, 1):
        for n in range(1, count + 1):
            names += [f"conv{at}_{n}", f"relu{at}_{n}"]
        names.append(f"pool{at}")
    return names.index(f"relu{level}_{number}")


@right("layer_index")
def by_a_sum(level: int, number: int, convolutions: Plan) -> int:
    before = convolutions[: level - 1]
    return 2 * sum(before) + len(before) + 2 * number - 1


@right("layer_index")
def by_counting_up(level: int, number: int, convolutions: Plan) -> int:
    index = 2 * (number - 1) + 1
    while level > 1:
        level -= 1
        index += 2 * convolutions[level - 1] + 1
    return index


@wrong("layer_index", "always-vgg19")
def from_vgg19(level: int, number: int, convolutions: Plan) -> int:
    return by_a_list_of_names(level, number, VGG_CONVOLUTIONS["vgg19"])


@wrong("layer_index", "always-vgg16")
def plan_ignored(level: int, number: int, convolutions: Plan) -> int:
    return by_a_sum(level, number, VGG_CONVOLUTIONS["vgg16"])


@wrong("layer_index", "counted-from-one")
def one_too_far(level: int, number: int, convolutions: Plan) -> int:
    index = 0
    for count in convolutions[: level - 1]:
        index += 2 * count + 1
    return index + 2 * number


@wrong("layer_index", "conv-not-relu")
def convolution(level: int, number: int, convolutions: Plan) -> int:
    index = 0
    for count in convolutions[: level - 1]:
        index += 2 * count + 1
    return index + 2 * (number - 1)


@wrong("layer_index", "pools-forgotten")
def no_pools(level: int, number: int, convolutions: Plan) -> int:
    return 2 * sum(convolutions[: level - 1]) + 2 * number - 1


@wrong("layer_index", "only-convolutions")
def convolutions_counted(level: int, number: int, convolutions: Plan) -> int:
    return sum(convolutions[: level - 1]) + number


@wrong("layer_index", "only-convolutions-from-0")
def convolutions_counted_from_0(level: int, number: int, convolutions: Plan) -> int:
    return sum(convolutions[: level - 1]) + number - 1


@wrong("layer_index", "relus-forgotten")
def no_relus(level: int, number: int, convolutions: Plan) -> int:
    index = 0
    for count in convolutions[: level - 1]:
        index += count + 1
    return index + 2 * number - 1


@wrong("layer_index", "one-layer-for-each-number")
def number_added(level: int, number: int, convolutions: Plan) -> int:
    index = 0
    for count in convolutions[: level - 1]:
        index += 2 * count + 1
    return index + number


@wrong("layer_index", "own-level-counted-too")
def own_level_complete(level: int, number: int, convolutions: Plan) -> int:
    before = [2 * count + 1 for count in convolutions[:level]]
    return sum(before) + 2 * number - 1


# Normalise a picture ------------------------------------------------------------------------------


@right("normalise")
def by_view(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)


@right("normalise")
def by_new_axes(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return image / std[:, None, None] - (mean / std)[:, None, None]


@right("normalise")
def by_torchvision(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    result: Tensor = normalize(image, mean.tolist(), std.tolist())
    return result


@right("normalise")
def channel_by_channel(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return torch.stack([(image[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)


@wrong("normalise", "last-axis")
def no_view(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean) / std


@wrong("normalise", "divided-first")
def division_first(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return image / std[:, None, None] - mean[:, None, None]


@wrong("normalise", "multiplied")
def times_std(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean[:, None, None]) * std[:, None, None]


@wrong("normalise", "mean-only")
def centred_only(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return image - mean.reshape(3, 1, 1)


@wrong("normalise", "variance")
def by_variance(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean[:, None, None]) / std.square()[:, None, None]


@wrong("normalise", "range-255")
def as_bytes(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return by_view(image * 255, mean, std)


@wrong("normalise", "one-mean-for-all")
def single_mean(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean.mean()) / std.mean()


@wrong("normalise", "channels-reversed")
def bgr_constants(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return by_view(image, mean[[2, 1, 0]], std[[2, 1, 0]])


@wrong("normalise", "own-statistics")
def of_the_picture(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    means = image.mean(dim=(2, 3), keepdim=True)
    return (image - means) / image.std(dim=(2, 3), keepdim=True)


@wrong("normalise", "changed-input")
def in_place(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    image -= mean.view(1, 3, 1, 1)
    image /= std.view(1, 3, 1, 1)
    return image


@wrong("normalise", "own-constants")
def constants_of_imagenet(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    mean = torch.tensor([0.485, 0.456, 0.406])
    std = torch.tensor([0.229, 0.224, 0.225])
    return ((image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)).to(image.dtype)


@wrong("normalise", "own-constants")
def constants_of_imagenet_by_torchvision(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    result: Tensor = normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return result


@wrong("normalise", "undone")
def back_to_a_picture(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return image * std.view(1, 3, 1, 1) + mean.view(1, 3, 1, 1)


@wrong("normalise", "last-axis")
def times_std_without_view(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - mean) * std


# Collect feature maps -----------------------------------------------------------------------------


@right("feature_maps")
def with_clones(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x.clone()
    return maps


@right("feature_maps")
def with_other_relus(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        x = torch.relu(x) if name.startswith("relu") else stage(x)
        maps[name] = x
    return {name: maps[name] for name in layers}


@right("feature_maps")
def in_front_of_each(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps: dict[str, Tensor] = {}
    for name in stages:
        x = stages[name](x.clone())
        maps |= {name: x} if name in layers else {}
    return maps


@right("feature_maps")
def from_the_start(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    names = list(stages)
    maps = {}
    for wanted in layers:
        value = x
        for name in names[: names.index(wanted) + 1]:
            value = stages[name](value)
        maps[wanted] = value
    return maps


@wrong("feature_maps", "overwritten")
def no_clone(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x
    return maps


@wrong("feature_maps", "inputs-saved")
def saved_before(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        if name in layers:
            maps[name] = x.clone()
        x = stage(x)
    return maps


@wrong("feature_maps", "all-layers")
def unasked(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        x = stage(x)
        maps[name] = x.clone()
    return maps


@wrong("feature_maps", "all-layers-overwritten")
def unasked_and_overwritten(
    stages: nn.ModuleDict, x: Tensor, layers: list[str]
) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        x = maps[name] = stage(x)
    return maps


@wrong("feature_maps", "last-for-all")
def kept_after_the_loop(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    for stage in stages.values():
        x = stage(x)
    return {name: x.clone() for name in layers}


@wrong("feature_maps", "first-only")
def returned_early(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps: dict[str, Tensor] = {}
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x.clone()
            return maps
    return maps


@wrong("feature_maps", "each-layer-alone")
def without_a_chain(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    maps = {}
    for name, stage in stages.items():
        if name in layers:
            maps[name] = stage(x)
    return maps


@wrong("feature_maps", "detached")
def without_gradient(stages: nn.ModuleDict, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in with_clones(stages, x, layers).items()}


@wrong("feature_maps", "dictionary-emptied")
def dictionary_in_the_loop(
    stages: nn.ModuleDict, x: Tensor, layers: list[str]
) -> dict[str, Tensor]:
    for name, stage in stages.items():
        maps = {}
        x = stage(x)
        if name in layers:
            maps[name] = x.clone()
    return maps


# Bug hunt -----------------------------------------------------------------------------------------


@right("suspicious_maps")
def in_order() -> Any:
    return ["conv1_1", "relu3_1"]


@right("suspicious_maps")
def turned() -> Any:
    return ("relu3_1", "conv1_1")


@right("suspicious_maps")
def as_a_set() -> Any:
    return {"relu3_1", "conv1_1"}


@right("suspicious_maps")
def in_capitals() -> Any:
    return ["Conv1_1", "relu3_1 "]


@wrong("suspicious_maps", "zeros-are-suspicious")
def without_negatives() -> Any:
    return ["conv1_1", "relu1_1", "relu4_1"]


@wrong("suspicious_maps", "negatives-are-suspicious")
def with_negatives() -> Any:
    return ["conv3_1", "relu3_1"]


@wrong("suspicious_maps", "turned-round")
def the_good_ones() -> Any:
    return ["relu1_1", "conv3_1", "relu4_1"]


@wrong("suspicious_maps", "only-the-overwritten")
def one_of_two() -> Any:
    return ["conv1_1"]


@wrong("suspicious_maps", "only-the-mislabelled")
def the_other_of_two() -> Any:
    return ["relu3_1"]


@wrong("suspicious_maps", "one-too-many")
def three() -> Any:
    return ["conv1_1", "relu3_1", "relu4_1"]


@wrong("suspicious_maps", "a-right-one-chosen")
def one_right_one_wrong() -> Any:
    return ["conv1_1", "relu1_1"]


@wrong("suspicious_maps", "unknown-name")
def misspelt() -> Any:
    return ["conv1_1", "relu3.1"]
