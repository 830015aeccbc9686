"""``nst-edu classroom``: what it says, what it refuses, and its exit codes."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nst_edu.classroom import sandbox
from nst_edu.classroom.files import locked
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.session import Done, Session
from nst_edu.cli import main
from tests import classroom_samples as samples

FINISHED = Outcome("finished", 0, 1.0, 1, "")


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Give torch its threads back: the grader takes one."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the sandbox by one that does nothing; return how it was called."""
    calls: list[dict[str, Any]] = []

    def run(scratch: Path, arguments: Any, limits: Limits, **options: Any) -> Outcome:
        calls.append({"limits": limits, **options})
        return FINISHED

    monkeypatch.setattr(sandbox, "run", run)
    monkeypatch.setattr(sandbox, "available", lambda: True)
    return calls


@pytest.fixture
def grade(tmp_path: Path) -> Callable[..., int]:
    """Return a function that grades what is in tmp_path/sub."""
    source = samples.write_source(tmp_path / "source")
    (tmp_path / "sub").mkdir()

    def run(*options: str, to: Path = tmp_path / "marks") -> int:
        always = ["--assignment", str(source), "--to", str(to), "--jobs", "1"]
        return main(["classroom", "grade", str(tmp_path / "sub"), *always, *options])

    return run


Grade = Callable[..., int]


def test_help_names_the_classroom_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from nst_edu.cli import make_parser; make_parser().format_help(); "
        "heavy = {'torch', 'numpy', 'nbformat', 'distributed', 'jinja2', 'tqdm', 'psutil'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "command",
    [[], ["grade"], ["report"], ["release"], ["collect"], ["validate"], ["feedback"]],
    ids=str,
)
def test_every_command_explains_itself(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["classroom", *command, "--help"])
    assert ended.value.code == 0
    assert "nst-edu classroom" in capsys.readouterr().out


