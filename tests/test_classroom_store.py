"""The folder of the marks: nothing is lost, whatever happens to the grader."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from nst_edu.classroom.feedback import CellShown
from nst_edu.classroom.files import PART, locked, safe_name, write_atomic
from nst_edu.classroom.layout import find_submissions
from nst_edu.classroom.records import (
    GRADED,
    NOTHING,
    ByHand,
    Graded,
    Key,
    TaskMark,
    from_json,
    to_json,
)
from nst_edu.classroom.roster import read_roster
from nst_edu.classroom.seeds import class_secret, seed, seed_id
from nst_edu.classroom.store import Store, all_results, read_result

KEY = Key("s" * 64, "a" * 64, "0.1.0/1", "0123456789abcdef")
MARK = TaskMark("my_gram", 3.0, 6.0, "Divided by C: «½» 你好", "divided-by-chw", True, 7)
RESULT = Graded("amina", "gram", KEY, GRADED, (MARK,), (ByHand("essay", 5.0),), ("A note.",))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "marks")


# What is kept


def test_a_result_comes_back_as_it_was_written() -> None:
    assert from_json(to_json(RESULT)) == RESULT
    assert (RESULT.total, RESULT.out_of) == (3.0, 6.0)


GOOD = to_json(RESULT)
OLD, RENAMED = GOOD.replace('"format": 3', '"format": 1'), GOOD.replace('"task"', '"tusk"')


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", GOOD[:-20], OLD, RENAMED, "[" * 100_000], ids=range(8)
)
def test_a_damaged_result_counts_as_none(store: Store, text: str) -> None:
    store.save(RESULT)
    (store.place("amina") / "result.json").write_text(text, encoding="utf-8")
    assert store.load("amina") is None
    assert not store.is_current("amina", KEY)
    assert all_results(store.folder) == []


def test_half_a_surrogate_pair_can_be_kept(store: Store) -> None:
    odd = replace(RESULT, notes=("\ud800",))
    store.save(odd, [CellShown("code", "\ud800")])
    assert store.load("amina") == odd
    assert store.cells("amina") == [CellShown("code", "\ud800")]


# Graded once


def test_what_is_graded_is_not_graded_again(store: Store) -> None:
    assert not store.is_current("amina", KEY)
    store.save(RESULT)
    assert store.is_current("amina", KEY)
    assert store.load("amina") == RESULT


@pytest.mark.parametrize("field", ["submission", "assignment", "grader", "seed"])
def test_a_change_is_graded_again(store: Store, field: str) -> None:
    store.save(RESULT)
    other: dict[str, Any] = {field: "other"}
    assert not store.is_current("amina", replace(KEY, **other))
    assert not store.is_current("amina", replace(KEY, sandbox=False))


@pytest.mark.parametrize("name", ["feedback.html", "cells.json"])
def test_a_result_without_its_page_is_not_complete(store: Store, name: str) -> None:
    store.save(RESULT)
    (store.place("amina") / name).unlink()
    assert not store.is_current("amina", KEY)


def test_the_result_before_is_kept_once(store: Store) -> None:
    other = replace(RESULT, key=replace(KEY, submission="t" * 64), marks=())
    for result in (RESULT, RESULT, other, other):
        store.save(result)
    (earlier,) = (store.place("amina") / "earlier").iterdir()
    assert read_result(earlier) == RESULT
    assert store.load("amina") == other


def test_nothing_handed_in_is_no_earlier_result(store: Store) -> None:
    store.save(replace(RESULT, status=NOTHING))
    store.save(RESULT)
    assert not (store.place("amina") / "earlier").exists()


def test_the_same_results_give_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        store = Store(tmp_path / name)
        store.save(RESULT, log="log")
        place = store.place("amina")
        contents.append({path.name: path.read_bytes() for path in place.iterdir()})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"result.json", "cells.json", "feedback.html", "log.txt"}


def test_marks_of_two_assignments_do_not_mix(store: Store) -> None:
    store.claim("gram", "1")
    store.claim("gram", "2")
    with pytest.raises(ValueError, match="holds the marks of 'gram', not of 'convolution'"):
        store.claim("convolution", "1")


def test_a_file_is_no_folder_for_marks(tmp_path: Path) -> None:
    (tmp_path / "marks").write_text("")
    with pytest.raises(ValueError, match="--to needs a folder"):
        Store(tmp_path / "marks")


# Killed at any moment

SAVES = """
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from nst_edu.classroom.store import Store
from nst_edu.classroom.records import from_json
store = Store(Path(sys.argv[1]))
result = from_json(Path(sys.argv[2]).read_text(encoding="utf-8"))
store.save(replace(result, student="first"))  # what is slow once is done
print("ready", flush=True)
for number in range(10**6):
    note = (f"{number}" * 20_000,)
    store.save(replace(result, student=f"s{number % 7}", notes=note))
