"""Backbones: the maps are torchvision's, nothing is trained, computed or overwritten needlessly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.vgg import cfgs, make_layers

from nst_edu.fast import Conv2d, stages_for
from nst_edu.features import BACKBONES, Backbone, load_backbone, vgg_stages

# What torchvision documents for its ImageNet weights.
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]

FILES = {
    "vgg16": "vgg16-397923af.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
}


def hub_file(folder: Path, name: str) -> Path:
    """Return where torchvision keeps a weights file when ``TORCH_HOME`` is `folder`."""
    file = folder / "hub" / "checkpoints" / FILES[name]
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def torchvision_maps(features: nn.Sequential, image: Tensor) -> list[Tensor]:
    """Run torchvision's own modules; clone each map before its in-place ReLU overwrites it."""
    maps: list[Tensor] = []
    for module in features:
        module.register_forward_hook(lambda _m, _i, output: maps.append(output.clone()))
    with torch.no_grad():
        features((image - MEAN) / STD)
    return maps


def paper_names(features: nn.Sequential) -> list[str]:
    """Name torchvision's layers by counting: a pooling ends a level, a ReLU follows its conv."""
    names, level, number = [], 1, 0
    for module in features:
        if isinstance(module, nn.MaxPool2d):
            names.append(f"pool{level}")
            level, number = level + 1, 0
            continue
        number += isinstance(module, nn.Conv2d)
        names.append(f"{'conv' if isinstance(module, nn.Conv2d) else 'relu'}{level}_{number}")
    return names


@pytest.fixture(params=["vgg16", "vgg19"])
def vgg(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[nn.Sequential, Backbone]:
    """Build torchvision's network and ours, which reads the same random weights from a file."""
    name = request.param
    features = make_layers(cfgs[{"vgg16": "D", "vgg19": "E"}[name]])
    for parameter in features.parameters():
        nn.init.normal_(
            parameter, std=0.1 if parameter.ndim == 1 else (2 / parameter[0].numel()) ** 0.5
        )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = hub_file(tmp_path, name)
    torch.save({f"features.{key}": value for key, value in features.state_dict().items()}, file)
    backbone = load_backbone(name, device="cpu")
    file.unlink()  # 80 MB
    return features, backbone


def test_vgg_maps_are_torchvisions(vgg: tuple[nn.Sequential, Backbone]) -> None:
    features, backbone = vgg
    assert list(backbone.layers) == paper_names(features)
    assert isinstance(features[1], nn.ReLU)
    assert features[1].inplace  # the trap that ours avoids
    # In float64: the two add in another order (ours is channels-last), which shows in float32.
    image = torch.rand(2, 3, 35, 49, dtype=torch.float64)
    expected = torchvision_maps(features.double(), image)
    maps = backbone.double()(image, backbone.layers)
    for name, theirs in zip(backbone.layers, expected, strict=True):
        difference = (maps[name] - theirs).abs().max() / theirs.abs().max()
        assert difference < 1e-6, name  # the mean and deviation in our buffers are float32
    for name, map_ in maps.items():
        if name.startswith("conv"):  # asked for together with its ReLU, and still unrectified
            assert map_.min() < 0, name
            assert torch.equal(maps[name.replace("conv", "relu")], map_.relu())


def test_squeezenet_maps_are_torchvisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = models.squeezenet1_1()
    for parameter in network.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, std=0.1)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.save(network.state_dict(), hub_file(tmp_path, "squeezenet1_1"))
    backbone = load_backbone("squeezenet1_1", device="cpu")
    image = torch.rand(1, 3, 67, 50)
    maps = backbone(image, backbone.layers)
    expected = torchvision_maps(network.features, image)
    for name, theirs in zip(backbone.layers, expected, strict=True):
        torch.testing.assert_close(maps[name], theirs)
    assert maps["conv1"].min() < 0
    assert {*backbone.content_layers, *backbone.style_layers} <= set(backbone.layers)
    assert backbone.layers[:4] == ("conv1", "relu1", "pool1", "fire2")
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


@pytest.mark.parametrize(
    ("layout", "positions"),
    [
        (
            "vgg16",
            {
                "relu1_1": 1,
                "relu2_1": 6,
                "relu3_1": 11,
                "relu4_1": 18,
                "relu4_2": 20,
                "relu5_1": 25,
            },
        ),
        (
            "vgg19",
            {
                "relu1_1": 1,
                "relu2_1": 6,
                "relu3_1": 11,
                "relu4_1": 20,
                "relu4_2": 22,
                "relu5_1": 29,
            },
        ),
    ],
)
def test_names_stand_at_the_known_positions(layout: str, positions: dict[str, int]) -> None:
    stages = list(vgg_stages(layout))
    assert {name: stages.index(name) for name in positions} == positions
    assert len(stages) == {"vgg16": 31, "vgg19": 37}[layout]


