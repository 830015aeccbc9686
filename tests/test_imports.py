"""Who may import whom, and that importing does nothing."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nst_edu

PACKAGE = Path(nst_edu.__file__).parent

# DESIGN.md: images, layers, losses ← features ← objective ← optimize ← transfer. A module of the
# core imports only modules of a lower level.
LEVEL = {
    "checks": 0,
    "picture_files": 0,
    "torchvision_weights": 0,
    "settings": 0,
    "images": 1,
    "layers": 1,
    "losses": 1,
    "allocation": 0,
    "fast": 1,
    "features": 2,
    "objective": 3,
    "optimize": 4,
    "memory": 5,
    "transfer": 6,
}
OUTSIDE = 9  # everything else: widgets, cli, plots, exercises, classroom, authoring, training
# The plots: pictures and matplotlib, nothing of the core behind them.
PLOTS = {"plots", "figures", "curves"}


def imports(file: Path) -> Iterator[str]:
    """Yield the full name of every import, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: write the whole name, nst_edu.…"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(file: Path) -> set[str]:
    """Return the modules of this package that `file` imports."""
    known = {path.stem for path in PACKAGE.glob("*.py")} | {
        p.parent.name for p in PACKAGE.glob("*/__init__.py")
    }
    names = (name.split(".") for name in imports(file))
    return {
        parts[1]
        for parts in names
        if parts[0] == "nst_edu" and len(parts) > 1 and parts[1] in known
    }


def modules() -> dict[str, Path]:
    return {file.stem: file for file in PACKAGE.glob("*.py") if not file.stem.startswith("__")}


def test_the_core_imports_downwards_only() -> None:
    found = modules()
    assert {"images", "losses", "features", "objective", "optimize", "transfer"} <= set(found)
    wrong = {
        f"{name} imports {other}"
        for name, file in found.items()
        if name in LEVEL
        for other in own(file)
        if LEVEL.get(other, OUTSIDE) >= LEVEL[name]
    }
    assert wrong == set()


def test_the_core_never_imports_the_package_itself() -> None:
    """``import nst_edu`` inside it would run __init__, and could go round in a circle."""
    for name, file in modules().items():
        if name in LEVEL:
            assert "nst_edu" not in set(imports(file)), name


def test_plots_know_pictures_only() -> None:
    for name in PLOTS & set(modules()):
        assert own(modules()[name]) <= {"images", "names"} | PLOTS, name


def test_only_widgets_import_ipywidgets() -> None:
    users = {
        name
        for name, file in modules().items()
        if any(i.startswith("ipywidgets") for i in imports(file))
    }
    assert users <= {"widgets"}


@pytest.mark.parametrize("name", sorted(LEVEL))
def test_the_core_needs_no_heavy_library_at_its_top(name: str) -> None:
    if name not in modules():
        assert name == "layers"  # comes with lessons 1 to 3
        return
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    top |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    heavy = ("torchvision", "matplotlib", "ipywidgets", "IPython", "scipy", "skimage", "tqdm")
    assert not {module for module in top if module.startswith(heavy)}


FRESH = """
import random, socket, sys, threading, warnings
warnings.simplefilter("error")
import numpy, torch
def refuse(*_, **__):
    raise AssertionError("a socket was opened")
socket.socket.__init__ = refuse
threads = threading.active_count()
states = torch.get_rng_state(), random.getstate(), numpy.random.get_state()[1].tolist()
settings = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()
import nst_edu
core = [getattr(nst_edu, name) for name in nst_edu.__all__]  # some are imported on first use
assert torch.equal(torch.get_rng_state(), states[0])
assert random.getstate() == states[1]
assert numpy.random.get_state()[1].tolist() == states[2]
assert (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()) == settings
assert threading.active_count() == threads
heavy = ["torchvision", "matplotlib", "ipywidgets", "IPython", "scipy", "skimage",
         "nst_edu.plots", "nst_edu.widgets", "nst_edu.cli", "nst_edu.training", "nst_edu.exercises"]
loaded = [name for name in heavy if name in sys.modules]
assert not loaded, loaded
"""


def test_importing_does_nothing(tmp_path: Path) -> None:
    """In a fresh interpreter: no heavy library, no output, no socket, no seed, no file."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH],
        cwd=tmp_path,
        env={**_environment(), "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("NST_EDU")}


def test_everything_announced_is_there() -> None:
    assert sorted(nst_edu.__all__) == list(nst_edu.__all__)
    for name in nst_edu.__all__:
        assert getattr(nst_edu, name).__doc__, name


def test_the_tests_have_no_network(network_attempts: list[str]) -> None:
    """The guard of conftest.py works: other machines are out of reach, this one is not."""
    with pytest.raises(OSError, match=r"tests have no network: example.com"):
        socket.create_connection(("example.com", 80), timeout=1)
    with pytest.raises(OSError, match="no network"), socket.socket() as plain:
        plain.connect(("192.0.2.1", 80))
    assert network_attempts == ["example.com", "192.0.2.1"]
    network_attempts.clear()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
