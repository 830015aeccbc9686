"""The assignments: solutions earn all points, blanks none, and known mistakes what they deserve."""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import io
import linecache
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from nst_edu.authoring import assignments
from nst_edu.authoring.texts import find_texts, read_text
from nst_edu.classroom.questions import FUNCTION, VALUE, Answer
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.tasks import Mark, Task, personal
from nst_edu.exercises.checking import Misconception
from nst_edu.exercises.running import run_all
from tests.bank.marks import Entry, entries

TEXTS = {text.stem: text for text in find_texts(assignments.ASSIGNMENTS)}
STUDENTS = ("ada", "bo", "chen", "dara", "eva", "farid", "gül", "hao")
SEEDS = (1, 2, 3)
RIGHT, MISTAKES = 3, 3  # of each at least so many for a function


@cache
def source(name: str) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(assignments.assignment_path(TEXTS[name]), as_version=4)
    return notebook


@cache
def tasks(name: str) -> dict[str, Task]:
    found = read_assignment(assignments.assignment_path(TEXTS[name])).tasks
    return {one.task.name: one.task for one in found}


@cache
def bank(name: str) -> tuple[Entry, ...]:
    return tuple(entries(importlib.import_module(f"tests.assignment_answers.{name}")))


def cleared(name: str, *, hidden: bool) -> NotebookNode:
    """Return what nbgrader makes for students; with `hidden`, the tests are put back again."""
    stubs = {"code_stub": {"python": "...  # your answer"}, "text_stub": "YOUR ANSWER HERE"}
    notebook: NotebookNode = copy.deepcopy(source(name))
    steps = [ClearSolutions(**stubs), *[ClearHiddenTests()] * (not hidden)]
    for step in steps:
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def execute(notebook: NotebookNode) -> dict[str, Any]:
    """Run all code cells in one namespace; return the value of each cell's last line."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    values = {}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            value = None
            for part in compiled(cell.source, f"<cell {number}>"):
                value = eval(part, namespace)
            values[cell.metadata.get("nbgrader", {}).get("grade_id", str(number))] = value
    return values


def compiled(code: str, name: str) -> list[Any]:
    """Compile a cell: all of it but a last expression, then that expression."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    body = ast.parse(code).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    parts = [compile(ast.Module(body, []), name, "exec")]
    if isinstance(last, ast.Expr):
        parts.append(compile(ast.Expression(last.value), name, "eval"))
    return parts


def test_cells(notebook: NotebookNode) -> Iterator[tuple[str, float]]:
    """Yield the grade_id and the points of what a program marks."""
    for grade_id, points, _ in assignments.marks(notebook):
        yield grade_id, points


test_cells.__test__ = False  # type: ignore[attr-defined]


def judged(task: Task, function: Callable[..., Any], seed: int) -> Mark:
    """Mark a function as if it had been called in the sandbox."""
    question = task.question(seed)
    run = run_all(function, question.cases, question.takes_gradient)
    return task.judge(Answer(FUNCTION, run=run), STUDENTS[0], seed)


def share(task: Task, misconception: str) -> float:
    return task.credit.get(misconception, 0.0) * task.points


@pytest.fixture(autouse=True, scope="module")
def _optimisers_are_imported() -> None:
    """Torch imports much at their first use; that is no student's time."""
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])


ALL = pytest.mark.parametrize("name", TEXTS)


def test_there_are_five() -> None:
    assert set(TEXTS) == {"backpropagation", "capstone", "convolution", "gram", "optimisation"}


def test_texts_and_notebooks_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert assignments.main(["--check"]) == 0, capsys.readouterr().err


@ALL
def test_the_source_earns_full_marks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NST_EDU_FAST", "1")
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        values = execute(source(name))
    points = dict(test_cells(source(name)))
    assert {grade_id: values[grade_id] for grade_id in points} == points
    assert errors.getvalue() == ""  # nbgrader gives no points to a cell that writes there


@ALL
def test_the_untouched_release_earns_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NST_EDU_FAST", "1")
    values = execute(cleared(name, hidden=True))
    assert [values[grade_id] for grade_id, _ in test_cells(source(name))] == [0.0] * len(
        tasks(name)
    )
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("Not attempted yet.") == len(tasks(name))


