"""Lesson 5: VGG-16, VGG-19 and the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import spelled
from nst_edu.features import IMAGENET_MEAN, IMAGENET_STD, VGG_CONVOLUTIONS

Plan = tuple[int, ...]  # how many convolutions each level has
VGG16, VGG19 = VGG_CONVOLUTIONS["vgg16"], VGG_CONVOLUTIONS["vgg19"]

# The index of a layer -----------------------------------------------------------------------------


def index_cases(_: torch.Generator) -> list[tuple[int, int, Plan]]:
    """Return (level, number, convolutions) of layers of VGG-16, VGG-19 and an invented network."""
    return [
        *((4, 2, VGG16), (4, 2, VGG19), (1, 1, VGG16), (1, 2, VGG19), (2, 1, VGG19)),
        *((3, 4, VGG19), (5, 1, VGG16), (5, 1, VGG19), (5, 3, VGG16)),
        *((3, 2, (1, 3, 2)), (3, 4, (1, 3, 4)), (4, 1, (2, 1, 5, 1))),
    ]


def _layer_index(level: int, number: int, plan: Plan) -> int:
    return sum(2 * count + 1 for count in plan[: level - 1]) + 2 * number - 1


def _counted(
    per_level: Callable[[int], int], last: Callable[[int], int]
) -> Callable[[int, int, Plan], int]:
    """Return the rule that adds `per_level` for each level passed, and `last` in the last one."""
    return lambda level, number, plan: sum(map(per_level, plan[: level - 1])) + last(number)


LAYER_INDEX = Exercise(
    id="layer_index",
    lesson=5,
    title="The index of a layer",
    reference=_layer_index,
    cases=index_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "always-vgg19",
            "Your indices are those of VGG-19, whichever network is given. The same name has "
            "another index in another network. Look at the third argument.",
            wrong=lambda level, number, plan: _layer_index(level, number, VGG19),
        ),
        Misconception(
            "always-vgg16",
            "Your indices are those of VGG-16, whichever network is given. The same name has "
            "another index in another network. Look at the third argument.",
            wrong=lambda level, number, plan: _layer_index(level, number, VGG16),
        ),
        Misconception(
            "counted-from-one",
            "All your indices are too large by one. Which number does Python give to the first "
            "entry of a list?",
            wrong=_counted(lambda n: 2 * n + 1, lambda m: 2 * m),
        ),
        Misconception(
            "conv-not-relu",
            "Your index is that of the convolution. Its ReLU stands one place behind it.",
            wrong=_counted(lambda n: 2 * n + 1, lambda m: 2 * m - 2),
        ),
        Misconception(
            "own-level-counted-too",
            "You count the layer's own level among the complete ones. A slice ends *before* its "
            "second number. How many levels are complete when a layer of level 2 is reached?",
            wrong=lambda level, number, plan: _layer_index(level + 1, number, plan),
        ),
        Misconception(
            "pools-forgotten",
            "Your numbers get too small from level 2 on, by one more in each level. Which layer "
            "stands at the end of each level?",
            wrong=_counted(lambda n: 2 * n, lambda m: 2 * m - 1),
        ),
        Misconception(
            "only-convolutions",
            "You count the convolutions only. The list holds ReLU and pooling layers, too.",
            wrong=_counted(lambda n: n, lambda m: m),
        ),
        Misconception(
            "only-convolutions-from-0",
            "This is the layer's place among the convolutions, counted from 0. The list holds ReLU "
            "and pooling layers, too.",
            wrong=_counted(lambda n: n, lambda m: m - 1),
        ),
        Misconception(
            "relus-forgotten",
            "In the levels before the layer's own you count convolutions and pooling, but not "
            "ReLU. How many layers does each convolution bring with it?",
            wrong=_counted(lambda n: n + 1, lambda m: 2 * m - 1),
        ),
        Misconception(
            "one-layer-for-each-number",
            "In the layer's own level you add its number. But two layers belong to each number. "
            "Write down the first four names of a level, and count.",
            wrong=_counted(lambda n: 2 * n + 1, lambda m: m),
        ),
    ),
)


def check_layer_index(my_layer_index: Callable[..., Any]) -> Result:
    """Check the exercise "The index of a layer" of lesson 5."""
    return check(LAYER_INDEX, my_layer_index)


# Normalise a picture ------------------------------------------------------------------------------


def normalise_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return (image, mean, std); in one picture W is 3, where a wrong axis raises no error."""
    kinds = (torch.float32, torch.float64)
    shapes = ((2, 3, 5, 7), (2, 3, 4, 3), (1, 3, 9, 5), (3, 3, 1, 2))
    return [
        (
            torch.rand(shape, generator=generator, dtype=kinds[number % 2]),
            0.2 + 0.5 * torch.rand(3, generator=generator, dtype=kinds[number % 2]),
            0.1 + 0.4 * torch.rand(3, generator=generator, dtype=kinds[number % 2]),
        )
        for number, shape in enumerate(shapes)
    ]


