"""Execute a lesson in a kernel of its own, as the tests of the notebooks do."""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from nst_edu.authoring.execute import CELL_TIMEOUT, _ThisPython, kernel_environment

TESTS = Path(__file__).parent


def run(notebook: NotebookNode, folder: Path, ipython: Path, **settings: str) -> None:
    """Execute a lesson: short, off the network, with more environment variables if given."""
    profile = ipython / "profile_default"
    profile.mkdir(parents=True)
    shutil.copy(TESTS / "offline.py", profile / "ipython_kernel_config.py")
    # One thread: on a busy machine two of them wait for each other most of the time.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    settings = {"NST_EDU_FAST": "1", "NST_EDU_DEVICE": "cpu", **threads, **settings}
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython()),
        timeout=CELL_TIMEOUT,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=kernel_environment(str(ipython)) | settings, cleanup_kc=True)
