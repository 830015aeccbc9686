"""The pages around the lessons: start page, glossary, instructor guide, concept inventory."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nst_edu.authoring import kill_matrix, start_page
from nst_edu.authoring.glossary_rules import (
    GLOSSARY_RULES,
    Entry,
    bold_terms,
    read_glossary,
)
from nst_edu.authoring.markdown_rules import ELSEWHERE, FENCED, TARGET, markdown_cells
from nst_edu.authoring.texts import NOTEBOOKS, find_texts, notebook_path, read_text
from nst_edu.exercises.catalogue import all_exercises

GLOSSARY = NOTEBOOKS / "glossary.md"
GUIDE = NOTEBOOKS / "instructor" / "guide.md"
INVENTORY = NOTEBOOKS / "instructor" / "concept_inventory.md"
PAGES = (NOTEBOOKS / start_page.PAGE, GLOSSARY, GUIDE, INVENTORY)
LESSONS = [str(number) for number in range(10)]

CHECK = re.compile(r"`([a-z0-9_]+)/([a-z0-9-]+)`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def prose() -> dict[str, str]:
    """Return the text of each lesson, without its code, by the notebook's name."""
    cells = {text: markdown_cells(read_text(text)) for text in find_texts()}
    return {
        notebook_path(text).name: "\n\n".join(source for _, source in sources)
        for text, sources in cells.items()
    }


# All pages


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    built = {notebook_path(text).resolve() for text in find_texts()}
    generated = {*built, kill_matrix.PAGE}  # compared with their sources elsewhere
    targets = map("".join, TARGET.findall(FENCED.sub("", read(page))))
    relative = [target.split("#")[0] for target in targets if not ELSEWHERE.match(target)]
    paths = {(page.parent / target).resolve() for target in relative}
    assert sorted(path for path in paths - generated if not path.exists()) == []


@pytest.mark.parametrize("page", [GUIDE, INVENTORY], ids=lambda path: path.name)
def test_the_misconceptions_that_a_page_names_are_known_to_the_checks(page: Path) -> None:
    exercises = all_exercises()
    known = {(e.id, m.id) for e in exercises.values() for m in e.misconceptions}
    named = set(CHECK.findall(read(page)))
    assert len(named) > 30
    assert sorted(named - known) == []


# The start page


def test_the_start_page_is_up_to_date() -> None:
    assert start_page.main(["--check"]) == 0


def make_lesson(folder: Path, name: str, header: str, *, built: bool) -> None:
    (folder / "text").mkdir(exist_ok=True)
    text = "\n".join(f"# {line}" for line in header.split("\n"))
    (folder / "text" / f"{name}.py").write_text(f"# %% [markdown]\n{text}\n", encoding="utf-8")
    if built:
        cost = "Measured cost: 7 s, 0.6 GB on 2 CPU cores"
        cell = new_markdown_cell(header.replace("<!-- cost -->", cost))
        nbformat.write(new_notebook(cells=[cell]), folder / f"{name}.ipynb")


def test_the_start_page_takes_its_numbers_from_the_headers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / start_page.PAGE
    page.write_text(f"# Hello\n\n{start_page.BEGIN}\nold\n{start_page.END}\n\nBye\n")
    header = "# Lesson {}: {}\n\n**Time:** {} minutes. <!-- cost -->"
    make_lesson(tmp_path, "00_a", header.format("0", "A", 15), built=True)
    make_lesson(tmp_path, "01_b", header.format("1", "B", 40), built=True)
    make_lesson(tmp_path, "05b_c", header.format("5b", "C", 9), built=False)
    options = ["--folder", str(tmp_path)]

    assert start_page.main([*options, "--check"]) == 1
    assert "README.md is out of date. Run: python -m" in capsys.readouterr().out
    assert start_page.main(options) == 0
    assert start_page.main([*options, "--check"]) == 0

    text = read(page)
    assert text.startswith("# Hello\n")
    assert text.endswith("\n\nBye\n")
    rows = re.findall(r"^\| ?(\w*) \| (.+?) \|.*\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert rows == [
        ("0", "[A](00_a.ipynb)", "15", "7 s, 0.6 GB"),
        ("1", "[B](01_b.ipynb)", "40", "7 s, 0.6 GB"),
        ("5b", "C", "9", "not measured"),
        ("", "lessons 0 to 9", "55", "14 s, 0.6 GB"),
    ]

    make_lesson(tmp_path, "02_d", "# Lesson 2: D\n\n**Time:** 5 minutes.", built=False)
    assert "| 60 | not measured |" in start_page.page(tmp_path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("# Lesson 3: No time", "its first cell needs"),
        ("# No lesson\n\n**Time:** 5 minutes.", "its first cell needs"),
        ("# Lesson 99: New\n\n**Time:** 5 minutes.", "say in BUILDS what lesson 99 builds"),
    ],
)
def test_a_header_that_lacks_something_is_named(tmp_path: Path, header: str, message: str) -> None:
    make_lesson(tmp_path, "03_x", header, built=False)
    with pytest.raises(ValueError, match=f"03_x.py: {message}"):
        start_page.table(tmp_path)


