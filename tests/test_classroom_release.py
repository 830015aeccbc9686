"""From the teacher's notebook to the students': faults explained, nothing leaked, stable bytes."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from nst_edu.classroom import leaks, release, sandbox, source, student_version
from nst_edu.classroom.cells import TEST, released, role_of
from nst_edu.classroom.source import SourceError, read_assignment
from tests import classroom_samples as samples
from tests.classroom_samples import cell_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest installs it there

ROOT = Path(__file__).parents[1]
ASSIGNMENTS = sorted((ROOT / "notebooks" / "assignments").glob("*/*.ipynb"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return samples.write_source(tmp_path / "source")


# The source


def test_an_assignment_is_read(path: Path) -> None:
    found = read_assignment(path)
    assert found.name == samples.NAME
    assert {one.task.name: one.points for one in found.tasks} == samples.POINTS
    assert [one.grade_id for one in found.tasks] == list(samples.TESTS.values())
    assert [one.solution for one in found.tasks] == ["masked_mean", "scaled", "sizes"]
    assert (found.points, found.points_by_hand) == (13, 5)
    (opinion,) = found.by_hand
    assert opinion.rubric == "Three points for naming the positions, two for an example."
    assert opinion.question.startswith("## 4.")


def test_a_rubric_in_code_stands_in_comments(tmp_path: Path) -> None:
    notebook = samples.source()
    cell = cell_of(notebook, "opinion")
    cell.update(
        cell_type="code",
        source="x = 1\n# ### BEGIN MARK SCHEME\n# One *point*\n#\n#for x.\n# ### END MARK SCHEME",
        outputs=[],
        execution_count=None,
    )
    (opinion,) = read_assignment(samples.write(notebook, tmp_path / "sample.ipynb")).by_hand
    assert opinion.rubric == "One *point*\n\nfor x."


def test_the_digest_is_of_what_matters(path: Path) -> None:
    notebook = samples.source()
    before = source.digest_of(notebook.cells)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    notebook.cells[1].id = "other"
    assert source.digest_of(notebook.cells) == before
    cell_of(notebook, "scaled_test").metadata.nbgrader.points = 5
    assert source.digest_of(notebook.cells) != before


def test_slots_hold_nothing_hidden(path: Path) -> None:
    shown = repr(read_assignment(path).slots)
    assert "my_scaled" in shown
    assert "TASK" not in shown
    assert "model answer" not in shown


def replace(grade_id: str, old: str, new: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, grade_id)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def note(which: str, **metadata: object) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        found = cell_of(notebook, which).metadata.nbgrader
        for name, value in metadata.items():
            if value is None:
                del found[name]
            else:
                found[name] = value

    return change


def without_region(notebook: NotebookNode) -> None:
    cell = cell_of(notebook, "scaled_test")
    cell.source = released(cell)


def no_points_at_all(notebook: NotebookNode) -> None:
    notebook.cells = [
        cell for cell in notebook.cells if "points" not in cell.metadata.get("nbgrader", {})
    ]


NAME = 'name="my_scaled"'
SOURCE_FAULTS: dict[str, tuple[Callable[[NotebookNode], None], str]] = {
    "no hidden region": (without_region, "cell 9 (scaled_test) has no hidden tests"),
    "open region": (
        replace("scaled_test", "### END HIDDEN TESTS", ""),
        "cell 9 (scaled_test) has BEGIN HIDDEN TESTS without END",
    ),
    "stray end": (replace("scaled", "### BEGIN SOLUTION", ""), "END SOLUTION without BEGIN"),
    "nested": (
        replace("scaled", "scaled_features = ", "### BEGIN SOLUTION\n    scaled_features = "),
        "second BEGIN SOLUTION",
    ),
    "code behind": (
        replace("scaled_test", "### END HIDDEN TESTS", "### END HIDDEN TESTS\nprint()"),
        "goes on after its hidden tests",
    ),
    "no mark": (
        replace("scaled_test", "TASK.mark(globals())", "TASK"),
        "must end its hidden tests",
    ),
    "semicolon": (
        replace("scaled_test", "TASK.mark(globals())", "points = TASK.mark(globals())"),
        "must end its hidden tests",
    ),
    "no points": (note("scaled_test", points=None), "has no points"),
    "odd points": (note("scaled_test", points="four"), "has 'four' points"),
    "other points": (
        note("scaled_test", points=5),
        "cell 9 (scaled_test) has 5 points, but its Task has 4",
    ),
    "same id": (note("scaled", grade_id="student"), "2 cells have the grade_id 'student'"),
    "odd id": (note("scaled", grade_id="../x"), "has the grade_id '../x'"),
    "no version": (note("scaled", schema_version=None), "lacks schema_version"),
    "nobody defines it": (
        replace("scaled_test", NAME, 'name="my_other"'),
        "no answer cells define my_other",
    ),
    "twice": (replace("scaled_test", NAME, 'name="my_masked_mean"'), "2 test cells have a Task"),
    "raises": (
        replace("scaled_test", "TASK = ", "unknown_name\nTASK = "),
        "line 10: the hidden tests raise NameError",
    ),
    "cases raise": (
        replace("scaled_test", "return [", "return 1 / 0, ["),
        "raises ZeroDivisionError",
    ),
    "no task": (replace("scaled_test", "TASK = tasks.Task(", "TASK = dict("), "TASK is a dict"),
    "borrows": (
        replace(
            "scaled_test", "lambda features, factor: factor", "lambda features, factor: my_scaled"
        ),
        "uses my_scaled, which the student writes",
    ),
    "bad credit": (replace("scaled_test", '"added": 0.25', '"addde": 0.25'), "ValueError"),
    "syntax": (replace("scaled_test", "TASK = ", "TASK = = "), "line 10: invalid syntax"),
    "no solution region": (
        lambda notebook: cell_of(notebook, "scaled").update(source="def my_scaled(): ..."),
        "cell 8 (scaled) has no ### BEGIN SOLUTION",
    ),
    "solution in text": (
        lambda notebook: notebook.cells[3].update(source="### BEGIN SOLUTION\n### END SOLUTION"),
        "cell 4 has a solution, but is not marked",
    ),
    "mark scheme": (
        replace("opinion", "Style is", "### BEGIN SOLUTION\n### END SOLUTION\nStyle is"),
        "mark scheme that nbgrader would refuse",
    ),
    "nothing to grade": (no_points_at_all, "no cell has points"),
}


@pytest.mark.parametrize("name", SOURCE_FAULTS)
def test_a_fault_of_the_source_is_explained_with_its_cell(name: str, tmp_path: Path) -> None:
    spoil, message = SOURCE_FAULTS[name]
    notebook = samples.source()
    spoil(notebook)
    path = samples.write(notebook, tmp_path / "sample.ipynb")
    with pytest.raises(SourceError) as caught:
        read_assignment(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    notebook = samples.source()
    without_region(notebook)
    note("sizes_test", points=None)(notebook)
    with pytest.raises(SourceError) as caught:
        read_assignment(samples.write(notebook, tmp_path / "sample.ipynb"))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("content", ["", "{}", "[1]", "text"])
def test_a_source_that_is_no_notebook(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match="no notebook"):
        read_assignment(path)
    with pytest.raises(SourceError, match="no such file"):
        read_assignment(tmp_path / "y.ipynb")


def test_hidden_tests_may_use_earlier_ones_and_constants(tmp_path: Path) -> None:
    notebook = samples.source()
    notebook.cells.insert(2, samples.code("%matplotlib inline"))
    notebook.cells.insert(3, samples.code("FACTOR = 2.5"))
    replace(
        "scaled_test", ", 2.5)", ", FACTOR * masked_mean(torch.ones(1), torch.ones(1)).item())"
    )(notebook)
    found = read_assignment(samples.write(notebook, tmp_path / "sample.ipynb"))
    assert found.tasks[1].task.arguments(0)[0][1] == 2.5


# The release


def test_students_get_stubs_and_visible_tests(path: Path) -> None:
    notebook = student_version.student_version(read_assignment(path))
    expected = samples.cleared()
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in expected.cells]
    test = cell_of(notebook, "scaled_test")
    assert not test.metadata.deletable
    assert not test.metadata.editable
    assert test.metadata.nbgrader.checksum
    assert "HIDDEN" not in json.dumps(notebook)


def test_what_a_slot_says_is_what_students_get(path: Path) -> None:
    assignment = read_assignment(path)
    notebook = student_version.student_version(assignment)
    sources = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in notebook.cells}
    assert all(sources[slot.grade_id] == slot.source for slot in assignment.slots)


def test_outputs_counts_and_foreign_metadata_are_cleared(tmp_path: Path) -> None:
    notebook = samples.source()
    cell = notebook.cells[1]
    cell.outputs = [nbformat.v4.new_output("stream", text="return scaled_features")]
    cell.execution_count = 7
    cell.metadata["execution"] = {"iopub": "2026-11-21"}
    cell.metadata["scaled_features = factor * features"] = True
    notebook.metadata["author"] = "scaled_features = factor * features"
    path = samples.write(notebook, tmp_path / "sample.ipynb")
    found = student_version.student_version(read_assignment(path))
    assert all(c.outputs == [] and c.execution_count is None for c in found.cells if "outputs" in c)
    assert set(found.cells[1].metadata) == {"nbgrader", "deletable", "editable"}
    assert set(found.metadata) == {"kernelspec", "language_info", "nst_edu"}


def test_the_same_bytes_each_time(path: Path, tmp_path: Path) -> None:
    first = release.release([path], tmp_path / "one", check=False)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].execution_count = 3
    nbformat.write(notebook, path)
    second = release.release([path], tmp_path / "two", check=False)
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        manifests = [p.with_name(release.MANIFEST).read_bytes() for p in (one, two)]
        assert manifests[0] == manifests[1]


def test_the_manifest(path: Path, tmp_path: Path) -> None:
    (path.parent / "data.csv").write_text("1,2\n", encoding="utf-8")
    (path.parent / "notes.py").write_text("scaled_features = factor * features", encoding="utf-8")
    (notebook,) = release.release([path], tmp_path / "release", check=False)
    assert sorted(p.name for p in notebook.parent.iterdir()) == [
        *("data.csv", "manifest.json", "sample.ipynb")
    ]
    manifest = json.loads(notebook.with_name("manifest.json").read_text(encoding="utf-8"))
    assert manifest["assignment"] == samples.NAME
    assert manifest["points"] == 13
    assert {one["name"]: one["points"] for one in manifest["tasks"]} == samples.POINTS
    assert manifest["by_hand"] == [{"cell": "opinion", "points": 5}]
    assert set(manifest["files"]) == {"data.csv", "sample.ipynb"}
    assert manifest["version"] == nbformat.read(notebook, 4).metadata.nst_edu.version


def leak_markdown(notebook: NotebookNode) -> None:
    notebook.cells[3].source += "\nHint: `scaled_features  =  factor*features`"


def leak_visible_code(notebook: NotebookNode) -> None:
    notebook.cells[1].source += "\nhidden_total = (features * mask).sum()"


def leak_attachment(notebook: NotebookNode) -> None:
    text = base64.b64encode(b"PNG: hidden_total = (features * mask).sum()").decode()
    notebook.cells[3].source += "\n![x](attachment:x.png)"
    notebook.cells[3]["attachments"] = {"x.png": {"image/png": text}}


def leak_tag(notebook: NotebookNode) -> None:
    notebook.cells[3].metadata["tags"] = ["scaled_features = factor * features"]


def leak_rubric(notebook: NotebookNode) -> None:
    notebook.cells[0].source += "\nThree points for naming the positions, two for an example."


def leak_comment(notebook: NotebookNode) -> None:
    notebook.cells[1].source += "\n# weighted = features * mask"


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (leak_markdown, "the source of cell 4"),
        (leak_visible_code, "the source of cell 2"),
        (leak_attachment, "the attachments of cell 4"),
        (leak_tag, "the metadata of cell 4"),
        (leak_rubric, "the answer in cell 14 (opinion) stands in the source of cell 1"),
        (leak_comment, "the solution in cell 5 (masked_mean) stands in the source of cell 2"),
    ],
)
def test_a_leak_is_refused(
    spoil: Callable[[NotebookNode], None], where: str, tmp_path: Path
) -> None:
    notebook = samples.source()
    spoil(notebook)
    path = samples.write(notebook, tmp_path / "sample.ipynb")
    with pytest.raises(leaks.LeakError) as caught:
        release.release([path], tmp_path / "release", check=False)
    assert where in str(caught.value)
    assert not (tmp_path / "release").exists()


def test_a_leak_in_a_file_beside_it_is_refused(path: Path, tmp_path: Path) -> None:
    (path.parent / "notes.txt").write_text("return hidden_total / mask.sum()", encoding="utf-8")
    with pytest.raises(leaks.LeakError, match=r"notes\.txt"):
        release.release([path], tmp_path / "release", check=False)


def test_a_leak_in_another_encoding_or_an_archive_is_refused(path: Path, tmp_path: Path) -> None:
    notes = path.parent / "notes.txt"
    notes.write_text("return hidden_total / mask.sum()", encoding="utf-16")
    with pytest.raises(leaks.LeakError, match=r"notes\.txt"):
        release.release([path], tmp_path / "release", check=False)
    notes.rename(path.parent / "teacher.zip")
    with pytest.raises(ValueError, match=r"teacher\.zip lies beside .* unpack it"):
        release.release([path], tmp_path / "release", check=False)


def test_a_picture_of_a_cleared_answer_is_dropped(tmp_path: Path) -> None:
    notebook = samples.source()
    cell = cell_of(notebook, "opinion")
    cell.source += "\n![solution](attachment:s.png)"
    cell["attachments"] = {"s.png": {"image/png": "AAAA"}}
    path = samples.write(notebook, tmp_path / "sample.ipynb")
    found = student_version.student_version(read_assignment(path))
    assert "attachments" not in cell_of(found, "opinion")


def test_the_source_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="would overwrite the source"):
        release.release([path], path.parents[1], check=False)
    assert path.read_bytes() == before


@pytest.mark.skipif(not sandbox.available(), reason="there is no sandbox")
def test_a_solution_that_does_not_earn_full_marks_is_refused(tmp_path: Path) -> None:
    notebook = samples.source()
    cell_of(notebook, "scaled").source = cell_of(notebook, "scaled").source.replace("*", "+")
    cell_of(notebook, "sizes").source = cell_of(notebook, "sizes").source.replace(
        '"sizes"', '"other"'
    )
    path = samples.write(notebook, tmp_path / "sample.ipynb")
    with pytest.raises(ValueError, match="does not earn full marks") as caught:
        release.release([path], tmp_path / "release")
    for piece in ("my_scaled: 1 of 4 points", "my_sizes: 0 of 3 points", "without my_?"):
        assert piece in str(caught.value)
    assert "my_masked_mean" not in str(caught.value)
    assert not (tmp_path / "release").exists()


def test_the_command(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    release.add_options(parser)
    assert release.run(parser.parse_args([str(path), "--to", str(tmp_path / "out")])) == 0
    assert "13 points and 5 by hand, 3 tasks" in capsys.readouterr().out


# The real assignments, and the wheel


def wheel_files() -> dict[str, Path]:
    """Return what the wheel holds, by pyproject.toml: the package, and the folders put into it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel) == {"packages", "force-include"}, "this test knows no other way in"
    places = {name: name for name in wheel["packages"]} | wheel["force-include"]
    found: dict[str, Path] = {}
    for name, target in places.items():
        place = ROOT / name
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
        found |= {str(Path(target, p.relative_to(place))): p for p in files}
    return {name: path for name, path in found.items() if "__pycache__" not in path.parts}