@ALL
def test_the_release_runs_without_an_error(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NST_EDU_FAST", "1")
    notebook = cleared(name, hidden=False)
    assert not any("HIDDEN" in cell.source or "SOLUTION" in cell.source for cell in notebook.cells)
    execute(notebook)
    assert "right: True" not in capsys.readouterr().out


@ALL
def test_the_header_states_time_and_points(name: str) -> None:
    title = source(name).cells[0].source
    minutes = [
        int(row) for row in re.findall(r"^\|.*\| (\d+) \|(?: \w+ \|)?$", title, re.MULTILINE)
    ]
    stated = re.search(r"\*\*Time:\*\* about (\d+) minutes", title)
    assert stated is not None
    assert sum(minutes) == int(stated[1]) <= 120
    columns = re.findall(r"^\| \d\. [^|]+ \| (\d+) \| (\d+) \|", title, re.MULTILINE)
    whole = read_assignment(assignments.assignment_path(TEXTS[name]))
    total = whole.points + whole.points_by_hand
    assert sum(int(points) for points, _ in columns) == total
    assert f"**Points:** {total:g}." in title
    assert 20 <= total <= 30
    assert 4 <= len(columns) <= 6


@ALL
def test_each_answer_is_introduced_by_a_question_with_shapes(name: str) -> None:
    cells = source(name).cells
    questions = [cell.source for cell in cells if cell.cell_type == "markdown"]
    for task in tasks(name).values():
        if task.cases is not None:
            (told,) = [q for q in questions if "**By hand:**" in q and _asks_for(q, cells, task)]
            assert "**Shapes:**" in told or "**Types:**" in told


def _asks_for(question: str, cells: list[NotebookNode], task: Task) -> bool:
    """Tell whether the next answer cell after a question defines the task's function."""
    sources = [cell.source for cell in cells]
    for cell in cells[sources.index(question) + 1 :]:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            return f"def {task.name}(" in cell.source
    return False


def cases(kind: str) -> list[Any]:
    """Return (task, entry) for the answers of a kind, "right" or "wrong"."""
    return [
        pytest.param(name, entry, id=f"{entry.mark.exercise}-{entry.name}")
        for name in TEXTS
        for entry in bank(name)
        if (entry.mark.misconception is None) == (kind == "right")
    ]


@pytest.mark.parametrize(("name", "entry"), cases("right"))
@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_in_other_styles_get_full_marks(name: str, entry: Entry, seed: int) -> None:
    task = tasks(name)[entry.mark.exercise]
    mark = judged(task, entry.answer, seed)
    assert mark.points == task.points, mark.message


@pytest.mark.parametrize(("name", "entry"), cases("wrong"))
def test_wrong_answers_of_students_are_recognised(name: str, entry: Entry) -> None:
    task = tasks(name)[entry.mark.exercise]
    mark = judged(task, entry.answer, SEEDS[0])
    assert mark.misconception == entry.mark.misconception, mark.message
    assert mark.points == pytest.approx(share(task, mark.misconception or ""))


@ALL
def test_the_bank_and_the_tasks_are_complete(name: str) -> None:
    right = [entry.mark.exercise for entry in bank(name) if entry.mark.misconception is None]
    wrong = {entry.mark.exercise for entry in bank(name) if entry.mark.misconception}
    for task in tasks(name).values():
        assert len(task.misconceptions) >= MISTAKES
        assert {mistake.id for mistake in task.misconceptions} == set(task.credit)
        assert task.lesson > 0
        if task.cases is not None:
            assert right.count(task.name) >= RIGHT
            assert task.name in wrong


def mistakes(of_values: bool) -> list[Any]:
    return [
        pytest.param(task, mistake, id=f"{task.name}-{mistake.id}")
        for name in TEXTS
        for task in tasks(name).values()
        if (task.cases is None) == of_values
        for mistake in task.misconceptions
    ]


@pytest.mark.parametrize(("task", "mistake"), mistakes(of_values=False))
@pytest.mark.parametrize("seed", SEEDS)
def test_each_mistake_of_a_function_is_recognised(
    task: Task, mistake: Misconception, seed: int
) -> None:
    mark = judged(task, mistake.wrong, seed)
    assert mark.misconception == mistake.id, mark.message
    assert mark.message == mistake.message
    assert mark.points == pytest.approx(share(task, mistake.id))
    assert 0 < mark.points < task.points


@pytest.mark.parametrize(("task", "mistake"), mistakes(of_values=True))
def test_each_mistake_of_a_value_is_recognised(task: Task, mistake: Misconception) -> None:
    """By chance two mistakes may lead to the same numbers, or to the right ones."""
    recognised = 0
    for student in STUDENTS:
        value = mistake.wrong(personal(student, task.name))
        mark = task.judge(Answer(VALUE, value=value), student, 0)
        assert mark.points > 0, mark.message
        if mark.misconception == mistake.id:
            recognised += 1
            assert mark.points == pytest.approx(share(task, mistake.id))
    assert recognised >= len(STUDENTS) // 4


@ALL
def test_values_are_each_students_own(name: str) -> None:
    for task in tasks(name).values():
        if task.cases is None:
            found = [str(task.reference(personal(student, task.name))) for student in STUDENTS[:5]]
            assert len(set(found)) >= 3


@ALL
def test_inputs_differ_between_seeds(name: str) -> None:
    for task in tasks(name).values():
        if task.cases is not None:
            assert str(task.arguments(1)) == str(task.arguments(1))
            assert str(task.arguments(1)) != str(task.arguments(2))


@ALL
def test_inputs_have_both_types_and_a_batch(name: str) -> None:
    for task in tasks(name).values():
        if task.cases is not None and task.name != "my_finished":  # lists of floats
            given = [a for case in task.arguments(1) for a in case if isinstance(a, torch.Tensor)]
            assert {torch.float32, torch.float64} <= {tensor.dtype for tensor in given}
            pictures = [tensor for tensor in given if tensor.ndim == 4]
            if pictures:
                assert max(map(len, pictures)) >= 2
                assert any(tensor.shape[-1] != tensor.shape[-2] for tensor in pictures)


@ALL
def test_messages_differ_and_are_short(name: str) -> None:
    for task in tasks(name).values():
        messages = [mistake.message for mistake in task.misconceptions]
        assert len(set(messages)) == len(messages)
        assert all(30 <= len(message) <= 400 for message in messages)
        assert all(message[-1] in ".?)" for message in messages)


# --- the builder ----------------------------------------------------------------------------

TEXT = """\
# %% [markdown] nbgrader={"grade_id": "title", "locked": true}
# # Assignment: Tiny

# %% nbgrader={"grade_id": "one", "solution": true}
### BEGIN SOLUTION
my_one = 1
### END SOLUTION

# %% nbgrader={"grade_id": "one_test", "grade": true, "locked": true, "points": 2}
### BEGIN HIDDEN TESTS
float(my_one)
### END HIDDEN TESTS
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Write a text, and its notebook as if it had been executed."""
    text = tmp_path / "repository" / "notebooks" / "assignments" / "text" / "tiny.py"
    text.parent.mkdir(parents=True)
    text.write_text(TEXT, encoding="utf-8")
    notebook = assignments.read_assignment_text(text)
    for cell in notebook.cells[1:]:
        cell.execution_count = 1
    notebook.cells[2].outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "2.0"}, execution_count=1)
    ]
    path = assignments.assignment_path(text)
    path.parent.mkdir()
    nbformat.write(notebook, path)
    return text


