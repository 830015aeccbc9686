"""The teachers' pages about assignments: their template, their commands, and the files for CI."""

from __future__ import annotations

import argparse
import csv
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml  # type: ignore[import-untyped]
from nbformat import NotebookNode

from nst_edu import cli
from nst_edu.authoring import assignments
from nst_edu.authoring.markdown_rules import ELSEWHERE, FENCED, TARGET
from nst_edu.authoring.texts import NOTEBOOKS
from nst_edu.classroom.release import release
from nst_edu.classroom.source import SourceError, read_assignment
from nst_edu.classroom.tasks import Task, personal
from tests import classroom_samples as samples

INSTRUCTOR = NOTEBOOKS / "instructor"
GUIDE, WRITING = INSTRUCTOR / "classroom.md", INSTRUCTOR / "writing_an_assignment.md"
WORKFLOW, NIGHTLY = INSTRUCTOR / "ci" / "github-classroom.yml", INSTRUCTOR / "ci/grade-nightly.sh"
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
COMMANDS = ("nst-edu ", "python -m nst_edu.authoring.assignments")
PAGES = pytest.mark.parametrize("page", [GUIDE, WRITING], ids=lambda path: path.stem)

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the files for CI need bash")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def marked(page: Path, name: str) -> str:
    """Return the block of code below ``<!-- name -->``."""
    _, found, rest = read(page).partition(f"<!-- {name} -->\n")
    assert found
    block = BLOCK.match(rest)
    assert block is not None
    return block[3]


def write_text(folder: Path, text: str, name: str = "brightness") -> Path:
    path = folder / "my_course" / "assignments" / "text" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def as_if_built(text: Path, marks: dict[str, float]) -> Path:
    """Write the notebook of a text without running it; its test cells have these marks."""
    notebook = assignments.read_assignment_text(text)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
        if (mark := marks.get(cell.metadata.nbgrader.grade_id)) is not None:
            data = {"text/plain": str(float(mark))}
            cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    path = assignments.assignment_path(text)
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)
    return path


def executed(notebook: NotebookNode, answers: dict[str, str]) -> dict[str, Any]:
    """Run a student's notebook with these answers, by the name of what they define."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            grade_id = cell.metadata.nbgrader.grade_id
            exec(compile(answers.get(grade_id, cell.source), grade_id, "exec"), names)
    return names


# The template


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the template as the page says; return the teacher's notebook."""
    text = write_text(tmp_path_factory.mktemp("teacher"), marked(WRITING, "template"))
    assert assignments.main(["--folder", str(text.parents[1])]) == 0
    return assignments.assignment_path(text)


@pytest.fixture(scope="module")
def tasks(built: Path) -> dict[str, Task]:
    return {one.task.name: one.task for one in read_assignment(built).tasks}


