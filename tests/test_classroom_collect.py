"""Collecting what platforms export: nothing is lost, nothing is unpacked, nobody is mixed up."""

from __future__ import annotations

import argparse
import os
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nst_edu.classroom import collect as command
from nst_edu.classroom import reading
from nst_edu.classroom.collect import collect
from nst_edu.classroom.commands import _chosen
from nst_edu.classroom.layout import find_submissions
from nst_edu.classroom.release import release
from nst_edu.classroom.roster import Roster, read_roster
from nst_edu.classroom.senders import folder_name
from nst_edu.classroom.source import SourceError, read_assignment
from tests import classroom_samples as samples
from tests.classroom_exports import NOON, collected, kinds, put, states, zip_bytes, zipped


@pytest.fixture
def came(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    return folder


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "submissions"


LAYOUTS: dict[str, list[str]] = {
    "Moodle, files": [
        "ada_101_assignsubmission_file_gram.ipynb",
        "bob_102_assignsubmission_file_my gram (1).ipynb",
    ],
    "Moodle, folders": [
        "ada_101_assignsubmission_file_/gram.ipynb",
        "bob_102_assignsubmission_file/Untitled.ipynb",
    ],
    "Canvas": ["ada_7_8_gram.ipynb", "bob_LATE_9_10_gram-2.ipynb"],
    "GitHub Classroom": [
        "gram-submissions/gram-ada/gram.ipynb",
        "gram-submissions/gram-bob/x.ipynb",
    ],
    "GitHub repositories": ["gram-ada/notebooks/gram.ipynb", "gram-bob/gram.ipynb"],
    "nbgrader": ["ada/gram/gram.ipynb", "bob/gram/gram.ipynb"],
    "nbgrader, a folder above": ["submitted/ada/gram/gram.ipynb", "submitted/bob/gram/gram.ipynb"],
    "folders": ["ada/gram.ipynb", "bob/homework.ipynb"],
    "folders in a folder": ["Export/ada/gram.ipynb", "Export/bob/homework.ipynb"],
    "files": ["gram_ada.ipynb", "bob-gram.ipynb"],
    "plain files": ["ada.ipynb", "bob.ipynb"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_platforms(layout: str, came: Path, to: Path) -> None:
    for number, name in enumerate(LAYOUTS[layout]):
        put(came / name, str(number))
    report = collect([came], "gram", to)
    assert collected(to) == {"ada/gram/gram.ipynb": "0", "bob/gram/gram.ipynb": "1"}
    assert report.problems == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_in_an_archive(layout: str, tmp_path: Path, to: Path) -> None:
    entries = {name: str(number) for number, name in enumerate(LAYOUTS[layout])}
    junk = {"__MACOSX/ada/._gram.ipynb": "junk", "ada/.ipynb_checkpoints/gram.ipynb": "junk"}
    report = collect([zipped(tmp_path / "all.zip", {**entries, **junk})], "gram", to)
    assert collected(to) == {"ada/gram/gram.ipynb": "0", "bob/gram/gram.ipynb": "1"}
    assert report.problems == ()


def test_what_is_taken_for_the_class_is_said(came: Path, to: Path) -> None:
    put(came / "Export" / "ada" / "gram.ipynb")
    put(came / "Export" / "bob" / "gram.ipynb")
    report = collect([came], "gram", to)
    assert "\nExport/ was taken for the folder of the class\n" in str(report)


def test_a_mistyped_assignment_is_asked_about(came: Path, to: Path) -> None:
    for student in ("ada", "bob"):
        put(came / student / "gram.ipynb")
    asked = "No notebook is called 'garm'. Most are called 'gram.ipynb'. Is --assignment right?"
    assert asked in str(collect([came], "garm", to))
    put(came / "carla" / "My Garm.ipynb")
    assert "Is --assignment right?" not in str(collect([came], "garm", to))


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (["jdoe.ipynb", "amina.ipynb"], False),
        (["jdoe.zip", "amina.zip"], False),
        (["jdoe.ipynb", "amina.ipynb", "bob/work.ipynb"], True),
        (["gram_jdoe.ipynb", "gram_amina.ipynb"], True),  # the name is mistyped, not missing
    ],
    ids=str,
)
def test_a_notebook_may_have_only_its_student_s_name(
    names: list[str], asked: bool, came: Path, to: Path
) -> None:
    for name in names:
        put(came / name)
    assert ("Is --assignment right?" in str(collect([came], "grm", to))) == asked


def test_students_who_send_archives(came: Path, tmp_path: Path, to: Path) -> None:
    zipped(came / "ada_101_assignsubmission_file_work.zip", {"any/gram.ipynb": "0"})
    zipped(came / "bob.zip", {"gram.ipynb": "1"})
    assert collect([came], "gram", to).problems == ()
    assert collected(to) == {"ada/gram/gram.ipynb": "0", "bob/gram/gram.ipynb": "1"}
    whole = {p.name: p.read_bytes() for p in came.iterdir()}
    again = tmp_path / "again"
    collect([zipped(tmp_path / "all.zip", whole)], "gram", again)
    assert collected(again) == collected(to)


def test_single_files_and_a_students_folder(tmp_path: Path, to: Path) -> None:
    one = put(tmp_path / "gram_ada.ipynb")
    put(tmp_path / "bob" / "gram.ipynb")
    assert collect([one, tmp_path / "bob"], "gram", to).problems == ()
    assert set(collected(to)) == {"ada/gram/gram.ipynb", "bob/gram/gram.ipynb"}


# Whose it is


def test_the_class_list_gives_ids_and_who_is_missing(came: Path, tmp_path: Path, to: Path) -> None:
    put(came / "Jane Doe_12345_assignsubmission_file_gram.ipynb")
    put(came / "Zoé Müller_12346_assignsubmission_file_gram.ipynb")
    put(came / "gram-kim99" / "gram.ipynb")
    put(came / "Stranger_1_assignsubmission_file_gram.ipynb")
    text = "name;id;login\nJane  DOE;s1;\nZoé Müller;s2;\nKim;s3;kim99\nLee;s4;lee\n"
    roster = put(tmp_path / "class.csv", "\ufeff" + text)
    report = collect([came], "gram", to, roster)
    assert states(report) == {
        **{"s1": "collected", "s2": "collected", "s3": "collected", "s4": "missing"},
        "Stranger": "collected",
    }
    assert report.missing == ("s4",)
    assert kinds(report) == {"not-in-roster"}
    assert "4 here, 1 missing, 1 to look at" in str(report)


def test_a_name_that_two_share_finds_nobody(came: Path, tmp_path: Path, to: Path) -> None:
    put(came / "Kim_5_assignsubmission_file_gram.ipynb")
    roster = put(tmp_path / "class.csv", "id,name\ns1,Kim\ns2,Kim\n")
    report = collect([came], "gram", to, roster)
    assert "fits several students" in str(report.problems[0])
    assert report.missing == ("s1", "s2")


@pytest.mark.parametrize("text", ["", "name,email\nKim,k@x\n"])
def test_a_class_list_without_ids(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--roster: .* expected one with the name id"):
        read_roster(put(tmp_path / "class.csv", text))


def test_two_of_one_name_are_told_apart_by_moodle_s_number(
    came: Path, tmp_path: Path, to: Path
) -> None:
    put(came / "Kim Lee_10460_assignsubmission_file_gram.ipynb", "1")
    put(came / "Kim Lee_10461_assignsubmission_file_gram.ipynb", "2")
    lines = [
        "Identifier,Full name,ID",
        "Participant 10461,Kim Lee,s2",
        "Participant 10460,Kim Lee,s1",
    ]
    roster = put(tmp_path / "class.csv", "\n".join(lines))
    assert collect([came], "gram", to, roster).problems == ()
    assert collected(to) == {"s1/gram/gram.ipynb": "1", "s2/gram/gram.ipynb": "2"}


@pytest.mark.parametrize(
    "text", ["Participant", "Participant x1", "My Participant 7", "Participant 7b"]
)
def test_only_a_participant_s_number_is_a_name(text: str, tmp_path: Path) -> None:
    roster = read_roster(put(tmp_path / "class.csv", f"id,note\ns1,{text}\n"))
    assert set(roster.owners) == {"s1", text.casefold()}


def test_what_came_before_is_not_missing(came: Path, tmp_path: Path, to: Path) -> None:
    roster = put(tmp_path / "class.csv", "id\nada\nbo\nchen\ndora\n")
    early = put(came / "ada" / "gram.ipynb", "0")
    collect([came], "gram", to, roster)
    early.unlink()
    put(came / "bo" / "gram.ipynb", "1")
    put(to / "chen" / "other" / "other.ipynb")
    (to / "dora" / "gram").mkdir(parents=True)
    (to / "dora" / "gram" / "gram.ipynb").symlink_to(to / "ada" / "gram" / "gram.ipynb")
    report = collect([came], "gram", to, roster)
    expected = {"ada": "here", "bo": "collected", "chen": "missing", "dora": "missing"}
    assert states(report) == expected
    ada = next(row for row in report.rows if row.student == "ada")
    assert (ada.note, ada.modified) == ("collected before", NOON)
    assert "2 here, 2 missing, 0 to look at" in str(report)


def test_a_folder_that_two_would_share_is_neither_s(came: Path, tmp_path: Path, to: Path) -> None:
    roster = put(tmp_path / "class.csv", "id\na b\na_b\n")
    put(to / "a_b" / "gram" / "gram.ipynb")
    assert collect([came], "gram", to, roster).missing == ("a b", "a_b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,name\ns1,Ada\ns2,Bo\ns1,Chen\n", "the same id more than once: 's1' in lines 2, 4"),
        ("id\na\nb\n\na\n b\n", "'a' in lines 2, 5; 'b' in lines 3, 6"),
        ("id,name\n,Ada\ns2,Bo\n", "no id in line 2, but something in other columns"),
        ("name;id\nAda; \nBo;s2\nChen\n", "no id in lines 2, 4, but"),
    ],
    ids=str,
)
def test_everybody_in_a_class_list_has_an_id(text: str, says: str, tmp_path: Path) -> None:
    path = put(tmp_path / "class.csv", text)
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        read_roster(path)
    assert str(caught.value).startswith(f"--roster: {path} has ")


