"""Feedback pages for Moodle: each in the folder of the one participant whose page it is."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nst_edu.classroom.feedback import CellShown
from nst_edu.classroom.hand_back import Packed, pack_feedback
from nst_edu.classroom.records import NOTHING, ByHand, Graded, Key
from nst_edu.classroom.store import Store
from nst_edu.cli import main
from tests.classroom_exports import zipped
from tests.test_classroom_report import result

EXPORT = {
    "Ada Lovelace_101_assignsubmission_file_/gram.ipynb": "1",
    "Bo Li_102_assignsubmission_file/Untitled.ipynb": "2",  # as newer ones name it
}


def graded(student: str, sent: str, essay: tuple[ByHand, ...] = ()) -> Graded:
    """Return the result of a notebook with this content."""
    key = Key(hashlib.sha256(sent.encode()).hexdigest(), "a", "g", "i")
    return replace(result(student, 6, 4), key=key, by_hand=essay)


Pack = Callable[..., Packed]


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    store = Store(tmp_path / "marks")
    for student, sent in (("ada", "1"), ("bo", "2")):
        store.save(graded(student, sent), [CellShown("code", f"# {student}")])
    (tmp_path / "marks" / "class.csv").write_text("id,name\nada,Ada Lovelace\nbo,Bo Li\n")
    return store.folder


@pytest.fixture
def pack(marks: Path, tmp_path: Path) -> Pack:
    def packed(export: dict[str, str] = EXPORT, roster: Path | None = None) -> Packed:
        source = zipped(tmp_path / "export.zip", export)
        return pack_feedback(marks, [source], tmp_path / "feedback.zip", roster)

    return packed


def pages(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_each_page_is_in_its_participants_folder(pack: Pack, marks: Path, tmp_path: Path) -> None:
    assert pack() == Packed(("ada", "bo"), ())
    found = pages(tmp_path / "feedback.zip")
    expected = {
        f"Participant_{number}_assignsubmission_file_/gram-feedback.html": student
        for number, student in ((101, "ada"), (102, "bo"))
    }
    assert found == {
        name: (marks / student / "feedback.html").read_text(encoding="utf-8")
        for name, student in expected.items()
    }
    # As Moodle reads a folder's name: split at underscores, the second piece is the participant.
    assert [name.split("_", 4)[1:4] for name in found] == [
        ["101", "assignsubmission", "file"],
        ["102", "assignsubmission", "file"],
    ]


def test_who_is_left_out_is_told(pack: Pack, marks: Path, tmp_path: Path) -> None:
    Store(marks).save(graded("carla", "5"))
    Store(marks).save(replace(result("dora", 0, 0), marks=(), by_hand=(), status=NOTHING))
    (tmp_path / "new.csv").write_text("id,name\nada,Ada Lovelace\nbo,Bo Li\neve,Eve\ncarla,Carla\n")
    export = {
        **EXPORT,
        "Bo Li_103_assignsubmission_file_/gram.ipynb": "another Bo Li",
        "Eve_104_assignsubmission_file_/gram.ipynb": "5",
        "carla_7_8_gram.ipynb": "5",  # as Canvas names it
    }
    done = pack(export, tmp_path / "new.csv")
    assert done.students == ("ada",)
    said = "\n".join(done.problems)
    assert "bo: 2 senders have this name (Bo Li_102, Bo Li_103): not packed" in said
    assert "eve: handed in, but not graded" in said
    assert "carla_7_8_gram.ipynb is not named as Moodle names it: not packed" in said
    assert "carla: graded, but not packed: not in the export" in said
    assert "dora" not in said
    assert len(pages(tmp_path / "feedback.zip")) == 1


def test_open_points_are_told_and_given_ones_shown(pack: Pack, marks: Path, tmp_path: Path) -> None:
    cell = CellShown("markdown", "Because.", tasks=("essay",))
    Store(marks).save(graded("ada", "1", (ByHand("essay", 5),)), [cell])
    done = pack()
    assert done.students == ("ada", "bo")
    assert done.problems == ("points are still to be given by hand: ada",)
    (marks / "by_hand.csv").write_text("student,task,points\nada,essay,4\n")
    assert pack().problems == ()
    assert "<strong>4 of 5 points</strong>" in "".join(pages(tmp_path / "feedback.zip").values())


def test_nobody_gets_the_page_of_a_notebook_of_somebody_else(pack: Pack, tmp_path: Path) -> None:
    """A student may take another one's name after that one was graded."""
    done = pack({**EXPORT, "Ada Lovelace_101_assignsubmission_file_/gram.ipynb": "mine"})
    assert done.students == ("bo",)
    assert any("ada: what was graded is another notebook" in one for one in done.problems)


def test_an_export_that_fits_nobody_makes_no_zip(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing in it fits the marks"):
        pack({"zed_7_8_gram.ipynb": "1"})
    assert not (tmp_path / "feedback.zip").exists()


def test_without_a_class_list_names_with_spaces_are_found(tmp_path: Path) -> None:
    Store(tmp_path / "marks").save(graded("Jane_Doe", "1"))  # as collect names the folder
    export = zipped(tmp_path / "e.zip", {"Jane Doe_7_assignsubmission_file_/gram.ipynb": "1"})
    done = pack_feedback(tmp_path / "marks", [export], tmp_path / "f.zip")
    assert done == Packed(("Jane_Doe",), ())
    both = {
        f"{name}_assignsubmission_file_/gram.ipynb": "1" for name in ("Jane Doe_7", "Jane_Doe_8")
    }
    with pytest.raises(ValueError, match="2 senders have this name"):
        pack_feedback(tmp_path / "marks", [zipped(tmp_path / "2.zip", both)], tmp_path / "f.zip")


def test_the_command(marks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = zipped(tmp_path / "export.zip", EXPORT)
    command = ["classroom", "feedback", str(marks), "--moodle", str(export), "--to"]
    assert main([*command, str(tmp_path / "pages.zip")]) == 0
    assert capsys.readouterr().out == f"2 pages in {tmp_path / 'pages.zip'}\n"
    assert main([*command, str(tmp_path / "pages")]) == 2
    assert "--to: expected the name of a .zip" in capsys.readouterr().err
    command[2] = str(tmp_path / "none")
    assert main([*command, str(tmp_path / "pages.zip")]) == 2
    assert "holds no results" in capsys.readouterr().err
