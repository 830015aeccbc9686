"""Grade real submissions in the real sandbox: marks, doubts, and going on after anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import torch

from nst_edu.classroom import sandbox, session
from nst_edu.classroom.grade import Grading, asked_after, judge, prepare
from nst_edu.classroom.happenings import what_happened
from nst_edu.classroom.layout import Found, find_submissions
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.notebooks import Cell, Submission, read_submission
from nst_edu.classroom.questions import Answer
from nst_edu.classroom.records import GRADED, HUMAN, UNREADABLE, Graded, TaskMark
from nst_edu.classroom.session import Done, Options, Session
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import Store
from nst_edu.classroom.tasks import Task
from tests import classroom_samples as samples

needs_sandbox = pytest.mark.skipif(
    not sandbox.available(), reason=f"there is no sandbox: {sandbox.why_not()}"
)
SECRET = bytes(range(32))
ADDED = "def my_scaled(features, factor):\n    return features + factor"
LEAVES = "import os\ndef my_scaled(features, factor):\n    os._exit(0)"
HELPED = "def my_scaled(features, factor):\n    return times(features, factor)"
EINSUM = """\
from torch import einsum as product
def my_scaled(features, factor):
    return product("...,->...", features, torch.as_tensor(factor, dtype=features.dtype))"""
FINISHED = Outcome("finished", 0, 1.0, 1, "")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def grading(source: Path) -> Grading:
    return Grading(read_assignment(source), SECRET, Limits())


def write_class(folder: Path) -> None:
    """Write submissions of all kinds."""
    samples.write_submission(folder, "ada")
    samples.write_submission(folder, "bo", {"masked_mean": samples.HALF, "scaled": ADDED})
    chen = samples.submission(student="chen")
    chen.cells = [c for c in chen.cells if "def my_scaled" not in c.source]
    samples.write(chen, folder / "chen" / "Untitled.ipynb")
    samples.write(samples.cleared(), folder / "dora.ipynb")
    copied = {"sizes": 'my_sizes = {"height": 23, "width": 6}'}  # ada's own numbers
    samples.write(samples.submission(copied, "ada"), folder / "eve" / "sample.ipynb")
    (folder / "finn").mkdir()
    (folder / "finn" / "sample.ipynb").write_text('{"cells": [')
    (folder / "gus.ipynb").symlink_to(folder / "ada" / "sample" / "sample.ipynb")
    samples.write_submission(folder, "hana", {"scaled": LEAVES})
    samples.write_submission(folder, "kim", {"scaled": EINSUM})
    iris = samples.submission({"scaled": HELPED}, "iris")
    at = next(n for n, cell in enumerate(iris.cells) if cell.source == HELPED)
    helper = "def times(features, factor):\n    return features * factor"
    iris.cells.insert(at + 1, nbformat.v4.new_code_cell(helper, id="mine"))
    samples.write(iris, folder / "iris" / "sample.ipynb")


def grade(grading: Grading, folder: Path, to: Path, **options: Any) -> Done:
    """Grade a folder with two sandboxes at a time."""
    found, _ = find_submissions(folder, "sample")
    return Session(grading, Store(to), Options(jobs=2, quiet=True, **options)).run(found)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submissions")
    write_class(folder)
    return folder


@pytest.fixture(scope="module")
def marks(submissions: Path, grading: Grading, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grade the class once for all tests that only look."""
    if not sandbox.available():
        pytest.skip(f"there is no sandbox: {sandbox.why_not()}")
    to = tmp_path_factory.mktemp("marks")
    done = grade(grading, submissions, to)
    assert (done.graded, done.kept, done.failed) == (10, 0, {})
    return to


def of(marks: Path, student: str) -> Graded:
    found = Store(marks).load(student)
    assert found is not None
    return found


def earned(graded: Graded) -> list[float]:
    return [mark.points for mark in graded.marks]


# Marks


@needs_sandbox
def test_an_honest_submission_has_full_marks(marks: Path) -> None:
    ada = of(marks, "ada")
    assert (ada.status, earned(ada), ada.total, ada.notes) == (GRADED, [6, 4, 3], 13, ())
    assert [(part.task, part.out_of) for part in ada.by_hand] == [(samples.BY_HAND, 5)]
    assert all(mark.misconception is None and not mark.human for mark in ada.marks)


@needs_sandbox
def test_known_mistakes_earn_a_part_and_are_named(marks: Path) -> None:
    bo = of(marks, "bo")
    assert (bo.status, earned(bo)) == (GRADED, [3, 1, 3])
    names = [(mark.misconception, mark.lesson) for mark in bo.marks]
    assert names == [("divided-by-all", 7), ("added", 1), (None, 3)]
    assert bo.marks[1].message == "You added the factor."