def test_empty_lines_of_a_class_list_do_not_count(tmp_path: Path) -> None:
    text = "id;name;mail\n\ns1;Ada;\n;;\n ; ;\ns2;Bo\n\n"
    assert read_roster(put(tmp_path / "class.csv", text)).ids == ("s1", "s2")


def test_a_class_list_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nix.csv", tmp_path):
        with pytest.raises(ValueError, match=f"^--roster: there is no file {re.escape(str(path))}"):
            read_roster(path)


def test_a_class_list_from_excel(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes("ID;Name\r\ns1;Zoë\r\n".encode("cp1252"))
    assert read_roster(path).find(["zoë"]) == "s1"


def test_nobody_knows_whose_it_is(came: Path, to: Path) -> None:
    put(came / "one.zip").write_bytes(zip_bytes({"gram.ipynb": "x"}))
    put(came / "gram" / "gram.ipynb")
    report = collect([came], "gram", to)
    assert kinds(report) == {"whose"}
    assert set(collected(to)) == {"one/gram/gram.ipynb"}


def test_two_students_never_share_a_folder(came: Path, to: Path) -> None:
    put(came / "ada" / "gram.ipynb", "0")
    put(came / "ADA" / "gram.ipynb", "1")
    put(came / "a da" / "gram.ipynb", "2")
    put(came / "a_da" / "gram.ipynb", "3")
    report = collect([came], "gram", to)
    assert set(states(report).values()) == {"refused"}
    assert len(report.rows) == 4
    assert kinds(report) == {"same-folder"}


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/etc/passwd", "a/b", "a\\b", "con\0", "-rf", "x" * 500]
)
def test_a_folder_name_is_one_harmless_folder(name: str) -> None:
    found = folder_name(name)
    assert Path(found).name == found
    assert found[0] not in ".-"
    assert len(found) <= 80


