"""What a teacher gets for the class: the table, the XML, the page; and what cannot harm them."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nst_edu.classroom.gradebook import gradebook
from nst_edu.classroom.items import correlation, histogram, items, mistakes
from nst_edu.classroom.junit import junit
from nst_edu.classroom.records import (
    GRADED,
    HUMAN,
    NOTHING,
    UNREADABLE,
    ByHand,
    Graded,
    Key,
    TaskMark,
)
from nst_edu.classroom.report import report_page, write_reports
from nst_edu.classroom.store import Store
from nst_edu.classroom.table import exit_code, table

KEY = Key("s", "a", "g", "i")
SWAPPED = "You swapped rows and columns."


def result(
    student: str, gram: float, style: float, *, mistake: str | None = None, human: bool = False
) -> Graded:
    """Return the marks of a student in two tasks of 6 and 4 points, and a part by hand."""
    marks = (
        TaskMark("my_gram", gram, 6, "Right." if gram == 6 else SWAPPED, mistake, gram > 0, 7),
        TaskMark("my_style", style, 4, "Not found." if human else "Right.", lesson=7, human=human),
    )
    return Graded(student, "gram", KEY, HUMAN if human else GRADED, marks, (ByHand("essay", 5),))


CLASS = [
    result("amina", 6, 4),
    result("bo", 3, 2, mistake="swapped"),
    result("chen", 3, 0, mistake="swapped"),
    result("dora", 0, 0),
    result("eve", 6, 0, human=True),
    Graded(
        "finn",
        "gram",
        KEY,
        UNREADABLE,
        (TaskMark("my_gram", 0, 6, "?", human=True),),
        (),
        ("A link.",),
    ),
    Graded("gus", "gram", KEY, NOTHING, notes=("Nothing was handed in.",)),
]


# The table for a gradebook


def rows(results: list[Graded]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gradebook(results))))


def test_the_gradebook_has_a_line_for_each_student() -> None:
    table = rows(CLASS)
    assert [row["student"] for row in table] == [graded.student for graded in CLASS]
    assert table[1] == {
        "student": "bo", "my_gram": "3", "my_style": "2", "total": "5", "out_of": "15",
        "by_hand_open": "5", "essay": "open", "status": "graded", "notes": "",
    }  # fmt: skip


def test_a_class_list_gives_its_columns() -> None:
    about = {"bo": {"email": "bo@school", "group": "=A"}, "gus": {"email": "gus@school"}}
    table = list(csv.DictReader(io.StringIO(gradebook(CLASS, about))))
    assert list(table[0])[:4] == ["student", "email", "group", "my_gram"]
    assert (table[1]["email"], table[1]["group"]) == ("bo@school", "'=A")
    assert (table[0]["email"], table[-1]["email"]) == ("", "gus@school")
    assert (table[-1]["total"], table[-1]["out_of"]) == ("", "15")


def test_an_open_mark_is_empty_and_no_zero() -> None:
    eve, finn, gus = rows(CLASS)[4:]
    assert (eve["my_style"], eve["status"]) == ("", "needs a human")
    assert (finn["my_gram"], finn["status"], finn["notes"]) == ("", "unreadable", "A link.")
    assert (gus["my_gram"], gus["total"], gus["status"]) == ("", "", "no submission")


FORMULAS = [
    *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "\x00=1", "'=1"),
    *("=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "x;=1+1;y", "x\t=1+1\ty"),
]


@pytest.mark.parametrize("text", FORMULAS, ids=range(len(FORMULAS)))
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    graded = Graded(text, "gram", KEY, GRADED, notes=(text,))
    (row,) = rows([graded])
    for shown in (row["student"], row["notes"]):
        for part in re.split("[;\t]", shown):
            assert not re.match(r"[\s\x00]*[=+\-@]", part)


# JUnit


def test_every_task_of_every_student_is_a_test_case() -> None:
    root = ET.fromstring(junit(CLASS).encode())
    suites = {suite.get("name"): suite for suite in root}
    cases = {case.get("name"): case for case in suites["bo"].iter("testcase")}
    assert list(cases) == ["my_gram", "my_style", "essay"]
    failure = cases["my_gram"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("3 of 6 points (swapped)", SWAPPED)
    assert cases["essay"].find("skipped") is not None
    assert suites["amina"].attrib == {
        "name": "amina", "failures": "0", "errors": "0", "skipped": "1", "tests": "3"
    }  # fmt: skip
    assert (suites["eve"].get("errors"), suites["finn"].get("errors")) == ("1", "1")
    assert suites["gus"].find("testcase/skipped") is not None


def test_no_character_breaks_the_xml() -> None:
    text = "".join(map(chr, range(0x30))) + "]]><&\"'\ud800\ufffe\uffff\x85\u2028"
    mark = TaskMark(text, 0, 1, text, text)
    root = ET.fromstring(junit([Graded(text, text, KEY, GRADED, (mark,), (), (text,))]).encode())
    assert len(list(root.iter("testcase"))) == 1


# Analysis


def test_each_task_is_analysed() -> None:
    gram, style = items(CLASS)
    assert (gram.count, gram.mean, gram.full, gram.attempted) == (5, 3.6, 0.4, 0.8)
    assert (style.count, style.mean, style.full) == (4, 1.5, 0.25)  # eve's waits for a person
    # 6 3 3 0 6 with the rest 4 2 0 0 0: covariance and variances by hand.
    assert gram.correlation == pytest.approx(8.4 / (25.2 * 12.8) ** 0.5)


def test_a_correlation_needs_differences() -> None:
    assert correlation([1.0], [2.0]) is None
    assert correlation([1.0, 1.0], [2.0, 3.0]) is None
    assert correlation([1.0, 2.0, 4.0], [3.0, 2.0, 0.0]) == pytest.approx(-1)


def test_mistakes_are_counted_with_their_lesson() -> None:
    (mistake,) = mistakes(CLASS)
    assert (mistake.task, mistake.misconception) == ("my_gram", "swapped")
    assert (mistake.count, mistake.lesson, mistake.message) == (2, 7, SWAPPED)
    other = replace(CLASS[1], marks=(replace(CLASS[1].marks[0], message="3 of 9 numbers differ"),))
    (mistake,) = mistakes([*CLASS, other])
    assert (mistake.count, "their own numbers" in mistake.message) == (3, True)


def test_the_histogram_counts_final_marks_only() -> None:
    assert histogram(CLASS) == [1, 0, 0, 1, 0, 1, 0, 0, 0, 1]
    thirds = Graded(
        "x", "gram", KEY, GRADED, tuple(TaskMark(str(n), 0.1, 1 / 3, "") for n in range(3))
    )
    assert histogram([thirds])[3] == 1  # 0.1 + 0.1 + 0.1 of 1 is not 2.99 tenths


# The page


class Page(HTMLParser):
    """Collects a page's elements, and what an accessibility check asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_says_all_in_words_too() -> None:
    text = report_page(CLASS)
    assert "Histogram of the points of 4 students" in text
    assert SWAPPED in text
    assert "A link." in text
    assert text.count("Nothing was handed in") == 1
    assert "<bdi>gus</bdi>" in text
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("svg")[0]["role"] == "img"
    assert len(page.all("caption")) == len(page.all("table")) == 4
    assert all(cell["scope"] in ("row", "col") for cell in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 2, 2, 2]
    assert not page.all("script")