def regions_of(path: Path) -> list[list[str]]:
    """Return the telling lines of each hidden region or solution of an assignment."""
    grouped: dict[str, list[str]] = {}
    for secret in leaks.secrets_in(nbformat.read(path, as_version=4).cells):
        grouped.setdefault(secret.where, []).append(secret.squeezed)
    return list(grouped.values())


def given_away(lines: list[str], text: str) -> list[str]:
    """Return the lines of a region that stand in a file, if they are more than common phrases.

    The loop of an optimiser looks alike everywhere; four fifths of a region do not by chance, nor
    do two sentences.
    """
    found = [line for line in lines if line in text]
    sentences = [line for line in found if line.startswith('"') and len(line) >= 40]
    copied = len(found) >= 2 and len(found) > 0.8 * len(lines)
    return found if copied or len(sentences) >= 2 else []


def test_the_wheel_is_searched_for_what_assignments_hide() -> None:
    files = wheel_files()
    assert len(files) > 100
    texts = {
        name: leaks.squeeze(p.read_bytes().decode(errors="ignore")) for name, p in files.items()
    }
    found = [
        (assignment.stem, name, lines)
        for assignment in ASSIGNMENTS
        for region in regions_of(assignment)
        for name, text in texts.items()
        if (lines := given_away(region, text))
    ]
    assert found == []


def test_the_search_would_find_a_copied_region(path: Path) -> None:
    text = leaks.squeeze("# a module\n" + cell_of(samples.source(), "scaled_test").source)
    assert any(given_away(region, text) for region in regions_of(path))


def test_the_wheel_itself(tmp_path: Path) -> None:
    """Build it where hatchling is installed: it holds what was searched above and no more."""
    builders = pytest.importorskip("hatchling.builders.wheel")
    (built,) = builders.WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path), versions=["standard"]
    )
    with zipfile.ZipFile(built) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == set(wheel_files())


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_the_assignments_can_be_released(path: Path) -> None:
    assignment = read_assignment(path)
    notebook = student_version.student_version(assignment)
    assert len(notebook.cells) == len(assignment.cells)
    assert sum(role_of(cell) == TEST for cell in notebook.cells) == len(assignment.tasks)
