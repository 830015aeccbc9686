"""A class of attackers and three honest students is graded once; then every result is looked at.

Whatever was handed in, the grader survives, the marks are right, the teacher is told what happened,
the honest students have the marks that they would have alone, and nothing is left behind.
"""

from __future__ import annotations

import csv
import hashlib
import html
import os
import re
import socket
import stat
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from nst_edu.classroom import exchange, sandbox
from nst_edu.classroom.grade import Grading
from nst_edu.classroom.layout import find_submissions
from nst_edu.classroom.limits import Limits
from nst_edu.classroom.notebooks import read_submission
from nst_edu.classroom.records import Graded
from nst_edu.classroom.report import write_reports
from nst_edu.classroom.session import Done, Options, Session
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import CELLS, FEEDBACK, LOG, RESULT, Store
from nst_edu.classroom.template import Template
from tests import classroom_samples as samples
from tests.hostile.cells import RUN
from tests.hostile.corpus import ATTACKS, CANARY, NEIGHBOURS, write_corpus, write_neighbours
from tests.hostile.files import FORMULA
from tests.hostile.forged import VALUES, write_forged
from tests.hostile.model import SECONDS, UNREADABLE, Attack, Field, path_of
from tests.hostile.searching import READ
from tests.test_classroom_feedback import ALLOWED
from tests.test_classroom_report import Page

pytestmark = pytest.mark.skipif(
    not sandbox.available(), reason=f"there is no sandbox: {sandbox.why_not()}"
)
SECRET = bytes(range(32))
LIMITS = Limits(wall=40, cpu=15)
SECRETS = ("hidden_total", "right_sizes", "a model answer that no student", CANARY, "TEACHERS_OWN")
IDS = [ascii(attack.student).strip("'")[:30] for attack in ATTACKS]


@dataclass(frozen=True)
class Class:
    """A class that was graded.

    Attributes
    ----------
    alone, marks
        The marks of the honest students without the others, and those of all.
    before, after
        All files that are none of the graders' business, before and after.
    listener
        Somebody whom no submission may reach.
    """

    field: Field
    alone: Path
    marks: Path
    done: Done
    before: dict[str, str]
    after: dict[str, str]
    listener: socket.socket
    scratch: Path
    processes: set[int]


def snapshot(*folders: Path) -> dict[str, str]:
    """Return what each file is and holds."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            state = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(state.st_mode) else b""
            digest = hashlib.sha256(content).hexdigest()
            found[ascii(str(path))] = f"{state.st_mode} {digest}"
    return found


def grade(grading: Grading, field: Field, to: Path) -> Done:
    """Grade all that is handed in, with two sandboxes at a time."""
    found, _ = find_submissions(field.submissions, samples.NAME)
    return Session(grading, Store(to), Options(jobs=2, quiet=True)).run(found)


def field_in(folder: Path, grading: Grading, port: int) -> Field:
    """Return a field with the honest notebooks, whose attackers know all paths."""
    victim, submissions = next(iter(NEIGHBOURS)), folder / "submissions"
    notebooks = [submissions / s / samples.NAME / f"{samples.NAME}.ipynb" for s in NEIGHBOURS]
    marks = [folder / "marks" / "secret", folder / "alone" / victim / RESULT]
    places = (grading.assignment.path, *notebooks, *marks, Path(samples.__file__).resolve())
    field = Field(submissions, places, port, folder / "trap", victim, ())
    write_neighbours(field)
    task = grading.assignment.tasks[1].task
    submission = read_submission(path_of(field, victim), victim, grading.assignment)
    inputs = task.arguments(grading.seed(submission, task.name))
    constants = tuple((features * factor).tolist() for features, factor in inputs)
    return replace(field, constants=constants)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Grade the honest students alone, then all."""
    folder = tmp_path_factory.mktemp("hostile")
    grading = Grading(read_assignment(samples.write_source(folder / "source")), SECRET, LIMITS)
    scratch = folder / "scratch"
    scratch.mkdir()
    limited = partial(exchange.write_inputs, cell_seconds=SECONDS, task_seconds=SECONDS)
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        patch.setattr(exchange, "write_inputs", limited)
        patch.setattr(tempfile, "tempdir", str(scratch))
        patch.setenv("NST_EDU_TEST", "TEACHERS_OWN")
        field = field_in(folder, grading, listener.getsockname()[1])
        grade(grading, field, folder / "alone")
        write_corpus(field)
        watched = (folder / "source", field.submissions, folder / "alone")
        before, processes = snapshot(*watched), {p.pid for p in psutil.Process().children(True)}
        done = grade(grading, field, folder / "marks")
        write_reports(folder / "marks")
        yield Class(
            field,
            folder / "alone",
            folder / "marks",
            done,
            before,
            snapshot(*watched),
            listener,
            scratch,
            processes,
        )


def of(marks: Path, student: str) -> Graded:
    found = Store(marks).load(student)
    assert found is not None
    return found


def page_of(graded: Class, student: str) -> str:
    return (Store(graded.marks).place(student) / FEEDBACK).read_text(encoding="utf-8")


def earned(one: Graded) -> tuple[float, ...]:
    return tuple(mark.points for mark in one.marks)


# The class


def test_the_grader_survives(graded: Class) -> None:
    assert graded.done.failed == {}
    assert graded.done.graded == len(ATTACKS) + len(NEIGHBOURS)
    assert len({attack.student for attack in ATTACKS}) == len(ATTACKS) >= 30


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_neighbours_have_the_marks_that_they_have_alone(graded: Class, student: str) -> None:
    assert earned(of(graded.marks, student)) == NEIGHBOURS[student]
    for name in (RESULT, FEEDBACK):
        alone = (graded.alone / student / name).read_bytes()
        assert (graded.marks / student / name).read_bytes() == alone


