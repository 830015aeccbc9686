"""Tasks: the same marks in a notebook and from the sandbox, and none that were not earned."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nst_edu.classroom import exchange, tasks
from nst_edu.classroom.answering import answered
from nst_edu.classroom.packing import Packer
from nst_edu.classroom.tasks import Answer, Mark, Misconception, Task
from nst_edu.exercises.checking import SEED, check
from nst_edu.exercises.running import Run
from nst_edu.exercises.stubs import holds_blank

SECRET_SEED = 2**61 + 17


def masked_gram(features: Tensor, mask: Tensor) -> Tensor:
    rows = (features * mask).flatten(2)  # (N, C, H*W)
    return rows @ rows.mT / mask.sum()


def gram_cases(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    shapes = [(2, 3, 5, 7), (1, 2, 4, 3), (2, 4, 3, 3)]
    types = [torch.float64, torch.float32, torch.float64]
    return [
        (
            torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype),
            (torch.rand(shape[2:], generator=generator) + 0.25).to(dtype),
        )
        for shape, dtype in zip(shapes, types, strict=True)
    ]


def over_all(features: Tensor, mask: Tensor) -> Tensor:
    return masked_gram(features, mask) * mask.sum() / mask.numel()


def raising(features: Tensor, mask: Tensor) -> Tensor:
    raise IndexError("no mask")


GRAM = Task(
    name="my_masked_gram",
    points=6,
    reference=masked_gram,
    cases=gram_cases,
    misconceptions=(
        Misconception("divided-by-all", "You divided by all positions.", wrong=over_all),
        Misconception("no-mask", "Your function needs no mask.", wrong=raising),
        Misconception("nothing", "It changes its input.", wrong=lambda f, m: f.zero_()),
        Misconception(
            "three-axes", "It has 4 axes.", recognise=lambda a: a.outcomes[0].value.ndim == 4
        ),
    ),
    credit={"divided-by-all": 0.5, "no-mask": 0.4, "nothing": 0.3, "detached": 0.75},
    lesson=7,
)
SIZES = Task(
    name="my_sizes",
    points=3,
    reference=lambda g: {"sizes": torch.randint(5, 50, (2,), generator=g).tolist()},
    misconceptions=(
        Misconception(
            "doubled",
            "You doubled them.",
            wrong=lambda g: {"sizes": (2 * torch.randint(5, 50, (2,), generator=g)).tolist()},
        ),
    ),
    credit={"doubled": 1 / 3},
)


def crossed(task: Task, found: Any, folder: Path, seed: int = SECRET_SEED) -> Answer:
    """Return an answer after its way through files, as if from a sandbox."""
    question, packer = task.question(seed), Packer()
    answer = answered(question, {task.name: found}, packer, 10)
    exchange.write_answer(folder / "answers", task.name, answer, packer)
    return exchange.read_answers(folder, [question])[task.name]


def judged(task: Task, found: Any, folder: Path, seed: int = SECRET_SEED) -> Mark:
    return task.judge(crossed(task, found, folder, seed), "ada", seed)


# What students write


def my_masked_gram(features: Tensor, mask: Tensor) -> Tensor:
    return torch.einsum("nchw,ndhw,hw->ncd", features, features, mask**2) / mask.sum()


def divided(features: Tensor, mask: Tensor) -> Tensor:
    return my_masked_gram(features, mask) * mask.mean()


def detached(features: Tensor, mask: Tensor) -> Tensor:
    return my_masked_gram(features.detach(), mask)


def transposed(features: Tensor, mask: Tensor) -> Tensor:
    return my_masked_gram(features, mask).permute(1, 2, 0)


def doubled(features: Tensor, mask: Tensor) -> Tensor:
    return 2 * my_masked_gram(features, mask)


def as_numpy(features: Tensor, mask: Tensor) -> Any:
    return my_masked_gram(features, mask).detach().numpy()


def with_print(features: Tensor, mask: Tensor) -> Tensor:
    print("features", features.shape)
    return my_masked_gram(features, mask)


def in_place(features: Tensor, mask: Tensor) -> Tensor:
    features *= mask
    return my_masked_gram(features, torch.ones_like(mask)) * mask.numel() / mask.sum()


def calls_itself(features: Tensor, mask: Tensor) -> Tensor:
    return calls_itself(features, mask)


def gives_up(features: Tensor, mask: Tensor) -> Tensor:
    raise ValueError(f"mean {features.mean():.3f}")


def leaves(features: Tensor, mask: Tensor) -> Tensor:
    sys.exit("done")


def unfinished(features: Tensor, mask: Tensor) -> Any:
    return ...


def nothing(features: Tensor, mask: Tensor) -> None:
    my_masked_gram(features, mask)


def one_argument(features: Tensor) -> Tensor:
    return features


def yields(features: Tensor, mask: Tensor) -> Iterator[Tensor]:
    yield features


def breaks_backward(features: Tensor, mask: Tensor) -> Tensor:
    root = features.exp()
    result = my_masked_gram(features, mask) + 0 * root.sum()
    root += 1
    return result


STUDENTS = [
    *(my_masked_gram, divided, detached, transposed, doubled, as_numpy, with_print, in_place),
    *(calls_itself, gives_up, leaves, unfinished, nothing, one_argument, yields, breaks_backward),
    *(..., None, 5, "my_masked_gram", lambda f, m: [f], lambda f, m: f),
]
POINTS = {"my_masked_gram": 6, "divided": 3, "detached": 4.5, "with_print": 6}


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: getattr(s, "__name__", repr(s)))
def test_the_marks_are_the_same_in_a_notebook_and_from_the_sandbox(
    student: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = judged(GRAM, student, tmp_path, SEED)
    name = getattr(student, "__name__", "")
    assert mark.points == POINTS.get(name, 0)
    assert (mark.task, mark.out_of, mark.lesson) == ("my_masked_gram", 6.0, 7)
    assert GRAM.mark({"my_masked_gram": student}) == mark.points
    printed = capsys.readouterr()
    assert printed.err == ""  # nbgrader takes all points away for less
    assert printed.out.endswith(f"{mark.points:g} of 6 points.\n")
    result = check(GRAM.exercise(SEED), student)
    assert result.attempted == mark.attempted
    assert result.misconception == mark.misconception
    if mark.misconception not in ("not-a-function", "raised", "wrong-arguments"):  # other names
        assert result.message == mark.message
    assert judged(GRAM, student, tmp_path).points == mark.points
    assert judged(GRAM, student, tmp_path) == judged(GRAM, student, tmp_path)


def test_messages_say_what_the_lessons_checks_say(tmp_path: Path) -> None:
    mark = judged(GRAM, gives_up, tmp_path)
    assert "my_masked_gram() stopped with ValueError: mean " in mark.message
    assert 'raise ValueError(f"mean' in mark.message
    assert mark.message.endswith("mask: shape (5, 7), float64.")
    assert "It calls itself again" in judged(GRAM, calls_itself, tmp_path).message
    assert "Use return to end" in judged(GRAM, leaves, tmp_path).message
    text = judged(GRAM, one_argument, tmp_path).message
    assert text.startswith("my_masked_gram() cannot be called as the exercise says: too many")
    assert judged(GRAM, 5, tmp_path).message.startswith("my_masked_gram is a number (int), not")
    assert "use return" in judged(GRAM, yields, tmp_path).message
    assert "backward() fails" in judged(GRAM, breaks_backward, tmp_path).message


def test_values_depend_on_the_student_and_not_on_the_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sizes(student: str) -> dict[str, Any]:
        numbers = torch.randint(5, 50, (2,), generator=tasks.personal(student, "sizes"))
        return {"sizes": numbers.tolist()}

    ada, eve = sizes("ada"), sizes("eve")
    twice = {"sizes": [2 * n for n in ada["sizes"]]}
    for value, points, misconception in (
        (ada, 3, None),
        ({"sizes": tuple(ada["sizes"])}, 3, None),
        (eve, 0, "wrong-value"),
        (twice, 1, "doubled"),
        ([1], 0, "wrong-type"),
        (np.ones(3), 0, "wrong-type"),
        (object(), 0, "wrong-type"),
        ({"sizes": ...}, 0, None),
        (..., 0, None),
    ):
        mark = judged(SIZES, value, tmp_path)
        assert (mark.points, mark.misconception) == (points, misconception)
        assert mark.attempted == (not holds_blank(value))
        assert SIZES.mark({"my_sizes": value, "STUDENT": " ADA "}) == points
    assert capsys.readouterr().err == ""
    for student in (..., 5, "...", "", None, "\ud800"):
        assert SIZES.mark({"my_sizes": ada, "STUDENT": student}) == 0
    assert SIZES.mark({"my_sizes": ada}) == 0
    assert judged(SIZES, eve, tmp_path).message.count("that is not right") == 1


# What a mark never does


class Rude:
    """Raises whatever one does with it."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)

    def __repr__(self) -> str:
        raise SystemExit("repr")

    def __call__(self, *arguments: Any) -> Any:
        raise SystemExit("call")

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def test_mark_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    for found in (Rude(), lambda f, m: Rude(), Rude, {"a": Rude()}, print, torch.randn):
        for task in (GRAM, SIZES):
            points = task.mark({task.name: found, "STUDENT": Rude()})
            assert type(points) is float
            assert points == 0
    assert GRAM.mark({}) == 0
    assert "○ Not attempted yet. There is no my_masked_gram in the notebook." in (
        capsys.readouterr().out
    )
    broken = Task("my_x", 1, lambda g: 1 / 0)
    assert broken.mark({"my_x": 5}) == 0
    assert "my_x could not be judged (ValueError)." in capsys.readouterr().out