# The latest counts, and nothing is lost


def test_the_latest_of_several(came: Path, to: Path) -> None:
    put(came / "ada" / "gram.ipynb", "old", NOON)
    put(came / "ada" / "gram (1).ipynb", "new", NOON + 60)
    put(came / "ada" / "lesson_07.ipynb", "other", NOON + 90)
    report = collect([came], "gram", to)
    assert collected(to) == {"ada/gram/gram.ipynb": "new"}
    assert "latest of 3" in str(report)
    assert report.problems == ()


def test_several_of_which_none_has_the_name(came: Path, to: Path) -> None:
    put(came / "ada" / "a.ipynb")
    put(came / "ada" / "b.ipynb")
    report = collect([came], "gram", to)
    assert kinds(report) == {"several"}
    assert states(report) == {"ada": "refused"}
    assert collected(to) == {}


def test_different_notebooks_of_the_same_time_are_reported(came: Path, to: Path) -> None:
    put(came / "ada" / "gram.ipynb", "a")
    put(came / "ada" / "gram-2.ipynb", "b")
    assert kinds(collect([came], "gram", to)) == {"same-time"}
    put(came / "ada" / "gram-2.ipynb", "a")
    assert kinds(collect([came], "gram", to)) == set()


def test_collecting_again(came: Path, to: Path) -> None:
    path = put(came / "ada" / "gram.ipynb", "1", NOON)
    assert states(collect([came], "gram", to)) == {"ada": "collected"}
    assert states(collect([came], "gram", to)) == {"ada": "unchanged"}
    put(path, "2", NOON + 60)
    assert states(collect([came], "gram", to)) == {"ada": "replaced"}
    put(path, "0", NOON - 60)
    report = collect([came], "gram", to)
    assert states(report) == {"ada": "kept"}
    assert "is newer" in str(report)
    assert collected(to) == {"ada/gram/gram.ipynb": "2", "ada/gram/gram.ipynb.older-1": "1"}
    put(path, "3", NOON + 120)
    collect([came], "gram", to)
    assert collected(to)["ada/gram/gram.ipynb.older-2"] == "2"