def test_a_start_page_without_a_place_for_the_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / start_page.PAGE).write_text("# Hello\n")
    with pytest.raises(ValueError, match="the table goes between"):
        start_page.page(tmp_path)


# The glossary


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return read_glossary(read(GLOSSARY))


def test_each_row_of_the_glossary_is_read(entries: list[Entry]) -> None:
    rows = [line for line in read(GLOSSARY).splitlines() if line.startswith("|")]
    assert len(entries) == len(rows) - 2 > 100  # head and rule


def test_the_glossary_is_in_order_and_names_each_term_once(entries: list[Entry]) -> None:
    terms = [entry.term.casefold() for entry in entries]
    assert terms == sorted(terms)
    words = Counter(word for entry in entries for word in entry.words)
    assert [word for word, times in words.items() if times > 1] == []


def test_each_entry_is_complete(entries: list[Entry]) -> None:
    for entry in entries:
        assert entry.anchor == re.sub(r"[^a-z0-9]+", "-", entry.term.lower()).strip("-")
        assert re.search(r"[\u4e00-\u9fff]", entry.chinese), f"{entry.term}: no Chinese"
        one_sentence = r"[A-Z][^.!?]*(?:`\.\w+`[^.!?]*)?(?:float32\.|\.)"
        assert re.fullmatch(one_sentence, entry.meaning), f"{entry.term}: not one sentence"


def defined_in(entry: Entry, prose: dict[str, str]) -> list[str]:
    return [name for name, words in prose.items() if any(entry.names(t) for t in bold_terms(words))]


def used_in(entry: Entry, prose: dict[str, str]) -> list[str]:
    words = "|".join(map(re.escape, entry.words))
    use = re.compile(rf"(?<!\w)(?:{words})(?:s|es)?(?!\w)", re.IGNORECASE)
    return [name for name, text in prose.items() if use.search(" ".join(text.split()))]


def test_each_entry_names_the_lesson_that_defines_it(
    entries: list[Entry], prose: dict[str, str]
) -> None:
    wrong = {}
    for entry in entries:
        lessons = defined_in(entry, prose) or used_in(entry, prose)
        number = entry.file.split("_")[0].removeprefix("0")
        if entry.file not in lessons or entry.lesson != number:
            wrong[entry.term] = (entry.lesson, entry.file, lessons)
    assert wrong == {}


def test_each_term_in_bold_has_an_entry(entries: list[Entry], prose: dict[str, str]) -> None:
    missing = {
        name: [t for t in bold_terms(words) if not any(entry.names(t) for entry in entries)]
        for name, words in prose.items()
    }
    assert {name: terms for name, terms in missing.items() if terms} == {}


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("A **kernel** is a block. The **Gram\nmatrix** is not.", ["kernel", "Gram matrix"]),
        ("**Predict:** what? **Predict, then run:** that. **Worked example.** One.", []),
        ("**Look back** at it. **Warm-up** (lesson 3): so. **Time:** 9 minutes.", []),
        ("**Every stride skips pixels.** And **Do you see it?**", []),
        ("**Padding:** adds pixels. - **Stride.** Steps.", ["Padding", "Stride"]),
        ("`a**b` and `c**d` are powers, `**` alone is not", []),
        ("**open\n\nclosed** belong to two paragraphs", []),
    ],
)
def test_terms_are_told_apart_from_labels(source: str, terms: list[str]) -> None:
    assert bold_terms(source) == terms


def lesson_findings(folder: Path, source: str) -> list[str]:
    notebook = new_notebook(cells=[new_markdown_cell(source), new_code_cell("2 ** 3 ** 2")])
    return [str(finding) for rule in GLOSSARY_RULES for finding in rule(notebook, folder)]


def test_the_lint_asks_for_entries_and_for_a_link(tmp_path: Path) -> None:
    assert lesson_findings(tmp_path, "A **kernel**.") == []  # a folder without a glossary
    row = '| <a id="kernel"></a>kernel | 卷积核 | A block of numbers. | [1](01_a.ipynb) |\n'
    (tmp_path / "glossary.md").write_text(row, encoding="utf-8")
    link = "See the [glossary](glossary.md)."
    assert lesson_findings(tmp_path, f"**Kernels** slide. {link}") == []
    assert lesson_findings(tmp_path, "A **kernel**, [a](glossary.md#kernel).") == []
    assert lesson_findings(tmp_path, "A kernel.") == [
        ": it has no link to the glossary. Put '[glossary](glossary.md)' into the header"
    ]
    (missing,) = lesson_findings(tmp_path, f"A **stride**. {link}")
    assert "cell 1: 'stride' stands in bold, but not in the glossary. Add it to" in missing
    (broken,) = lesson_findings(tmp_path, "A [stride](glossary.md#stride).")
    assert "cell 1: the glossary has no entry '#stride'" in broken


# The instructor guide


