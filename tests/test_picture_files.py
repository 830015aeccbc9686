"""Decoding: every kind of file becomes the colours a person would see, or a clear error."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from nst_edu.images import load_image
from nst_edu.picture_files import MAX_PIXELS

Bytes = NDArray[np.uint8]

LOSSLESS: dict[str, dict[str, Any]] = {".webp": {"lossless": True}}


def shown(source: Path | Image.Image) -> NDArray[np.float64]:
    """Load a picture and return its values as (H, W, 3), 0 to 1."""
    image = load_image(source)
    assert image.shape[:2] == (1, 3)
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    return image[0].permute(1, 2, 0).double().numpy()


def png(kind: int, depth: int, rows: list[bytes], width: int, **chunks: bytes) -> bytes:
    """Write a PNG by hand (W3C PNG specification); `kind` is its colour type."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, len(rows), depth, kind, 0, 0, 0)
    extra = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))  # 0: the row is not filtered
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


GRAY, RGB, GRAY_ALPHA, RGBA = 0, 2, 4, 6  # PNG colour types


# --- Orientation -----------------------------------------------------------------------------

UPRIGHT = ["abc", "def"]
# EXIF 2.3, tag 274: where row 0 and column 0 of the stored picture are in the upright one.
STORED = {
    1: ["abc", "def"],  # top, left
    2: ["cba", "fed"],  # top, right
    3: ["fed", "cba"],  # bottom, right
    4: ["def", "abc"],  # bottom, left
    5: ["ad", "be", "cf"],  # left, top
    6: ["cf", "be", "ad"],  # right, top
    7: ["fc", "eb", "da"],  # right, bottom
    8: ["da", "eb", "fc"],  # left, bottom
}
COLOURS = {letter: (40 * number, 255 - 30 * number, 7) for number, letter in enumerate("abcdef")}


