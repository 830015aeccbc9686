"""The bank: each right answer is accepted, each wrong one gets the message on its own mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nst_edu import exercises
from nst_edu.authoring import kill_matrix
from nst_edu.authoring.kill_matrix import bank, result_of
from nst_edu.authoring.solutions import PREFIX, find_tasks
from nst_edu.authoring.texts import find_texts, read_text
from nst_edu.exercises.catalogue import all_exercises, check_modules
from nst_edu.exercises.checking import Exercise

EXERCISES = all_exercises()
BANK = bank()
RIGHT, WRONG = 3, 4  # at least so many answers of each kind
GENERIC = 1  # at most one of the wrong ones may be a mistake known in any exercise

ANSWERS = [
    pytest.param(EXERCISES[entry.mark.exercise], entry, id=f"{name}-{entry.name}")
    for name, entries in BANK.items()
    for entry in entries
    if name in EXERCISES
]


@pytest.mark.parametrize(("exercise", "entry"), ANSWERS)
def test_each_answer_gets_what_it_deserves(exercise: Exercise, entry: Any) -> None:
    result = result_of(exercise, entry.answer)
    expected = entry.mark.misconception
    assert (result.passed, result.misconception) == (expected is None, expected), str(result)
    assert result.attempted


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_bank_has_enough_of_each_kind(exercise: Exercise) -> None:
    marks = [entry.mark.misconception for entry in BANK.get(exercise.id, [])]
    own = {misconception.id for misconception in exercise.misconceptions}
    killed = {mark for mark in marks if mark is not None}
    assert marks.count(None) >= RIGHT
    assert own <= killed, f"no wrong answer of the bank shows {sorted(own - killed)}"
    assert len(own) + min(len(killed - own), GENERIC) >= WRONG


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_each_mistake_has_a_message_of_its_own(exercise: Exercise) -> None:
    ids = [misconception.id for misconception in exercise.misconceptions]
    messages = [misconception.message for misconception in exercise.misconceptions]
    assert len(set(ids)) == len(ids)
    assert len(set(messages)) == len(messages)
    for message in messages:
        assert 30 <= len(message) <= 600, message
        assert message.rstrip()[-1] in ".?!)", message


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_the_reference_passes_its_own_check(exercise: Exercise) -> None:
    reference = exercise.reference
    check = getattr(exercises, f"check_{exercise.id}")
    is_value = exercise.cases is None
    answer = reference() if is_value and callable(reference) else reference
    assert check(answer).passed


def test_every_exercise_has_a_check_a_bank_and_a_place_in_its_lesson() -> None:
    places = {
        name.removeprefix(PREFIX): text.stem
        for text in find_texts()
        for task in find_tasks(read_text(text))
        for name in task.names
    }
    assert {f"check_{name}" for name in EXERCISES} == set(check_modules())
    assert set(BANK) == set(EXERCISES)
    assert set(places) == set(EXERCISES)
    lessons = {name: int(stem[:2]) for name, stem in places.items()}
    assert lessons == {name: exercise.lesson for name, exercise in EXERCISES.items()}


def test_the_checks_are_found_by_the_tab_key_and_documented() -> None:
    for name in check_modules():
        assert name in dir(exercises)
        assert getattr(exercises, name).__doc__, name


def test_the_kill_matrix_is_up_to_date() -> None:
    assert kill_matrix.main(["--check"]) == 0


def test_the_kill_matrix_notices_a_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "instructor" / "kill_matrix.md"
    monkeypatch.setattr(kill_matrix, "PAGE", page)
    monkeypatch.setattr(kill_matrix, "page", lambda: "# A page\n")
    assert kill_matrix.main(["--check"]) == 1
    assert kill_matrix.main([]) == 0
    assert page.read_text("utf-8") == "# A page\n"
    assert kill_matrix.main(["--check"]) == 0
    assert "kill_matrix.md is out of date" in capsys.readouterr().out