@needs_sandbox
def test_a_forbidden_word_is_for_a_person(marks: Path) -> None:
    kim = of(marks, "kim")
    assert (kim.status, earned(kim)) == (HUMAN, [6, 0, 3])  # not before somebody has looked
    assert (kim.marks[1].proposed, kim.open) == (4, 9)
    assert [mark.human for mark in kim.marks] == [False, True, False]
    assert "But the code has einsum in it" in kim.marks[1].message


@needs_sandbox
def test_a_lost_cell_is_for_a_person_and_no_zero(marks: Path) -> None:
    chen = of(marks, "chen")
    assert (chen.status, earned(chen)) == (HUMAN, [6, 0, 3])
    assert [mark.human for mark in chen.marks] == [False, True, False]
    assert "was not found" in chen.marks[1].message


@needs_sandbox
def test_what_was_handed_out_earns_nothing(marks: Path) -> None:
    dora = of(marks, "dora")
    assert (dora.status, earned(dora)) == (GRADED, [0, 0, 0])
    assert not any(mark.attempted for mark in dora.marks)


@needs_sandbox
def test_another_students_numbers_are_not_ones_own(marks: Path) -> None:
    eve = of(marks, "eve")
    assert (eve.status, earned(eve)) == (HUMAN, [6, 4, 0])
    assert any("'ada'" in note and "'eve'" in note for note in eve.notes)


@needs_sandbox
@pytest.mark.parametrize(("student", "says"), [("finn", "not valid JSON"), ("gus", "a link")])
def test_what_cannot_be_read_is_for_a_person(marks: Path, student: str, says: str) -> None:
    graded = of(marks, student)
    assert (graded.status, earned(graded)) == (UNREADABLE, [0, 0, 0])
    assert all(mark.human for mark in graded.marks)
    assert says in graded.notes[0]


@needs_sandbox
def test_a_task_that_ends_the_program_costs_only_itself(marks: Path) -> None:
    hana = of(marks, "hana")
    assert earned(hana) == [6, 0, 3]


@needs_sandbox
def test_a_helper_between_answer_and_test_counts(marks: Path) -> None:
    assert of(marks, "iris").total == 13


@needs_sandbox
def test_the_feedback_shows_the_notebook_as_it_was_run(marks: Path) -> None:
    page = (marks / "bo" / "feedback.html").read_text(encoding="utf-8")
    assert "def my_scaled(features, factor):\n    return features + factor" in page
    assert page.count("You added the factor.") == 2  # in the table, and below the cell
    assert "The mean over all positions keeps the style." in page
    assert "hidden_total" not in page


# Twice


def contents(marks: Path) -> dict[str, bytes]:
    files = (path for path in marks.rglob("*") if path.is_file() and path.name != "log.txt")
    return {str(path.relative_to(marks)): path.read_bytes() for path in files}


@needs_sandbox
def test_graded_work_is_graded_once_and_the_same_again(
    marks: Path, submissions: Path, grading: Grading, tmp_path: Path
) -> None:
    before = contents(marks)
    done = grade(grading, submissions, marks)
    assert (done.graded, done.kept) == (0, 10)
    assert contents(marks) == before
    grade(grading, submissions, marks, force=True)
    assert contents(marks) == before


# What the sandbox gets


def test_the_sandbox_gets_no_answers(grading: Grading, tmp_path: Path) -> None:
    path = samples.write_submission(tmp_path, "ada")
    submission = read_submission(path, "ada", grading.assignment)
    prepare(grading, submission, tmp_path / "in")
    given = b"".join(file.read_bytes() for file in (tmp_path / "in").iterdir())
    for secret in (b"hidden_total", b"HIDDEN TESTS", b"right_sizes", SECRET, b"divided-by-all"):
        assert secret not in given
    assert b"def my_masked_mean" in given


def test_every_submission_gets_other_inputs_and_always_the_same(
    grading: Grading, tmp_path: Path
) -> None:
    task = grading.assignment.tasks[0].task
    ada, bo = (
        read_submission(samples.write_submission(tmp_path, s), s, grading.assignment)
        for s in ("ada", "bo")
    )
    handed_in_again = replace(ada, digest="another file")

    def inputs(submission: Submission) -> torch.Tensor:
        first: torch.Tensor = task.arguments(grading.seed(submission, task.name))[0][0]
        return first

    assert torch.equal(inputs(ada), inputs(ada))
    assert not torch.equal(inputs(ada), inputs(bo))
    assert not torch.equal(inputs(ada), inputs(handed_in_again))
    other = replace(grading, secret=bytes(32))
    assert other.seed(ada, task.name) != grading.seed(ada, task.name)
    assert other.key("x").seed != grading.key("x").seed