@pytest.mark.parametrize("results", [CLASS[-1:], CLASS[-2:-1], CLASS[:1]])
def test_a_class_of_one_has_a_report(results: list[Graded], tmp_path: Path) -> None:
    store = Store(tmp_path)
    for graded in results:
        store.save(graded)
    assert write_reports(tmp_path) == results
    names = ["marks.csv", "junit.xml", "report.html"]
    first = {name: (tmp_path / name).read_bytes() for name in names}
    write_reports(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in names} == first


def test_no_results_are_no_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no results"):
        write_reports(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        write_reports(tmp_path / "none")


# The terminal


def test_the_table_fits_and_cannot_move_the_cursor() -> None:
    evil = Graded(
        "\x1b[2J\x07" + "x" * 99, "gram", KEY, UNREADABLE, notes=("a\nb\x1b]0;x\x07" * 99,)
    )
    lines = table([*CLASS, evil], width=80).split("\n")
    assert len(lines) == len(CLASS) + 2
    assert all(len(line) <= 80 and line.isprintable() for line in lines)
    assert lines[2].split() == ["bo", "5/10", "5", "open", "graded"]


def test_exit_codes() -> None:
    assert exit_code([CLASS[0], CLASS[-1]], []) == 0
    assert exit_code([CLASS[0], CLASS[4]], []) == 1
    assert exit_code([CLASS[5]], []) == 1
    assert exit_code([CLASS[0]], ["bo"]) == 1
