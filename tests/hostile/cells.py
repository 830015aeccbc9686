"""Attacks in what the cells of a notebook say."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import nbformat

from tests import classroom_samples as samples
from tests.hostile.model import (
    ZEROS,
    Attack,
    Field,
    path_of,
)

RUN = "document.title='RAN'"

HTML = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}><script>{RUN}</script></svg>",
    f"[click](javascript:{RUN}) <javascript:{RUN}> [c](data:text/html,<script>{RUN}</script>)",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "![pixel](http://evil.example/pixel.png)",
    f"</pre></code></title></style></textarea><iframe srcdoc='<script>{RUN}</script>'></iframe>",
]


class Trap:
    """What a careless reader would run."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trap,)


def _html(field: Field, student: str) -> None:
    shown = [f"display({{mime: {text!r} for mime in KINDS}}, raw=True)" for text in HTML]
    kinds = (
        '("text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex")'
    )
    code = "\n".join(
        [f"from IPython.display import display\nKINDS = {kinds}", *shown, f"print({HTML!r})"]
    )
    failing = f"def my_scaled(features, factor):\n    raise ValueError({''.join(HTML)!r})"
    notebook = samples.submission({"scaled": failing, samples.BY_HAND: "\n\n".join(HTML)}, student)
    notebook.cells[3:3] = [samples.markdown(text) for text in HTML]
    notebook.cells.insert(3, nbformat.v4.new_code_cell(code, id="mine"))
    notebook.metadata.title = HTML[0]
    samples.write(notebook, path_of(field, student))


def _pickles(field: Field, student: str) -> None:
    bomb = base64.b64encode(pickle.dumps(Trap(field.trap))).decode()
    notebook = samples.submission({"scaled": ZEROS}, student)
    data = {"application/x-python-pickle": bomb, "application/octet-stream": bomb}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": bomb}}
    path = samples.write(notebook, path_of(field, student))
    for name in ("model.pt", "conftest.py", "sitecustomize.py", "torch.py"):
        (path.parent / name).write_bytes(pickle.dumps(Trap(field.trap)))


def _tampered(field: Field, student: str) -> None:
    notebook = samples.submission({"scaled": ZEROS}, student)
    for task, points in samples.POINTS.items():
        cell = samples.cell_of(notebook, samples.TESTS[task])
        cell.source = f"{task} = None\n{points}"
        cell.metadata.nbgrader.update(points=points * 100, locked=False, grade=False)
    samples.cell_of(notebook, "set_up").source += "\ntasks.Task = None"
    samples.cell_of(notebook, "scaled").metadata.nbgrader.update(
        grade=True, points=1000, locked=True
    )
    samples.write(notebook, path_of(field, student))


def _swapped(field: Field, student: str) -> None:
    notebook = samples.submission({"scaled": ZEROS}, student)
    pairs = [("scaled", "masked_mean"), ("scaled_test", "masked_mean_test")]
    for one, other in pairs:
        cells = samples.cell_of(notebook, one), samples.cell_of(notebook, other)
        for cell, grade_id in zip(cells, (other, one), strict=True):
            cell.metadata.nbgrader.grade_id = grade_id
    samples.write(notebook, path_of(field, student))


def _duplicated(field: Field, student: str) -> None:
    notebook = samples.submission({}, student)
    second = samples.code(ZEROS, **samples.nbgrader("scaled", solution=True))
    notebook.cells.insert(8, second)
    for cell in notebook.cells:
        cell.id = "same"
    path = path_of(field, student)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))


def _strange_ids(field: Field, student: str) -> None:
    notebook = samples.submission({"scaled": ZEROS}, student)
    strange = ["../../x", "/etc/passwd", "a\0b", "i" * 300, "\u202e", "\ud800", "", None, 7, ["x"]]
    for cell, name in zip(notebook.cells, strange, strict=False):
        cell.id = name
    for name in strange:
        extra = samples.code("pass", **samples.nbgrader("x"))
        extra.metadata.nbgrader.grade_id = name
        notebook.cells.append(extra)
    notebook.metadata.kernelspec = {"name": "../../../bin/sh", "argv": ["rm", "-rf", "/"]}
    notebook.cells[3].source = "a\0b \ud800 <script>"
    path = path_of(field, student)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))


ATTACKS = [
    Attack(
        "tampered",
        "edit tests, points, locks and given cells",
        _tampered,
        says=("The test cell scaled_test", "was changed. It is not used", "The original was"),
    ),
    Attack("swapped-ids", "swap the grade ids of two tasks", _swapped, says=("grade_id",)),
    Attack(
        "duplicated-ids",
        "give all cells one id, and answer twice",
        _duplicated,
        says=("2 cells have the grade_id 'scaled'", "the last counts"),
    ),
    Attack("strange-ids", "use paths, NUL and 300 characters as ids", _strange_ids),
    Attack("html", "HTML and JavaScript in texts, outputs and errors", _html, says=("ValueError",)),
    Attack("pickles", "pickles in outputs, and modules beside the notebook", _pickles),
]
