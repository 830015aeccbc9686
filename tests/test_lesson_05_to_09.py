"""What the checks of lessons 5 to 9 say beside the name of a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nst_edu.exercises import limits
from nst_edu.exercises.catalogue import all_exercises
from nst_edu.exercises.checking import Attempt, Exercise, references
from nst_edu.exercises.lesson_06 import check_run_is_healthy
from nst_edu.exercises.lesson_07 import check_gram_matrix, check_style_distance
from tests.bank.lesson_07 import distance_by_einsum, distance_by_the_package

FUNCTIONS = [e for e in all_exercises().values() if e.lesson >= 5 and e.cases is not None]


def test_a_style_distance_by_the_packages_functions_is_right_but_told_so() -> None:
    result = check_style_distance(distance_by_the_package)
    assert result.passed
    assert "gram_matrix and style_loss, which this exercise asks to do without" in result.message
    assert "to do without" not in check_style_distance(distance_by_einsum).message


def never_ends(*_: Any) -> None:
    while True:
        pass


@pytest.mark.parametrize("check", [check_run_is_healthy, check_gram_matrix])
def test_a_loop_that_never_ends_is_no_other_mistake(
    check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.1)
    assert check(never_ends).misconception == "too-slow"


def raises(*_: Any) -> None:
    raise ValueError("not one of the mistakes that are known")


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda exercise: exercise.id)
def test_an_answer_without_any_outcome_is_no_known_mistake(exercise: Exercise) -> None:
    expected = references(exercise, exercise.arguments())
    attempt = Attempt(raises, (), expected, too_slow=True)
    assert not [
        mistake.id
        for mistake in exercise.misconceptions
        if mistake.recognise is not None and mistake.recognise(attempt)
    ]