def cells(*roles: str) -> tuple[Cell, ...]:
    kinds = {"text": "markdown"}
    return tuple(
        Cell(str(n), kinds.get(role, "code"), "", None, "own" if role == "text" else role)
        for n, role in enumerate(roles)
    )


@pytest.mark.parametrize(
    ("roles", "answers", "after"),
    [
        (("given", "answer", "text", "own"), ("1",), "1"),
        (("given", "answer", "own", "own", "text", "own"), ("1",), "3"),
        (("answer", "answer", "own"), ("0",), "0"),
        (("answer", "text", "own", "answer"), ("0", "3"), "3"),
        (("given", "own"), (), None),
    ],
)
def test_answers_are_tried_where_the_test_stood(
    roles: tuple[str, ...], answers: tuple[str, ...], after: str | None
) -> None:
    submission = Submission("ada", Path(), cells(*roles), found=(("gram", answers),))
    assert asked_after(submission, "gram") == after


# What cannot be judged


@pytest.fixture
def submission(grading: Grading, tmp_path: Path) -> Submission:
    path = samples.write_submission(tmp_path, "ada")
    return read_submission(path, "ada", grading.assignment)


def judged(
    grading: Grading, submission: Submission, folder: Path, outcome: Outcome = FINISHED
) -> Graded:
    questions = prepare(grading, submission, folder / "in")
    return judge(grading, submission, questions, outcome, folder / "out").graded


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        ("crashed", "ended by itself before its end (exit code 3)"),
        ("wall time", "longer than 120 s"),
        ("cpu time", "longer than 100 s"),
        ("memory", "more memory than 1,500 MB"),
        ("output", "more than 1,000,000 bytes"),
        ("space", "files than it may"),
        ("processes", "started more than 3,000 processes"),
        ("machine memory", "this computer had no memory left"),
        ("struck by lightning", "otherwise than planned (struck by lightning)"),
    ],
)
def test_a_run_that_was_cut_off_is_for_a_person(
    grading: Grading, submission: Submission, tmp_path: Path, ended: str, says: str
) -> None:
    graded = judged(grading, submission, tmp_path, Outcome(ended, 3, 1.0, 1, ""))
    assert (graded.status, earned(graded)) == (HUMAN, [0, 0, 0])
    assert all(mark.human for mark in graded.marks)
    assert says in graded.notes[-1]


def test_no_answer_in_a_run_that_finished_is_a_zero_with_a_reason(
    grading: Grading, submission: Submission, tmp_path: Path
) -> None:
    graded = judged(grading, submission, tmp_path)
    assert (graded.status, earned(graded)) == (GRADED, [0, 0, 0])
    assert all(mark.message for mark in graded.marks)


def test_an_error_of_the_grader_stops_nobody(
    grading: Grading, submission: Submission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Task, answer: Answer, student: str, seed: int) -> TaskMark:
        raise ZeroDivisionError("by a clever answer")

    monkeypatch.setattr(Task, "judge", fails)
    graded = judged(grading, submission, tmp_path)
    assert graded.status == HUMAN
    assert all("ZeroDivisionError: by a clever answer" in mark.message for mark in graded.marks)


def mark_of(task: str, message: str) -> TaskMark:
    return TaskMark(task, 0, 4, message)


def test_an_answer_that_needs_another_one_is_for_a_person(submission: Submission) -> None:
    marks = [
        mark_of("my_gram", "my_gram() stopped with NameError: name 'my_mask' is not defined."),
        mark_of(
            "my_mask", "There is no my_mask in the notebook. Its name 'my_mask' is not defined"
        ),
    ]
    notes, doubtful = what_happened(submission, FINISHED, Limits(), marks, ())
    assert (notes[-1], doubtful) == (
        "my_gram uses my_mask, which is another task and is not there.",
        True,
    )
    notes, doubtful = what_happened(submission, FINISHED, Limits(), marks[:1], ())
    assert not doubtful