def _column(values: Tensor) -> Tensor:
    return values.view(1, 3, 1, 1)  # one value for each channel


def _normalise(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (image - _column(mean)) / _column(std)


def _by_own_statistics(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    own_std, own_mean = torch.std_mean(image, dim=(2, 3), keepdim=True)
    return (image - own_mean) / own_std


def _by_constants_of_imagenet(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return _normalise(image, image.new_tensor(IMAGENET_MEAN), image.new_tensor(IMAGENET_STD))


def _meets_the_columns(attempt: Attempt) -> bool:
    """Tell whether torch refused to line up three channels with the columns, where they differ."""
    others = [o for o in attempt.outcomes if o.arguments[0].shape[-1] != len(o.arguments[1])]
    return bool(others) and all(
        "(3) at non-singleton dimension 3" in str(outcome.error) for outcome in others
    )


NORMALISE = Exercise(
    id="normalise",
    lesson=5,
    title="Normalise a picture",
    reference=_normalise,
    cases=normalise_cases,
    no_gradient=(1, 2),
    misconceptions=(
        Misconception(
            "last-axis",
            "mean and std, of shape (3,), meet the *last* axis of the picture: its columns. So "
            "torch raises an error, or, for a picture 3 pixels wide, computes nonsense without a "
            "word. Which axis holds the channels?",
            recognise=_meets_the_columns,
        ),
        Misconception(
            "divided-first",
            "You divide by std before you subtract the mean. Look at the order in the formula.",
            wrong=lambda image, mean, std: image / _column(std) - _column(mean),
        ),
        Misconception(
            "multiplied",
            "You multiply by std where the formula divides.",
            wrong=lambda image, mean, std: (image - _column(mean)) * _column(std),
        ),
        Misconception(
            "undone",
            "You multiply by std and add the mean. That turns normalised numbers back into a "
            "picture. The formula goes the other way.",
            wrong=lambda image, mean, std: image * _column(std) + _column(mean),
        ),
        Misconception(
            "own-constants",
            "Your result does not depend on mean and std: you use the constants of ImageNet, "
            "whatever comes in. A network that was trained with other constants gets wrong "
            "pictures. Which names stand in the brackets after def?",
            wrong=_by_constants_of_imagenet,
        ),
        Misconception(
            "mean-only",
            "You subtract the mean, but the result is not yet divided by std.",
            wrong=lambda image, mean, std: image - _column(mean),
        ),
        Misconception(
            "variance",
            "You divide by the square of std. The formula has no square.",
            wrong=lambda image, mean, std: (image - _column(mean)) / _column(std) ** 2,
        ),
        Misconception(
            "range-255",
            "Your picture is in the range 0 to 255 when the mean is subtracted. Here pictures, "
            "mean and std are all made for the range 0 to 1.",
            wrong=lambda image, mean, std: _normalise(255 * image, mean, std),
        ),
        Misconception(
            "one-mean-for-all",
            "You use one mean and one std for all three channels. In the formula each channel has "
            "its own.",
            wrong=lambda image, mean, std: (image - mean.mean()) / std.mean(),
        ),
        Misconception(
            "channels-reversed",
            "Red gets the constants of blue, and blue those of red. Look for a flip that is not "
            "needed.",
            wrong=lambda image, mean, std: _normalise(image, mean.flip(0), std.flip(0)),
        ),
        Misconception(
            "own-statistics",
            "You use the picture's own mean and standard deviation. The network was trained with "
            "fixed ones, which come as arguments.",
            wrong=_by_own_statistics,
        ),
    ),
)


def check_normalise(my_normalise: Callable[..., Any]) -> Result:
    """Check the exercise "Normalise a picture" of lesson 5."""
    return check(NORMALISE, my_normalise)


# Collect feature maps -----------------------------------------------------------------------------


def _stages(generator: torch.Generator, dtype: torch.dtype) -> nn.ModuleDict:
    """Return two levels of a small VGG, with ReLU that overwrites its input."""
    stages: dict[str, nn.Module] = {}
    for name, c_in, c_out in (("1_1", 3, 4), ("1_2", 4, 4), ("2_1", 4, 5)):
        if name == "2_1":
            stages["pool1"] = nn.MaxPool2d(2)
        convolution = nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, dtype=dtype)
        for parameter in convolution.parameters():
            parameter.data.normal_(generator=generator)
        stages[f"conv{name}"] = convolution
        stages[f"relu{name}"] = nn.ReLU(inplace=True)
    return nn.ModuleDict(stages).requires_grad_(False)


def feature_maps_cases(generator: torch.Generator) -> list[tuple[nn.ModuleDict, Tensor, list[str]]]:
    """Return (stages, picture, layers): convolutions, ReLU and pooling."""
    kinds = (torch.float32, torch.float64)
    layers = (
        ["conv1_1", "relu1_1", "pool1"],
        ["conv1_2", "relu2_1"],
        ["conv1_1", "relu1_2", "conv2_1"],
        ["pool1"],
    )
    shapes = ((2, 3, 7, 5), (1, 3, 6, 9), (2, 3, 5, 8), (3, 3, 4, 2))
    return [
        (
            _stages(generator, kinds[number % 2]),
            torch.randn(shape, generator=generator, dtype=kinds[number % 2]),
            wanted,
        )
        for number, (shape, wanted) in enumerate(zip(shapes, layers, strict=True))
    ]


Maps = dict[str, Tensor]


def _feature_maps(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    maps = {}
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x.clone()
    return maps


def _not_cloned(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    maps = {}
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x
    return maps


def _inputs_saved(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    maps = {}
    for name, stage in stages.items():
        if name in layers:
            maps[name] = x.clone()
        x = stage(x)
    return maps


def _last_for_all(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    for stage in stages.values():
        x = stage(x)
    return dict.fromkeys(layers, x)


def _first_only(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    maps = _feature_maps(stages, x, layers)
    return dict(list(maps.items())[:1])


def _each_alone(stages: nn.ModuleDict, x: Tensor, layers: Iterable[str]) -> Maps:
    return {name: stages[name](x) for name in layers}


def _emptied(stages: nn.ModuleDict, x: Tensor, layers: Collection[str]) -> Maps:
    name = list(stages)[-1]
    return _feature_maps(stages, x, [name] if name in layers else [])


FEATURE_MAPS = Exercise(
    id="feature_maps",
    lesson=5,
    title="Collect feature maps",
    reference=_feature_maps,
    cases=feature_maps_cases,
    misconceptions=(
        Misconception(
            "overwritten",
            "Your maps of convolutions have no negative values: they hold what ReLU made of them. "
            "The ReLU behind each convolution writes into the very tensor that you keep. What "
            "could you keep in its place?",
            wrong=_not_cloned,
        ),
        Misconception(
            "inputs-saved",
            "Under each name you keep what went *into* the layer. Look at which comes first in "
            "your loop: applying the layer, or keeping its result.",
            wrong=_inputs_saved,
        ),
        Misconception(
            "all-layers",
            "You return the maps of all layers. Only those in `layers` were asked for.",
            wrong=lambda stages, x, layers: _feature_maps(stages, x, list(stages)),
        ),
        Misconception(
            "all-layers-overwritten",
            "You return the maps of all layers, and those of convolutions are overwritten.",
            wrong=lambda stages, x, layers: _not_cloned(stages, x, list(stages)),
        ),
        Misconception(
            "last-for-all",
            "Each of your names has the same map: that of the last layer. When in the loop has "
            "the map to be kept?",
            wrong=_last_for_all,
        ),
        Misconception(
            "first-only",
            "You return after the first layer that was found. The others are missing. Look at "
            "where the return stands.",
            wrong=_first_only,
        ),
        Misconception(
            "dictionary-emptied",
            "Your dictionary holds the last layer of the network at most. It is made anew for each "
            "layer, and what it held is lost. Does the line with {} stand in the loop?",
            wrong=_emptied,
        ),
        Misconception(
            "each-layer-alone",
            "You apply each layer to the picture itself. A layer has to be applied to what the "
            "layer before it returned.",
            wrong=_each_alone,
        ),
    ),
)


def check_feature_maps(my_feature_maps: Callable[..., Any]) -> Result:
    """Check the exercise "Collect feature maps" of lesson 5."""
    return check(FEATURE_MAPS, my_feature_maps)


# Bug hunt -----------------------------------------------------------------------------------------

SAVED = ("conv1_1", "relu1_1", "conv3_1", "relu3_1", "relu4_1")
SUSPICIOUS = ("conv1_1", "relu3_1")


def _names(value: Any) -> set[str]:
    """Return the names that were given; raise if that is no collection of names."""
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError("not a list")
    return set(spelled(value))


def is_suspicious(value: Any) -> bool:
    """Tell whether the two wrong maps were named, in any order."""
    try:
        return _names(value) == set(SUSPICIOUS)
    except TypeError:
        return False


def _chose(*names: str) -> Callable[[Attempt], bool]:
    return lambda attempt: _names(attempt.value) == set(names)


SUSPICIOUS_MAPS = Exercise(
    id="suspicious_maps",
    lesson=5,
    title="Bug hunt: which maps are wrong?",
    reference=list(SUSPICIOUS),
    accepts=is_suspicious,
    gradient=False,
    misconceptions=(
        Misconception(
            "unknown-name",
            "Your list holds a name that is not in the table. Look at the spelling.",
            recognise=lambda attempt: not _names(attempt.value) <= set(SAVED),
        ),
        Misconception(
            "zeros-are-suspicious",
            "You chose all maps without negative values. For the output of a ReLU this is as it "
            "should be. For which kind of layer is it not?",
            recognise=_chose("conv1_1", "relu1_1", "relu4_1"),
        ),
        Misconception(
            "negatives-are-suspicious",
            "You chose all maps with negative values. For the output of a convolution they are as "
            "they should be. For which kind of layer are they not?",
            recognise=_chose("conv3_1", "relu3_1"),
        ),
        Misconception(
            "turned-round",
            "You chose the three maps that are as they should be. The others were asked for.",
            recognise=_chose("relu1_1", "conv3_1", "relu4_1"),
        ),
        Misconception(
            "only-the-overwritten",
            "conv1_1 is wrong, and there is one more. Which of the remaining maps has values that "
            "its kind of layer cannot have?",
            recognise=_chose("conv1_1"),
        ),
        Misconception(
            "only-the-mislabelled",
            "relu3_1 is wrong, and there is one more. Which of the remaining maps lacks values "
            "that its kind of layer should have?",
            recognise=_chose("relu3_1"),
        ),
        Misconception(
            "one-too-many",
            "Both wrong maps are in your list, and at least one that is not wrong.",
            recognise=lambda attempt: _names(attempt.value) > set(SUSPICIOUS),
        ),
        Misconception(
            "a-right-one-chosen",
            "At least one map in your list is as it should be, and at least one wrong map is not "
            "in it. Ask of each row: can this kind of layer have negative values?",
            recognise=lambda attempt: bool(_names(attempt.value) - set(SUSPICIOUS)),
        ),
    ),
)


def check_suspicious_maps(my_suspicious_maps: Any) -> Result:
    """Check the exercise "Bug hunt: which maps are wrong?" of lesson 5."""
    return check_value(SUSPICIOUS_MAPS, my_suspicious_maps)