# --- What is computed ------------------------------------------------------------------------


def test_maps_come_in_the_order_asked_for_and_with_the_right_shapes(compact: Backbone) -> None:
    names = ["relu5_1", "conv1_1", "pool2", "relu3_4"]
    maps = compact(torch.rand(2, 3, 64, 48), names)
    assert list(maps) == names
    shapes = [(2, 128, 4, 3), (2, 16, 64, 48), (2, 32, 16, 12), (2, 64, 16, 12)]
    assert [tuple(map_.shape) for map_ in maps.values()] == shapes
    assert compact(torch.rand(1, 3, 16, 16), []) == {}


def test_nothing_deeper_than_asked_for_is_computed(tiny: Backbone) -> None:
    called = []
    for name, stage in tiny.stages.items():
        if not isinstance(stage, nn.ReLU):  # applied in place, without a call of the module
            stage.register_forward_hook(lambda *_, name=name: called.append(name))
    tiny(torch.rand(1, 3, 16, 16), ["conv2_1", "relu1_1"])
    assert called == ["conv1_1", "conv1_2", "pool1", "conv2_1"]


def test_a_map_is_the_same_whatever_else_is_asked_for(tiny: Backbone) -> None:
    image = torch.rand(1, 3, 32, 32)
    together = tiny(image, tiny.layers)
    for name in tiny.layers:
        assert torch.equal(tiny(image, [name])[name], together[name]), name


def test_only_the_pixels_take_gradients(compact: Backbone) -> None:
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    maps = compact(image, ["relu1_1", "relu5_1"])
    sum(map_.square().mean() for map_ in maps.values()).backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()
    assert image.grad.abs().max() > 0
    assert all(p.grad is None and not p.requires_grad for p in compact.parameters())
    assert not compact.training


def test_the_picture_is_not_changed(compact: Backbone) -> None:
    image = torch.rand(1, 3, 32, 32)
    before = image.clone()
    compact(image, compact.layers)
    assert torch.equal(image, before)


def test_pictures_of_a_batch_do_not_touch(compact: Backbone) -> None:
    images = torch.rand(2, 3, 32, 48)
    both = compact(images, ["relu4_2"])["relu4_2"]
    second = compact(images[1:], ["relu4_2"])["relu4_2"]
    torch.testing.assert_close(both[1:], second, rtol=1e-4, atol=1e-5)


def test_double_precision_gives_the_same_maps() -> None:
    backbone = load_backbone("compact", device="cpu")
    image = torch.rand(1, 3, 48, 32)
    single = backbone(image, ["relu2_1", "relu5_1"])
    double = backbone.double()(image.double(), ["relu2_1", "relu5_1"])
    for name, map_ in single.items():
        assert double[name].dtype == torch.float64
        scale = float(map_.abs().max())
        torch.testing.assert_close(map_.double(), double[name], rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize("shape", [(16, 16), (17, 16), (16, 100), (31, 33), (63, 47), (65, 129)])
def test_compact_takes_pictures_from_16_px_up(compact: Backbone, shape: tuple[int, int]) -> None:
    maps = compact(torch.rand(1, 3, *shape), compact.layers)
    assert maps["relu5_1"].shape == (1, 128, shape[0] // 16, shape[1] // 16)
    assert all(map_.isfinite().all() for map_ in maps.values())


def test_compact_does_not_see_the_frame_as_an_edge(compact: Backbone) -> None:
    """A flat picture gives flat maps: the padding repeats the border."""
    for name, map_ in compact(torch.full((1, 3, 32, 32), 0.4), compact.layers).items():
        spread = (map_ - map_[..., :1, :1]).abs().max()
        assert spread <= 1e-4 * (1 + map_.abs().max()), name


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(15, 16), (16, 15), (1, 1), (2, 500)])
def test_a_picture_too_small_is_explained(compact: Backbone, shape: tuple[int, int]) -> None:
    words = rf"{shape[1]}×{shape[0]} px is too small for 'compact'.*[Ll]arger.*no layer deeper than"
    with pytest.raises(ValueError, match=words):
        compact(torch.rand(1, 3, *shape), ["relu5_1"])


