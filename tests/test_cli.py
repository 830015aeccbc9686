"""``nst-edu stylize``, ``list`` and ``--help``: real small runs, real signals, real files."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nst_edu import stylize
from nst_edu.cli import main, make_parser
from nst_edu.features import BACKBONES
from nst_edu.images import PICTURES, load_image, picture_names, save_image, to_bytes
from nst_edu.objective import Objective
from nst_edu.optimize import DEFAULT_RATES, Step
from nst_edu.progress import progress_bar, show_step
from nst_edu.signals import StopSignals
from nst_edu.transfer import STARTS, style_transfer, style_transfer_steps

ROOT = Path(__file__).parent.parent
SMALL = ["--size", "48", "--steps", "4", "--backbone", "compact", "--device", "cpu"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make small pictures slow."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def style(tmp_path: Path) -> str:
    """Write a seeded style picture, 40×48 px; return its path."""
    return draw(tmp_path / "style.png", seed=1)


def draw(path: Path, seed: int) -> str:
    blocks = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((48, 40)).save(path)
    return str(path)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


# Painting -----------------------------------------------------------------------------------------


def test_picture_is_that_of_the_package(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert main(["stylize", "chelsea", style, "-o", str(out), *SMALL]) == 0
    same = style_transfer(
        load_image("chelsea"), load_image(style), size=48, steps=4, backbone="compact", device="cpu"
    )
    np.testing.assert_array_equal(pixels(out), to_bytes(same))
    said = capsys.readouterr()
    assert re.fullmatch(rf"wrote {out}: 48×32 px, 4 steps, \d+\.\d s\n", said.out)
    assert re.search(r"step 4/4 100%.* left, total \S+, content \S+, style \S+", said.err)


def test_default_size_is_the_photos_and_at_most_512(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    once = ["--steps", "1", "--scales", "1", "--backbone", "compact", "--device", "cpu"]
    main(["stylize", style, style, "-o", str(out), *once])
    assert pixels(out).shape == (40, 48, 3)
    wide = tmp_path / "wide.png"
    Image.new("RGB", (1024, 64), "teal").save(wide)
    main(["stylize", str(wide), style, "-o", str(out), *once])
    assert pixels(out).shape == (32, 512, 3)


def test_quiet_shows_no_bar(style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out.png")
    assert main(["stylize", "chelsea", style, "-o", out, *SMALL, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_first_picture_can_be_a_file(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    first = draw(tmp_path / "first.png", seed=2)
    options = ["--start", first, "--steps", "1", "--backbone", "compact", "--quiet"]
    assert main(["stylize", style, style, "-o", str(out), *options]) == 0
    np.testing.assert_array_equal(pixels(out), pixels(Path(first)))  # step 1 is the start itself


def test_seed_decides_the_noise(style: str, tmp_path: Path) -> None:
    outs = [tmp_path / f"{number}.png" for number in range(3)]
    for out, seed in zip(outs, ("5", "5", "6"), strict=True):
        noise = ["--start", "noise", "--seed", seed, "--quiet"]
        main(["stylize", "chelsea", style, "-o", str(out), *SMALL, *noise])
    assert (pixels(outs[0]) == pixels(outs[1])).all()
    assert (pixels(outs[0]) != pixels(outs[2])).any()


def test_blend_weights_and_layers_reach_the_objective(style: str, tmp_path: Path) -> None:
    other = draw(tmp_path / "other.png", seed=3)

    def paint(*arguments: str) -> np.ndarray:
        pictures = [argument for argument in arguments if argument in (style, other)]
        options = arguments[len(pictures) :]
        out = ["-o", str(tmp_path / "o.png"), *SMALL, "--quiet"]
        assert main(["stylize", "chelsea", *pictures, *out, *options]) == 0
        return pixels(tmp_path / "o.png")

    plain = paint(style)
    assert (paint(style, other, "--style-blend", "1,0") == plain).all()
    assert (paint(style, other, "--style-blend", "1,1") != plain).any()
    photo = paint(style, "--style-weight", "0")  # nothing but the photo counts: it stays as it is
    np.testing.assert_array_equal(photo, to_bytes(load_image("chelsea", size=48)))
    for changed in (
        ["--content-weight", "50"],
        ["--tv-weight", "50"],
        ["--style-layers", "relu1_1, relu2_1"],
        ["--content-layers", "conv2_1", "--content-weight", "50"],
        ["--optimizer", "adam"],
        ["--learning-rate", "0.5"],
        ["--scales", "2"],
        ["--backbone", "random"],
    ):
        assert (paint(style, *changed) != plain).any(), changed


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.png"
    Image.new("RGB", (48, 32), "teal").save(odd, icc_profile=b"no profile at all")
    options = [*SMALL, "--steps", "1", "--quiet"]
    assert main(["stylize", str(odd), style, "-o", str(tmp_path / "out.png"), *options]) == 0
    error = capsys.readouterr().err
    assert error.startswith("nst-edu: warning: the picture's colour profile cannot be used")
    assert error.count("\n") == 1


def test_terminal_that_knows_ascii_only(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(screen, encoding="ascii"))
    out = str(tmp_path / "猫.png")
    assert main(["stylize", "chelsea", style, "-o", out, *SMALL, "--quiet"]) == 0
    sys.stdout.flush()
    assert rb"\u732b.png: 48\xd732 px" in screen.getvalue()


def test_bar_counts_pixels() -> None:
    plan = [((2, 3), 4), ((4, 6), 2)]  # 4 * 6 + 2 * 24 pixels
    with progress_bar(plan, quiet=True) as bar:
        assert bar.total == 72


def test_bar_is_full_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    photo = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    plan = [((16, 24), 2), ((32, 48), 1)]
    with progress_bar(plan) as bar:
        for step in style_transfer_steps(
            photo, photo, steps=3, scales=2, backbone="compact", device="cpu"
        ):
            show_step(bar, step, 3)
        assert bar.n == bar.total
    assert "step 3/3 100%" in capsys.readouterr().err


# What the user can mend ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["chelsae", "STYLE"], ["unknown picture 'chelsae'", "'chelsea'"]),
        (["missing.jpg", "STYLE"], ["there is no file 'missing.jpg'"]),
        (["chelsea", "EMPTY"], ["is empty"]),
        (["chelsea", "TEXT"], ["not a picture"]),
        (["chelsea", "STYLE", "--start", "nosie"], ["unknown start 'nosie'", "'noise'"]),
        (["chelsea", "STYLE", "--start", "no.png"], ["there is no file 'no.png'"]),
        (["chelsea", "STYLE", "--backbone", "vgg91"], ["unknown backbone 'vgg91'", "'vgg19'"]),
        (["chelsea", "STYLE", "--style-layers", "relu11"], ["'relu11'", "'relu1_1'"]),
        (["chelsea", "STYLE", "--content-layers", "relu9_9"], ["'relu9_9'"]),
        (["chelsea", "STYLE", "--optimizer", "adm"], ["unknown optimizer 'adm'", "'adam'"]),
        (["chelsea", "STYLE", "--device", "tpu"], ["unknown device 'tpu'", "cpu"]),
        (["chelsea", "STYLE", "--device", "cuda:99"], ["'cuda:99' is not available"]),
        (["chelsea", "STYLE", "--size", "0"], ["size", "1 or more"]),
        (["chelsea", "STYLE", "--size", "8"], ["too small"]),
        (["chelsea", "STYLE", "--size", "1000000"], ["GB", "Use size="]),
        (["chelsea", "STYLE", "--steps", "0"], ["steps", "1 or more"]),
        (["chelsea", "STYLE", "--scales", "0"], ["scales", "from 1 to"]),
        (["chelsea", "STYLE", "--content-weight", "-1"], ["content_weight", "from 0 to"]),
        (["chelsea", "STYLE", "--style-weight", "nan"], ["style_weight", "from 0 to", "not nan"]),
        (["chelsea", "STYLE", "--tv-weight", "inf"], ["tv_weight", "from 0 to", "not inf"]),
        (["chelsea", "STYLE", "--style-blend", "1,2"], ["style_blend", "1 styles"]),
        (["chelsea", "STYLE", "--learning-rate", "0"], ["learning_rate", "larger than 0"]),
        (["chelsea", "STYLE", "--seed", "99999999999999999999"], ["seed", "from 0 to"]),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    expected: list[str],
    style: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    files = {
        "STYLE": style,
        "EMPTY": str(tmp_path / "empty.jpg"),
        "TEXT": str(tmp_path / "text.jpg"),
    }
    out = tmp_path / "out.png"
    given = [files.get(argument, argument) for argument in arguments]
    small = [] if "--size" in given else ["--size", "48"]
    assert main(["stylize", *given, "-o", str(out), *small]) == 2
    error = capsys.readouterr().err
    assert error.startswith("nst-edu: error: ")
    assert error.count("\n") == 1  # no progress bar, no traceback
    for part in expected:
        assert part in error
    assert not out.exists()


def test_the_program_alone_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("usage: nst-edu")
    assert "nst-edu stylize chelsea swirl -o picture.png" in out
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["stylise", "a", "b"], "invalid choice: 'stylise'"),
        (["stylize", "chelsea", "-o", "x.png"], "required: STYLE"),
        (["stylize", "chelsea", "swirl"], "required: -o/--output"),
        (["stylize", "chelsea", "swirl", "-o", "x.png", "--size", "big"], "--size: invalid int"),
        (["stylize", "chelsea", "swirl", "-o", "x.png", "--style-blend", "3;1"], "such as 3,1"),
    ],
)
def test_wrong_command_line_is_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert "--help" in error


def test_output_is_checked_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for out in ("no/folder/out.png", "file/out.png", "out.txt", "."):
        assert main(["stylize", "missing.jpg", "missing.jpg", "-o", str(tmp_path / out)]) == 2
        assert "missing.jpg" not in capsys.readouterr().err


@pytest.mark.parametrize("role", ["content", "style", "start"])
@pytest.mark.parametrize("how", ["itself", "symbolic link", "hard link"])
def test_an_input_is_never_overwritten(
    role: str, how: str, style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = draw(tmp_path / "mine.png", seed=4)
    before = Path(mine).read_bytes()
    out = tmp_path / ("mine.png" if how == "itself" else "link.png")
    if how == "symbolic link":
        out.symlink_to(mine)
    if how == "hard link":
        out.hardlink_to(mine)
    content = mine if role == "content" else "chelsea"
    painted = mine if role == "style" else style
    start = mine if role == "start" else "content"
    arguments = ["stylize", content, painted, "-o", str(out), *SMALL, "--start", start]
    assert main(arguments) == 2
    assert "would be lost" in capsys.readouterr().err
    assert Path(mine).read_bytes() == before


def test_a_bundled_picture_is_never_overwritten() -> None:
    with pytest.raises(ValueError, match="would be lost"):
        stylize.choose_output(str(PICTURES / "photos" / "chelsea.jpg"), ["chelsea", "swirl"])


def test_another_old_file_is_replaced(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    draw(out, seed=5)
    assert main(["stylize", "chelsea", style, "-o", str(out), *SMALL]) == 0
    assert pixels(out).shape == (32, 48, 3)


# What ends a painting early -----------------------------------------------------------------------


def test_learning_rate_too_large_keeps_the_picture(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Near the goal already, so that a wild move makes the loss more than a hundred times larger.
    near, out = tmp_path / "near.png", tmp_path / "out.png"
    Image.fromarray(pixels(Path(style)) // 64 * 64 + 32).save(near)
    wild = ["--start", str(near), "--scales", "2", "--optimizer", "adam", "--learning-rate", "1000"]
    assert main(["stylize", style, style, "-o", str(out), *SMALL, *wild]) == 3
    assert pixels(out).shape == (40, 48, 3)
    error = capsys.readouterr().err
    assert "learning_rate=1e+03 is too large for 'adam'. Try 100" in error
    assert "the best picture so far (step 1 of 4, enlarged from 24×20 px)" in error


def test_the_best_picture_is_kept_and_not_the_last(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    wild = ["--scales", "1", "--optimizer", "adam", "--learning-rate", "1000"]
    main(["stylize", "chelsea", style, "-o", str(out), *SMALL, *wild])
    photo = to_bytes(load_image("chelsea", size=48))  # all later steps are black and white spots
    np.testing.assert_array_equal(pixels(out), photo)


def failing(error: Exception) -> Callable[..., Iterator[Step]]:
    """Return a `style_transfer_steps` that breaks down after two steps."""

    def steps(*arguments: object, **options: object) -> Iterator[Step]:
        painting = style_transfer_steps(*arguments, **options)  # type: ignore[arg-type]
        yield next(painting)
        yield next(painting)
        raise error

    return steps


def test_memory_that_runs_out_on_the_way_keeps_the_picture(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.png"
    broken = failing(torch.OutOfMemoryError("CUDA out of memory"))
    monkeypatch.setattr(stylize, "style_transfer_steps", broken)
    assert main(["stylize", "chelsea", style, "-o", str(out), *SMALL]) == 2
    assert "smaller --size" in capsys.readouterr().err
    assert pixels(out).shape == (32, 48, 3)


def test_a_bug_keeps_its_traceback_and_the_picture(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.png"
    for bug in (RuntimeError("a bug"), ValueError("a bug outside of the package")):
        monkeypatch.setattr(stylize, "style_transfer_steps", failing(bug))
        with pytest.raises(type(bug), match="a bug"):
            main(["stylize", "chelsea", style, "-o", str(out), *SMALL])
        assert pixels(out).shape == (32, 48, 3)
        out.unlink()


def test_ctrl_c_saves_the_best_picture(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    small = ["--size", "96", "--scales", "2", "--steps", "100000", "--backbone", "compact"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nst_edu", "stylize", "chelsea", style, "-o", str(out), *small],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    shown = b""
    while b"step 3" not in shown:  # ends with an AssertionError, not with waiting, if it breaks
        shown += (piece := os.read(process.stderr.fileno(), 4096))
        assert piece, shown.decode()
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)  # an impatient second one
    error = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, error
    assert "stopped: wrote" in error
    assert "enlarged from 48×32 px" in error
    assert "Traceback" not in error
    assert pixels(out).shape == (64, 96, 3)


def test_ctrl_c_before_the_first_step(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> Iterator[Step]:
        signal.raise_signal(signal.SIGINT)
        yield from ()

    out = tmp_path / "out.png"
    for function in ("style_transfer_steps", "load_image"):
        monkeypatch.setattr(
            stylize,
            function,
            interrupted if function == "style_transfer_steps" else lambda _: list(interrupted()),
        )
        assert main(["stylize", "chelsea", style, "-o", str(out), *SMALL]) == 130
        assert "nothing was written" in capsys.readouterr().err
        assert not out.exists()
        monkeypatch.undo()


@pytest.mark.parametrize("first", [True, False], ids=["second Ctrl-C", "Ctrl-C at the very end"])
def test_ctrl_c_while_saving_loses_nothing(
    first: bool, style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, show = save_image, show_step

    def show_and_interrupt(*arguments: object) -> None:
        show(*arguments)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)

    def interrupt_and_save(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        save(*arguments)  # type: ignore[arg-type]

    out = tmp_path / "out.png"
    monkeypatch.setattr(stylize, "save_image", interrupt_and_save)
    if first:
        monkeypatch.setattr(stylize, "show_step", show_and_interrupt)
    code = main(["stylize", "chelsea", style, "-o", str(out), *SMALL])
    assert code == (130 if first else 0)
    assert pixels(out).shape == (32, 48, 3)


def test_a_keyboard_interrupt_that_got_lost_still_stops(
    style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def swallow(*arguments: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):  # as Python does in a callback
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(stylize, "show_step", swallow)
    out = tmp_path / "out.png"
    assert main(["stylize", "chelsea", style, "-o", str(out), *SMALL]) == 130
    assert "step 1 of 4" in capsys.readouterr().err


def test_handlers_of_before_are_put_back() -> None:
    def mine(number: int, frame: object) -> None:
        raise AssertionError("not called here")

    before = signal.signal(signal.SIGINT, mine)
    try:
        with StopSignals() as stop:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)  # the second one: nothing happens
            assert stop.exit_code == 143
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


# Help ---------------------------------------------------------------------------------------------


def help_text(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_defaults_are_those_of_the_package() -> None:
    args = vars(make_parser().parse_args(["stylize", "a", "b", "-o", "c"]))
    compared = []
    for function in (style_transfer_steps, Objective):
        for name, parameter in inspect.signature(function).parameters.items():
            if name in args and parameter.default is not inspect.Parameter.empty:
                assert args[name] == parameter.default, name
                compared.append(name)
    assert {*stylize.PASSED_ON, "size", "start"} == set(compared)


def test_help_names_what_the_package_accepts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = help_text(capsys, "stylize")
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.replace("gradient-\n", "gradient-").split())
    for name in (*BACKBONES, *DEFAULT_RATES, *STARTS):
        assert name in words
    for optimizer, rate in DEFAULT_RATES.items():
        assert rate != rate or f"{rate:g} for {optimizer}" in words  # NaN: found at run time


def test_examples_of_the_help_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text(capsys, "stylize").replace("\\\n", "")
    examples = re.findall(r"^    nst-edu (stylize .*)$", text, flags=re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        args = make_parser().parse_args(shlex.split(example))
        assert args.content in picture_names("photos")
        assert set(args.style) <= set(picture_names("styles"))
        stylize.check_options(args)


def test_help_imports_nothing_heavy() -> None:
    # The package's own __init__ is left out: this is about the command's modules.
    code = """
import sys, types
package = types.ModuleType("nst_edu")
package.__path__, package.__version__ = [sys.argv[1]], "0"
sys.modules["nst_edu"] = package
from nst_edu.cli import main
try:
    main(["stylize", "--help"])
finally:
    print({"torch", "numpy", "PIL", "matplotlib", "tqdm"} & set(sys.modules), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "nst_edu")], capture_output=True, text=True
    )
    assert done.stdout.startswith("usage: nst-edu stylize CONTENT STYLE")
    assert done.stderr == "set()\n"


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    for name in (*picture_names(), *BACKBONES, "relu5_1", "fire9"):
        assert re.search(rf"\b{name}\b", text)


def test_python_m_nst_edu() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nst_edu", "--version"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert re.fullmatch(r"nst-edu \d+\.\d+\.\d+\n", done.stdout)
