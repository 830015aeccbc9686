"""Reading what students send: nothing in it is trusted, and every fault becomes a sentence."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from nst_edu.classroom import reading
from nst_edu.classroom.assignment import Assignment
from nst_edu.classroom.notebooks import Submission, read_submission
from nst_edu.classroom.outputs import shown_outputs
from nst_edu.classroom.source import read_assignment
from tests import classroom_samples as samples
from tests.classroom_editors import EDITORS, colab
from tests.classroom_samples import cell_of


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return read_assignment(samples.write_source(tmp_path_factory.mktemp("source")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gram.ipynb"


@pytest.fixture
def read(file: Path, assignment: Assignment) -> Callable[[bytes | NotebookNode], Submission]:
    """Return a function that writes a submission and reads it."""

    def read(content: bytes | NotebookNode) -> Submission:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        file.write_bytes(data)
        return read_submission(file, samples.STUDENT, assignment)

    return read


Reader = Callable[[bytes | NotebookNode], Submission]


def kinds(found: Submission) -> set[str]:
    return {problem.kind for problem in found.problems}


def test_an_honest_notebook_has_no_problems(read: Reader) -> None:
    found = read(samples.submission())
    assert found.problems == ()
    assert found.readable
    assert found.claimed == samples.STUDENT
    assert [cell.grade_id for cell in found.code] == [
        *("set_up", "student", "masked_mean", "scaled", "sizes")
    ]
    assert [cell.role for cell in found.code] == ["given", *["answer"] * 4]
    assert found.blank == ()
    assert found.answers("masked_mean")[0].source == samples.HONEST["masked_mean"]
    assert found.answers("opinion")[0].role == "by hand"
    assert len(found.digest) == 64


def test_test_cells_are_never_used(read: Reader) -> None:
    found = read(samples.submission())
    assert not any("example right" in cell.source for cell in found.cells)


def test_an_untouched_release_is_blank(read: Reader) -> None:
    found = read(samples.cleared())
    assert set(found.blank) == {"student", "masked_mean", "scaled", "sizes", "opinion"}
    assert kinds(found) == {"no-id"}


def test_own_cells_stay_in_order(read: Reader) -> None:
    notebook = samples.submission()
    notebook.cells.insert(4, samples.code("helper = 1"))
    notebook.cells.insert(5, samples.markdown("My thoughts"))
    found = read(notebook)
    own = [cell.source for cell in found.cells if cell.role == "own"]
    assert own[own.index("helper = 1") + 1] == "My thoughts"
    assert [cell.source for cell in found.code][2] == "helper = 1"


@pytest.mark.parametrize("editor", EDITORS)
def test_every_editor_gives_the_same_answers(editor: str, read: Reader) -> None:
    found = read(EDITORS[editor](samples.submission()))
    for grade_id, text in samples.HONEST.items():
        assert [cell.source for cell in found.answers(grade_id)] == [text], grade_id
    assert not any("tasks.agrees" in cell.source for cell in found.cells)
    assert found.claimed == samples.STUDENT
    assert kinds(found) <= {"no-metadata", "found-by-name"}
    assert len(found.code) == 5


def test_a_notebook_without_metadata_says_so_once(read: Reader) -> None:
    found = read(colab(samples.submission()))
    assert [problem.kind for problem in found.problems] == ["no-metadata"]
    assert "found by the names" in str(found.problems[0])


@pytest.mark.parametrize("minor", range(6))
def test_all_minor_formats(minor: int, read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    notebook["nbformat_minor"] = minor
    if minor < 5:
        for cell in notebook["cells"]:
            del cell["id"]
    assert read(json.dumps(notebook).encode()).problems == ()


# Whole files


def write_old_format(file: Path) -> None:
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    file.write_text(json.dumps(old), encoding="utf-8")


def write_deep(file: Path) -> None:
    file.write_text('{"cells": ' + "[" * 200_000, encoding="utf-8")


def link(file: Path) -> None:
    target = file.with_name("other.ipynb")
    samples.write(samples.submission(), target)
    file.symlink_to(target)


HOSTILE_FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda file: None, "unreadable"),
    "link": (link, "link"),
    "dangling link": (lambda file: file.symlink_to("/nowhere"), "link"),
    "link to a device": (lambda file: file.symlink_to("/dev/zero"), "link"),
    "folder": (lambda file: file.mkdir(), "folder"),
    "pipe": (lambda file: os.mkfifo(file), "special-file"),
    "empty": (lambda file: file.write_bytes(b""), "empty"),
    "spaces": (lambda file: file.write_bytes(b" \n"), "empty"),
    "cut off": (lambda file: file.write_bytes(b'{"cells": [{"cell'), "malformed"),
    "no text": (lambda file: file.write_bytes(b"\xc3\x28\x00"), "malformed"),
    "deep": (write_deep, "malformed"),
    "millions of lists": (lambda f: f.write_bytes(b'{"m":[' + b"[]," * 1_600_000), "malformed"),
    "long number": (lambda file: file.write_bytes(b'{"nbformat": ' + b"9" * 9999), "malformed"),
    "web page": (lambda file: file.write_bytes(b"<!DOCTYPE html>"), "not-a-notebook"),
    "zip": (lambda file: file.write_bytes(b"PK\x03\x04..."), "not-a-notebook"),
    "pickle": (lambda file: file.write_bytes(b"\x80\x04cos\nsystem\n"), "not-a-notebook"),
    "list": (lambda file: file.write_bytes(b"[1, 2]"), "not-a-notebook"),
    "number": (lambda file: file.write_bytes(b"NaN"), "not-a-notebook"),
    "format 3": (write_old_format, "old-format"),
    "format 5": (lambda f: f.write_bytes(b'{"nbformat": 5, "cells": []}'), "unknown-format"),
    "format x": (lambda f: f.write_bytes(b'{"nbformat": "4", "cells": []}'), "unknown-format"),
    "no cells": (lambda file: file.write_bytes(b'{"nbformat": 4}'), "no-cells"),
    "cells is text": (lambda f: f.write_bytes(b'{"nbformat": 4, "cells": "x"}'), "no-cells"),
    "zero cells": (lambda f: f.write_bytes(b'{"nbformat": 4, "cells": []}'), "no-cells"),
}


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_file_that_is_no_notebook(name: str, file: Path, assignment: Assignment) -> None:
    make, kind = HOSTILE_FILES[name]
    make(file)
    found = read_submission(file, "mallory", assignment)
    assert not found.readable
    assert [problem.kind for problem in found.problems if problem.fatal] == [kind]
    assert str(found.problems[-1]).endswith(".")
    assert found.cells == ()


def test_a_large_file_is_not_read(file: Path, assignment: Assignment) -> None:
    with file.open("wb") as hole:
        hole.truncate(reading.LARGEST + 1)
    found = read_submission(file, "mallory", assignment)
    assert kinds(found) == {"too-large"}
    assert "clear them" in str(found.problems[0])


def test_no_link_on_the_way_is_followed(tmp_path: Path, assignment: Assignment) -> None:
    samples.write_submission(tmp_path / "submissions", "ada")
    (tmp_path / "submissions" / "mallory").symlink_to("ada")
    path = tmp_path / "submissions" / "mallory" / "sample" / "sample.ipynb"
    found = read_submission(path, "mallory", assignment, within=tmp_path / "submissions")
    assert kinds(found) == {"link"}


# Cells


def test_cells_of_wrong_types_are_left_out_and_named(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    notebook["cells"][1:1] = [
        *(None, 7, "text", [[]], {"cell_type": "code"}, {"cell_type": "heading", "source": "x"}),
        *({"cell_type": "code", "source": ["a", 1]}, {"cell_type": ["code"], "source": ""}),
        {"cell_type": "code", "source": "x" * 200_001},
    ]
    found = read(json.dumps(notebook).encode())
    assert kinds(found) == {"not-a-cell", "no-text", "unknown-cell", "long-cell"}
    assert "4 cells (2, 3, 4, 5) are not of a cell's form" in str(found.problems[0])
    assert len(found.code) == 5


def test_metadata_of_wrong_types_are_ignored(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    wrong: list[Any] = [None, 1, [], "x", {"nbgrader": 1}, {"nbgrader": {"grade_id": [1]}}]
    for cell, metadata in zip(notebook["cells"][1:], wrong * 3, strict=False):
        cell["metadata"] = metadata
    notebook["metadata"] = "none"
    found = read(json.dumps(notebook).encode())
    assert found.readable
    assert found.answers("scaled")[0].source == samples.HONEST["scaled"]


def test_cell_ids_are_made_unique_and_harmless(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    for cell, new in zip(notebook["cells"], ["a", "a", "../../x", "", 5, "cell-2"], strict=False):
        cell["id"] = new
    ids = [cell.id for cell in read(json.dumps(notebook).encode()).cells]
    assert len(set(ids)) == len(ids)
    assert all(set(cell_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for cell_id in ids)


def test_too_many_cells(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    notebook["cells"] += [{"cell_type": "code", "source": "1"}] * 3000
    found = read(json.dumps(notebook).encode())
    assert kinds(found) == {"too-many-cells"}
    assert len(found.cells) < 2001


def test_a_notebook_with_too_much_code(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    notebook["cells"] += [{"cell_type": "code", "source": "a" * 190_000}] * 20
    found = read(json.dumps(notebook).encode())
    assert kinds(found) == {"long-notebook"}
    assert sum(len(cell.source) for cell in found.cells) <= 2_000_000


def test_one_sentence_for_a_test_cell_that_was_copied_often(read: Reader) -> None:
    notebook = samples.submission()
    cell_of(notebook, "scaled_test").source = "x = 1"
    notebook.cells += [copy.deepcopy(cell_of(notebook, "scaled_test")) for _ in range(50)]
    assert [problem.kind for problem in read(notebook).problems] == ["changed-test"]


def test_half_a_surrogate_can_be_written(read: Reader) -> None:
    notebook = samples.submission({"scaled": "my_scaled = '\ud800\0'"})
    found = read(json.dumps(notebook).encode())
    found.answers("scaled")[0].source.encode()


def test_attachments_that_are_no_pictures_are_dropped_and_outputs_are_only_data(
    read: Reader,
) -> None:
    notebook = samples.submission()
    outputs = [{"output_type": "display_data", "data": {"text/html": "<script>"}}]
    notebook.cells[1]["outputs"] = outputs
    notebook.cells[0]["attachments"] = {"x": {"text/html": "<script>"}}
    found = read(json.dumps(notebook).encode())
    assert repr(found).count("<script>") == 1
    assert found.cells[1].outputs == tuple(outputs)


@pytest.mark.parametrize("outputs", [None, "x", {"a": 1}, [1, None, "x", {}, {"data": [1]}]])
def test_outputs_may_be_anything(read: Reader, outputs: object) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    notebook["cells"][1]["outputs"] = outputs
    shown_outputs(read(json.dumps(notebook).encode()).cells[1].outputs, 1)


# What students do to cells


def test_a_renamed_cell_is_found_by_its_function(read: Reader) -> None:
    notebook = samples.submission()
    cell_of(notebook, "masked_mean").metadata.nbgrader.grade_id = "mine"
    found = read(notebook)
    assert kinds(found) == {"found-by-name"}
    assert found.answers("masked_mean")[0].source == samples.HONEST["masked_mean"]


def test_an_answer_in_words_is_found_below_its_question(read: Reader) -> None:
    notebook = samples.submission()
    del cell_of(notebook, samples.BY_HAND).metadata["nbgrader"]
    found = read(notebook)
    assert [cell.source for cell in found.answers(samples.BY_HAND)] == [samples.HONEST["opinion"]]


def test_a_deleted_answer(read: Reader) -> None:
    notebook = samples.submission()
    notebook.cells.remove(cell_of(notebook, "scaled"))
    found = read(notebook)
    assert kinds(found) == {"missing-answer"}
    assert "my_scaled" in str(found.problems[0])
    assert found.answers("scaled") == ()
    assert "scaled" in found.blank


def test_a_split_answer(read: Reader) -> None:
    notebook = samples.submission({"masked_mean": "def total(x):\n    return x.sum()"})
    second = copy.deepcopy(cell_of(notebook, "masked_mean"))
    second.source = samples.HONEST["masked_mean"]
    notebook.cells.insert(notebook.cells.index(cell_of(notebook, "masked_mean")) + 1, second)
    found = read(notebook)
    assert kinds(found) == {"duplicate-id"}
    assert [cell.source for cell in found.answers("masked_mean")][1] == second.source
    assert len(found.code) == 6


def test_two_answers_merged_into_one_cell(read: Reader) -> None:
    notebook = samples.submission()
    both = f"{samples.HONEST['masked_mean']}\n\n\n{samples.HONEST['scaled']}"
    cell_of(notebook, "masked_mean").source = both
    notebook.cells.remove(cell_of(notebook, "scaled"))
    found = read(notebook)
    assert found.answers("scaled")[0].source == both
    assert kinds(found) == {"found-by-name"}


def test_an_answer_merged_with_its_test(read: Reader) -> None:
    notebook = samples.submission()
    test = cell_of(notebook, "masked_mean_test")
    test.source = f"{samples.HONEST['masked_mean']}\n{test.source}"
    notebook.cells.remove(cell_of(notebook, "masked_mean"))
    found = read(notebook)
    assert "answer-in-test" in kinds(found)
    assert found.answers("masked_mean")[0].source.startswith("def my_masked_mean")


def test_a_changed_test_is_not_used(read: Reader) -> None:
    notebook = samples.submission()
    cell_of(notebook, "scaled_test").source = "tasks.Task.mark = lambda *_: 4.0"
    found = read(notebook)
    assert kinds(found) == {"changed-test"}
    assert not any("Task.mark" in cell.source for cell in found.cells)


def test_a_copied_test_cell_with_own_code_stays(read: Reader) -> None:
    notebook = samples.submission()
    mine = copy.deepcopy(cell_of(notebook, "scaled_test"))
    mine.source = "experiment = 5"
    notebook.cells.append(mine)
    found = read(notebook)
    assert found.problems == ()
    assert found.code[-1].source == "experiment = 5"


def test_code_that_became_text_is_reported(read: Reader) -> None:
    notebook = json.loads(json.dumps(samples.submission()))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "scaled":
            cell["cell_type"] = "markdown"
    assert kinds(read(json.dumps(notebook).encode())) == {"other-kind", "missing-answer"}


def test_given_cells_are_restored(read: Reader) -> None:
    notebook = samples.submission()
    cell_of(notebook, "set_up").source = "import os"
    found = read(notebook)
    assert found.code[0].source == samples.SET_UP
    assert kinds(found) == {"changed-given"}
    notebook.cells.remove(cell_of(notebook, "set_up"))
    found = read(notebook)
    assert found.code[0].source == samples.SET_UP
    assert found.code[1].grade_id == "student"
    assert kinds(found) == {"missing-given"}


def test_somebody_elses_notebook(read: Reader) -> None:
    found = read(samples.submission(student="bob"))
    assert kinds(found) == {"other-id"}
    assert found.claimed == "bob"
    assert "'ada'" in str(found.problems[0])


def test_the_release_it_was_made_from(read: Reader) -> None:
    notebook = samples.submission()
    notebook.metadata["nst_edu"] = nbformat.from_dict({"version": "abc"})
    assert read(notebook).version == "abc"


def test_random_damage_never_raises(read: Reader) -> None:
    generator = random.Random(5)
    whole = json.loads(json.dumps(samples.submission()))
    junk: list[Any] = [None, 1, -1.5, "x", [], {}, [None], {"nbgrader": []}, True, "\ud800", 10**30]
    for _ in range(300):
        notebook = copy.deepcopy(whole)
        for _ in range(generator.randint(1, 6)):
            place: Any = notebook
            while isinstance(place, (dict, list)) and place:
                keys = list(place) if isinstance(place, dict) else list(range(len(place)))
                key = generator.choice(keys)
                if generator.random() < 0.3 or not isinstance(place[key], (dict, list)):
                    place[key] = generator.choice(junk)
                    break
                place = place[key]
        read(json.dumps(notebook).encode())


def test_damaged_bytes_never_raise(read: Reader) -> None:
    generator = random.Random(6)
    data = json.dumps(samples.submission()).encode()
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 5)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        read(bytes(damaged[: generator.randrange(len(damaged))] if _ % 2 else damaged))
