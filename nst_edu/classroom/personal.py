"""Numbers of a student's own, and a test that a student can see."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

import torch
from torch import Tensor

from nst_edu.exercises.comparing import compare
from nst_edu.exercises.running import call, undisturbed
from nst_edu.exercises.stubs import holds_blank


def plain_id(student: Any) -> str:
    """Return an id as it is compared: capitals and spaces around it make no difference.

    Examples
    --------
    >>> plain_id(" Ada.L ") == plain_id("ada.l")
    True
    """
    try:
        text = str(student)[:1000]
    except KeyboardInterrupt:
        raise
    except BaseException:  # a student can call anything an id
        text = ""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def personal(student: Any, task: str) -> torch.Generator:
    """Return the generator for the numbers of one student in one task.

    It is no secret: a notebook calls it to make the student's own question, the grader calls it to
    know the answer.

    Parameters
    ----------
    student
        The student's id; anything else than a text gives a generator too.
    task
        The name of the task, with or without ``my_`` before it.

    Examples
    --------
    >>> torch.randint(5, 50, (2,), generator=personal("ada", "sizes")).tolist()
    [31, 8]
    """
    key = f"{plain_id(student)}\n{task.removeprefix('my_')}".encode("utf-8", "replace")
    seed = int.from_bytes(hashlib.sha256(key).digest()[:7], "big")
    return torch.Generator().manual_seed(seed)


def agrees(function: Any, arguments: Any, expected: Any, rtol: float = 1e-4) -> bool:
    """Tell whether a function gives the expected value; never raise.

    For the part of a test that students see: ``print("right:", tasks.agrees(my_gram, (x,), y))``.

    Parameters
    ----------
    function
        What the student wrote: a function, a blank, anything.
    arguments
        A tuple of arguments, or the only one.
    expected
        What should come: a tensor, a number, nested lists of numbers, …; lists may also stand for
        a tensor.
    rtol
        Relative tolerance.
    """
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    if not callable(function):
        return False
    try:
        with undisturbed():
            value = call(function, given).value
            if value is None or holds_blank(value):
                return expected is None and value is None
            if isinstance(value, Tensor) and isinstance(expected, (list, tuple)):
                expected = torch.as_tensor(expected, dtype=value.dtype)
            return compare(expected, value, rtol=rtol, dtype=False) is None
    except KeyboardInterrupt:
        raise
    except BaseException:  # also what ends a program must not end a notebook
        return False