def painted(letters: list[str]) -> Bytes:
    return np.array([[COLOURS[letter] for letter in row] for row in letters], np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_orientation_is_applied(tmp_path: Path, orientation: int, kind: str) -> None:
    file = tmp_path / f"turned.{kind.lower()}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(painted(STORED[orientation])).save(file, kind, exif=exif, **options)
    np.testing.assert_allclose(shown(file), painted(UPRIGHT) / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", [0, 9, 500])
def test_an_orientation_that_means_nothing_is_ignored(tmp_path: Path, orientation: int) -> None:
    file = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(painted(UPRIGHT)).save(file, exif=exif)
    np.testing.assert_allclose(shown(file), painted(UPRIGHT) / 255, atol=1e-6)


def test_orientation_of_a_16_bit_and_of_a_transparent_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    deep, clear = tmp_path / "deep.png", tmp_path / "clear.png"
    stored = np.array([[100], [200]], np.uint16)
    Image.fromarray(stored).save(deep, exif=exif)
    np.testing.assert_allclose(shown(deep)[..., 0], [[200 / 65535, 100 / 65535]], atol=1e-7)
    Image.fromarray(np.array([[[0, 255]], [[0, 0]]], np.uint8), "LA").save(clear, exif=exif)
    np.testing.assert_allclose(shown(clear)[..., 0], [[1, 0]], atol=1e-6)


# --- Colour profiles -------------------------------------------------------------------------

ADOBE_GAMMA = 563 / 256
# Colorants (columns: red, green, blue) relative to D50, as in the profiles that Adobe (Adobe RGB
# 1998) and the ICC (sRGB) publish.
ADOBE = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


def fixed(*values: float) -> bytes:
    """Encode numbers as the ICC's s15Fixed16."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile(space: bytes, gamma: float, colorants: NDArray[np.float64] | None = None) -> bytes:
    """Build a minimal monitor profile by hand (ICC.1:2001-04): a gamma, and a matrix if RGB."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78 + 1)
    tags = {
        b"desc": description + bytes(-len(description) % 4),
        b"cprt": b"text" + bytes(4) + b"none\0" + bytes(3),
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
    }
    if colorants is None:
        tags[b"kTRC"] = curve
    else:
        for letter, column in zip("rgb", colorants.T, strict=True):
            tags[f"{letter}XYZ".encode()] = b"XYZ " + bytes(4) + fixed(*column)
            tags[f"{letter}TRC".encode()] = curve
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    header = struct.pack(
        ">I4sI4s4s4s",
        132 + 12 * len(tags) + len(body),
        bytes(4),
        0x02100000,
        b"mntr",
        space,
        b"XYZ ",
    )
    header += (
        struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    )
    return header.ljust(128, b"\0") + table + body


def srgb_curve(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light (IEC 61966-2-1)."""
    x = linear.clip(0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def adobe_to_srgb(colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """Convert by the matrices: decode, to XYZ, to linear sRGB, cut off, encode."""
    linear = (np.array(colour) / 255) ** ADOBE_GAMMA
    return srgb_curve(np.linalg.inv(SRGB) @ ADOBE @ linear)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("colour", [(200, 60, 60), (60, 180, 60), (90, 90, 200), (128, 128, 128)])
def test_a_wide_gamut_profile_is_converted(tmp_path: Path, kind: str, colour: Any) -> None:
    file = tmp_path / f"adobe.{kind.lower()}"
    picture = Image.new("RGB", (16, 16), colour)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "JPEG" else {}
    picture.save(file, kind, icc_profile=profile(b"RGB ", ADOBE_GAMMA, ADOBE), **options)
    tolerance = 2 / 255 if kind != "JPEG" else 4 / 255  # JPEG itself is off by one or two
    expected = adobe_to_srgb(colour)
    np.testing.assert_allclose(shown(file)[8, 8], expected, atol=tolerance)
    if colour == (200, 60, 60):  # a colour that Adobe RGB reaches further than sRGB
        assert expected[0] > 225 / 255


def test_a_profile_with_red_and_green_swapped_swaps_them(tmp_path: Path) -> None:
    file = tmp_path / "swapped.png"
    swapped = profile(b"RGB ", 2.2, SRGB[:, [1, 0, 2]])
    Image.new("RGB", (2, 2), (255, 0, 0)).save(file, icc_profile=swapped)
    np.testing.assert_allclose(shown(file)[0, 0], [0, 1, 0], atol=2 / 255)


def test_the_profile_of_a_palette_and_of_a_transparent_picture_counts(tmp_path: Path) -> None:
    icc = profile(b"RGB ", ADOBE_GAMMA, ADOBE)
    expected = adobe_to_srgb((200, 60, 60))
    palette, clear = tmp_path / "palette.png", tmp_path / "clear.png"
    Image.new("RGB", (2, 2), (200, 60, 60)).quantize(4).save(palette, icc_profile=icc)
    np.testing.assert_allclose(shown(palette)[0, 0], expected, atol=2 / 255)
    Image.new("RGBA", (2, 2), (200, 60, 60, 51)).save(clear, icc_profile=icc)
    np.testing.assert_allclose(shown(clear)[0, 0], 0.2 * expected + 0.8, atol=2 / 255)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_the_profile_of_a_gray_picture_counts(tmp_path: Path, mode: str) -> None:
    value: Any = {"L": 128, "LA": (128, 255), "I;16": 128 * 257}[mode]
    file = tmp_path / "gray.png"
    Image.new(mode, (2, 2), value).save(file, icc_profile=profile(b"GRAY", 1.0))
    expected = srgb_curve(np.array([128 / 255] * 3))  # a gamma of 1: half the light is 188 of 255
    np.testing.assert_allclose(shown(file)[0, 0], expected, atol=2 / 255)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_a_gray_picture_with_a_colour_profile_stays_gray(tmp_path: Path, mode: str) -> None:
    """Many programs embed an RGB profile in gray files: no reason for a warning."""
    value: Any = {"L": 100, "LA": (100, 255), "1": 1}[mode]
    file = tmp_path / "gray.png"
    Image.new(mode, (2, 2), value).save(file, icc_profile=profile(b"RGB ", 2.2, SRGB))
    np.testing.assert_allclose(shown(file), 1 if mode == "1" else 100 / 255, atol=3 / 255)


@pytest.mark.parametrize("broken", [b"no profile", profile(b"RGB ", 2.2, ADOBE)[:200], b"\0" * 500])
def test_a_broken_profile_warns_and_keeps_the_colours(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "broken.png"
    Image.new("RGB", (2, 2), (200, 60, 20)).save(file, icc_profile=broken)
    with pytest.warns(UserWarning, match="colour profile cannot be used"):
        values = shown(file)
    np.testing.assert_allclose(values[0, 0], np.array([200, 60, 20]) / 255, atol=1e-6)


# --- Kinds of pixels -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp", ".gif"])
def test_eight_bit_colours_are_exact(tmp_path: Path, suffix: str) -> None:
    pixels = painted(UPRIGHT)
    file = tmp_path / f"picture{suffix}"
    Image.fromarray(pixels).save(file, **LOSSLESS.get(suffix, {}))
    np.testing.assert_allclose(shown(file), pixels / 255, atol=1e-6)


def test_gray_becomes_three_equal_channels(tmp_path: Path) -> None:
    file = tmp_path / "gray.png"
    Image.fromarray(np.array([[0, 77, 255]], np.uint8)).save(file)
    expected = np.repeat([[[0], [77 / 255], [1]]], 3, axis=2)
    np.testing.assert_allclose(shown(file), expected, atol=1e-6)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    file = tmp_path / "bits.png"
    Image.fromarray(np.array([[True, False, True]])).save(file)
    np.testing.assert_array_equal(shown(file)[0, :, 1], [1, 0, 1])


def test_transparent_places_become_white(tmp_path: Path) -> None:
    rgba, gray = tmp_path / "rgba.png", tmp_path / "la.png"
    pixels = np.array([[[255, 0, 102, 255], [255, 0, 102, 51], [9, 9, 9, 0]]], np.uint8)
    Image.fromarray(pixels, "RGBA").save(rgba)
    expected: Any = [[[1, 0, 0.4], [1, 0.8, 0.88], [1, 1, 1]]]  # alpha 51/255 = 0.2
    np.testing.assert_allclose(shown(rgba), expected, atol=1e-6)
    Image.fromarray(np.array([[[0, 51], [102, 255], [0, 0]]], np.uint8), "LA").save(gray)
    np.testing.assert_allclose(shown(gray)[0, :, 2], [0.8, 0.4, 1], atol=1e-6)


@pytest.mark.parametrize("transparency", [1, bytes([255, 0]), bytes([255, 51])])
def test_a_palette_with_transparency(tmp_path: Path, transparency: int | bytes) -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])  # 0: red, 1: blue
    picture.putdata([0, 1, 0])
    file = tmp_path / "palette.png"
    picture.save(file, transparency=transparency)
    middle = [0.8, 0.8, 1] if transparency == bytes([255, 51]) else [1, 1, 1]
    np.testing.assert_allclose(shown(file), [[[1, 0, 0], middle, [1, 0, 0]]], atol=1e-6)
    picture.save(tmp_path / "opaque.png")
    np.testing.assert_allclose(shown(tmp_path / "opaque.png")[0, 1], [0, 0, 1], atol=1e-6)


def test_one_colour_named_transparent(tmp_path: Path) -> None:
    """PNG's tRNS chunk makes one gray value, or one colour, transparent."""
    gray, colour = tmp_path / "gray.png", tmp_path / "colour.png"
    gray.write_bytes(png(GRAY, 8, [bytes([10, 20])], 2, tRNS=struct.pack(">H", 10)))
    np.testing.assert_allclose(shown(gray)[0, :, 0], [1, 20 / 255], atol=1e-6)
    key = struct.pack(">HHH", 1, 2, 3)
    colour.write_bytes(png(RGB, 8, [bytes([1, 2, 3, 1, 2, 4])], 2, tRNS=key))
    np.testing.assert_allclose(shown(colour)[0] * 255, [[255, 255, 255], [1, 2, 4]], atol=1e-4)


def test_cmyk_inks_take_away_light(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    picture = Image.fromarray(pixels, "CMYK")
    picture.save(tmp_path / "inks.tif")
    expected = [[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]]  # cyan, red, black, paper
    np.testing.assert_allclose(shown(tmp_path / "inks.tif")[0], expected, atol=1e-6)
    picture.resize((64, 16), Image.Resampling.NEAREST).save(tmp_path / "inks.jpg", quality=100)
    values = shown(tmp_path / "inks.jpg")[8, 8::16]  # Adobe's JPEGs store the inks inverted
    np.testing.assert_allclose(values, expected, atol=0.03)


# --- More than eight bits --------------------------------------------------------------------


def test_16_bit_gray_is_exact(tmp_path: Path) -> None:
    values = [0, 1, 255, 256, 257, 32768, 65535]
    file = tmp_path / "deep.png"
    file.write_bytes(png(GRAY, 16, [struct.pack(">7H", *values)], 7))
    np.testing.assert_allclose(shown(file)[0, :, 0], np.array(values) / 65535, atol=1e-7)
    np.testing.assert_allclose(shown(file)[0, :, 2], np.array(values) / 65535, atol=1e-7)


def test_16_bit_gray_with_a_transparent_value(tmp_path: Path) -> None:
    file = tmp_path / "deep.png"
    data = png(GRAY, 16, [struct.pack(">3H", 0, 300, 65535)], 3, tRNS=struct.pack(">H", 300))
    file.write_bytes(data)
    np.testing.assert_allclose(shown(file)[0, :, 0], [0, 1, 1], atol=1e-6)


@pytest.mark.parametrize("kind", [RGB, RGBA, GRAY_ALPHA])
def test_16_bit_colour_is_right_within_one_of_255(tmp_path: Path, kind: int) -> None:
    """Within two of 255 where opacity is rounded as well."""
    channels = {RGB: 3, RGBA: 4, GRAY_ALPHA: 2}[kind]
    values = np.random.default_rng(0).integers(0, 65536, (5, 4, channels))
    file = tmp_path / "deep.png"
    file.write_bytes(png(kind, 16, [row.astype(">u2").tobytes() for row in values], 4))
    scaled = values / 65535
    if kind != RGB:
        alpha = scaled[..., -1:]
        scaled = scaled[..., :-1] * alpha + 1 - alpha
    expected = np.broadcast_to(scaled, (5, 4, 3))
    np.testing.assert_allclose(shown(file), expected, atol=(1 if kind == RGB else 2) / 255)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, ">u2"])
def test_deep_tiffs_of_integers(tmp_path: Path, dtype: Any) -> None:
    values = np.array([[0, 1000, 65535]]).astype(dtype)
    file = tmp_path / "deep.tif"
    Image.fromarray(values).save(file)
    np.testing.assert_allclose(shown(file)[0, :, 1], [0, 1000 / 65535, 1], atol=1e-7)


def test_float_tiffs_hold_0_to_1(tmp_path: Path) -> None:
    file = tmp_path / "float.tif"
    Image.fromarray(np.array([[0, 0.25, 1]], np.float32)).save(file)
    np.testing.assert_allclose(shown(file)[0, :, 1], [0, 0.25, 1], atol=1e-7)


@pytest.mark.parametrize("values", [[[0.0, 2.0]], [[-0.1, 0.5]], [[np.nan, 0.5]]])
def test_gray_values_out_of_range_are_refused(tmp_path: Path, values: list[list[float]]) -> None:
    file = tmp_path / "float.tif"
    Image.fromarray(np.array(values, np.float32)).save(file)
    with pytest.raises(
        ValueError, match=r"gray values of .*float.tif.* run from .* floats from 0 to 1"
    ):
        load_image(file)
    Image.fromarray(np.array([[-5, 70000]], np.int32)).save(file)
    with pytest.raises(ValueError, match="from -5 to 70000"):
        load_image(file)


# --- Damage ----------------------------------------------------------------------------------

WRITERS: dict[str, dict[str, Any]] = {
    "png": {},
    "jpg": {},
    "webp": {"lossless": True},
    "tif": {"compression": "tiff_lzw"},
    "gif": {},
    "bmp": {},
    "ppm": {},
}
if features.check("avif"):
    WRITERS["avif"] = {}


def encoded(suffix: str) -> bytes:
    """Encode a noisy picture: noise, so that any cut loses pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 17, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    kind = Image.registered_extensions()[f".{suffix}"]
    Image.fromarray(pixels).save(buffer, kind, **WRITERS[suffix])
    return buffer.getvalue()


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_file_cut_off_is_refused_by_name(tmp_path: Path, suffix: str, share: float) -> None:
    data = encoded(suffix)
    file = tmp_path / f"cut.{suffix}"
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"cut\.\w+'.*(damaged or cut off|not a picture)"):
        load_image(file)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_give_a_picture_or_a_value_error(tmp_path: Path, suffix: str) -> None:
    generator = random.Random(0)
    file = tmp_path / f"damaged.{suffix}"
    for _ in range(60):
        data = bytearray(encoded(suffix))
        for _ in range(generator.choice([1, 3, 20])):
            data[generator.randrange(min(len(data), generator.choice([60, 10**6])))] ^= 0x5A
        file.write_bytes(data)
        try:
            load_image(file)
        except ValueError as error:
            assert "damaged." in str(error), error  # noqa: PT017 (it need not be raised)


def test_empty_foreign_and_folder_are_told_apart(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.png", tmp_path / "text.jpg"
    empty.touch()
    text.write_text("a letter, not a picture")
    with pytest.raises(ValueError, match=r"empty\.png' is empty \(0 bytes\)"):
        load_image(empty)
    with pytest.raises(ValueError, match=r"text\.jpg' is not a picture.*PNG"):
        load_image(text)
    with pytest.raises(ValueError, match="is a folder; name one picture"):
        load_image(tmp_path)


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, side: int) -> None:
    """100 million pixels are our limit's business, 400 million already Pillow's."""
    file = tmp_path / "huge.png"
    data = png(GRAY, 1, [b"\0"], side)
    header = data[16:20] + struct.pack(">I", side) + data[24:29]
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    file.write_bytes(data[:16] + header + crc + data[33:])
    with pytest.raises(ValueError, match=r"huge\.png'.*[Ss]cale it down"):
        load_image(file)
    assert side * side > MAX_PIXELS


def test_a_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system's answer is given by hand: an administrator may read every file."""
    file = tmp_path / "mine.png"
    Image.new("RGB", (2, 2)).save(file)

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", deny)
    with pytest.raises((ValueError, OSError), match=r"ermission") as raised:
        load_image(file)
    assert "damaged" not in str(raised.value)
