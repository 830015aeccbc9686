"""The lessons with each solution put in its stub's place: every check passes.

The solutions come from the lessons' texts, where a learner reads them; there is no other copy.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nst_edu.authoring.solutions import CHECK, fill_in, find_tasks, has_tag, solved
from nst_edu.authoring.texts import find_texts, notebook_path, read_text
from tests.lesson_kernel import run

TEXTS = [pytest.param(p, id=p.stem) for p in find_texts() if find_tasks(read_text(p))]


def results(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return (code, text of the result) of each check cell."""
    return [(cell.source, _result(cell)) for cell in notebook.cells if has_tag(cell, CHECK)]


def _result(cell: NotebookNode) -> str:
    texts = [output.data["text/plain"] for output in cell.outputs if "data" in output]
    return texts[-1] if texts else "no result"


@pytest.mark.parametrize("text", TEXTS)
def test_a_solved_lesson_passes_every_check(text: Path, tmp_path: Path) -> None:
    lesson = solved(read_text(text))
    run(lesson, text.parent.parent, tmp_path)
    found = results(lesson)
    assert found
    assert [pair for pair in found if not pair[1].startswith("✓ Right.")] == []


@pytest.mark.parametrize("text", TEXTS)
def test_an_unsolved_lesson_says_so(text: Path) -> None:
    found = results(nbformat.read(notebook_path(text), as_version=4))
    assert found
    assert [pair for pair in found if not pair[1].startswith("○ Not attempted yet.")] == []


# Finding and filling in

STUB = """\
LIMIT = 3


def my_sum(values):
    total = ...
    return total


def helper(values):
    return my_sum(values)
"""
SOLUTION = """\
def my_sum(values):
    return sum(values)"""
HELP = f"""\
<details><summary>Hint 1</summary>

Add.

</details>

<details><summary>Hint 2</summary>

`sum`.

</details>

<details><summary>Solution</summary>

```python
{SOLUTION}
```

Or with a loop.

</details>

<details><summary>Answer</summary>

```python
my_sum = None
```

</details>
"""


def small_lesson() -> NotebookNode:
    """Return a lesson with two exercises; the second is of one line."""

    def code(source: str, *tags: str) -> NotebookNode:
        cell: NotebookNode = new_code_cell(source, metadata={"tags": list(tags)})
        return cell

    second = HELP.replace(SOLUTION, "my_size = 3")
    notebook: NotebookNode = new_notebook(
        cells=[
            code("from nst_edu import exercises"),
            code(STUB, "exercise"),
            code("exercises.check_sum(my_sum)", "check", "nbval-check-output"),
            new_markdown_cell(HELP),
            code("my_size = ...", "exercise"),
            code("exercises.check_size(my_size)", "check", "nbval-check-output"),
            new_markdown_cell(second),
        ]
    )
    return notebook


def test_exercises_are_found_with_all_that_belongs_to_them() -> None:
    first, second = find_tasks(small_lesson())
    assert (first.cell, first.names, first.checks, first.hints) == (2, ("my_sum",), (3,), 2)
    assert first.solutions == (SOLUTION,)
    assert (second.cell, second.names, second.checks) == (5, ("my_size",), (6,))
    assert second.solutions == ("my_size = 3",)
    assert find_tasks(new_notebook()) == []


def test_a_solution_takes_its_stubs_place_and_nothing_elses() -> None:
    lesson = small_lesson()
    result = solved(lesson)
    before = STUB.index("def my_sum"), STUB.index("\n\n\ndef helper")
    expected = STUB[: before[0]] + SOLUTION + STUB[before[1] :]
    assert result.cells[1].source == expected.rstrip()
    assert result.cells[4].source == "my_size = 3"
    assert lesson.cells[1].source == STUB


def test_decorators_and_repeated_definitions_go_with_the_stub() -> None:
    stub = "import functools\n@functools.cache\ndef my_a(x):\n    return ...\nmy_b = ...\nlast = 1"
    solution = "def my_a(x):\n    return x\nmy_b = 2"
    assert fill_in(stub, solution) == f"import functools\n{solution}\nlast = 1"


def test_a_solution_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the solution defines \['other'\]"):
        fill_in("my_a = ...", "other = 2")
    lesson = small_lesson()
    lesson.cells[3].source = "no help"
    with pytest.raises(ValueError, match="cell 2 has 0 solutions, not one"):
        solved(lesson)
