"""From the text that people edit (jupytext, ``py:percent``) to a notebook, without executing it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# The text has the marker; the notebook has the measured line in its place.
COST_MARKER = "<!-- cost -->"
COST_LINE = re.compile(r"Measured cost: (\d+) s, (\d+\.\d) GB on 2 CPU cores")

# The same on every machine: no version of Python, no name that a user gave to a kernel.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def find_texts(folder: Path = NOTEBOOKS, names: list[str] | None = None) -> list[Path]:
    """Return the lessons' texts in ``folder/text``, in order.

    Parameters
    ----------
    folder
        Where the notebooks are.
    names
        File names, or how they begin: ``"08"`` is enough. None or empty: all.

    Raises
    ------
    ValueError
        If a name fits no text.
    """
    texts = sorted((folder / "text").glob("*.py"))
    if not names:
        return texts
    chosen = []
    for name in names:
        fitting = [text for text in texts if text.stem.startswith(Path(name).stem)]
        if not fitting:
            known = ", ".join(text.stem for text in texts) or "none"
            raise ValueError(f"no lesson's text begins with {name!r}. There are: {known}")
        chosen += fitting
    return sorted(set(chosen))


def notebook_path(text: Path) -> Path:
    """Return the notebook that belongs to ``notebooks/text/NAME.py``: ``notebooks/NAME.ipynb``."""
    return text.parent.parent / f"{text.stem}.ipynb"


def read_text(text: Path) -> NotebookNode:
    """Read a lesson's text as a notebook with stable cell ids and no outputs."""
    notebook: NotebookNode = jupytext.reads(text.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        content = f"{cell.cell_type}\n{cell.source}"
        cell.id = cell_id(text.stem, content, seen[content])
        seen[content] += 1
    return notebook


def cell_id(lesson: str, content: str, repetition: int) -> str:
    """Return an id that depends on the cell's content alone.

    A cell keeps its id when others are put before it. Cells of equal content are told apart by how
    often that content came before.

    Examples
    --------
    >>> cell_id("00_a_lesson", "code", 0)
    'fbe72491ed12'
    """
    return hashlib.sha256(f"{lesson}\n{repetition}\n{content}".encode()).hexdigest()[:12]


def expected_source(source: str) -> re.Pattern[str]:
    """Return the pattern of what a notebook must have where the text has `source`."""
    return re.compile(COST_LINE.pattern.join(map(re.escape, source.split(COST_MARKER))))


def differences(text: Path) -> list[str]:
    """Say where the notebook disagrees with its text, and whether it has been executed.

    Nothing is executed here.

    Returns
    -------
    list of str
        One sentence for each disagreement; empty when there is none.
    """
    path = notebook_path(text)
    if not path.exists():
        return ["the notebook is missing"]
    wanted, stored = read_text(text), nbformat.read(path, as_version=4)
    found = []
    if stored.metadata != wanted.metadata:
        found.append("its metadata are not those that the builder writes")
    if len(stored.cells) != len(wanted.cells):
        found.append(f"it has {len(stored.cells)} cells, the text has {len(wanted.cells)}")
    for number, (cell, model) in enumerate(zip(stored.cells, wanted.cells, strict=False), 1):
        parts = [part for part in ("cell_type", "metadata", "id") if cell.get(part) != model[part]]
        if not expected_source(model.source).fullmatch(cell.source):
            parts.insert(0, "source")
        if parts:
            found.append(f"cell {number}: another {', '.join(parts)} than in the text")
        if cell.cell_type == "code" and cell.execution_count is None:
            found.append(f"cell {number}: was not executed")
    return found
