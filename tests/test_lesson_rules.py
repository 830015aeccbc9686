"""The lint's rules on exercises and on displayed formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nst_edu.authoring import lint
from nst_edu.authoring.exercise_rules import EXERCISE_RULES
from nst_edu.authoring.formula_rules import bound_formulas, displayed_formulas
from tests.test_solutions import HELP, small_lesson


def exercise_findings(notebook: NotebookNode) -> list[str]:
    return [str(found) for rule in EXERCISE_RULES for found in rule(notebook, Path())]


def test_complete_exercises_have_no_findings() -> None:
    assert exercise_findings(small_lesson()) == []


def change(cell: int, old: str, new: str) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        assert old in notebook.cells[cell - 1].source
        notebook.cells[cell - 1].source = notebook.cells[cell - 1].source.replace(old, new)

    return edit


def retag(cell: int, *tags: str) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        notebook.cells[cell - 1].metadata["tags"] = list(tags)

    return edit


def move_check(notebook: NotebookNode) -> None:
    notebook.cells.insert(5, notebook.cells.pop(2))


@pytest.mark.parametrize(
    ("edit", "finding"),
    [
        (change(2, "...", "0"), "cell 2: the stub has no blank"),
        (change(2, "total = ...", "total = values[..., 0]"), "cell 2: the stub has no blank"),
        (change(5, "my_size", "size"), "cell 5: the stub defines nothing"),
        (retag(3), "cell 2: the exercise has no check"),
        (retag(3), "cell 3: a check without its tag"),
        (retag(3, "check"), "cell 3: the check's result is not compared"),
        (change(3, "my_sum", "my_size"), "cell 3: the check does not check its own exercise"),
        (change(3, "exercises.check_sum(my_sum)", "1"), "cell 3: the check does not check its own"),
        (move_check, "cell 6: the check does not follow its stub"),
        (change(4, "Hint", "Tip"), "cell 2: the exercise has no hint"),
        (change(4, "Solution", "Answer"), "cell 2: the exercise has 0 solutions"),
        (change(4, HELP, HELP + HELP), "cell 2: the exercise has 2 solutions"),
        (change(4, "def my_sum", "def sum"), "the solution does not define ['my_sum']"),
    ],
)
def test_each_gap_in_an_exercise_is_found(
    edit: Callable[[NotebookNode], None], finding: str
) -> None:
    notebook = small_lesson()
    edit(notebook)
    assert any(finding in found for found in exercise_findings(notebook))


# Formulas


def markdown(text: str) -> NotebookNode:
    cell: NotebookNode = new_markdown_cell(text)
    return cell


def code(*tags: str, printed: str = "True") -> NotebookNode:
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    options = {"outputs": outputs, "metadata": {"tags": list(tags)}}
    cell: NotebookNode = new_code_cell("print(1 == 1)", **options)
    return cell


def binding() -> NotebookNode:
    return code("binds-formula", "nbval-check-output")


def formula_findings(*cells: NotebookNode) -> list[str]:
    return [str(found) for found in bound_formulas(new_notebook(cells=list(cells)), Path())]


@pytest.mark.parametrize(
    "cells",
    [
        [markdown("No formula, $x$ in the text, and `$$x$$` as code."), code()],
        [markdown("```\n$$x$$\n```"), code()],
        [markdown("$$x = y$$"), binding()],
        [markdown("$$x = y$$"), code(), markdown("so"), code(), binding()],
        [markdown("$$a$$"), binding(), markdown("$$b$$"), binding()],
        [markdown("$$a$$\n\n$$b$$"), binding(), binding()],
        [markdown("$$a\n+ b$$"), binding(), code(), code(), markdown("Again: $$a + b$$")],
    ],
)
def test_bound_formulas_are_accepted(cells: list[NotebookNode]) -> None:
    assert formula_findings(*cells) == []


@pytest.mark.parametrize(
    ("cells", "finding"),
    [
        ([markdown("$$x = y$$")], "cell 1: no cell of its own verifies the formula 'x = y'"),
        ([markdown("$$x$$"), code()], "cell 1: no cell of its own"),
        ([binding(), markdown("$$x$$")], "cell 2: no cell of its own"),
        ([markdown("$$x$$"), code(), code(), code(), binding()], "cell 1: no cell of its own"),
        ([markdown("$$a$$"), markdown("$$b$$"), binding()], "cell 2: no cell of its own"),
        ([markdown("$$a$$\n\n$$b$$"), binding()], "cell 1: no cell of its own verifies"),
        ([markdown(r"\begin{align*}x\end{align*}"), code()], "the formula 'x'"),
        ([markdown(r"\[x\]"), code()], "the formula 'x'"),
        ([markdown("Text."), binding()], "cell 2: it is tagged 'binds-formula', but verifies no"),
        ([markdown("$$x$$"), code("binds-formula")], "cell 2: it verifies a formula, but its out"),
        (
            [markdown("$$x$$"), code("binds-formula", "nbval-check-output", printed="")],
            "cell 2: it verifies a formula, but its output is not compared",
        ),
    ],
)
def test_formulas_without_a_number_are_found(cells: list[NotebookNode], finding: str) -> None:
    assert any(finding in found for found in formula_findings(*cells))


def test_a_formula_is_read_across_lines_and_shortened() -> None:
    assert displayed_formulas("$$a\n  = b$$ and $$c$$") == ["a = b", "c"]
    (found,) = formula_findings(markdown(f"$${'x' * 60}$$"))
    assert f"'{'x' * 40}…'" in found


def test_the_lint_uses_these_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = new_notebook(cells=[markdown("# Title\n\n$$x$$"), *small_lesson().cells])
    notebook.cells[2].source = "my_sum = 3"
    path = tmp_path / "01_lesson.ipynb"
    nbformat.write(notebook, path)
    assert lint.main([str(path)]) == 1
    found = capsys.readouterr().out
    assert "01_lesson.ipynb, cell 1: no cell of its own verifies the formula 'x'" in found
    assert "01_lesson.ipynb, cell 3: the stub has no blank" in found
