"""A check does not judge an old answer when the cell with the new one has failed."""

from __future__ import annotations

import IPython
import pytest
from IPython.core.interactiveshell import InteractiveShell

from nst_edu import exercises
from nst_edu.exercises.cell_before import stale

RIGHT = "def my_sum(values):\n    return sum(values)"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """Return a real shell, as a notebook's kernel has one."""
    shell = InteractiveShell()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    return shell


@pytest.mark.parametrize(
    ("cell", "misconception", "words"),
    [
        ("def my_sum(values)\n    return 1", "cell-failed", "SyntaxError, line 1: expected ':'"),
        ("my_sum = [1, 2", "cell-failed", "SyntaxError"),
        ("my_sum = unknown", "cell-failed", "NameError: name 'unknown' is not defined"),
        ("def my_summ(values):\n    return 1", "other-name", "defines my_summ"),
        ("my_sun = 3", "other-name", "looks at my_sum"),
    ],
)
def test_a_cell_that_did_not_define_the_answer_is_named(
    shell: InteractiveShell, cell: str, misconception: str, words: str
) -> None:
    shell.run_cell(RIGHT)
    shell.run_cell(cell)
    result = stale("my_sum")
    assert result is not None
    assert (result.passed, result.misconception) == (False, misconception)
    assert words in result.message


@pytest.mark.parametrize(
    "cell", [RIGHT, "my_sum = sum", "print(3)", "1 / 0", "%who", "my_other = 3"]
)
def test_other_cells_do_not_matter(shell: InteractiveShell, cell: str) -> None:
    shell.run_cell(RIGHT)
    shell.run_cell(cell)
    assert stale("my_sum") is None


def test_outside_a_notebook_there_is_nothing_to_look_at() -> None:
    assert stale("my_sum") is None


def test_a_check_says_so_before_it_judges(shell: InteractiveShell) -> None:
    def shape(n: int, c: int, h: int, w: int) -> tuple[int, ...]:
        return (n, c, c)

    assert exercises.check_gram_shape(shape).passed
    shell.run_cell("def my_gram_shape(n, c, h, w)\n    return (n, c, c)")
    assert exercises.check_gram_shape(shape).misconception == "cell-failed"
