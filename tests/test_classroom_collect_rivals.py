"""Nobody can hand in for somebody else, use up the machine, or write to the teacher's terminal.

A tester made each of these attacks against an earlier version.
"""

from __future__ import annotations

import argparse
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from nst_edu.classroom import archives, choosing, unwrapping
from nst_edu.classroom import collect as command
from nst_edu.classroom.collect import collect
from nst_edu.classroom.placing import Report
from nst_edu.classroom.reading import UnreadableError
from tests.classroom_exports import (
    NOON,
    collected,
    dated,
    kinds,
    put,
    states,
    zip_bytes,
    zipped,
)

HONEST, EVIL = "honest", "evil"
CLASS = "id,name,number\nvictim,Vic Tim,222\nmallory,Mal Lory,111\n"
FAR = (2107, 1, 1, 0, 0, 0)


@pytest.fixture
def came(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    return folder


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "submissions"


@pytest.fixture(params=["with the class list", "without"])
def roster(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return put(tmp_path / "class.csv", CLASS) if "with " in request.param else None


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    return put(tmp_path / "class.csv", CLASS)


# Whose it is: by what the platform says, and by all of that


AMBIGUOUS = {
    "Moodle": (
        "Vic Tim_222_assignsubmission_file_gram.ipynb",
        "Mal Lory_111_assignsubmission_file_x_222_assignsubmission_file_gram.ipynb",
    ),
    "Moodle, a display name": (
        "Vic Tim_222_assignsubmission_file_/gram.ipynb",
        "x_222_assignsubmission_file_y_111_assignsubmission_file_/gram.ipynb",
    ),
    "Moodle, without a space between": (
        "Vic Tim_222_assignsubmission_file_gram.ipynb",
        "x_222_assignsubmission_file_111_assignsubmission_file_gram.ipynb",
    ),
    "Canvas": (
        "timvic_222_9001_gram.ipynb",
        "lorymal_111_9002_x_222_assignsubmission_file_gram.ipynb",
    ),
    "Moodle, as if from Canvas": (
        "Vic Tim_222_assignsubmission_file_gram.ipynb",
        "victim_222_3_111_assignsubmission_file_gram.ipynb",
    ),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_name_that_can_be_read_in_two_ways_is_nobodys(
    case: str, came: Path, to: Path, roster: Path | None
) -> None:
    honest, evil = AMBIGUOUS[case]
    put(came / honest, HONEST)
    put(came / evil, EVIL, NOON + 60)
    report = collect([came], "gram", to, roster)
    assert kinds(report) - {"not-in-roster"} == {"two-readings"}
    assert list(collected(to).values()) == [HONEST]
    assert "sorted under none" in str(report.problems[0])


def test_a_display_name_against_the_number(came: Path, to: Path, listed: Path) -> None:
    put(came / "Vic Tim_222_assignsubmission_file_" / "gram.ipynb", HONEST)
    put(came / "victim_111_assignsubmission_file_" / "gram.ipynb", EVIL, NOON + 60)
    report = collect([came], "gram", to, listed)
    assert kinds(report) == {"conflict"}
    assert states(report) == {"victim": "collected", "mallory": "missing"}
    assert collected(to) == {"victim/gram/gram.ipynb": HONEST}


@pytest.mark.parametrize("text", ["", "id,name\nvictim,Vic Tim\n"])
def test_a_display_name_where_no_number_is_known(
    text: str, came: Path, to: Path, tmp_path: Path
) -> None:
    put(came / "Vic Tim_222_assignsubmission_file_" / "gram.ipynb", HONEST)
    put(came / "Vic Tim_111_assignsubmission_file_" / "gram.ipynb", EVIL, NOON + 60)
    report = collect([came], "gram", to, put(tmp_path / "class.csv", text) if text else None)
    assert kinds(report) == {"several-senders"}
    assert set(states(report).values()) == {"refused"}
    assert collected(to) == {}
    assert "_222" in str(report.problems[0])
    assert "_111" in str(report.problems[0])
    assert "a column of the platform's numbers (--roster)" in str(report.problems[0])


def test_a_name_that_two_share_and_a_number_that_tells(
    came: Path, to: Path, tmp_path: Path
) -> None:
    put(came / "Kim_1_assignsubmission_file_gram.ipynb", "1")
    put(came / "Kim_2_assignsubmission_file_gram.ipynb", "2")
    roster = put(tmp_path / "class.csv", "id,name,number\ns1,Kim,1\ns2,Kim,2\n")
    assert collect([came], "gram", to, roster).problems == ()
    assert collected(to) == {"s1/gram/gram.ipynb": "1", "s2/gram/gram.ipynb": "2"}


TREES: dict[str, Sequence[str]] = {
    "GitHub": ("gram-submissions/gram-{}/gram.ipynb", "victim/gram"),
    "GitHub, only one": ("gram-mallory/gram.ipynb", "victim/gram"),
    "nbgrader": ("submitted/{}/gram/gram.ipynb", "victim/gram"),
    "folders": ("{}/gram.ipynb", "victim/gram"),
    "a name of Moodle inside": ("{}/gram.ipynb", "Vic Tim_222_assignsubmission_file_"),
}


@pytest.mark.parametrize("case", TREES)
def test_folders_inside_a_students_own_are_the_students(
    case: str, came: Path, to: Path, roster: Path | None
) -> None:
    own, inside = TREES[case]
    both = "{}" in own
    if both:
        put(came / own.format("victim"), HONEST)
    path = came / own.format("mallory")
    put(path.parent / inside / "gram.ipynb", EVIL, NOON + 60)
    put(path.parent / "a" / "gram.ipynb", EVIL, NOON + 60)
    report = collect([came], "gram", to, roster)
    honest = {"victim/gram/gram.ipynb": HONEST} if both else {}
    assert collected(to) == {**honest, "mallory/gram/gram.ipynb": EVIL}
    assert report.problems == ()


@pytest.mark.parametrize("from_archive", [False, True])
def test_an_archive_of_a_student_names_nobody(
    from_archive: bool, came: Path, to: Path, roster: Path | None
) -> None:
    work = zip_bytes({dated("victim/gram/gram.ipynb", FAR): EVIL})
    if from_archive:
        entries: dict[str, str | bytes] = {"victim/gram.ipynb": HONEST, "mallory/work.zip": work}
        came = zipped(came / "all.zip", entries)
    else:
        put(came / "victim" / "gram.ipynb", HONEST)
        put(came / "mallory" / "work.zip").write_bytes(work)
    assert collect([came], "gram", to, roster).problems == ()
    expected = {"victim/gram/gram.ipynb": HONEST, "mallory/gram/gram.ipynb": EVIL}
    assert collected(to) == expected


def test_what_belongs_to_several_is_not_one_students(came: Path, to: Path) -> None:
    names = [f"{name}_{k}_assignsubmission_file_gram.ipynb" for k, name in enumerate("ab")]
    zipped(came / "export.zip", dict.fromkeys(names, "x"))
    put(came / "course" / "submitted" / "ada" / "gram" / "gram.ipynb")
    put(came / "course" / "release" / "gram" / "gram.ipynb")
    report = collect([came], "gram", to)
    assert states(report) == {"course": "refused", "export": "refused"}
    assert kinds(report) == {"several-people"}
    assert "Give that folder or archive itself as FROM" in str(report.problems[0])


def test_a_login_like_somebody_elses_is_told(came: Path, to: Path) -> None:
    put(came / "ada" / "gram.ipynb")
    put(came / "gram_ada" / "gram.ipynb", EVIL)
    assert kinds(collect([came], "gram", to)) == {"several-senders"}
    assert collected(to) == {}


def test_a_name_that_can_be_read_in_two_ways_when_it_is_the_only_one(
    came: Path, to: Path, listed: Path
) -> None:
    name = "x_222_assignsubmission_file_y_111_assignsubmission_file_"
    for k in range(3):
        put(came / name / str(k) / "gram.ipynb")
    report = collect([came], "gram", to, listed)
    assert [one.kind for one in report.problems] == ["two-readings"]  # told once
    assert collected(to) == {}


@pytest.mark.parametrize("name", ["..victim", ".VICTIM"])
def test_no_stranger_gets_the_folder_of_one_in_the_list(
    name: str, came: Path, to: Path, listed: Path
) -> None:
    put(came / f"{name}_9_assignsubmission_file_gram.ipynb", EVIL)
    report = collect([came], "gram", to, listed)
    assert states(report) == {name: "refused", "victim": "missing", "mallory": "missing"}
    assert collected(to) == {}


def test_capital_letters_make_no_second_student(came: Path, to: Path) -> None:
    put(came / "amina" / "gram.ipynb", HONEST)
    put(came / "AMINA" / "gram.ipynb", EVIL)
    report = collect([came], "gram", to)
    assert states(report) == {"AMINA": "refused", "amina": "refused"}
    assert kinds(report) == {"same-folder"}
    assert collected(to) == {}
    (came / "AMINA" / "gram.ipynb").unlink()
    collect([came], "gram", to)
    (came / "amina" / "gram.ipynb").unlink()
    put(came / "AMINA" / "gram.ipynb", EVIL)
    assert states(collect([came], "gram", to)) == {"AMINA": "refused"}  # amina is there already


def test_what_is_collected_is_not_collected_again(came: Path) -> None:
    put(came / "ada" / "gram.ipynb")
    put(came / "bob" / "gram.ipynb")
    for state in ("collected", "unchanged"):
        report = collect([came], "gram", came / "submissions")
        assert states(report) == {"ada": state, "bob": state}


def test_no_date_is_in_the_future(came: Path, to: Path) -> None:
    far = time.time() + 1e8
    put(came / "ada" / "gram.ipynb", "first", far)
    assert collect([came], "gram", to).rows[0].modified <= time.time()
    put(came / "ada" / "gram.ipynb", "second", time.time() + 10)
    os.utime(to / "ada" / "gram" / "gram.ipynb", (NOON, NOON))
    assert states(collect([came], "gram", to)) == {"ada": "replaced"}


def test_the_date_of_an_archive_counts_not_that_of_what_is_in_it(came: Path, to: Path) -> None:
    work = {dated("gram.ipynb", FAR): "new", "old/gram.ipynb": "old"}
    zipped(came / "ada" / "work.zip", work)
    report = collect([came], "gram", to)
    assert report.rows[0].modified == NOON
    assert collected(to) == {"ada/gram/gram.ipynb": "new"}
    assert report.problems == ()


# What a student can make the teacher's machine do


def test_many_notebooks_are_refused_unread(
    came: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "MOST_NOTEBOOKS", 3)
    put(came / "ada" / "gram.ipynb", HONEST)
    zipped(came / "mallory" / "work.zip", {f"a{k}/gram.ipynb": str(k) for k in range(4)})
    report = collect([came], "gram", to)
    assert states(report) == {"ada": "collected", "mallory": "refused"}
    assert kinds(report) == {"too-many"}


def test_what_one_student_sent_is_read_up_to_a_limit(
    came: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwrapping, "MOST_BYTES", 1500)
    put(came / "ada" / "gram.ipynb", HONEST)
    alike = {f"{k}/gram.ipynb": "0" * 300 for k in range(4)}
    zipped(came / "mallory" / "work.zip", alike)  # the archive has 484 bytes
    zipped(came / "eve.zip", {"pad": os.urandom(1300), "gram.ipynb": "x" * 100})
    for k in range(3):
        zipped(came / "kim" / f"{k}.zip", {"pad": os.urandom(500), "gram.ipynb": HONEST})
    report = collect([came], "gram", to)
    others = {"mallory": "collected", "eve": "refused", "kim": "collected"}
    assert states(report) == {"ada": "collected", **others}
    assert [one.kind for one in report.problems] == ["too-much", "too-much", "same-time"]


def test_rivals_are_read_up_to_the_second_different_one(
    came: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def reading(self: unwrapping.Budget, arrival: archives.Arrival) -> bytes:
        read.append(arrival.origin)
        return whole(self, arrival)

    whole = unwrapping.Budget.read
    monkeypatch.setattr(unwrapping.Budget, "read", reading)
    zipped(came / "ada" / "work.zip", {f"{k}/gram.ipynb": str(k // 2) for k in range(6)})
    assert kinds(collect([came], "gram", to)) == {"same-time"}
    assert [Path(name).name for name in read].count("work.zip") == 1  # opened once
    assert len(read) == 4  # the archive, the two that are the same, the first different one


def test_small_archives_with_long_lists(
    came: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwrapping, "MOST_ENTRIES", 10)
    monkeypatch.setattr(unwrapping, "MOST_ARCHIVES", 2)
    put(came / "ada" / "gram.ipynb", HONEST)
    zipped(came / "mallory" / "work.zip", {f"{k}.txt": "" for k in range(11)})
    for k in range(3):
        zipped(came / "eve" / f"{k}.zip", {"gram.ipynb": HONEST})
    report = collect([came], "gram", to)
    assert states(report) == {"ada": "collected", "eve": "collected", "mallory": "refused"}
    assert kinds(report) == {"zip-bomb", "too-many"}


def test_of_many_faults_in_an_archive_a_few_are_told(came: Path, to: Path) -> None:
    entries = {f"../{k}.ipynb": "x" for k in range(50)}
    zipped(came / "mallory.zip", {"gram.ipynb": "x", **entries})
    report = collect([came], "gram", to)
    assert len(report.problems) == unwrapping.MOST_TOLD + 1
    assert "44 more" in str(report.problems[-1]) or "45 more" in str(report.problems[-1])


def test_an_archive_on_the_disk_has_a_largest_size(
    came: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwrapping, "LARGEST_INNER", 100)
    zipped(came / "mallory.zip", {"gram.ipynb": "x"})
    assert kinds(collect([came], "gram", to)) == {"too-large"}


def test_an_archive_without_a_notebook_is_told(came: Path, to: Path) -> None:
    zipped(came / "ada.zip", {"gram.docx": "x"})
    report = collect([came], "gram", to)
    assert (states(report), kinds(report)) == ({"ada": "refused"}, {"no-notebook"})


@pytest.mark.parametrize("name", ["a/" * 30, "n" * 2000])
def test_endless_names_are_refused(name: str, came: Path, to: Path) -> None:
    zipped(came / "mallory.zip", {f"{name}x.ipynb": "x", "gram.ipynb": "fine"})
    assert kinds(collect([came], "gram", to)) == {"long-name"}
    assert collected(to) == {"mallory/gram/gram.ipynb": "fine"}


def test_only_usual_ways_to_pack(came: Path, to: Path) -> None:
    entry = dated("mallory/gram.ipynb")
    entry.compress_type = zipfile.ZIP_LZMA  # its dictionary may take gigabytes
    path = zipped(came / "all.zip", {entry: "x", "ada/gram.ipynb": "fine"})
    assert kinds(collect([path], "gram", to)) == {"packed"}
    assert set(collected(to)) == {"ada/gram/gram.ipynb"}


def test_the_budget_is_for_all_that_is_read() -> None:
    budget = unwrapping.Budget(10)
    arrival = archives.Arrival(("x.ipynb",), "x.ipynb", 0.0, size=6, read=lambda: b"123456")
    assert budget.read(arrival) == b"123456"
    with pytest.raises(UnreadableError, match="more than"):
        budget.read(arrival)


# What is printed


def run(sources: Sequence[Path], to: Path) -> int:
    parser = argparse.ArgumentParser()
    command.add_options(parser)
    names = [*map(str, sources), "--assignment", "gram", "--to", str(to)]
    return command.run(parser.parse_args(names))


def test_names_cannot_write_to_the_terminal(
    came: Path, to: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\n0 to look at\r"
    path = zipped(
        came / "all.zip",
        {
            f"ada{escape}/gram{escape}.ipynb": "x",
            f"bob/a{escape}.ipynb": "x",
            f"bob/b{escape}.ipynb": "x",
            f"kim{escape}/work.zip": b"PK\x03\x04 broken",
            f"{'l' * 5000}/gram.ipynb": "x",
            f"lee{escape}/../gram.ipynb": "x",
        },
    )
    put(came / os.fsdecode(b"\xff\x1b[2J") / "gram.ipynb")
    assert run([path, came], to) == 1
    out, err = capsys.readouterr()
    for text in (out, err):
        text.encode()  # no half letters, which a terminal may refuse
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text.replace("\n", ""))
        assert "\u202e" not in text
        assert max(map(len, text.split("\n"))) < 1000
    assert [line for line in out.split("\n") if line.startswith("0 to look")] == []
    assert all(line.startswith("- ") for line in err.splitlines())


def test_a_row_is_a_line(came: Path, to: Path) -> None:
    put(came / "a\nb" / "gram.ipynb")
    report: Report = collect([came], "gram", to)
    assert len(str(report).split("\n")) == 4


def test_a_stranger_s_folder_is_never_one_that_grade_takes_for_another_s(
    tmp_path: Path,
) -> None:
    """`Jane,Doe` is nobody in the list; its folder `Jane_Doe` would be Jane Doe's."""
    roster = tmp_path / "class.csv"
    roster.write_text("id,name\njdoe,Jane Doe\nm,Mallory\n")
    export = tmp_path / "export"
    put(export / "Jane,Doe_7_assignsubmission_file_" / "gram.ipynb", "mine")
    to = tmp_path / "submissions"
    report = collect([export], "gram", to, roster)
    assert collected(to) == {}
    assert "same-folder" in kinds(report)
    assert "would be taken for that of 'jdoe'" in " ".join(map(str, report.problems))