def test_mark_leaves_the_notebook_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    def disturbs(features: Tensor, mask: Tensor) -> Tensor:
        torch.manual_seed(3)
        warnings.warn("careful", stacklevel=1)
        print("to stderr", file=sys.stderr)
        return my_masked_gram(features, mask)

    torch.manual_seed(1)
    random.seed(1)
    before = torch.get_rng_state(), random.getstate()
    assert GRAM.mark({"my_masked_gram": disturbs}) == 6
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert capsys.readouterr().err == ""


# What an enemy may claim


def forged(tmp_path: Path, change: Callable[[Any], Any], honest: Any = my_masked_gram) -> Mark:
    """Judge the honest outcomes after a change."""
    answer = crossed(GRAM, honest, tmp_path)
    assert answer.run is not None
    outcomes = [change(outcome) for outcome in answer.run.outcomes]
    return GRAM.judge(replace(answer, run=replace(answer.run, outcomes=outcomes)), "a", SECRET_SEED)


def constant(value: Any) -> Callable[..., Any]:
    return lambda features, mask: value


def test_claims_earn_nothing(tmp_path: Path) -> None:
    zeros, nan = constant(torch.zeros(2)), constant(torch.tensor(float("nan")))
    assert forged(tmp_path, lambda o: o).points == 6
    for change, honest in (
        (lambda o: replace(o, gradients=None), my_masked_gram),
        (lambda o: replace(o, gradients=()), my_masked_gram),
        (lambda o: replace(o, gradients=None, attached=False), zeros),
        (lambda o: replace(o, value=None), my_masked_gram),
        (lambda o: replace(o, error=exchange.RemoteError("IndexError", "no mask")), zeros),
        (lambda o: replace(o, error=exchange.RemoteError("IndexError", "no mask")), zeros),
        (lambda o: replace(o, changed=(0,)), zeros),
        (lambda o: replace(o, changed=(0,), value=torch.zeros(2, 3, 5, 7)), zeros),
        (lambda o: replace(o, backward_error=exchange.RemoteError("E", "")), zeros),
        (lambda o: o, constant(...)),
        (lambda o: o, nan),
        (lambda o: o, constant(0.0)),
    ):
        mark = forged(tmp_path, change, honest)
        assert mark.points == 0, mark
        assert mark.message


