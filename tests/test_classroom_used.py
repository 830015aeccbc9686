"""Words in a function's code, and in the code that it uses."""

from __future__ import annotations

import pytest

from nst_edu.classroom.records import TaskMark
from nst_edu.classroom.used import with_causes, words_used

WORDS = ("autograd", "backward")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("def my_f(x):\n    return torch.autograd.grad(x, x)\n", ["autograd"]),
        ("def my_f(\n    x,\n):\n    (x * 2).sum().backward()\n    return x.grad", ["backward"]),
        ("def my_f(\n    x,\n) -> int:\n\n    # a\n\n    return x.backward()", ["backward"]),
        ("my_f = lambda x: x.backward()", ["backward"]),
        ("def helper(x): return x.backward()\ndef my_f(x):\n    return helper(x)", ["backward"]),
        ("from torch.autograd import grad as g\ndef my_f(x):\n    return g(x, x)", ["autograd"]),
        ("import torch.autograd as ad, os\ndef my_f(x):\n    return ad.grad(x, x)", ["autograd"]),
        ("import torch.autograd as ad\ndef my_f(x):\n    return x", []),
        ("def my_f(x):\n    '''No autograd,\n    no backward.'''\n    return x  # backward", []),
        ("def my_f(x):\n    return x\nloss.backward()", []),
        ("def my_f(x):\n    return x\ndef test(x):\n    my_f(x).backward()", []),
        ("def my_f(x):\n    return 'autograd' + \"backward\"", []),
        ("def my_f(x):\n    return backwards(x)", []),
        ("", []),
        ("'''", []),
    ],
)
def test_words_are_found_in_code_that_counts(cell: str, found: list[str]) -> None:
    assert words_used([cell], "my_f", WORDS) == found


def test_helpers_may_stand_anywhere_and_call_each_other() -> None:
    cells = ["def a(x):\n    return b(x)", "def my_f(x):\n    return a(x)", "def b(x): return my_f"]
    assert words_used(cells, "my_f", ["x"]) == ["x"]
    assert words_used([*cells, "def b(x):\n    x.backward()"], "my_f", WORDS) == ["backward"]
    assert words_used(cells, "my_g", WORDS) == []


def test_a_long_cell_takes_no_time() -> None:
    assert words_used(['"""' * 60_000, "x = '" * 30_000, "#\n" * 90_000], "x", WORDS) == []


def test_a_statement_of_many_names_is_read_once() -> None:
    """It took memory and time by the square of the names: 11 GB for 60,000 characters."""
    names = ", ".join(f"a{number}" for number in range(40_000))
    sources = [f"{names} = 1\ndef my_f(x):\n    return a7"]
    assert words_used(sources, "my_f", ["a39999", "backward"]) == ["a39999"]


def test_a_wrong_answer_that_uses_another_wrong_one_is_told_so() -> None:
    marks = [
        TaskMark("my_a", 3, 6, "Divided by all."),
        TaskMark("my_b", 0, 4, "It returns None."),
        TaskMark("my_c", 0, 4, "Wrong."),
        TaskMark("my_d", 4, 4, "Right."),
    ]
    sources = [
        "def my_b(x):\n    return my_a(x)",
        "def my_c(x): pass",
        "def my_d(x): return my_a(x)",
    ]
    told = [mark.message for mark in with_causes(marks, sources)]
    assert told[1] == "It returns None. It uses my_a, which is not right yet: look there first."
    assert [told[0], *told[2:]] == ["Divided by all.", "Wrong.", "Right."]