@pytest.fixture(scope="module")
def handout(built: Path) -> NotebookNode:
    """Return what students get; the solution is graded before."""
    (path,) = release([built], built.parents[3] / "handout")
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def test_the_template_earns_full_marks(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(assignments.marks(nbformat.read(built, as_version=4)))
    assert found == [("brightness_test", 4.0, 4.0), ("size_test", 2.0, 2.0)]
    assert assignments.main(["--check", "--folder", str(built.parents[1])]) == 0
    assert capsys.readouterr().err == ""


def test_the_untouched_release_earns_nothing(
    handout: NotebookNode, tasks: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    names = executed(handout, {})
    assert "example right: False" in capsys.readouterr().out
    assert [task.mark(names) for task in tasks.values()] == [0.0, 0.0]
    assert capsys.readouterr().out.count("Not attempted yet.") == 2


def test_answers_to_the_template_get_what_the_page_says(
    handout: NotebookNode, tasks: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    place = "(height - 5) // 2 + 1, 'width': (width - 5) // 2 + 1}"
    answers = {
        "student": "STUDENT = 'ada'",
        "brightness": "def my_brightness(p):\n    return p.flatten(1).mean(1)",
        "size": f"my_size = {{'height': {place}",
    }
    names = executed(handout, answers)
    assert "example right: True" in capsys.readouterr().out
    assert [task.mark(names) for task in tasks.values()] == [4.0, 2.0]

    names["my_brightness"] = lambda pictures: pictures.mean()
    names["my_size"] = {key: value - 1 for key, value in names["my_size"].items()}
    assert [task.mark(names) for task in tasks.values()] == [2.0, 1.0]
    names["STUDENT"] = "another"
    assert tasks["my_size"].mark(names) == 0


def test_an_answer_for_a_person_is_added_as_the_page_says(tmp_path: Path) -> None:
    both = marked(WRITING, "template") + "\n" + marked(WRITING, "by hand")
    path = as_if_built(write_text(tmp_path, both), {"brightness_test": 4, "size_test": 2})
    (part,) = read_assignment(path).by_hand
    assert (part.grade_id, part.points) == ("why", 3.0)
    assert part.rubric.startswith("One point for the border")
    assert part.question.startswith("## 3. Why is it smaller?")
    assert assignments.main(["--check", "--folder", str(path.parents[1])]) == 0


# What the page says of faults


def lost(folder: Path, old: str, new: str, marks: dict[str, float]) -> str:
    """Return what the builder says of the template with a change, and these marks."""
    template = marked(WRITING, "template")
    assert old in template
    text = write_text(folder, template.replace(old, new))
    as_if_built(text, {"brightness_test": 4, "size_test": 2, **marks})
    (found,) = assignments.differences(text)
    return found


def test_a_name_that_the_draw_does_not_share_is_named_as_the_cause(tmp_path: Path) -> None:
    old, new = 'personal(STUDENT, "size")', 'personal(STUDENT, "picture_size")'
    found = lost(tmp_path, old, new, {"size_test": 0})
    assert found.startswith("size_test: the solution earned 0.0 of 2 points. A likely cause: ")
    assert 'draws with tasks.personal(STUDENT, "picture_size"), and no Task is named' in found
    assert found.endswith('as in tasks.personal(STUDENT, "size")')
    assert personal("ada", "size").initial_seed() != personal("ada", "picture_size").initial_seed()


def test_other_causes_are_not_put_down_to_the_name(tmp_path: Path) -> None:
    found = lost(tmp_path, "dim=(1, 2, 3)", "dim=(0, 1, 2)", {"brightness_test": 0})
    assert found.endswith("earned 0.0 of 4 points. Its test printed nothing")


def test_the_builder_shows_what_the_test_printed(tmp_path: Path) -> None:
    text = write_text(tmp_path, marked(WRITING, "template"))
    path = as_if_built(text, {"brightness_test": 1, "size_test": 2})
    notebook = nbformat.read(path, as_version=4)
    cell = samples.cell_of(notebook, "brightness_test")
    cell.outputs.insert(0, nbformat.v4.new_output("stream", text="Not right\nyet.\n"))
    nbformat.write(notebook, path)
    (found,) = assignments.check(text.parents[1], [])
    assert 'Its test printed: "Not right yet.". Run: python -m nst_edu.authoring' in found
    assert found.endswith(f"assignments --folder {text.parents[1]} brightness")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return pictures.sum(", "return my_brightness(pictures) + 0 * pictures.sum(", "uses my_b"),
        ("points=4,", "points=5,", "has 4 points, but its Task has 5"),
        ('name="my_size"', 'name="my_sizes"', "no answer cells define my_sizes"),
    ],
)
def test_the_messages_in_the_table_are_those_that_come(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = write_text(tmp_path, marked(WRITING, "template").replace(old, new))
    with pytest.raises(SourceError, match=message):
        read_assignment(as_if_built(text, {}))


def test_a_folder_without_a_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        assignments.main(["--folder", str(tmp_path)])
    assert "write text/NAME.py" in capsys.readouterr().err


def test_what_is_not_installed_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("assignments", "build", "texts"):
        monkeypatch.delitem(sys.modules, f"nst_edu.authoring.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "jupytext", None)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("nst_edu.authoring.assignments", run_name="__main__")
    (line,) = str(stopped.value).splitlines()
    assert line.startswith("jupytext is not installed. In the folder of the course, run: ")
    assert '".[lab,classroom]"' in line


# The commands and links of the pages


@PAGES
def test_links_lead_somewhere(page: Path) -> None:
    targets = list(map("".join, TARGET.findall(FENCED.sub("", read(page)))))
    assert targets
    for target in targets:
        if not ELSEWHERE.match(target):
            name, _, anchor = target.partition("#")
            other = (page.parent / name) if name else page
            assert other.resolve().exists(), target
            assert not anchor or anchor in anchors(other), target


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(page: Path) -> list[list[str]]:
    """Return the commands in a page's blocks."""
    blocks = [textwrap.dedent(code) for _, kind, code in BLOCK.findall(read(page)) if not kind]
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(COMMANDS)]


@PAGES
def test_the_commands_are_understood(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = commands(page)
    assert found
    monkeypatch.setattr(assignments, "find_texts", lambda *_: [1])
    monkeypatch.setattr(assignments, "build", lambda *_: [])
    monkeypatch.setattr(assignments, "check", lambda *_: [])
    for words in found:
        if words[0] == "nst-edu":
            cli.make_parser().parse_args(words[1:])
        else:
            assert assignments.main(words[3:]) == 0


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Return every option of a command and of the commands below it."""
    found = set()
    for action in parser._actions:
        found |= {*action.option_strings}
        if isinstance(action, argparse._SubParsersAction):
            found = found.union(*map(options, action.choices.values()))
    return found


@PAGES
def test_the_options_that_a_page_names_exist(page: Path) -> None:
    text = BLOCK.sub("", read(page))
    named = {word for code in re.findall(r"`([^`]+)`", text) for word in code.split()}
    known = options(cli.make_parser()) | {"--folder", "--check"}
    assert {word for word in named if word.startswith("--")} <= known


def test_all_commands_for_teachers_are_in_the_guide() -> None:
    told = {words[2] for words in commands(GUIDE)}
    assert told == {"release", "validate", "collect", "grade", "report", "feedback"}


def write_table(path: Path, *rows: tuple[str, ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_the_marks_are_put_into_the_export_of_canvas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = marked(GUIDE, "canvas")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "marks/gram").mkdir(parents=True)
    rows = [("student", "total"), ("jdoe", "21.5"), ("amina", "")]
    write_table(tmp_path / "marks/gram/marks.csv", *rows)
    head = ("Student", "ID", "SIS Login ID", "Section", "Gram (12345)")
    before = [("    Points Possible", "", "", "", "28"), ("Doe, Jane", "77", "jdoe", "A", "")]
    others = [("Traoré, Amina", "78", "amina", "A", "3"), ("Bo", "79", "bo", "A", "4")]
    write_table(tmp_path / "canvas.csv", head, *before, *others)
    exec(compile(code, "canvas", "exec"), {})
    after = list(csv.reader(read(tmp_path / "to_canvas.csv").splitlines()))
    assert [tuple(row) for row in after] == [head, before[0], (*before[1][:4], "21.5"), *others]


# The files for CI


def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(read(WORKFLOW))
    return found


def steps() -> dict[str, dict[str, Any]]:
    found = workflow()["jobs"]["grade"]["steps"]
    return {step.get("name", step.get("uses")): step for step in found}


def test_the_workflow_keeps_the_marks_whatever_happens() -> None:
    found = steps()
    get, keep = found["Get the marks of the last run"], found["Keep the marks for the next run"]
    assert get["uses"].startswith("actions/cache/restore@")
    assert keep["uses"].startswith("actions/cache/save@")
    assert get["with"]["restore-keys"] == "marks-"
    assert keep["with"]["key"].startswith("marks-")
    assert keep["with"]["path"] == get["with"]["path"] == "marks"
    assert keep["if"] == found["Hand over the marks"]["if"] == "always()"
    assert "!marks/*/secret" in found["Hand over the marks"]["with"]["path"].split()


def test_the_workflow_runs_when_it_says_and_shows_its_token_to_one_step() -> None:
    whole = workflow()
    assert set(whole[True]) == {"workflow_dispatch", "schedule"}  # YAML reads `on` as true
    with_token = [name for name, step in steps().items() if "CLASSROOM_TOKEN" in str(step)]
    assert with_token == ["Fetch"]
    assert "TOKEN" not in str({**whole, "jobs": {}})


@bash
def test_the_scripts_for_ci_are_valid() -> None:
    scripts = [step["run"] for step in steps().values() if "run" in step] + [read(NIGHTLY)]
    assert len(scripts) == 4
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


GH = """\
echo "$PWD: gh $*" >>"$CALLS"
[ "$1 $2" = "classroom clone" ] || exit 0
name=$(basename "$PWD")
mkdir -p "$name-submissions/$name-Jane-D"
cp "$NOTEBOOK" "$name-submissions/$name-Jane-D/$name.ipynb"
"""
NST_EDU = """\
echo "nst-edu $*" >>"$CALLS"
[ "$2" = collect ] && exec "$PYTHON" -m nst_edu "$@"
exit "$GRADED"
"""


def teachers_repository(folder: Path, graded: int) -> dict[str, str]:
    """Write what the workflow finds in its repository; return its environment."""
    samples.write_source(folder / "assignments")
    notebook = samples.write(samples.submission(), folder / "elsewhere" / "work.ipynb")
    write_table(folder / "class.csv", ("id", "name", "login"), ("jdoe", "Jane Doe", "jane-d"))
    (folder / "by_hand").mkdir()
    (folder / "by_hand" / "sample.csv").write_text("student,task,points\n", encoding="utf-8")
    (folder / "bin").mkdir()
    for name, text in (("gh", GH), ("nst-edu", NST_EDU)):
        path = folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        path.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(NOTEBOOKS.parent),
        "PYTHON": sys.executable,
        "ASSIGNMENTS": "sample=12345",
        "NOTEBOOK": str(notebook),
        "CALLS": str(folder / "calls"),
        "GRADED": str(graded),
    }


@bash
@pytest.mark.parametrize(
    ("graded", "code", "said"),
    [(0, 0, ""), (1, 0, "::warning::a person must look"), (2, 1, "::error::exit code 2")],
)
def test_the_workflow_fetches_collects_and_grades(
    tmp_path: Path, graded: int, code: int, said: str
) -> None:
    environment = teachers_repository(tmp_path, graded)
    for name in ("Fetch", "Collect and grade"):
        script = tmp_path / "script"
        script.write_text(steps()[name]["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "-e", str(script)],  # as GitHub starts it
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == code, done.stderr
    assert said in done.stdout
    assert (said == "") == ("::" not in done.stdout)
    assert (tmp_path / "submissions/jdoe/sample/sample.ipynb").is_file()
    assert (tmp_path / "marks/sample/by_hand.csv").is_file()
    calls = read(tmp_path / "calls").splitlines()
    assert calls[2] == f"{tmp_path}/fetched/sample: gh classroom clone student-repos -a 12345"
    last = shlex.split(calls[-1])
    options = cli.make_parser().parse_args(last[1:])
    assert (options.classroom, options.quiet) == ("grade", True)
    assert (tmp_path / options.assignment).is_file()
    assert (tmp_path / options.roster).is_file()


@bash
def test_the_script_for_cron_grades(tmp_path: Path) -> None:
    program = tmp_path / ".venv/bin/nst-edu"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@"\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    command = ["sh", str(NIGHTLY), "gram"]
    environment = {**os.environ, "COURSE": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    options = cli.make_parser().parse_args(done.stdout.split())
    assert options.assignment == tmp_path / "assignments/gram/gram.ipynb"
    assert options.to == tmp_path / "marks/gram"
