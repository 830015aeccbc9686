"""Collect the lessons: every code cell of ``notebooks/*.ipynb`` is a test, run by nbval.

A lesson runs on the CPU, and where there is a GPU once more on it. Its kernel has no network, and
knows nothing of the user's own settings; `NST_EDU_FAST=1 pytest` makes short runs. What a cell
tagged `nbval-check-output` prints is compared with what is stored; other outputs are not.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

ROOT = Path(__file__).parent
collect_ignore_glob = ["notebooks/text/*", "notebooks/assignments/*"]  # they run as notebooks


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval use the Python that runs pytest, whatever kernels the user has installed."""
    config.option.nbval_current_env = True


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Make tests of a lesson."""
    if file_path.suffix != ".ipynb" or file_path.parent != ROOT / "notebooks":
        return None
    return LessonFile.from_parent(parent, path=file_path)


class LessonFile(pytest.File):
    """A notebook, to be run on each device."""

    def collect(self) -> Iterator[Lesson]:
        """Yield one lesson for the CPU, and one, marked `gpu`, for the GPU if there is one."""
        from nst_edu.settings import available_devices  # late: it imports torch

        for device in dict.fromkeys(name.split(":")[0] for name in available_devices()):
            nodeid = f"{self.nodeid}::{device}"
            lesson = Lesson.from_parent(self, path=self.path, name=device, nodeid=nodeid)
            lesson.compare_outputs = False  # only those of tagged cells
            if device != "cpu":
                lesson.add_marker("gpu")
            yield lesson


class Lesson(IPyNbFile):  # type: ignore[misc]
    """A notebook whose code cells are tests; its name is the device."""

    ipython: tempfile.TemporaryDirectory[str]

    def setup(self) -> None:
        """Start the kernel: of this Python, off the network, with nobody's settings."""
        self.ipython = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        profile = Path(self.ipython.name, "profile_default")
        profile.mkdir()
        shutil.copy(ROOT / "tests" / "offline.py", profile / "ipython_kernel_config.py")
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("NST_EDU_BACKBONE", raising=False)
            environment.setenv("NST_EDU_FAST", os.environ.get("NST_EDU_FAST", "0"))
            environment.setenv("NST_EDU_DEVICE", self.name)
            environment.setenv("IPYTHONDIR", self.ipython.name)
            super().setup()

    def teardown(self) -> None:
        """Stop the kernel."""
        super().teardown()
        self.ipython.cleanup()
