"""``nst-edu doctor``: it works, it shows no home folder, and it survives what is broken."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nst_edu.cli import main
from nst_edu.doctor import Check, checks, examine, hide_home, one_line

ROOT = Path(__file__).parent.parent
MISMATCH = "operator torchvision::nms does not exist"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make small pictures slow."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the student a home folder of her own, with torch's cache in it; return the folder."""
    home = tmp_path / "ann-secret"
    (home / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("TORCH_HOME", str(home / "torch"))
    for variable in ("NST_EDU_BACKBONE", "NST_EDU_DEVICE"):
        monkeypatch.delenv(variable, raising=False)
    return home


def test_everything_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "everything works"
    shown = {line.split()[0] for line in lines if line}
    assert {check.label for check in checks()} <= shown
    for part in ("painted 64 px in 10 steps and", "weights in the package, readable", "cores"):
        assert any(part in line for line in lines)
    assert sum("weights not downloaded; fetched on first use" in line for line in lines) == 3


def test_home_folder_is_not_shown(
    ann: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann / "torch" / "hub" / "checkpoints" / "vgg16-397923af.pth").write_bytes(bytes(2_000_000))
    monkeypatch.setenv("NST_EDU_PICTURES", str(ann / "pictures"))
    main(["doctor"])
    text = capsys.readouterr().out
    assert "ann-secret" not in text
    assert "weights found: ~/torch/hub/checkpoints/vgg16-397923af.pth (2 MB)" in text
    assert "NST_EDU_PICTURES=~/pictures" in text


def test_home_folder_is_hidden_but_not_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "li"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert hide_home(f"'{home}', {home}/a and {home}ly") == f"'~', ~/a and {home}ly"
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("USERPROFILE", "/")
    assert hide_home("/usr/lib") == "/usr/lib"


def test_torchvision_that_does_not_fit_torch(
    ann: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ann / "site-packages" / "torchvision"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(f"raise RuntimeError({MISMATCH!r})\n")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.syspath_prepend(folder.parent)
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert f"BROKEN: RuntimeError: {MISMATCH}" in text
    assert "mend torchvision: it has to fit torch; install both together" in text.splitlines()[-1]
    assert "painted 64 px" in text  # the rest still works


def test_broken_torch_spoils_only_what_needs_it(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('fbgemm.dll is missing')\n")
    # The package's own __init__ imports torch; the command's modules do not.
    code = """
import sys, types
package = types.ModuleType("nst_edu")
package.__path__, package.__version__ = [sys.argv[1]], "0.0"
sys.modules["nst_edu"] = package
sys.path.insert(0, sys.argv[2])
from nst_edu.cli import main
sys.exit(main(["doctor"]))
"""
    arguments = [sys.executable, "-c", code, str(ROOT / "nst_edu"), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "BROKEN: OSError: fbgemm.dll is missing" in done.stdout
    assert "mend torch: install torch again: python -m pip" in done.stdout
    for label in ("python", "numpy", "memory", "self-test"):
        assert f"\n{label} " in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("NST_EDU_DEVICE", "cuda:99", "mend devices: if NST_EDU_DEVICE is set"),
        ("NST_EDU_BACKBONE", "vgg91", "mend backbone: unset NST_EDU_BACKBONE"),
    ],
)
def test_wrong_variable_is_named(
    variable: str,
    value: str,
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert f"{variable}={value}" in text
    assert expected in text
    assert "everything works" not in text


def test_warnings_are_shown_without_a_path() -> None:
    def find() -> str:
        warnings.warn("the driver\nis too old", stacklevel=1)
        return "found"

    assert examine(Check("x", find, "")) == ("found", ["the driver is too old"], True)


def test_long_messages_are_cut() -> None:
    assert one_line("a\n b" * 200, longest=5) == "a ba  ..."
