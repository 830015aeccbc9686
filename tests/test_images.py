"""Pictures as tensors: round trips, sizes, what is refused, files written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from nst_edu.images import (
    PICTURES,
    check_image,
    load_image,
    picture_alt,
    picture_names,
    resize,
    save_image,
    scaled_shape,
    to_bytes,
)
from nst_edu.picture_files import check_output_path


def levels(height: int = 5, width: int = 7) -> Tensor:
    """Draw a picture whose values are multiples of 1/255, as 8-bit files hold them."""
    return torch.randint(0, 256, (1, 3, height, width)) / 255


# --- Bundled pictures ------------------------------------------------------------------------


def test_every_bundled_picture_loads_and_is_described() -> None:
    assert set(picture_names()) == {*picture_names("photos"), *picture_names("styles")}
    assert len(picture_names("styles")) >= 8
    for name in picture_names():
        image = load_image(name, size=32)
        assert max(image.shape[2:]) == 32
        assert image.std() > 0.02, f"{name} is nearly flat"
        assert len(picture_alt(name)) > 10


@pytest.mark.parametrize("source", [str, Path])
def test_a_bundled_picture_and_its_file_are_the_same(source: type) -> None:
    file = PICTURES / "photos" / "chelsea.jpg"
    torch.testing.assert_close(load_image("chelsea"), load_image(source(file)))


def test_unknown_names_are_answered_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown picture 'chelsae'. Did you mean 'chelsea'"):
        load_image("chelsae")
    with pytest.raises(FileNotFoundError, match=r"no file .*lost\.png.*chelsea"):
        load_image(tmp_path / "lost.png")
    with pytest.raises(ValueError, match=r"unknown kind of picture 'photo'. Did you mean 'photos'"):
        picture_names("photo")
    with pytest.raises(ValueError, match="Did you mean 'chelsea'"):
        picture_alt("chelse")


@pytest.mark.parametrize("source", [None, 3, torch.zeros(1, 3, 4, 4), b"chelsea"])
def test_a_source_of_the_wrong_type_is_named(source: Any) -> None:
    with pytest.raises(TypeError, match="source"):
        load_image(source)


def test_loading_from_pil_copies() -> None:
    picture = Image.new("RGB", (3, 2), (255, 0, 51))
    image = load_image(picture)
    assert image.shape == (1, 3, 2, 3)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    torch.testing.assert_close(image[0, :, 0, 0], torch.tensor([1, 0, 0.2]))
    image.zero_()
    assert picture.getpixel((0, 0)) == (255, 0, 51)


def test_one_pixel_pictures_load(tmp_path: Path) -> None:
    file = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), (255, 0, 0)).save(file)
    assert load_image(file).flatten().tolist() == [1, 0, 0]
    assert load_image(file, size=3).shape == (1, 3, 3, 3)


# --- Sizes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((50, 100), 40, (20, 40)),
        ((100, 50), 40, (40, 20)),
        ((300, 451), 256, (170, 256)),
        ((10, 10), 25, (25, 25)),
        ((1, 1000), 100, (1, 100)),  # never 0 pixels
        ((50, 100), (7, 9), (7, 9)),
        ((50, 100), (9, 200), (9, 200)),
    ],
)
def test_sizes_are_exact(shape: tuple[int, int], size: Any, expected: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *shape)
    result = resize(image, size)
    assert result.shape == (1, 3, *expected)
    assert 0 <= result.min() <= result.max() <= 1
    if isinstance(size, int):
        assert scaled_shape(image, size) == expected


@pytest.mark.parametrize("size", [0, -3, True, 40.0, "40", (0, 5), None])
def test_sizes_that_are_none_are_refused_by_name(size: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="size must be"):
        resize(torch.rand(1, 3, 8, 8), size)


@pytest.mark.parametrize("size", [0, -3, 40.0, "40"])
def test_loading_refuses_the_same_sizes(size: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="size must be"):
        load_image("chelsea", size=size)


@pytest.mark.parametrize("size", [8, 13, (16, 9)])
def test_a_fine_checkerboard_becomes_gray(size: Any) -> None:
    """Without a filter before the sampling, stripes or blocks would appear."""
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    image = board.float().expand(1, 3, 64, 64)
    small = resize(image, size)
    assert (small[..., 1:-1, 1:-1] - 0.5).abs().max() < 0.02
    assert (small - 0.5).abs().max() < 0.1


def test_scaling_keeps_flat_pictures_gradients_and_the_mean() -> None:
    torch.testing.assert_close(
        resize(torch.full((1, 3, 30, 20), 0.3), 45), torch.full((1, 3, 45, 30), 0.3)
    )
    ramp = torch.linspace(0, 1, 60).expand(1, 3, 40, 60)
    small = resize(ramp, 15)  # each new pixel is the middle of four old ones
    expected = torch.arange(1.5, 60, 4) / 59
    assert (small[0, 0, 5] - expected)[2:-2].abs().max() < 1e-3
    assert (small - small.flip(-1)).mean().abs() < 1e-4  # not shifted sideways


def test_scaling_to_the_same_size_changes_nothing() -> None:
    image = torch.rand(1, 3, 9, 12)
    assert torch.equal(resize(image, 12), image)
    assert torch.equal(resize(image, (9, 12)), image)


# --- What is a picture -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.rand(3, 4, 5), r"shape \(1, 3, H, W\), not \(3, 4, 5\)"),
        (torch.rand(1, 4, 5, 3), r"permute"),
        (torch.rand(1, 1, 4, 5), r"shape"),
        (torch.rand(1, 3, 0, 5), r"shape"),
        (torch.zeros(1, 3, 4, 5, dtype=torch.uint8), r"floats from 0 to 1.*float\(\) / 255"),
        (torch.zeros(1, 3, 4, 5, dtype=torch.bool), "floats from 0 to 1"),
        (torch.zeros(1, 3, 4, 5, dtype=torch.complex64), "floats from 0 to 1"),
        (torch.full((1, 3, 4, 5), torch.nan), "NaN or infinite"),
        (torch.full((1, 3, 4, 5), torch.inf), "NaN or infinite"),
        (torch.full((1, 3, 4, 5), 128.0), "from 0 to 1, not 128 to 128.*Divide bytes by 255"),
        (torch.full((1, 3, 4, 5), -0.1), "not -0.1 to -0.1.*do not normalise"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(image: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=f"my photo .*{words}"):
        check_image(image, "my photo")


@pytest.mark.parametrize(
    "image", [None, "chelsea", np.zeros((1, 3, 4, 5)), Image.new("RGB", (3, 2))]
)
def test_other_objects_are_refused_by_type(image: object) -> None:
    with pytest.raises(TypeError, match=r"my photo must be a tensor, not .*load_image"):
        check_image(image, "my photo")


def test_one_nan_among_many_is_found() -> None:
    image = torch.rand(1, 3, 50, 50)
    assert check_image(image) is image
    image[0, 2, 49, 49] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        check_image(image)


# --- Saving ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".tiff"])
def test_a_saved_picture_comes_back_exactly(tmp_path: Path, suffix: str) -> None:
    image = levels()
    save_image(image, tmp_path / f"picture{suffix}")
    torch.testing.assert_close(load_image(tmp_path / f"picture{suffix}"), image)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_files_come_back_nearly(tmp_path: Path, suffix: str) -> None:
    image = resize(torch.rand(1, 3, 4, 4), 64)  # smooth, saturated
    save_image(image, str(tmp_path / f"picture{suffix}"))
    assert (load_image(tmp_path / f"picture{suffix}") - image).abs().mean() < 0.02


def test_bytes_are_rounded_and_clamped_never_stretched() -> None:
    values = torch.tensor([-0.5, 0.0, 0.001, 0.0021, 0.5, 0.997, 1.0, 7.0])
    expected = [0, 0, 0, 1, 128, 254, 255, 255]  # 0.5 * 255 = 127.5 goes to the even 128
    pixels = to_bytes(values.expand(1, 3, 1, 8).requires_grad_())
    assert pixels.shape == (1, 8, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, :, 1].tolist() == expected


@pytest.mark.parametrize(
    "image", [torch.rand(3, 4, 4), torch.rand(2, 3, 4, 4), torch.full((1, 3, 4, 4), torch.nan)]
)
def test_only_one_whole_picture_is_saved(tmp_path: Path, image: Tensor) -> None:
    """A batch of two must not lose its second picture in silence."""
    with pytest.raises(ValueError, match="image "):
        save_image(image, tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


def writable_suffixes() -> Iterator[str]:
    """Yield every ending that `check_output_path` accepts."""
    Image.init()
    for suffix in Image.registered_extensions():
        try:
            yield check_output_path(Path(f"picture{suffix}")).suffix
        except ValueError:
            continue


def test_every_ending_accepted_before_the_work_can_be_written_after_it(tmp_path: Path) -> None:
    suffixes = sorted(writable_suffixes())
    assert {".png", ".jpg", ".jpeg", ".webp", ".tif", ".bmp"} <= set(suffixes)
    failed = {}
    for suffix in suffixes:
        try:
            save_image(levels(32, 32), tmp_path / f"picture{suffix}")
        except (OSError, ValueError, KeyError, Warning) as error:
            failed[suffix] = error
    assert failed == {}


@pytest.mark.parametrize("name", ["picture", "picture.", ".png", "picture.xyz", "picture.png.txt"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot write .*\.png, \.jpg"):
        check_output_path(tmp_path / name)


def test_a_path_that_cannot_be_written_is_found_out_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*lost.* Create it first"):
        check_output_path(tmp_path / "lost" / "picture.png")
    with pytest.raises(OSError, match="cannot write"):
        check_output_path(tmp_path / "file.txt" / "picture.png")
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        check_output_path(tmp_path / "folder.png")
    assert check_output_path(str(tmp_path / "picture.png")) == tmp_path / "picture.png"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file.txt", "folder.png"]


def test_a_folder_without_permission_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system's answer is given by hand: an administrator may write everywhere."""

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", deny)
    with pytest.raises(PermissionError, match=r"picture\.png'.*Permission denied.*another folder"):
        check_output_path(tmp_path / "picture.png")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_an_old_file_survives_a_failing_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    file = tmp_path / "picture.png"
    save_image(levels(), file)
    before = file.read_bytes()

    def write_half(_: Image.Image, target: Path, **options: object) -> None:
        Path(target).write_bytes(before[:20])
        raise error

    monkeypatch.setattr(Image.Image, "save", write_half)
    with pytest.raises(type(error)):
        save_image(levels(), file)
    assert file.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_is_respected(tmp_path: Path, umask: int, mode: int) -> None:
    old = os.umask(umask)
    try:
        save_image(levels(), tmp_path / "picture.png")
    finally:
        assert os.umask(old) == umask  # and it is put back
    expected = 0o666 if os.name == "nt" else mode  # Windows has no such bits
    assert stat.S_IMODE((tmp_path / "picture.png").stat().st_mode) == expected