# Sessions, with a sandbox that does nothing


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the sandbox; return the folders in which it was started."""
    started: list[str] = []

    def run(scratch: Path, *_: Any, **__: Any) -> Outcome:
        started.append(scratch.name)
        return FINISHED

    monkeypatch.setattr(sandbox, "run", run)
    return started


def test_only_what_has_changed_is_graded(fake: list[str], grading: Grading, tmp_path: Path) -> None:
    for student in ("ada", "bo", "chen"):
        samples.write_submission(tmp_path / "sub", student)
    grade(grading, tmp_path / "sub", tmp_path / "marks")
    assert len(fake) == 3
    samples.write_submission(tmp_path / "sub", "bo", {"scaled": ADDED})
    done = grade(grading, tmp_path / "sub", tmp_path / "marks")
    assert (done.graded, done.kept, len(fake)) == (1, 2, 4)
    assert len(list((tmp_path / "marks" / "bo" / "earlier").iterdir())) == 1
    other = replace(grading, assignment=replace(grading.assignment, digest="mended"))
    assert grade(other, tmp_path / "sub", tmp_path / "marks").graded == 3


def test_what_did_not_start_is_graded_next_time(
    grading: Grading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "bo"):
        samples.write_submission(tmp_path / "sub", student)
    ends = iter([Outcome("not started", 1, 0.1, 0, "no bwrap"), FINISHED])
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: next(ends))
    done = grade(grading, tmp_path / "sub", tmp_path / "marks")
    assert (done.graded, len(done.failed)) == (1, 1)
    assert "no bwrap" in next(iter(done.failed.values()))
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: FINISHED)
    done = grade(grading, tmp_path / "sub", tmp_path / "marks")
    assert (done.graded, done.kept, done.failed) == (1, 1, {})


def test_an_interrupt_keeps_what_is_graded(
    grading: Grading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "bo", "chen"):
        samples.write_submission(tmp_path / "sub", student)
    scratches: list[Path] = []

    def run(scratch: Path, *_: Any, **__: Any) -> Outcome:
        scratches.append(scratch)
        return FINISHED

    def interrupted(session: Session, *args: Any) -> None:
        if saved:
            raise KeyboardInterrupt
        saved.append(args)
        finish(session, *args)

    saved: list[Any] = []
    finish = session.Session._finish
    monkeypatch.setattr(sandbox, "run", run)
    monkeypatch.setattr(session.Session, "_finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade(grading, tmp_path / "sub", tmp_path / "marks")
    assert len(list((tmp_path / "marks").glob("*/result.json"))) == 1
    assert not any(scratch.parent.exists() for scratch in scratches)


def test_two_notebooks_are_a_persons_choice(
    fake: list[str], grading: Grading, tmp_path: Path
) -> None:
    for name in ("one.ipynb", "two.ipynb"):
        samples.write(samples.submission(), tmp_path / "sub" / "ada" / name)
    (tmp_path / "sub" / "bo").mkdir()
    assert grade(grading, tmp_path / "sub", tmp_path / "marks").graded == 2
    ada, bo = of(tmp_path / "marks", "ada"), of(tmp_path / "marks", "bo")
    assert (ada.status, bo.status, fake) == (UNREADABLE, UNREADABLE, [])
    assert "2 notebooks (one.ipynb, two.ipynb)" in ada.notes[0]
    assert "no notebook" in bo.notes[0]


def test_who_handed_in_nothing_is_noted_and_forgotten(
    fake: list[str], grading: Grading, tmp_path: Path
) -> None:
    store = Store(tmp_path / "marks")
    Session(grading, store, Options(quiet=True)).run([], ["ada"])
    assert of(tmp_path / "marks", "ada").status == "no submission"
    path = samples.write_submission(tmp_path, "ada")
    Session(grading, store, Options(quiet=True)).run([Found("ada", (path,))], [])
    Session(grading, store, Options(quiet=True)).run([], ["ada"])
    assert of(tmp_path / "marks", "ada").status == GRADED


# Killed


def start(source: Path, submissions: Path, to: Path) -> subprocess.Popen[bytes]:
    options = ["--assignment", str(source), "--to", str(to), "--jobs", "1", "--quiet"]
    command = [sys.executable, "-m", "nst_edu", "classroom", "grade", str(submissions), *options]
    scratch = to.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    env = {**os.environ, "TMPDIR": str(scratch)}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_a_result(process: subprocess.Popen[bytes], to: Path) -> dict[Path, int]:
    """Wait until something is graded; return the results and when they were written."""
    while not (found := list(to.glob("*/result.json"))):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.1)
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.fixture
def four(tmp_path: Path) -> Path:
    for student in ("ada", "bo", "chen", "dora"):
        samples.write_submission(tmp_path / "sub", student)
    return tmp_path / "sub"


@needs_sandbox
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_grader_goes_on_where_it_was(
    four: Path, source: Path, tmp_path: Path, number: signal.Signals
) -> None:
    to = tmp_path / "marks"
    with start(source, four, to) as process:
        before = wait_for_a_result(process, to)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        code = process.wait(timeout=120)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 128 + number)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    with start(source, four, to) as process:
        assert process.wait(timeout=600) == 0
    results = {path: json.loads(path.read_text()) for path in to.glob("*/result.json")}
    assert {data["student"] for data in results.values()} == {"ada", "bo", "chen", "dora"}
    assert all(sum(m["points"] for m in data["marks"]) == 13 for data in results.values())
    for path, written in before.items():
        assert path.stat().st_mtime_ns == written
    assert not [path for path in to.glob("**/.*") if path.name != ".lock"]
    assert not list((tmp_path / "scratch").iterdir())