def test_the_layer_that_the_message_offers_works(compact: Backbone) -> None:
    image = torch.rand(1, 3, 7, 9)
    with pytest.raises(ValueError, match="too small") as raised:
        compact(image, ["relu5_1"])
    layer = str(raised.value).rsplit(" ", 1)[-1]
    assert compact(image, [layer])[layer].numel() > 0


@pytest.mark.parametrize("side", [1, 2, 4, 6])
def test_squeezenet_explains_a_picture_too_small(
    side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.save(models.squeezenet1_1().state_dict(), hub_file(tmp_path, "squeezenet1_1"))
    backbone = load_backbone("squeezenet1_1", device="cpu")
    with pytest.raises(ValueError, match="is too small"):
        backbone(torch.rand(1, 3, side, side), ["fire9"])


def test_unknown_layers_and_backbones_are_answered_with_near_ones(compact: Backbone) -> None:
    image = torch.rand(1, 3, 16, 16)
    with pytest.raises(ValueError, match=r"unknown layer of 'compact' 'relu4-2'.*'relu4_2'"):
        compact(image, ["relu4-2"])
    with pytest.raises(ValueError, match="relu5_2"):  # vgg19 has it, compact ends before
        compact(image, ["relu5_2"])
    with pytest.raises(ValueError, match=r"unknown backbone 'vgg-19'. Did you mean 'vgg19'"):
        load_backbone("vgg-19")
    with pytest.raises(TypeError, match="layer"):
        compact(image, [4])


def test_one_name_in_place_of_a_list_is_explained(compact: Backbone) -> None:
    """Taken as a list, a string would be an unknown layer 'r'."""
    with pytest.raises(TypeError, match="relu4_2"):
        compact(torch.rand(1, 3, 16, 16), "relu4_2")


@pytest.mark.parametrize("image", [torch.rand(1, 1, 16, 16), torch.rand(1, 4, 16, 16)])
def test_pictures_of_the_wrong_shape_are_refused(compact: Backbone, image: Tensor) -> None:
    """One gray channel would be broadcast to three in silence."""
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\)"):
        compact(image, ["relu1_1"])


# --- Weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compact", "random"])
def test_compact_and_random_need_no_file_and_no_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    backbone = load_backbone(name, device="cpu")  # a connection would fail this test
    assert backbone.name == name
    assert {*backbone.content_layers, *backbone.style_layers} <= set(backbone.layers)
    again = load_backbone(name, device="cpu")
    assert all(map(torch.equal, backbone.parameters(), again.parameters()))
    assert list(tmp_path.iterdir()) == []


def test_random_has_the_layout_of_vgg19_and_keeps_the_scale() -> None:
    backbone = load_backbone("random", device="cpu")
    assert backbone.layers == tuple(vgg_stages("vgg19"))
    maps = backbone(torch.rand(1, 3, 64, 64), ["relu1_2", "relu5_1"])
    ratio = maps["relu5_1"].square().mean() / maps["relu1_2"].square().mean()
    assert 0.05 < ratio < 20  # He et al.: the variance neither dies nor explodes over 13 layers


