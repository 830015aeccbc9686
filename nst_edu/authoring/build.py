"""Build the lessons: ``python -m nst_edu.authoring.build [--check] [NAME …]``.

Each text ``notebooks/text/NAME.py`` is executed and becomes ``notebooks/NAME.ipynb``. With
``--check`` nothing is executed or written: it says which notebook disagrees with its text.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from nst_edu.authoring.execute import Cost, execute
from nst_edu.authoring.lint import lint_notebook
from nst_edu.authoring.texts import (
    COST_LINE,
    COST_MARKER,
    NOTEBOOKS,
    differences,
    find_texts,
    notebook_path,
    read_text,
)

WIDGET = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # where an object lies in memory: another in each run


def build_notebook(text: Path) -> Cost:
    """Execute a lesson's text, write its notebook, and return the cost in its header.

    Parameters
    ----------
    text
        ``notebooks/text/NAME.py``.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails. An older notebook is then left as it was.
    """
    path = notebook_path(text)
    notebook = read_text(text)
    cost = execute(notebook, path.parent)
    before = stored_cost(path)
    if before is not None and cost.is_near(before):
        cost = before  # a rebuild on another day should not change the header
    tidy_outputs(notebook, path.parent.parent.resolve())
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(COST_MARKER, str(cost))
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return cost


def stored_cost(path: Path) -> Cost | None:
    """Return the cost that the notebook's header states, if it does."""
    found = COST_LINE.search(path.read_text(encoding="utf-8")) if path.exists() else None
    return Cost(int(found[1]), float(found[2])) if found else None


def tidy_outputs(notebook: NotebookNode, root: Path) -> None:
    """Remove from the outputs what another machine or run would have otherwise.

    Timings, the state of widgets, addresses in memory, and the folder `root`, in place of which
    paths become relative.
    """
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            texts = output.get("data", output)
            for kind, value in texts.items():
                if isinstance(value, str) and (kind == "text" or kind.startswith("text/")):
                    texts[kind] = ADDRESS.sub("", value.replace(f"{root}/", ""))


def check(folder: Path, names: list[str]) -> list[str]:
    """Return one line for each disagreement between the notebooks in `folder` and their texts."""
    texts = find_texts(folder, names)
    found = [
        f"{notebook_path(text).name}: {difference}. Run: make notebooks"
        for text in texts
        for difference in differences(text)
    ]
    known = {text.stem for text in find_texts(folder)}
    orphans = [path for path in sorted(folder.glob("*.ipynb")) if path.stem not in known]
    return found + [f"{path.name}: has no text/{path.stem}.py to be built from" for path in orphans]


def build(folder: Path, names: list[str]) -> list[str]:
    """Build notebooks, say what each costs, and return what is still to be put right."""
    problems = []
    for text in find_texts(folder, names):
        path = notebook_path(text)
        try:
            print(f"{path.name}: {build_notebook(text)}", flush=True)
            problems += [str(finding) for finding in lint_notebook(path)]
        except CellExecutionError as error:
            problems.append(f"{path.name}: not built, a cell failed.\n{error}")
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all is well, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m nst_edu.authoring.build", description=__doc__)
    parser.add_argument("names", nargs="*", help="lessons, or how they begin: 08 (default: all)")
    parser.add_argument("--check", action="store_true", help="compare only, execute nothing")
    parser.add_argument("--folder", type=Path, default=NOTEBOOKS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        problems = (check if options.check else build)(options.folder, options.names)
    except ValueError as error:
        parser.error(str(error))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
