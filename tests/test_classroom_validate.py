"""The student's own check before handing in."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from nst_edu.classroom import hand_in_rules as rules
from nst_edu.classroom import release, validate
from nst_edu.classroom.raw_cells import RawCell
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.student_version import student_version
from nst_edu.classroom.validate import Report
from tests import classroom_samples as samples
from tests.classroom_editors import colab
from tests.classroom_samples import cell_of


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    return student_version(read_assignment(samples.write_source(tmp_path_factory.mktemp("source"))))


@pytest.fixture
def filled(released: NotebookNode) -> NotebookNode:
    """Return the release with honest answers."""
    notebook: NotebookNode = nbformat.from_dict(json.loads(json.dumps(released)))
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = samples.HONEST.get(grade_id, cell.source)
    return notebook


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the execution out: it has tests of its own."""
    monkeypatch.setattr("nst_edu.classroom.fresh_run.run_cells", lambda *_: ([], []))


def checked(notebook: NotebookNode | bytes, folder: Path) -> Report:
    path = folder / "sample.ipynb"
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    path.write_bytes(data)
    return validate.validate(path)


def test_a_good_notebook_is_ready(filled: NotebookNode, tmp_path: Path) -> None:
    report = checked(filled, tmp_path)
    assert report.problems == ()
    assert report.ok
    assert "  masked_mean_test: example right: True" in report.printed
    assert "Ready to be handed in" in str(report)


@pytest.mark.usefixtures("no_kernel")
def test_lost_metadata_are_told(filled: NotebookNode, tmp_path: Path) -> None:
    del filled.metadata["nst_edu"]
    report = checked(filled, tmp_path)
    assert report.ok
    assert "does not say what was handed out" in str(report)


def test_cells_that_raise_take_too_long_or_end_python(filled: NotebookNode, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("7", encoding="utf-8")
    lines = ["print(open('data.txt').read())", "1 / 0", "unknown", "while True: pass"]
    end = ["import os; os._exit(0)", "print('not reached')"]
    filled.cells += [samples.code(line) for line in (*lines, *end)]
    path = samples.write(filled, tmp_path / "sample.ipynb")
    report = validate.validate(path, seconds=20)
    wanted = [
        "The cell that begins with '1 / 0' raises ZeroDivisionError: division by zero.",
        "The cell that begins with 'unknown' raises NameError: name 'unknown' is not defined. Is",
        "The cell that begins with 'while True: pass' was stopped: the whole notebook may take 20",
        "Python ended in the middle of the notebook",
    ]
    assert len(report.problems) == len(wanted)
    for problem, start in zip(report.problems, wanted, strict=True):
        assert problem.startswith(start)


@pytest.mark.usefixtures("no_kernel")
def test_an_untouched_release(released: NotebookNode, tmp_path: Path) -> None:
    report = checked(released, tmp_path)
    assert not report.ok
    found = "\n".join(report.problems)
    assert "STUDENT is not filled in" in found
    assert "The cell that defines my_masked_mean has a blank (...) left: ...  # your" in found
    assert "Cell 14 (text cells count, too) has no answer yet" in found
    assert "Look at 5 things before you hand in" in str(report)


def delete(grade_id: str) -> Callable[[NotebookNode], object]:
    return lambda notebook: notebook.cells.remove(cell_of(notebook, grade_id))


def change(grade_id: str) -> Callable[[NotebookNode], object]:
    return lambda notebook: cell_of(notebook, grade_id).update(source="print(1)")


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (delete("scaled_test"), "The test cell scaled_test is missing."),
        (change("scaled_test"), "The test cell scaled_test was changed."),
        (delete("set_up"), "The given cell set_up is missing."),
        (change("set_up"), "The given cell set_up was changed."),
        (delete("scaled"), "The answer scaled is missing: no cell defines my_scaled."),
    ],
)
def test_cells_of_the_assignment(
    spoil: Callable[[NotebookNode], object], message: str, filled: NotebookNode, tmp_path: Path
) -> None:
    spoil(filled)
    (problem,) = checked(filled, tmp_path).problems
    assert problem.startswith(message)


@pytest.mark.usefixtures("no_kernel")
def test_the_manifest_helps_where_an_editor_dropped_the_metadata(
    filled: NotebookNode, tmp_path: Path
) -> None:
    source = samples.write_source(tmp_path / "source")
    release.release([source], tmp_path / "release", check=False)
    folder = tmp_path / "release" / samples.NAME
    assert checked(colab(filled), folder).problems == ()
    filled.cells.remove(cell_of(filled, "scaled_test"))
    (problem,) = checked(colab(filled), folder).problems
    assert problem.startswith("The test cell scaled_test is missing")
    (folder / release.MANIFEST).write_text("[1]", encoding="utf-8")
    assert checked(colab(filled), folder).problems == ()


@pytest.mark.usefixtures("no_kernel")
def test_a_large_notebook(
    filled: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.cells[1].outputs = [nbformat.v4.new_output("stream", text="x" * 6_000_000)]
    (problem,) = checked(filled, tmp_path).problems
    assert problem.startswith("The file has 6 MB")


@pytest.mark.usefixtures("no_kernel")
def test_a_file_that_is_no_notebook(tmp_path: Path) -> None:
    (problem,) = checked(b"{", tmp_path).problems
    assert problem.startswith("The file is not valid JSON")


@pytest.mark.usefixtures("no_kernel")
def test_the_command(
    filled: NotebookNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    validate.add_options(parser)
    path = samples.write(filled, tmp_path / "sample.ipynb")
    assert validate.run(parser.parse_args([str(path)])) == 0
    assert "Ready" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"there is no .*none\.ipynb: give your notebook"):
        validate.run(parser.parse_args([str(tmp_path / "none.ipynb")]))
    with pytest.raises(ValueError, match="--seconds must be more than 0"):
        validate.run(parser.parse_args([str(path), "--seconds", "0"]))


@pytest.mark.parametrize(
    ("source", "blank"),
    [
        ('my_a = {"h": ...}\n...  # your answer', 'my_a = {"h": ...}'),
        ('my_a = {"h": ...}\n...  # your answer\nmy_a = {"h": 3}', ""),
        ('my_a = {"h": 3}\n...  # your answer', ""),
        ("...  # your answer", "...  # your answer"),
        ("def my_f(x):\n    ...  # your answer", "...  # your answer"),
        ("def my_f(x):\n    ...\ndef my_f(x):\n    return 1", ""),
        ("my_a, my_b = ..., 2", "my_a, my_b = ..., 2"),
    ],
)
def test_a_stub_above_an_answer_is_no_blank(source: str, blank: str) -> None:
    cell = RawCell(1, "a", "code", source, "a")
    found = list(rules.blank_problems([cell], {}))
    assert [blank in problem for problem in found] == ([True] if blank else [])