def test_a_known_mistake_in_some_cases_and_nonsense_in_others_earns_nothing(
    tmp_path: Path,
) -> None:
    def wrong(x: Tensor) -> Tensor:
        return torch.zeros(()) if x.numel() == 1 else x.sum()

    task = Task(
        "my_sum",
        2,
        lambda x: x.sum(),
        lambda g: [(torch.randn(n, generator=g),) for n in (1, 3, 4)],
        (Misconception("single", "What of one number?", wrong=wrong),),
        {"single": 0.5},
        gradient=False,
    )
    assert judged(task, wrong, tmp_path).points == 1
    mark = judged(task, lambda x: torch.zeros(()), tmp_path)
    assert (mark.misconception, mark.points) == ("single", 0)


def test_a_run_that_was_stopped_earns_nothing(tmp_path: Path) -> None:
    answer = crossed(GRAM, divided, tmp_path)
    assert answer.run is not None
    for outcomes in (answer.run.outcomes, []):
        stopped = replace(answer, run=Run(outcomes, too_slow=True))
        mark = GRAM.judge(stopped, "ada", SECRET_SEED)
        assert (mark.points, mark.misconception) == (0, "too-slow")
        assert mark.message.startswith("my_masked_gram() was stopped")


def test_missing_and_unreadable_answers_are_explained() -> None:
    for answer, attempted, words in (
        (Answer("missing"), False, "There is no my_masked_gram in the notebook. Give"),
        (Answer("missing", note="its cell failed"), True, "in the notebook: its cell failed."),
        (Answer("unreadable", note="a pipe"), True, "no answer that can be judged: a pipe."),
        (Answer("function"), True, "there is nothing in it"),
    ):
        mark = GRAM.judge(answer, "ada", 1)
        assert (mark.points, mark.attempted) == (0, attempted)
        assert words in mark.message


