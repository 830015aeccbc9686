"""Run a student's notebook in a fresh kernel, on the student's machine, and say what raises."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from tqdm import tqdm

from nst_edu.authoring.execute import _ThisPython, kernel_environment
from nst_edu.classroom.raw_cells import RawCell, place_of

LINES, WIDTH = 6, 200  # of what a test cell prints, so much is shown


def run_cells(
    cells: Sequence[RawCell], folder: Path, tests: Mapping[str, str], seconds: float, quiet: bool
) -> tuple[list[str], list[str]]:
    """Run all code cells, going on after errors.

    Parameters
    ----------
    cells
        Of the student's notebook; nothing is written back.
    folder
        Where the kernel runs, so that it finds files beside the notebook.
    tests
        The id of each cell whose prints are shown → its name.
    seconds
        How long all cells together may take; then each of the others still gets a second.
    quiet
        Whether to show no progress bar.

    Returns
    -------
    problems, printed
        A sentence for each cell that raised or took too long; what the tests printed.
    """
    code = [cell for cell in cells if cell.kind == "code"]
    notebook = new_notebook(cells=[new_code_cell(cell.source) for cell in code])
    with tqdm(total=len(code), desc="running", unit="cell", disable=quiet, file=sys.stderr) as bar:
        stopped = _execute(notebook, folder, seconds, bar.update)
    problems, printed = [], []
    for cell, done in zip(code, notebook.cells, strict=True):
        if (error := _error(done)) is not None:
            problems.append(f"{place_of(cell)} {_says(error, seconds)}")
        if cell.id in tests:
            printed += _printed(tests[cell.id], done)
    return problems + stopped, printed


def _execute(
    notebook: NotebookNode, folder: Path, seconds: float, advance: Callable[[int], Any]
) -> list[str]:
    """Execute a notebook in place; return a sentence if its kernel died."""
    count = 0
    deadline = time.monotonic() + seconds

    def executed(**_: Any) -> None:
        nonlocal count
        count += 1
        advance(1)

    silent = logging.Logger("fresh_run", logging.CRITICAL)  # what it says is said by `_says`
    client = NotebookClient(
        notebook,
        log=silent,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisPython()),
        extra_arguments=["--log-level=ERROR"],
        timeout_func=lambda _: max(1, round(deadline - time.monotonic())),
        interrupt_on_timeout=True,
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=executed,
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython:
        try:
            client.execute(env=kernel_environment(ipython), cleanup_kc=True)
        except DeadKernelError:
            text = "Python ended in the middle of the notebook"
            return [f"{text}, after {count} code cells: too little memory, or exit() in a cell?"]
    return []


def _error(cell: NotebookNode) -> NotebookNode | None:
    """Return the error among a cell's outputs."""
    return next((o for o in cell.outputs if o.output_type == "error"), None)


def _says(error: NotebookNode, seconds: float) -> str:
    """Say in words how a cell failed."""
    if error.ename == "KeyboardInterrupt":
        text = f"was stopped: the whole notebook may take {seconds:g} s."
        return f"{text} Is there a loop that never ends, here or in a cell above?"
    value = str(error.evalue).strip().split("\n")[0][:WIDTH]
    advice = ""
    if error.ename == "NameError":
        advice = " Is it defined in a cell further down, or in one that you deleted?"
    return f"raises {error.ename}: {value}.{advice}".replace("..", ".")


def _printed(name: str, done: NotebookNode) -> list[str]:
    """Return the first lines that a test printed."""
    text = "".join(output.text for output in done.outputs if output.output_type == "stream")
    lines = [line[:WIDTH] for line in text.strip().split("\n")][:LINES]
    return [f"  {name}: {line}" for line in lines if line]