def test_nothing_is_left_behind(graded: Class) -> None:
    assert graded.after == graded.before
    assert not graded.field.trap.exists()
    assert list(graded.scratch.iterdir()) == []
    assert not (graded.marks / ".scratch").exists()
    assert {p.pid for p in psutil.Process().children(recursive=True)} <= graded.processes
    names = [process.info["name"] for process in psutil.process_iter(["name"])]
    assert "left-behind" not in names


def test_nobody_was_called(graded: Class) -> None:
    graded.listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        graded.listener.accept()


def test_every_result_is_in_a_folder_of_its_own(graded: Class) -> None:
    folders = [entry for entry in graded.marks.iterdir() if entry.is_dir()]
    assert len(folders) == len(ATTACKS) + len(NEIGHBOURS)
    kept = {RESULT, CELLS, FEEDBACK, LOG}
    assert all({path.name for path in folder.iterdir()} == kept for folder in folders)


def test_the_table_for_the_gradebook_holds_no_formula(graded: Class) -> None:
    with (graded.marks / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + len(ATTACKS) + len(NEIGHBOURS)
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@"))]
    assert any(FORMULA in row[0] for row in rows)
    ET.parse(graded.marks / "junit.xml")


# Every attack


@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_the_marks_are_right(graded: Class, attack: Attack) -> None:
    one = of(graded.marks, attack.student)
    right = [(marks, status) for marks, _, status in attack.outcomes]
    assert (earned(one), one.status) in right, one
    if one.status == UNREADABLE:
        assert all(mark.human for mark in one.marks)


@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_the_teacher_is_told(graded: Class, attack: Attack) -> None:
    one = of(graded.marks, attack.student)
    said = " ".join([*one.notes, *(mark.message for mark in one.marks)])
    missing = [[words for words in says if words not in said] for _, says, _ in attack.outcomes]
    assert [] in missing
    assert all(mark.message for mark in one.marks)
    log = (Store(graded.marks).place(attack.student) / LOG).read_text(encoding="utf-8")
    shown = html.unescape(page_of(graded, attack.student)) + log
    assert [words for words in attack.shows if words not in shown] == []


@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_nothing_was_found(graded: Class, attack: Attack) -> None:
    place = Store(graded.marks).place(attack.student)
    kept = "".join(path.read_text(encoding="utf-8") for path in place.iterdir())
    if attack.student != "other-id":
        assert [word for word in (*SECRETS, SECRET.hex()) if word in kept] == []
    assert not re.search(r"^FOUND|>FOUND", kept, re.MULTILINE)


@pytest.mark.parametrize("attack", ATTACKS, ids=IDS)
def test_nothing_runs_in_the_teachers_browser(graded: Class, attack: Attack) -> None:
    check_page(page_of(graded, attack.student))


def test_nothing_runs_in_the_report(graded: Class) -> None:
    text = (graded.marks / "report.html").read_text(encoding="utf-8")
    check_page(text.replace("<svg", "<div").replace("</svg", "</div"), own=FEEDBACK)


def check_page(text: str, own: str = "#") -> None:
    """See to it that a page loads nothing, runs nothing and leads nowhere strange.

    A link may lead to the page `own` in a folder beside it.
    """
    addresses = re.compile(rf"https?://|mailto:|#|[\w.~@%-]+/{own}$", re.ASCII)
    page = Page(text)
    drawn = {"rect", "text", "line", "g", "h5", "h6", "br", "hr", "blockquote", "ol", "scope"}
    assert {tag for tag, _ in page.elements} <= ALLOWED | drawn
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "srcdoc"]
        assert (attributes.get("src") or "data:image/").startswith("data:image/")
        assert addresses.match(attributes.get("href") or "#")
        assert (attributes.get("http-equiv") or "Content-Security-Policy").startswith("Content")
        assert RUN not in "".join(value or "" for value in attributes.values())


# What the attacks rest on


def test_the_search_finds_what_is_not_hidden(
    graded: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(READ, {"PLACES": [str(place) for place in graded.field.places]})
    found = [line.split()[1] for line in capsys.readouterr().out.splitlines() if "FOUND" in line]
    assert str(graded.field.places[0]) in found
    assert str(path_of(graded.field, graded.field.victim)) in found


def test_two_sandboxes_at_a_time_are_two_users(tmp_path: Path) -> None:
    """The kernel counts processes by user: a fork bomb would stop the other one's forks."""
    if os.geteuid() != 0:
        pytest.skip("only root can give every sandbox another user")
    code = "import os, time; print(os.getuid()); time.sleep(1)"
    said: list[str] = []

    def run(template: Template, name: str) -> None:
        (tmp_path / name).mkdir()
        said.append(template.run(tmp_path / name, ["-c", code], Limits(wall=30)).tail.strip())

    with Template(tmp_path, ["json"]) as one, Template(tmp_path, ["json"]) as other:
        threads = [
            threading.Thread(target=run, args=(template, name))
            for template, name in ((one, "one"), (other, "other"))
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        for thread in threads:
            thread.join()
    assert len(set(said)) == 2


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("number", [1, 2])
def test_forged_answers_earn_nothing_and_stop_nobody(
    tmp_path: Path, value: str, number: int
) -> None:
    task = read_assignment(samples.write_source(tmp_path)).tasks[number].task
    question = task.question(7)
    write_forged(tmp_path / "out", task.name, question.kind, VALUES[value])
    answer = exchange.read_answers(tmp_path / "out", [question])[task.name]
    mark = task.judge(answer, "ada", 7)
    assert mark.points == 0
    assert 0 < len(mark.message) <= 3001