def test_an_untouched_blank_is_not_attempted(tmp_path: Path) -> None:
    for found in (unfinished, ...):
        mark = judged(GRAM, found, tmp_path)
        assert (mark.points, mark.attempted, mark.misconception) == (0, False, None)


def test_messages_can_be_shown_anywhere(tmp_path: Path) -> None:
    def rude(features: Tensor, mask: Tensor) -> Tensor:
        raise ValueError("\x1b[2J\ud800\u202e\x00" + "x" * 10_000)

    mark = judged(GRAM, rude, tmp_path)
    assert mark.message.encode()
    assert not set(mark.message) & {"\x1b", "\x00", "\u202e"}
    assert len(mark.message) < 4000


def test_messages_do_not_hold_expected_values(tmp_path: Path) -> None:
    """Whoever sends constants learns shapes and ratios, as in the lessons, and no numbers."""
    right = [masked_gram(*case) for case in GRAM.arguments(SECRET_SEED)]
    digits = {f"{abs(number):.3g}" for tensor in right for number in tensor.flatten().tolist()}
    shapes = [torch.ones_like(tensor) for tensor in right]
    for answer in (
        lambda f, m: shapes[0],
        lambda f, m: f.new_zeros(len(f), f.shape[1], f.shape[1]),
    ):
        mark = judged(GRAM, answer, tmp_path)
        found = {word.strip("%,;.") for word in mark.message.split()}
        assert not {number for number in digits & found if len(number) > 3}


# Seeds


