"""Execute a notebook in a fresh kernel, and measure what that costs."""

from __future__ import annotations

import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import ipykernel.kernelspec
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

THREADS = "2"
CELL_TIMEOUT = 900  # s

# Runs after the last cell and prints the kernel's peak memory in bytes. Linux's VmHWM comes first,
# because ru_maxrss there begins at the memory of the process that started the kernel.
PEAK = """
import pathlib, re, resource, sys
status = pathlib.Path("/proc/self/status")
found = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text() if status.exists() else "")
unit = 1 if sys.platform == "darwin" else 1024
print(int(found[1]) * 1024 if found else unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """What a lesson costs: seconds from the kernel's start to its end, peak memory in 10^9 bytes.

    Both are rounded up, to whole seconds and tenths.
    """

    seconds: int
    gigabytes: float

    def __str__(self) -> str:
        """Say it as the lesson's header does."""
        return f"Measured cost: {self.seconds} s, {self.gigabytes:.1f} GB on 2 CPU cores"

    def is_near(self, other: Cost) -> bool:
        """Tell whether the two differ by no more than two runs on one machine do."""
        seconds = abs(self.seconds - other.seconds) <= max(2, other.seconds / 4)
        return seconds and abs(self.gigabytes - other.gigabytes) < 0.25


class _ThisPython(KernelSpecManager):
    """Finds the Python that runs this program, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(**ipykernel.kernelspec.get_kernel_dict())


def execute(notebook: NotebookNode, folder: Path) -> Cost:
    """Run all cells of `notebook`, store their outputs in it, and return the cost.

    Parameters
    ----------
    notebook
        Its cells are changed.
    folder
        The kernel's working directory.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    probe = new_code_cell(PEAK)
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython())
    client = NotebookClient(
        new_notebook(cells=[*notebook.cells, probe]),
        km=manager,
        extra_arguments=["--log-level=ERROR"],
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython:
        client.execute(env=kernel_environment(ipython), cleanup_kc=True)
    seconds = time.perf_counter() - started
    peak = int(probe.outputs[0].text)
    return Cost(math.ceil(seconds), math.ceil(peak / 1e8) / 10)


def kernel_environment(ipython: str) -> dict[str, str]:
    """Return what the kernel finds in its environment: nobody's own settings, two CPU threads.

    Parameters
    ----------
    ipython
        An empty folder, in place of the user's own IPython settings.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_EDU_")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), THREADS)
    return {**kept, **threads, "CUDA_VISIBLE_DEVICES": "", "IPYTHONDIR": ipython}
