"""Points that a person gives: asked for, entered, checked, and shown everywhere."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from nst_edu.classroom.assignment import HandMarked
from nst_edu.classroom.by_hand import Entry, form, read_entries, with_points
from nst_edu.classroom.feedback import CellShown
from nst_edu.classroom.files import write_atomic
from nst_edu.classroom.gradebook import gradebook
from nst_edu.classroom.junit import junit
from nst_edu.classroom.records import (
    GRADED,
    HUMAN,
    NOTHING,
    ByHand,
    Graded,
    Key,
    TaskMark,
)
from nst_edu.classroom.report import write_reports
from nst_edu.classroom.store import Store
from nst_edu.classroom.table import table

KEY = Key("a" * 64, "s", "g", "i")
RIGHT = TaskMark("my_gram", 6, 6, "Right.", lesson=7)
LOST = TaskMark("my_style", 0, 4, "The answer was not found.", lesson=7, human=True)


def result(student: str, *marks: TaskMark, status: str = GRADED, essay: bool = True) -> Graded:
    parts = (ByHand("essay", 5),) if essay else ()
    return Graded(student, "gram", KEY, status, marks, parts)


AMINA = result("amina", RIGHT)
BO = result("bo", RIGHT, LOST, status=HUMAN)
CUT = result("chen", RIGHT, replace(RIGHT, task="my_style", points=1), status=HUMAN, essay=False)


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def entered(results: list[Graded], text: str, folder: Path) -> list[Graded]:
    """Return the results with what a teacher wrote into the table."""
    (folder / "by_hand.csv").write_text(text, encoding="utf-8")
    entries = read_entries(folder / "by_hand.csv", results)
    return [with_points(graded, entries) for graded in results]


# What is asked for


def test_the_table_asks_for_all_that_the_program_could_not_mark() -> None:
    nothing = Graded("dora", "gram", KEY, NOTHING)
    rows = lines(form([AMINA, BO, CUT, nothing], []))
    assert [(row["student"], row["task"], row["out_of"]) for row in rows] == [
        ("amina", "essay", "5"),
        ("bo", "essay", "5"),
        ("bo", "my_style", "4"),
        ("chen", "my_style", "6"),
    ]
    assert {row["points"] for row in rows} == {""}
    assert [row["program"] for row in rows] == ["", "", "", "1"]
    assert rows[0]["submission"] == "a" * 12


def test_nothing_that_was_entered_is_lost() -> None:
    entries = [
        Entry("amina", "essay", 4.25, "Good.", "a" * 12),
        Entry("amina", "essay", 1, "The first version.", "b" * 12),
        Entry("amina", "my_gram", 5, "=1+1"),
        Entry("gone", "essay", None, "Look again."),
    ]
    rows = lines(form([AMINA], entries))
    assert [(row["points"], row["comment"]) for row in rows] == [
        ("4.25", "Good."),
        ("1", "The first version."),
        ("5", "'=1+1"),
        ("", "Look again."),
    ]


@pytest.mark.parametrize("student", ["amina", "=1+1", "'amina", 'Zoë, née "O\'Neil"', "a;b\tc"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_is_written_is_read_again(student: str, delimiter: str, tmp_path: Path) -> None:
    results = [replace(AMINA, student=student), replace(BO, student=f"{student}2")]
    text = form(results, [], delimiter)
    entries = read_entries_of(text, results, tmp_path)
    assert all(entry.fits(results[number > 0]) for number, entry in enumerate(entries))
    filled = [replace(entry, points=2.5, comment="- so, so;\n'sic'") for entry in entries]
    text = form(results, filled, delimiter)
    assert read_entries_of(text, results, tmp_path) == filled
    assert form(results, read_entries_of(text, results, tmp_path), delimiter) == text


def read_entries_of(text: str, results: list[Graded], folder: Path) -> list[Entry]:
    write_atomic(folder / "table.csv", "\ufeff" + text)
    return read_entries(folder / "table.csv", results)


# What is entered


def test_points_by_hand_stand_above_the_programs(tmp_path: Path) -> None:
    text = "student;task;points;comment\nbo;essay;3,5;Nice\nbo;my_style;4;\namina;my_gram;2;No\n"
    amina, bo, _ = entered([AMINA, BO, CUT], text, tmp_path)
    assert bo.by_hand == (ByHand("essay", 5, 3.5, "Nice"),)
    assert (bo.total, bo.given, bo.open, bo.status) == (10, 3.5, 0, GRADED)
    assert bo.marks[1].message == "Marked by a person."
    assert (amina.total, amina.open) == (2, 5)
    assert amina.marks[0].message == "Marked by a person. No"


def test_who_marked_a_run_that_was_cut_off_has_looked_at_it(tmp_path: Path) -> None:
    (chen,) = entered([CUT], "student,task,points\nchen,my_style,1\n", tmp_path)
    assert (chen.status, chen.total) == (GRADED, 7)
    (bo,) = entered([BO], "student,task,points\nbo,essay,1\n", tmp_path)
    assert bo.status == HUMAN


def test_points_for_another_notebook_do_not_count(tmp_path: Path) -> None:
    text = f"student,task,points,submission\namina,essay,5,{'b' * 12}\n"
    assert entered([AMINA], text, tmp_path) == [AMINA]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("amina,essay,6", "6 points of 5"),
        ("amina,essay,-1", "expected points, 0 or more, or nothing; not '-1'"),
        ("amina,essay,nan", "expected points"),
        ("amina,essay,good", "not 'good'"),
        ("anima,essay,5", "there is no result of this student"),
        ("amina,esay,5", "no such task; there are my_gram, essay"),
    ],
)
def test_a_slip_is_told(row: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        entered([AMINA], f"student,task,points\n{row}\n", tmp_path)


def test_a_table_without_a_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lacks the column points"):
        entered([AMINA], "student,task\namina,essay\n", tmp_path)


# Where it is shown


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    part = HandMarked("essay", 5, "Give **2** for a reason.", "Why is that?")
    store.claim("gram", "digest", [part])
    answer = CellShown("markdown", "Because *so*.", tasks=("essay",))
    store.save(AMINA, [CellShown("code", "def my_gram(): ...", tasks=("my_gram",)), answer])
    store.save(BO)
    return store


def test_the_teachers_page_has_question_rubric_and_answers(store: Store) -> None:
    write_reports(store.folder)
    text = (store.folder / "by_hand.html").read_text(encoding="utf-8")
    for piece in ("Why is that?", "<strong>2</strong>", "<em>so</em>", "No answer was found."):
        assert piece in text
    assert 'href="amina/feedback.html"' in text


def test_points_reach_every_file(store: Store) -> None:
    write_reports(store.folder)
    path = store.folder / "by_hand.csv"
    text = path.read_text(encoding="utf-8-sig")
    assert text.splitlines()[1] == f"amina,essay,,5,,,{'a' * 12}"
    before = (store.folder / "bo" / "feedback.html").stat().st_mtime_ns
    path.write_text(text.replace("essay,,5,,", "essay,4,5,Well said,", 1), encoding="utf-8")
    amina, bo = write_reports(store.folder)
    assert (amina.given, bo.open) == (4, 9)  # the essay, and what only a person can tell
    assert lines(gradebook([amina]))[0]["essay"] == "4"
    assert '<failure message="4 of 5 points">Well said</failure>' in junit([amina])
    assert "4/5" in table([amina])
    page = (store.folder / "amina" / "feedback.html").read_text(encoding="utf-8")
    assert page.count("Well said") == 2  # in the table, and below the answer
    assert "Because <em>so</em>." in page
    assert (store.folder / "bo" / "feedback.html").stat().st_mtime_ns == before
    kept = path.read_bytes()
    write_reports(store.folder)
    assert path.read_bytes() == kept


def test_taken_back_the_points_are_gone(store: Store) -> None:
    write_reports(store.folder)
    first = (store.folder / "amina" / "feedback.html").read_bytes()
    path = store.folder / "by_hand.csv"
    path.write_text("student,task,points\namina,my_gram,1\n", encoding="utf-8")
    write_reports(store.folder)
    assert (store.folder / "amina" / "feedback.html").read_bytes() != first
    path.write_text("student,task,points\n", encoding="utf-8")
    write_reports(store.folder)
    assert (store.folder / "amina" / "feedback.html").read_bytes() == first


def test_without_anything_to_mark_the_table_is_there_for_corrections(tmp_path: Path) -> None:
    Store(tmp_path).save(result("amina", RIGHT, essay=False))
    write_reports(tmp_path)
    assert len((tmp_path / "by_hand.csv").read_text(encoding="utf-8").splitlines()) == 1
    assert not (tmp_path / "by_hand.html").exists()


def test_a_table_without_its_first_line_is_refused_and_not_lost(tmp_path: Path) -> None:
    Store(tmp_path).save(result("amina", RIGHT, essay=False))
    (tmp_path / "by_hand.csv").write_text("amina,my_gram,5\n")
    with pytest.raises(ValueError, match="lacks the column student: its first line"):
        write_reports(tmp_path)
    assert (tmp_path / "by_hand.csv").read_text() == "amina,my_gram,5\n"


def test_capitals_in_the_first_line_do_not_matter(tmp_path: Path) -> None:
    (amina,) = entered([AMINA], "Student,TASK, Points\namina,essay,4\n", tmp_path)
    assert amina.given == 4


def test_a_page_shows_what_the_program_could_not_mark(tmp_path: Path) -> None:
    """Also in an assignment in which nothing is marked by hand."""
    asked = TaskMark("my_gram", 0, 6, "But the code has einsum in it.", human=True, proposed=6)
    graded = Graded("bo", "gram", KEY, HUMAN, (asked,))
    store = Store(tmp_path)
    store.claim("gram", "digest")
    store.save(graded, [CellShown("code", "def my_gram(): einsum", tasks=("my_gram",))])
    write_reports(tmp_path)
    text = (tmp_path / "by_hand.html").read_text(encoding="utf-8")
    for piece in ("But the code has einsum in it.", "def my_gram(): einsum", "6 of 6 points"):
        assert piece in text
    assert ",6," in (tmp_path / "by_hand.csv").read_text(encoding="utf-8").splitlines()[1]