def test_grading_writes_everything_and_says_so(
    grade: Grade, runs: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    (tmp_path / "sub" / "notes.txt").write_text("")
    assert grade() == 0
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()[:2]] == [
        ["student", "points", "by", "hand", "status"],
        ["ada", "0/13", "5", "open", "graded"],
    ]
    assert "1 graded now, 0 before, 0 need a look, 0 handed in nothing" in out
    assert "1/1" in err
    assert "no notebook, not read: notes.txt" in err
    names = {path.name for path in (tmp_path / "marks").iterdir()}
    assert names == {
        *("ada", "assignment.json", "marks.csv", "junit.xml", "report.html", "secret", ".lock"),
        *("by_hand.csv", "by_hand.html"),
    }
    assert grade() == 0
    assert "0 graded now, 1 before" in capsys.readouterr().out
    assert grade("--force", "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert len(runs) == 2


def test_one_bad_file_is_exit_code_1_and_the_rest_is_graded(
    grade: Grade, runs: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    (tmp_path / "sub" / "bo.ipynb").write_text("{")
    assert grade() == 1
    out = capsys.readouterr().out
    assert "1 need a look" in out
    assert "not valid JSON" in out
    assert main(["classroom", "report", str(tmp_path / "marks")]) == 1
    out = capsys.readouterr().out
    assert "unreadable" in out
    assert out.endswith("report.html\n")
    with (tmp_path / "marks" / "marks.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["graded", "unreadable"]


def test_a_fault_in_one_notebook_leaves_the_class_graded(
    grade: Grade,
    runs: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody foresees everything that can be in a notebook."""
    for student in ("ada", "bo", "chen"):
        samples.write_submission(tmp_path / "sub", student)

    def shown(assignment: Any, submission: Any, judged: Any) -> list[Any]:
        if submission.student == "bo":
            raise IndexError("what nobody thought of")
        return []

    monkeypatch.setattr("nst_edu.classroom.session.shown_cells", shown)
    assert grade() == 1
    out, err = capsys.readouterr()
    assert "2 graded now" in out
    assert "not graded: bo: IndexError: what nobody thought of" in err
    with (tmp_path / "marks" / "marks.csv").open(newline="") as file:
        assert [row["student"] for row in csv.DictReader(file)] == ["ada", "chen"]


def test_a_roster_shows_who_is_missing(
    grade: Grade, runs: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    samples.write_submission(tmp_path / "sub", "zoe")
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada\nbo,Bo\n")
    assert grade("--roster", str(tmp_path / "roster.csv")) == 0
    out, err = capsys.readouterr()
    assert "1 handed in nothing" in out
    assert "no submission" in out
    assert "not on the roster: zoe" in err


def test_the_class_list_s_columns_stay_in_the_table(
    grade: Grade, runs: list[Any], tmp_path: Path
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    (tmp_path / "roster.csv").write_text("id,mail\nada,a@example.org\n")
    (tmp_path / "new.csv").write_text("id,mail\nada,b@example.org\n")

    def mails() -> list[str]:
        with (tmp_path / "marks" / "marks.csv").open(newline="") as file:
            return [row["mail"] for row in csv.DictReader(file)]

    report = ["classroom", "report", str(tmp_path / "marks")]
    assert grade("--roster", str(tmp_path / "roster.csv")) == 0
    for command, mail in ((report, "a"), ([*report, "--roster", str(tmp_path / "new.csv")], "b")):
        assert main(command) == 0
        assert mails() == [f"{mail}@example.org"]
    assert grade() == 0
    assert mails() == ["b@example.org"]


def test_one_student_can_be_graded_again(
    grade: Grade, runs: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("ada", "bo"):
        samples.write_submission(tmp_path / "sub", student)
    assert grade() == 0
    assert grade("--student", "bo", "--force") == 0
    assert len(runs) == 3
    capsys.readouterr()
    assert grade("--student", "zoe") == 2
    assert "--student: there is no submission of zoe" in capsys.readouterr().err


def test_limits_follow_the_time_that_is_given(
    grade: Grade, runs: list[Any], tmp_path: Path
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    assert grade("--seconds", "60") == 0
    assert (runs[0]["limits"].wall, runs[0]["limits"].cpu) == (60, 50)
    assert runs[0]["unsafe"] is False


def test_a_sandbox_that_does_not_start_is_exit_code_1(
    grade: Grade,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    monkeypatch.setattr(sandbox, "available", lambda: True)
    monkeypatch.setattr(
        sandbox, "run", lambda *_, **__: Outcome("not started", 1, 0.1, 0, "no \x1b[2J bwrap")
    )
    assert grade() == 1
    err = capsys.readouterr().err
    assert "not graded: ada: the sandbox did not start: no  bwrap" in err
    assert not list((tmp_path / "marks").glob("*/result.json"))


def test_without_a_sandbox_nothing_runs_unless_it_is_asked_for(
    grade: Grade, runs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    samples.write_submission(tmp_path / "sub", "ada")
    monkeypatch.setattr(sandbox, "available", lambda: False)
    monkeypatch.setattr(sandbox, "why_not", lambda: "bwrap is missing.")
    assert grade() == 2
    assert "there is no sandbox here: bwrap is missing." in capsys.readouterr().err
    assert runs == []
    assert grade("--unsafe") == 0
    assert runs[0]["unsafe"] is True
    monkeypatch.setattr(sandbox, "available", lambda: True)
    assert grade() == 0
    assert len(runs) == 2  # what ran without a sandbox is graded again in one


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs", "0"], "--jobs must be 1 or more, not 0"),
        (["--seconds", "0"], "--seconds must be more than 0, not 0"),
        (["--seconds", "nan"], "--seconds must be more than 0, not nan"),
        (["--roster", "none.csv"], "none.csv"),
        (["--assignment", "none.ipynb"], "none.ipynb cannot be used as an assignment"),
        ([], "SUBMISSIONS holds no notebooks"),
    ],
    ids=str,
)
def test_wrong_use_is_one_line_and_exit_code_2(
    grade: Grade, runs: list[Any], options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade(*options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nst-edu: error: ")
    assert says in line


def test_wrong_folders_are_named(
    grade: Grade, runs: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples.write_submission(tmp_path / "sub", "ada")
    assert main(["classroom", "report", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert grade(to=tmp_path / "file") == 2
    assert "--to needs a folder" in capsys.readouterr().err
    (tmp_path / "busy").mkdir()
    with locked(tmp_path / "busy"):
        assert grade(to=tmp_path / "busy") == 2
    assert "another 'nst-edu classroom grade'" in capsys.readouterr().err


def test_ctrl_c_is_exit_code_130(
    grade: Grade, runs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def interrupted(self: Session, *_: Any) -> Done:
        raise KeyboardInterrupt

    samples.write_submission(tmp_path / "sub", "ada")
    monkeypatch.setattr(Session, "run", interrupted)
    assert grade() == 130
    assert "what is graded is kept" in capsys.readouterr().err