def test_something_in_the_way_is_not_overwritten(came: Path, to: Path, tmp_path: Path) -> None:
    put(came / "ada" / "gram.ipynb", "new")
    victim = put(tmp_path / "victim", "precious")
    link = to / "ada" / "gram" / "gram.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    report = collect([came], "gram", to)
    assert states(report) == {"ada": "refused"}
    assert victim.read_text(encoding="utf-8") == "precious"


# Hostile files and archives: the others are collected


def link_entry() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("mallory/gram.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted(path: Path) -> None:
    data = bytearray(zip_bytes({"ada/gram.ipynb": "fine", "mallory/gram.ipynb": "x"}))
    place = data.rindex(b"PK\x01\x02")  # the last entry of the list at the end
    data[place + 8] |= 1
    path.write_bytes(bytes(data))


def lying_about_its_size(path: Path) -> None:
    data = bytearray(zip_bytes({"ada/gram.ipynb": "fine", "mallory/gram.ipynb": "x" * 30_000_000}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(data))


def holding(name: str | zipfile.ZipInfo, content: str | bytes = "x") -> Callable[[Path], object]:
    return lambda path: zipped(path, {"ada/gram.ipynb": "fine", name: content})


TWICE = zip_bytes({"b.zip": zip_bytes({"gram.ipynb": "x"})})
ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "zip slip": (holding("../../mallory/gram.ipynb"), "zip-slip"),
    "zip slip, Windows": (holding("..\\..\\mallory\\gram.ipynb"), "zip-slip"),
    "absolute": (holding("/etc/gram.ipynb"), "zip-slip"),
    "drive": (holding("C:/gram.ipynb"), "zip-slip"),
    "link": (holding(link_entry(), "/etc/passwd"), "zip-link"),
    "bomb": (holding("mallory/gram.ipynb", b"\0" * (reading.LARGEST + 1)), "zip-bomb"),
    "lying bomb": (lying_about_its_size, "damaged-zip"),
    "password": (encrypted, "encrypted"),
    "archives in archives": (holding("mallory/a.zip", TWICE), "zip-in-zip"),
    "no archive inside": (holding("mallory/a.zip", b"PK\x03\x04 broken"), "damaged-zip"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_entry_is_refused_and_the_others_collected(
    name: str, tmp_path: Path, to: Path
) -> None:
    make, kind = ARCHIVES[name]
    path = tmp_path / "all.zip"
    make(path)
    report = collect([path], "gram", to)
    assert kinds(report) == {kind}
    assert collected(to) == {"ada/gram/gram.ipynb": "fine"}
    assert {entry.name for entry in tmp_path.iterdir()} <= {"all.zip", "submissions"}


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\xff" * 18])
def test_a_damaged_archive(content: bytes, came: Path, to: Path) -> None:
    (came / "mallory.zip").write_bytes(content)
    put(came / "ada" / "gram.ipynb", "fine")
    assert kinds(collect([came], "gram", to)) == {"damaged-zip"}
    assert collected(to) == {"ada/gram/gram.ipynb": "fine"}


def test_links_pipes_and_large_files(came: Path, to: Path, tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.ipynb", "secret")
    put(came / "ada" / "gram.ipynb", "fine")
    (came / "file").mkdir()
    (came / "file" / "gram.ipynb").symlink_to(secret)
    (came / "folder").symlink_to(tmp_path)
    (came / "pipe").mkdir()
    os.mkfifo(came / "pipe" / "gram.ipynb")
    os.mkfifo(came / "pipe.zip")
    (came / "large").mkdir()
    with (came / "large" / "gram.ipynb").open("wb") as hole:
        hole.truncate(reading.LARGEST + 1)
    report = collect([came], "gram", to)
    assert kinds(report) == {"link", "special-file", "too-large"}
    assert collected(to) == {"ada/gram/gram.ipynb": "fine"}


# What is graded of it


def graded_of(
    folder: Path, assignment: str, roster: Roster | None = None
) -> tuple[list[str], list[str]]:
    """Return whose notebooks are graded, and who handed in nothing."""
    known = roster or Roster()
    found, absent = _chosen(find_submissions(folder, assignment, known)[0], known.ids, None)
    return [one.student for one in found], absent


def test_only_students_of_the_class_list_are_absent(to: Path) -> None:
    for name in ("ada/gram/gram.ipynb", "bo/other/other.ipynb", "zoe/other/other.ipynb"):
        put(to / name)
    assert graded_of(to, "gram") == (["ada"], ["bo", "zoe"])
    assert graded_of(to, "gram", Roster(("bo", "chen"))) == (["ada"], ["bo", "chen"])


def test_another_assignment_s_notebooks_are_named(to: Path) -> None:
    for name in ("ada/gram/gram.ipynb", "bo/capstone/capstone.ipynb", "bo/gram/gram.ipynb"):
        put(to / name)
    with pytest.raises(ValueError, match="SUBMISSIONS holds no notebooks") as caught:
        graded_of(to, "optimisation")
    assert f"{to} has none of 'optimisation'; its folders hold 'capstone', 'gram'." in str(
        caught.value
    )
    assert graded_of(to, "optimisation", Roster(("ada",))) == ([], ["ada"])


def test_an_empty_folder_of_submissions_is_named(to: Path) -> None:
    put(to / "notes.txt")
    with pytest.raises(ValueError, match="expected <student>/<name>") as caught:
        graded_of(to, "gram")
    assert f"{to} has none of 'gram'" in str(caught.value)


# The teacher's notebook


def test_the_students_version_is_no_source(tmp_path: Path) -> None:
    source = samples.write_source(tmp_path / "source")
    (notebook,) = release([source], tmp_path / "handout", check=False)
    with pytest.raises(SourceError) as caught:
        read_assignment(notebook)
    (fault,) = caught.value.faults
    assert fault.startswith("this looks like the students' version: ")
    assert fault.endswith("Give the teacher's notebook")


def test_a_source_may_hide_nothing(tmp_path: Path) -> None:
    notebook = samples.source()
    essay = samples.cell_of(notebook, samples.BY_HAND)
    essay.source = "Write here."
    essay.metadata.nbgrader["checksum"] = "0"
    notebook.cells = [essay]
    found = read_assignment(samples.write(notebook, tmp_path / "sample.ipynb"))
    assert [one.grade_id for one in found.by_hand] == [samples.BY_HAND]


# Wrong use


def test_wrong_use_is_explained(came: Path, to: Path) -> None:
    with pytest.raises(ValueError, match="FROM: there is no"):
        collect([came / "nothing"], "gram", to)
    with pytest.raises(ValueError, match=r"no folder, no \.zip and no \.ipynb"):
        collect([put(came / "x.txt")], "gram", to)
    with pytest.raises(ValueError, match="is collected already"):
        collect([put(to / "ada" / "gram.ipynb")], "gram", to)
    for name in ("", "a/b", "..", ".hidden"):
        with pytest.raises(ValueError, match="expected a plain name"):
            collect([came], name, to)


def test_the_command(came: Path, to: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_options(parser)
    arguments = parser.parse_args([str(came), "--assignment", "gram", "--to", str(to)])
    put(came / "ada" / "gram.ipynb")
    assert command.run(arguments) == 0
    assert "1 here, 0 missing, 0 to look at" in capsys.readouterr().out
    put(came / "gram.ipynb")
    assert command.run(arguments) == 1
    captured = capsys.readouterr()
    assert "does not say whose it is" in captured.err