def test_loading_leaves_the_random_numbers_alone() -> None:
    """A learner's seed must not mean something else because a network was loaded after it."""
    before = torch.get_rng_state()
    load_backbone("compact", device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NST_EDU_BACKBONE", raising=False)
    assert load_backbone(device="cpu").name == "compact"
    monkeypatch.setenv("NST_EDU_BACKBONE", "vgg91")
    with pytest.raises(ValueError, match="unknown backbone 'vgg91'"):
        load_backbone(device="cpu")
    assert BACKBONES[0] == "compact"


@pytest.mark.parametrize("name", FILES)
def test_no_file_and_no_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network_attempts: list[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(OSError, match="could not be loaded") as raised:
        load_backbone(name, device="cpu")
    message = str(raised.value)
    for part in (repr(name), "'compact'", FILES[name], str(tmp_path / "hub" / "checkpoints")):
        assert part in message
    assert network_attempts  # it did try
    network_attempts.clear()
    assert not hub_file(tmp_path, name).exists()


def damaged(kind: str) -> Any:
    """Return what to write into the cache file."""
    return {
        "empty": b"",
        "a web page": b"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
        "zeros": bytes(10_000),
        "another network": {"conv1.weight": torch.zeros(3)},
        "other shapes": {"features.0.weight": torch.zeros(7), "features.0.bias": torch.zeros(7)},
        "a list": [1, 2, 3],
        "cut off": None,
    }[kind]


@pytest.mark.parametrize("name", ["vgg19", "squeezenet1_1"])
@pytest.mark.parametrize(
    "kind",
    ["empty", "a web page", "zeros", "cut off", "another network", "other shapes", "a list"],
)
def test_a_damaged_file_is_named(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file, content = hub_file(tmp_path, name), damaged(kind)
    if kind == "cut off":
        torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, file)
        file.write_bytes(file.read_bytes()[:-900])
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(OSError, match=r"could not be loaded.*'compact'.*damaged") as raised:
        load_backbone(name, device="cpu")
    assert str(file.parent) in str(raised.value)


@pytest.mark.parametrize("mode", ["replicate", "zeros"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (7, 6)])
def test_the_fast_convolution_has_the_plain_one_s_values_and_gradients(
    mode: str, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    options = {"kernel_size": 3, "padding": 1, "padding_mode": mode, "dtype": torch.float64}
    plain = nn.Conv2d(3, 4, **options)  # type: ignore[arg-type]
    quick = Conv2d(3, 4, **options)  # type: ignore[arg-type]
    quick.load_state_dict(plain.state_dict())
    for memory in (torch.contiguous_format, torch.channels_last):
        image = torch.randn(2, 3, *size, dtype=torch.float64).contiguous(memory_format=memory)
        results = []
        for convolution in (plain, quick):
            pixels = image.clone(memory_format=torch.preserve_format).requires_grad_()
            output = convolution(pixels.relu())
            wanted = [pixels, *convolution.parameters()]
            results.append([output, *torch.autograd.grad(output.sin().sum(), wanted)])
        for expected, got in zip(*results, strict=True):
            torch.testing.assert_close(got, expected)


def plain_maps(backbone: Backbone, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Apply one stage after the other, and overwrite nothing."""
    maps, x = {}, (image - backbone.mean) / backbone.std
    for name, stage in backbone.stages.items():
        x = stage(x)
        maps[name] = x
    return {layer: maps[layer] for layer in layers}


LAYERS = [
    ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1", "relu4_2"],
    ["relu1_2", "pool1", "conv2_2"],  # ReLU before pooling is wanted
    ["conv1_2", "pool1"],  # its input is
    ["pool1"],
    ["relu2_2"],
    ["conv1_1"],
    ["pool2", "relu2_2", "conv2_2", "conv3_4", "pool3"],
]


@pytest.mark.parametrize("layers", LAYERS, ids=" ".join)
def test_stages_in_another_order_give_the_same_maps_and_gradients(
    compact: Backbone, layers: list[str]
) -> None:
    torch.manual_seed(1)
    photo = torch.rand(2, 3, 37, 46)
    photo[:, :, :20] = 0.5  # flat: all four values of a window are equal
    results = []
    for maps_of in (plain_maps, Backbone.forward):
        image = photo.clone().requires_grad_()
        maps = maps_of(compact, image, layers)
        loss = torch.stack([map_.sin().sum() for map_ in maps.values()]).sum()
        results.append([*maps.values(), *torch.autograd.grad(loss, image)])
    for expected, got in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


@pytest.mark.parametrize("layers", [("pool1",), ("relu1_2", "pool1"), ("pool2", "conv1_1")])
def test_each_map_comes_once(compact: Backbone, layers: tuple[str, ...]) -> None:
    """A pooling whose ReLU comes late was handed out before it, too, and counted twice."""
    photo = torch.rand(1, 3, 37, 46)
    maps = list(compact.walk(photo, layers))
    assert sorted(name for name, _ in maps) == sorted(layers)
    plain = plain_maps(compact, photo, layers)
    for name, map_ in maps:
        assert torch.equal(map_, plain[name])


def test_relu_comes_after_pooling_and_overwrites_only_what_nobody_wants(compact: Backbone) -> None:
    def kinds(*wanted: str) -> list[tuple[str, bool | None]]:
        stages = stages_for(compact.stages, wanted)
        return [(name, getattr(stage, "inplace", None)) for name, stage in stages]

    begin = [("conv1_1", None), ("relu1_1", True), ("conv1_2", None)]
    assert kinds("pool1") == [*begin, ("pool1", None), ("pool1", True)]
    assert kinds("relu1_2", "pool1") == [*begin, ("relu1_2", True), ("pool1", None)]
    assert kinds("conv1_1", "conv1_2") == [("conv1_1", None), ("relu1_1", False), ("conv1_2", None)]
    assert kinds("relu1_2") == [*begin, ("relu1_2", True)]
    assert kinds() == []