def test_each_lesson_has_a_complete_section() -> None:
    parts = re.split(r"^### Lesson (\w+): (.+)$", read(GUIDE), flags=re.MULTILINE)
    sections = dict(zip(parts[1::3], zip(parts[2::3], parts[3::3], strict=True), strict=True))
    headers = {row.number: row for row in map(start_page.read_header, find_texts())}
    assert list(sections) == LESSONS
    for number, (title, section) in sections.items():
        section = section.split("\n## ")[0]
        assert title == headers[number].title
        assert f"](../{headers[number].file})" in section
        for label in ("**It targets:**", "**What goes wrong.**", "**If time is short:**"):
            assert label in section, f"lesson {number}: {label}"
        assert "*Technical:*" in section
        assert "*Conceptual:*" in section
        questions = re.findall(r"^\d\. \*[^*]+\?\*|^\d\. \*[^*]+[.\"]\*", section, re.MULTILINE)
        assert 2 <= len(questions) <= 4, f"lesson {number}: {len(questions)} questions"
        assert len(re.findall(r"^\| .+ \| .+ \| .+ \|$", section, re.MULTILINE)) >= 4


def test_the_guide_knows_something_of_each_lesson() -> None:
    exercises = all_exercises()
    named = {exercises[exercise].lesson for exercise, _ in CHECK.findall(read(GUIDE))}
    assert named == set(range(10))


def test_the_day_adds_up() -> None:
    (day,) = re.findall(r"### One day\n(.*?)\n### ", read(GUIDE), re.DOTALL)
    rows = re.findall(r"^\| (\d+):(\d\d) \| (\d+) \| (.+) \|$", day, re.MULTILINE)
    begins = [60 * int(hour) + int(minute) for hour, minute, _, _ in rows]
    lasts = [int(minutes) for _, _, minutes, _ in rows]
    assert [b + m for b, m in zip(begins, lasts, strict=True)][:-1] == begins[1:]
    minutes = {row.number: row.minutes for row in map(start_page.read_header, find_texts())}
    planned = {m[1]: int(row[2]) for row in rows if (m := re.search(r"\[Lesson (\w+)\]", row[3]))}
    assert list(planned) == list("01346789")  # the core course
    assert planned == {number: minutes[number] for number in planned}


# The concept inventory


def inventory() -> tuple[dict[int, dict[str, str]], dict[int, tuple[str, str]], dict[str, str]]:
    """Return the options of each question, its right letter and lesson, and the wrong options."""
    text = read(INVENTORY)
    questions_part, key_part = text.split("\n## Key\n")
    parts = re.split(r"^### Question (\d+)$", questions_part, flags=re.MULTILINE)
    options = {
        int(number): dict(re.findall(r"^- \*\*(\w)\.\*\* (.+)$", body, re.MULTILINE))
        for number, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    rows = re.findall(r"^\| (\d+) \| ([A-D]) \| (\w+) \|$", key_part, re.MULTILINE)
    key = {int(number): (letter, lesson) for number, letter, lesson in rows}
    assert len(key) == len(rows)
    row = re.compile(r"^\| (\d+[A-D]) \| ([^|]{10,}) \| (?:`\S+`|–) \| (\w+) \|$", re.MULTILINE)
    found = row.findall(key_part)
    wrong = {option: lesson for option, _, lesson in found}
    assert len(wrong) == len(found)
    return options, key, wrong


def test_each_question_has_four_options_and_one_is_right() -> None:
    options, key, wrong = inventory()
    assert list(options) == list(range(1, len(options) + 1))
    assert len(options) >= 24
    assert list(key) == list(options)
    for number, texts in options.items():
        assert list(texts) == list("ABCD"), number
        assert len(set(texts.values())) == 4, number
    expected = {f"{n}{x}" for n in options for x in "ABCD" if x != key[n][0]}
    assert set(wrong) == expected


def test_the_questions_cover_all_lessons() -> None:
    _, key, wrong = inventory()
    assert {lesson for _, lesson in key.values()} == set(LESSONS)
    assert set(wrong.values()) <= set(LESSONS)


def test_the_answers_cannot_be_guessed_from_their_form() -> None:
    options, key, _ = inventory()
    letters = Counter(letter for letter, _ in key.values())
    assert max(letters.values()) - min(letters.values()) <= 1
    longest = shortest = 0
    for number, texts in options.items():
        lengths = {letter: len(text) for letter, text in texts.items()}
        right = lengths.pop(key[number][0])
        longest += right > max(lengths.values())
        shortest += right < min(lengths.values())
        assert max(right, *lengths.values()) <= 1.6 * min(right, *lengths.values()) + 6, number
        assert not re.search(r"(?i)\b(all|none) of (the|these)\b", " ".join(texts.values()))
    assert longest <= len(options) / 3
    assert shortest <= len(options) / 3


def test_no_letter_is_right_three_times_in_a_row() -> None:
    _, key, _ = inventory()
    letters = "".join(letter for letter, _ in key.values())
    assert not re.search(r"(.)\1\1", letters)