"""


def test_killed_at_any_moment_no_result_is_half(tmp_path: Path) -> None:
    example, folder = tmp_path / "example.json", tmp_path / "marks"
    write_atomic(example, to_json(RESULT))
    command = [sys.executable, "-c", SAVES, str(folder), str(example)]
    secrets = set()
    for number in range(4):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.05 + 0.037 * number)
            process.send_signal(signal.SIGKILL)
        for path in folder.glob("*/result.json"):
            assert len(from_json(path.read_text(encoding="utf-8")).notes) == 1
            assert path.with_name("feedback.html").read_text(encoding="utf-8").endswith("</html>")
        secrets.add(class_secret(folder))
    assert len(secrets) == 1
    assert any(folder.glob("*/result.json"))
    store = Store(folder)
    for student in {f"s{number}" for number in range(7)}:
        store.save(replace(RESULT, student=student))
    assert not list(folder.glob(f"*/.*{PART}"))


def test_two_graders_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(ValueError, match="another 'nst-edu classroom grade'"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


# The secret and the seeds


def test_the_secret_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    secret = class_secret(tmp_path)
    assert len(secret) == 32
    assert class_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_copied_secret_is_closed_again(tmp_path: Path) -> None:
    class_secret(tmp_path)
    (tmp_path / "secret").chmod(0o644)
    class_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63])
def test_a_damaged_secret_is_no_secret(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        class_secret(tmp_path)


def test_a_link_is_no_secret(tmp_path: Path) -> None:
    class_secret(tmp_path)
    (tmp_path / "secret").rename(tmp_path / "elsewhere")
    (tmp_path / "secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="must be a file"):
        class_secret(tmp_path)


def test_every_student_task_and_class_has_its_own_seed() -> None:
    secrets = [bytes([number]) * 32 for number in range(3)]
    names = ["a", "b", "ab", "a,b", 'a", "b', ""]
    each = product(secrets, names, names, names, ("1", "2"))
    seeds = Counter(seed(*one) for one in each)
    assert len(seeds) == 3 * 6**3 * 2
    assert all(0 <= number < 2**63 for number in seeds)
    assert seed(secrets[0], "a", "b", "c", "d") == 2930127770085752321  # the same in all versions


def test_the_seeds_name_does_not_give_the_secret_away() -> None:
    secret = b"x" * 32
    assert len(seed_id(secret)) == 16
    assert seed_id(secret) not in secret.hex()
    assert seed_id(secret) != seed_id(b"y" * 32)


# Names


IDS = [
    *("", ".", "..", "../..", "/etc/passwd", "a/b", "a\\b", "a\0b", "secret", "SECRET", ".lock"),
    *("marks.csv", "report.html", "ä" * 300, "x" * 5000, "你好", "\ud800", "a b", "~root"),
    *("$(id)", "%2E", "con\n", "-rf", "=1+1", "assignment.json"),
]


@pytest.mark.parametrize("student", IDS, ids=range(len(IDS)))
def test_every_id_is_one_folder_of_its_own(tmp_path: Path, student: str) -> None:
    name = safe_name(student)
    (tmp_path / name).mkdir()
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert len(name) <= 110
    assert name.lower() not in {"secret", "marks.csv", "report.html", "assignment.json", ".lock"}
    assert not name.startswith(".")


def test_two_ids_are_two_folders() -> None:
    ids = ["a", "A", "a/b", "a%2Fb", "", "%", ".", "%2E", "secret", "%73ecret", "x" * 200]
    ids += ["x" * 201, "ä", "a ", " a", "\udcff", "\\udcff"]
    assert len({safe_name(student) for student in ids}) == len(ids)


# Where submissions are found


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def test_both_layouts_are_found(tmp_path: Path) -> None:
    make(tmp_path, "amina/gram/gram.ipynb", "bo/Untitled.ipynb", "gram_chen.ipynb", "dora.ipynb")
    make(
        tmp_path, "eve/convolution/convolution.ipynb", "notes.txt", ".DS_Store", "__MACOSX/x.ipynb"
    )
    make(tmp_path, "finn/.ipynb_checkpoints/gram.ipynb", "finn/old.ipynb", "finn/gram.ipynb")
    make(tmp_path, "gus/one.ipynb", "gus/two.ipynb", "hana.ipynb", "hana/gram.ipynb")
    found, ignored = find_submissions(tmp_path, "gram")
    assert {one.student: [path.name for path in one.paths] for one in found} == {
        "amina": ["gram.ipynb"],
        "bo": ["Untitled.ipynb"],
        "chen": ["gram_chen.ipynb"],
        "dora": ["dora.ipynb"],
        "eve": [],
        "finn": ["gram.ipynb"],
        "gus": ["one.ipynb", "two.ipynb"],
        "hana": ["gram.ipynb", "hana.ipynb"],
    }
    assert [path.name for path in ignored] == ["notes.txt"]
    assert [one.student for one in found if one.absent] == ["eve"]


def test_a_folder_with_something_else_in_it_is_not_empty(tmp_path: Path) -> None:
    make(tmp_path, "amina/gram/gram.pdf", "bo/gram.docx", "chen/tiny/tiny.ipynb")
    (tmp_path / "dora").mkdir()
    (tmp_path / "eve" / "gram").mkdir(parents=True)
    found, _ = find_submissions(tmp_path, "gram")
    assert [(one.student, one.absent) for one in found] == [
        ("amina", False), ("bo", False), ("chen", True), ("dora", True), ("eve", False)
    ]  # fmt: skip


def test_links_and_folders_are_found_and_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "amina/gram.ipynb")
    (tmp_path / "bo").symlink_to(tmp_path / "amina")
    (tmp_path / "chen.ipynb").symlink_to(tmp_path / "amina" / "gram.ipynb")
    (tmp_path / "dora.ipynb").mkdir()
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "gram").symlink_to(tmp_path / "amina")
    found, _ = find_submissions(tmp_path, "gram")
    paths = {one.student: one.paths for one in found}
    assert paths["bo"] == (tmp_path / "bo",)
    assert paths["chen"] == (tmp_path / "chen.ipynb",)
    assert paths["dora"] == (tmp_path / "dora.ipynb",)
    assert paths["eve"] == ()


def test_no_folder_of_submissions(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder"):
        find_submissions(tmp_path / "none", "gram")


def test_a_roster_knows_other_names(tmp_path: Path) -> None:
    make(tmp_path, "Khan, Amina/gram.ipynb", "bo/gram.ipynb", "gram_li@example.org.ipynb")
    path = tmp_path / "roster.csv"
    path.write_text("id;name;email\nu1;Khan, Amina;\nu2;Li;li@example.org\n", encoding="utf-8")
    found, _ = find_submissions(tmp_path, "gram", read_roster(path))
    assert [one.student for one in found] == ["bo", "u1", "u2"]