def test_the_seed_decides_the_inputs_and_nothing_else_does() -> None:
    def careless(_: torch.Generator) -> list[tuple[Any, ...]]:
        return [(torch.randn(2), random.random(), float(np.random.rand()))]

    task = Task("my_x", 1, lambda *a: a, careless)
    torch.manual_seed(0)
    one = task.arguments(5)
    torch.rand(3)
    random.random()
    two, other = task.arguments(5), task.arguments(6)
    assert torch.equal(one[0][0], two[0][0])
    assert one[0][1:] == two[0][1:]
    assert not torch.equal(one[0][0], other[0][0])
    assert one[0][1] != other[0][1]
    assert SIZES.arguments(5) == []


def test_another_seed_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    answer = crossed(GRAM, my_masked_gram, tmp_path, seed=3)
    assert GRAM.judge(answer, "ada", 3).points == 6
    with pytest.raises(ValueError, match="another seed"):
        GRAM.judge(answer, "ada", 4)


def test_a_value_whose_reference_fails_is_a_mistake_of_the_teacher() -> None:
    with pytest.raises(ValueError, match="reference: that of my_x stopped with Zero"):
        Task("my_x", 1, lambda g: 1 / 0).judge(Answer("value", value=3), "ada", 1)


# Mistakes of teachers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "my gram"}, "name: expected the name of a variable"),
        ({"points": 0}, "points: expected a positive number"),
        ({"points": float("nan")}, "points: expected a positive number"),
        ({"credit": {"divided": 0.5}}, "'divided' is no misconception"),
        ({"credit": {"divided-by-all": 1.5}}, "expected a share of the points"),
        ({"credit": {"divided-by-all": "half"}}, "expected a share of the points"),
        ({"credit": {"three-axes": 0.5}}, "with `recognise` earns no points"),
        ({"credit": {"too-slow": 0.5}}, "'too-slow' is no misconception"),
    ],
)
def test_tasks_that_cannot_be_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(GRAM, **changes)


def test_a_task_has_cases() -> None:
    with pytest.raises(ValueError, match="cases: those of my_masked_gram return no arguments"):
        replace(GRAM, cases=lambda g: []).question(1)


# What students see


def test_personal_numbers_are_the_students_own() -> None:
    def numbers(student: Any, task: str = "sizes") -> list[int]:
        return torch.randint(1000, (4,), generator=tasks.personal(student, task)).tolist()

    assert numbers("ada") == numbers(" ADA\n") == numbers("ada", "my_sizes")
    different = [numbers("ada"), numbers("bob"), numbers("ada", "other"), numbers(...), numbers(5)]
    assert len({*map(tuple, different)}) == 5
    assert numbers(Rude())


@pytest.mark.parametrize(
    ("function", "arguments", "expected", "right"),
    [
        (lambda x: x.sum(), (torch.ones(3),), 3.0, True),
        (lambda x: x.sum(), torch.ones(3), torch.tensor(3.0), True),
        (lambda x: x.sum(), torch.ones(3), torch.tensor(3.1), False),
        (lambda x: 2 * x, torch.ones(2, 2), [[2, 2], [2, 2]], True),
        (lambda x: x, torch.ones(2, dtype=torch.float64), torch.ones(2), True),
        (lambda x: x.tolist(), torch.ones(2), [1.0, 1.0], True),
        (lambda x: x, torch.ones(2), torch.ones(1, 2), False),
        (lambda x: ..., (1,), 1, False),
        (lambda x: None, (1,), 1, False),
        (lambda x: None, (1,), None, True),
        (lambda x: 1 / 0, (1,), 1, False),
        (lambda x: sys.exit(), (1,), 1, False),
        (lambda: 1, (1,), 1, False),
        (lambda x: Rude(), (1,), 1, False),
        (..., (1,), 1, False),
        (None, (1,), 1, False),
    ],
)
def test_agrees_says_yes_or_no(function: Any, arguments: Any, expected: Any, right: bool) -> None:
    assert tasks.agrees(function, arguments, expected) is right
