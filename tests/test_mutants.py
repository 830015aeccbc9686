"""Mutants of the solutions: each one that computes something else is rejected by the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from nst_edu import exercises
from nst_edu.authoring.mutants import independent_cases, load, mutants, survivors
from nst_edu.authoring.solutions import PREFIX, Task, find_tasks
from nst_edu.authoring.surroundings import names_for
from nst_edu.authoring.texts import find_texts, read_text
from nst_edu.exercises.catalogue import all_exercises
from nst_edu.exercises.checking import Exercise
from nst_edu.losses import gram_matrix

EXERCISES = all_exercises()
TASKS = [
    pytest.param(EXERCISES[name.removeprefix(PREFIX)], task, text, id=name)
    for text in find_texts()
    for task in find_tasks(read_text(text))
    for name in task.names
    if name.removeprefix(PREFIX) in EXERCISES
]


@pytest.mark.parametrize(("exercise", "task", "text"), TASKS)
def test_no_mutant_of_a_solution_survives(exercise: Exercise, task: Task, text: Any) -> None:
    name = PREFIX + exercise.id
    solution = task.solutions[0]
    namespace = names_for(solution, read_text(text), task.cell)
    answer = load(solution, name, namespace)
    check = getattr(exercises, f"check_{exercise.id}")
    assert check(answer).passed
    if exercise.cases is not None:
        found = survivors(exercise, solution, name, namespace)
        assert [f"{mutant.change}\n{mutant.source}" for mutant in found] == []
    elif exercise.accepts is None:  # otherwise nothing says which others are right
        changed = [value for value in changed_values(answer) if value != answer]
        assert changed
        assert [value for value in changed if check(value).passed] == []


def changed_values(value: Any) -> Iterator[Any]:
    """Yield what is nearly the same value."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, value - 1, 2 * value, -value)
    elif isinstance(value, str):
        yield from (f"{value}x", value[:-1], value.swapcase())
    elif isinstance(value, dict):
        for key, item in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: other} for other in changed_values(item))
    elif isinstance(value, (list, tuple)):
        items = list(value)
        yield from (items[::-1], items[:-1], items[1:], items + items[:1])
        for n, item in enumerate(items):
            yield [*items[:n], *items[n + 1 : n + 2], item, *items[n + 2 :]]
            yield from ([*items[:n], other, *items[n + 1 :]] for other in changed_values(item))


# That the mutants find what they should


GRAM = """\
def my_gram(features):
    n, c, h, w = features.shape
    rows = features.reshape(n, c, h * w)
    return rows @ rows.transpose(1, 2) / (h * w)
"""


def cases_of(*shapes: tuple[int, ...]) -> Callable[[torch.Generator], list[tuple[Tensor]]]:
    """Return the cases of an exercise: one input of each shape."""
    return lambda generator: [
        (torch.randn(shape, generator=generator, dtype=torch.float64),) for shape in shapes
    ]


def toy(**options: Any) -> Exercise:
    cases = cases_of((2, 3, 5, 7), (1, 4, 3, 2))
    return Exercise("gram", 7, "Gram", gram_matrix, **{"cases": cases, **options})


def test_mutants_are_changes_of_all_kinds() -> None:
    changes = " ".join(mutant.change for mutant in mutants(GRAM, "my_gram"))
    for kind in (
        *("operator changed", "operand dropped", "operands swapped", "number + 1", "number - 1"),
        *("arguments swapped", ".transpose() dropped", "statement dropped", "result.detach()"),
        *("result.mT", "changed in place at the beginning", "changed in place at the end"),
    ):
        assert kind in changes, kind
    looping = "def f(x):\n    while x < 3 and not x:\n        x += 1\n    return -x"
    changes = " ".join(mutant.change for mutant in mutants(looping, "f"))
    for kind in ("comparison changed", "and/or swapped", "sign or not dropped", "= for +="):
        assert kind in changes, kind


def test_a_good_check_lets_no_mutant_survive() -> None:
    assert survivors(toy(), GRAM, "my_gram", {}) == []


@pytest.mark.parametrize(
    ("weak", "missed"),
    [
        (toy(cases=cases_of((2, 3, 5, 1))), "right operand dropped"),  # h * w is h
        (toy(rtol=0.6), "result.mul(1.5)"),
    ],
)
def test_a_weak_check_is_found_out(weak: Exercise, missed: str) -> None:
    found = [mutant.change for mutant in survivors(weak, GRAM, "my_gram", {})]
    assert any(missed in change for change in found), found


def test_independent_inputs_have_other_numbers_and_sizes() -> None:
    used = cases_of((2, 3, 5, 7))
    found = [case[0] for case in independent_cases(used)]
    shapes = {tuple(tensor.shape) for tensor in found}
    assert shapes == {(2, 3, 5, 7), (3, 4, 6, 8), (4, 5, 7, 9), (5, 6, 8, 10)}
    broadcast = {tuple(case[0].shape) for case in independent_cases(cases_of((2, 1)))}
    assert broadcast == {(2, 1), (3, 1), (4, 3), (5, 4)}  # 1 may be there to be broadcast, or not
    drawn = used(torch.Generator().manual_seed(20150826))[0][0]
    assert not any(t.shape == drawn.shape and torch.equal(t, drawn) for t in found)