def change(text: Path, number: int, **fields: Any) -> None:
    """Change a cell of the notebook of a text."""
    path = assignments.assignment_path(text)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].update(nbformat.from_dict(fields))
    nbformat.write(notebook, path)


def test_short_metadata_are_completed(tiny: Path) -> None:
    plain, full = read_text(tiny), assignments.read_assignment_text(tiny)
    assert plain.cells[1].metadata.nbgrader == {"grade_id": "one", "solution": True}
    assert full.cells[1].metadata.nbgrader == {
        "schema_version": 3,
        "grade": False,
        "grade_id": "one",
        "locked": False,
        "solution": True,
        "task": False,
    }
    assert [cell.id for cell in plain.cells] == [cell.id for cell in full.cells]


def test_a_notebook_that_agrees_has_no_difference(tiny: Path) -> None:
    assert assignments.differences(tiny) == []
    assert assignments.main(["--check", "--folder", str(tiny.parents[1])]) == 0


@pytest.mark.parametrize(
    ("number", "fields", "found"),
    [
        (0, {"source": "# Another"}, "cell 1: another source"),
        (1, {"execution_count": None}, "cell 2: was not executed"),
        (2, {"outputs": []}, "one_test: the solution earned None of 2 points"),
        (1, {"metadata": {}}, "cell 2: another metadata"),
    ],
)
def test_a_difference_is_named(
    tiny: Path,
    number: int,
    fields: dict[str, Any],
    found: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(tiny, number, **fields)
    assert any(difference.startswith(found) for difference in assignments.differences(tiny))
    assert assignments.main(["--check", "--folder", str(tiny.parents[1])]) == 1
    assert f"tiny: {found}" in capsys.readouterr().err


def test_missing_and_orphaned_notebooks_are_found(tiny: Path) -> None:
    tiny.rename(tiny.with_name("other.py"))
    found = assignments.check(tiny.parents[1], [])
    assert found[0].startswith("other: the notebook is missing")
    assert found[1] == "tiny.ipynb: has no text/tiny.py to be built from"


def test_an_unknown_name_is_refused(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        assignments.main(["--folder", str(tiny.parents[1]), "huge"])
    assert "no lesson's text begins with 'huge'" in capsys.readouterr().err


@pytest.mark.parametrize("full", [True, False])
def test_building(
    tiny: Path, full: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pretend(notebook: NotebookNode, folder: Path) -> None:
        assert folder == assignments.assignment_path(tiny).parent
        data = {"text/plain": "2.0" if full else "1.0"}
        for cell in notebook.cells[1:]:
            cell.execution_count = 1
        notebook.cells[2].outputs = [
            nbformat.v4.new_output("execute_result", data, execution_count=1)
        ]

    monkeypatch.setattr(assignments, "execute", pretend)
    assert assignments.main(["--folder", str(tiny.parents[1])]) == (0 if full else 1)
    captured = capsys.readouterr()
    assert captured.out == f"tiny: {2 if full else 1} points\n"
    assert ("the solution earned 1.0 of 2 points" in captured.err) == (not full)
