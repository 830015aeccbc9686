"""Figures: the right pixels, the right words, shown once."""

from __future__ import annotations

import base64
import html
import io
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure as PlainFigure
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

import nst_edu as nst
from nst_edu import plots
from nst_edu.curves import LOOKS, enlargements, spread
from nst_edu.features import Backbone


def gray(value: float, height: int, width: int) -> Tensor:
    return torch.full((1, 3, height, width), float(value))


def drawn(figure: plots.Figure) -> NDArray[np.uint8]:
    return np.asarray(figure.to_picture())


def step(number: int, total: float, size: int = 8, **losses: float) -> SimpleNamespace:
    values = {"content": 0.0, "style": 1.0, "tv": 0.5, "total": total} | losses
    image = torch.zeros(1, 3, size, 2 * size)
    return SimpleNamespace(number=number, image=image, losses=SimpleNamespace(**values))


def texts(figure: plots.Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


# Pictures


def test_pixels_are_shown_one_to_one() -> None:
    image = torch.rand(1, 3, 301, 287)
    expected = (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    assert np.array_equal(drawn(plots.show_images(image)), expected)


def test_small_pictures_are_enlarged_by_a_whole_number_without_smoothing() -> None:
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).expand(1, 3, 2, 2)
    shown = drawn(plots.show_images(board))
    assert shown.shape == (256, 256, 3)
    assert np.array_equal(shown[..., 0], np.kron([[0, 255], [255, 0]], np.ones((128, 128))))


def test_a_row_of_small_pictures_keeps_within_the_page() -> None:
    shown = drawn(plots.show_images([gray(0, 100, 100)] * 4))
    assert shown.shape == (100, 4 * 100 + 3 * 12, 3)  # twice the size would be 848 px: too wide


def test_a_row_too_wide_for_the_page_is_shrunk() -> None:
    figure = plots.show_images([gray(0.2, 300, 1000), gray(0.6, 300, 500)])
    shown = drawn(figure)
    assert shown.shape == (158, 526 + 12 + 263, 3)  # 788 px for 1000 + 500, rounded up
    assert (shown[:, :526] == 51).all()
    assert (shown[:, 538:801] == 153).all()
    assert "1000 by 300 pixels" in figure.alt


def test_values_are_clamped_never_stretched() -> None:
    shown = drawn(plots.show_images([gray(v, 128, 128) for v in (-3.0, 0.25, 0.75, 9.0)]))
    middles = [int(shown[64, 64 + k * (128 + 12), 0]) for k in range(4)]
    assert middles == [0, 64, 191, 255]


def test_pictures_of_different_sizes_stand_in_a_grid() -> None:
    images = [gray(0.0, 300, 200), gray(0.5, 100, 260), gray(0.2, 260, 260)]
    shown = drawn(plots.show_images(images, columns=2))
    assert shown.shape == (300 + 12 + 300, 260 + 12 + 260, 3)  # columns as wide as their widest
    assert (shown[0:300, 0:200] == 0).all()
    assert (shown[0:100, 272:532] == 128).all()
    assert (shown[100:300, 272:532] == 255).all()  # nothing below the lower picture
    assert (shown[312:572, 0:260] == 51).all()


def test_titles_stand_above_their_pictures_and_are_wrapped() -> None:
    titled = plots.show_images([gray(0, 256, 256)] * 2, titles=["photo", "a title " * 6])
    titles = [ax.get_title(loc="left") for ax in titled.axes]
    assert titles[0] == "photo"
    assert all(len(line) <= 26 for line in titles[1].splitlines())
    shown = drawn(titled)
    band = len(titles[1].splitlines()) * 21
    assert shown.shape == (256 + band, 2 * 256 + 12, 3)
    assert (shown[band:, :256] == 0).all()  # the title does not cover the picture
    assert (shown[:band, :256] < 128).any()


def test_alt_text_of_pictures_is_the_authors_or_made_of_what_is_known() -> None:
    images = [gray(0.5, 20, 30), gray(1.0, 20, 20)]
    assert plots.show_images(images, alt="Two grays.").alt == "Two grays."
    assert plots.show_images(images, titles=["before", "after"]).alt == (
        "2 pictures: before, 30 by 20 pixels, mean brightness 0.50 of 1; "
        "after, 20 by 20 pixels, mean brightness 1.00 of 1."
    )


@pytest.mark.parametrize(
    ("images", "titles", "message"),
    [
        ([], None, "0 images and 0 titles"),
        ([torch.zeros(1, 3, 4, 4)], ["a", "b"], "1 images and 2 titles"),
        ([torch.zeros(2, 3, 4, 4)], None, r"images\[0\] must be one picture.*\(2, 3, 4, 4\)"),
        ([torch.zeros(3, 4, 4)], None, r"images\[0\] must have shape"),
        ([torch.full((1, 3, 4, 4), torch.nan)], None, r"images\[0\].*NaN"),
    ],
)
def test_wrong_images_are_named(
    images: list[Tensor], titles: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.show_images(images, titles=titles)


# Curves


def test_losses_of_a_real_run(compact: Backbone) -> None:
    photo, style = torch.rand(1, 3, 48, 48), torch.rand(1, 3, 48, 48)
    steps = list(nst.style_transfer_steps(photo, style, steps=4, backbone=compact))
    figure = plots.plot_losses(steps)
    (ax,) = figure.axes
    total = [line for line in ax.lines if line.get_color() == "black"]
    assert list(total[0].get_ydata()) == [s.losses.total for s in steps]  # type: ignore[arg-type]
    assert ax.get_yscale() == "log"
    first, last = steps[0].losses.total, steps[-1].losses.total
    assert f"total falls from {first:.3g} to {last:.3g}" in figure.alt
    assert "over 4 evaluations" in figure.alt


def test_alt_text_of_losses_in_numbers() -> None:
    steps = [step(0, 43.21, content=0), step(1, 9, content=0.2), step(2, 0.8, content=0.3)]
    assert plots.plot_losses(steps).alt == (
        "Losses over 3 evaluations: total falls from 43.2 to 0.8; style goes from 1 to 1; "
        "content rises from 0 to 0.3; tv goes from 0.5 to 0.5."
    )


def test_each_curve_has_a_label_dashes_and_a_colour_of_its_own() -> None:
    figure = plots.plot_losses([step(0, 5), step(1, 2, content=0.25)])
    assert sorted(texts(figure)) == ["content 0.25", "style 1", "total 2", "tv 0.5"]
    lines = figure.axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == len(lines) == 4
    assert len({line.get_color() for line in lines}) == 4
    assert len({dashes for _color, dashes, _width in LOOKS}) == len(LOOKS)


def test_where_the_picture_grows_is_marked_and_said() -> None:
    steps = [step(0, 5), step(1, 4), step(2, 6, size=16), step(3, 3, size=16)]
    assert enlargements(steps) == [(2, 16, 32)]
    figure = plots.plot_losses(steps)
    assert " 32×16 px" in texts(figure)
    assert figure.alt.endswith("At evaluation 2 the picture grows to 32 by 16 pixels.")


@pytest.mark.parametrize(
    "losses", [{"total": 0.0, "style": 0.0, "tv": 0.0}, {"total": float("nan")}]
)
def test_losses_without_a_logarithm_are_drawn_without_a_warning(losses: dict[str, float]) -> None:
    steps = [step(k, **{"total": 1.0} | losses) for k in range(3)]  # type: ignore[arg-type]
    assert (drawn(plots.plot_losses(steps)) < 255).any()


def test_labels_do_not_overlap() -> None:
    placed = spread([0.1, 0.1, 0.1, 0.95, 1.0], [0.1] * 5, top=1.0)
    assert placed == pytest.approx([0.1, 0.2, 0.3, 0.85, 0.95])


def test_axes_of_ones_own_take_several_plots_and_gather_their_words() -> None:
    figure = plots.Figure(900, 300)
    left, right = figure.subplots(1, 2)
    assert plots.plot_lines({"a": [1, 2]}, ax=left, alt="Left.") is figure
    assert plots.plot_losses([step(0, 1)], ax=right, alt="Right.") is figure
    assert figure.alt == "Left. Right."
    assert left.lines
    assert right.lines


def test_what_cannot_be_plotted_is_refused() -> None:
    with pytest.raises(ValueError, match="steps is empty"):
        plots.plot_losses([])
    with pytest.raises(ValueError, match=r"not \{'a': 0\}"):
        plots.plot_lines({"a": []})
    with pytest.raises(ValueError, match="one to 6 series"):
        plots.plot_lines({str(k): [1.0] for k in range(7)})
    with pytest.raises(TypeError, match=r"plots\.Figure"):
        plots.plot_lines({"a": [1.0]}, ax=PlainFigure().subplots())


# Display


def bundle(figure: plots.Figure) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    formatter = InteractiveShell.instance().display_formatter
    assert formatter is not None
    data, metadata = formatter.format(figure)
    return data, metadata


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_ipython_shows_html_with_alt_text_and_a_picture_beside_it(kind: str) -> None:
    alt = 'A "cat" & <dogs>'
    figures = {
        "image/jpeg": plots.show_images(nst.load_image("chelsea", size=256), alt=alt),
        "image/png": plots.plot_lines({"a": [3.0, 1.0]}, alt=alt),
    }
    data, metadata = bundle(figures[kind])
    assert set(data) == {"text/html", "text/plain", kind}  # one output: it is shown once
    (image,) = re.findall("<img [^>]*>", data["text/html"])
    assert html.unescape(re.findall('alt="([^"]*)"', image)[0]) == alt
    assert data["text/plain"] == metadata[kind]["alt"] == alt

    shown = base64.b64decode(re.findall('base64,([^"]*)', image)[0])
    for file in (shown, base64.b64decode(data[kind])):
        decoded = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), float)
        exact = drawn(figures[kind]).astype(float)
        assert decoded.shape == exact.shape
        assert np.abs(decoded - exact).mean() < 5


def test_figures_are_small_files() -> None:
    photo = nst.load_image("chelsea", size=512)
    sizes = [
        sum(map(len, bundle(f)[0].values()))
        for f in (plots.show_images(photo), plots.plot_losses([step(k, 60 - k) for k in range(60)]))
    ]
    assert sizes[0] < 120_000
    assert sizes[1] < 80_000


def test_pyplot_is_not_imported() -> None:
    code = "import sys, nst_edu.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
