"""A rule that binds formulas to numbers: beside each displayed formula a cell verifies it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from nst_edu.authoring.finding import Finding
from nst_edu.authoring.markdown_rules import FENCED

BINDING = "binds-formula"
NEAR = 3  # code cells
ENVIRONMENTS = "align|alignat|eqnarray|equation|gather|multline"
FORMULA = re.compile(
    rf"\$\$(.+?)\$\$|\\begin\{{((?:{ENVIRONMENTS})\*?)\}}(.+?)\\end\{{\2\}}|\\\[(.+?)\\\]",
    re.DOTALL,
)
CODE_SPAN = re.compile(r"`[^`\n]+`")


def displayed_formulas(source: str) -> list[str]:
    r"""Return the displayed formulas of a markdown cell, each with its spaces set to one.

    Examples
    --------
    >>> displayed_formulas("Inline $x$, and\n\n$$y =\n x$$\n\nand `$$no$$`.")
    ['y = x']
    """
    prose = CODE_SPAN.sub("", FENCED.sub("", source))
    found = FORMULA.findall(prose)
    return [" ".join((dollars or body or square).split()) for dollars, _, body, square in found]


def bound_formulas(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Verify each displayed formula in one of the next code cells, one cell for each formula.

    A formula that is shown again need not be verified again.
    """
    taken: set[int] = set()
    known: set[str] = set()
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "markdown":
            continue
        for formula in displayed_formulas(cell.source):
            if formula in known:
                continue
            known.add(formula)
            binding = _next_binding(notebook, number, taken)
            if binding is not None:
                taken.add(binding)
                continue
            shown = formula if len(formula) <= 40 else f"{formula[:40]}…"
            advice = f"Verify it in one of the next {NEAR} code cells, tagged {BINDING!r}"
            yield Finding(number, f"no cell of its own verifies the formula {shown!r}", advice)
    yield from _useless(notebook, taken)


def _next_binding(notebook: NotebookNode, number: int, taken: set[int]) -> int | None:
    """Return the number of the cell that verifies a formula in cell `number`."""
    after = [
        n for n, cell in enumerate(notebook.cells, 1) if n > number and cell.cell_type == "code"
    ]
    tagged = [n for n in after[:NEAR] if BINDING in notebook.cells[n - 1].metadata.get("tags", [])]
    return next((n for n in tagged if n not in taken), None)


def _useless(notebook: NotebookNode, taken: set[int]) -> Iterator[Finding]:
    """Find cells with the tag that verify nothing, or whose output is not compared."""
    for number, cell in enumerate(notebook.cells, 1):
        tags = cell.metadata.get("tags", [])
        if BINDING not in tags:
            continue
        if number not in taken:
            advice = f"Move it to at most {NEAR} code cells after its formula, or remove the tag"
            yield Finding(number, f"it is tagged {BINDING!r}, but verifies no formula", advice)
        if "nbval-check-output" not in tags or not cell.get("outputs"):
            advice = "Print what agrees, and add the tag 'nbval-check-output'"
            yield Finding(number, "it verifies a formula, but its output is not compared", advice)


FORMULA_RULES = (bound_formulas,)
