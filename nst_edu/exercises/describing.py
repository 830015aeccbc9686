"""Put a learner's function, its input and its errors into words."""

from __future__ import annotations

import inspect
import linecache
import sysconfig
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nst_edu.exercises.remote import RemoteError, error_name, is_a
from nst_edu.exercises.stubs import plain

OURS = str(Path(__file__).parents[1])  # the package: no line of a learner's
LIBRARIES = tuple(
    {
        OURS,
        *(path for name in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))),
    }
)
LONGEST = 300  # characters of an error's text


def name_of(function: Any) -> str:
    """Return how to call a function in a message; of one that is elsewhere the name is enough.

    Examples
    --------
    >>> name_of(len), name_of(lambda x: x)
    ('len()', 'Your function')
    """
    name = function if isinstance(function, str) else getattr(function, "__name__", "")
    return f"{name}()" if isinstance(name, str) and name.isidentifier() else "Your function"


def parameter_names(function: Any, arguments: Sequence[Any]) -> list[str]:
    """Return a name for each argument: the function's own, as far as it has one for each."""
    try:
        bound = inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return [f"argument {number}" for number in range(1, len(arguments) + 1)]
    names = [name for name, value in bound.arguments.items() if not _is_star(function, name)]
    rest = range(len(names) + 1, len(arguments) + 1)
    return [*names, *(f"argument {number}" for number in rest)][: len(arguments)]


def _is_star(function: Any, name: str) -> bool:
    return inspect.signature(function).parameters[name].kind is inspect.Parameter.VAR_POSITIONAL


def arguments_text(function: Any, arguments: Sequence[Any]) -> str:
    """Describe the arguments of a call by names, shapes and types.

    Examples
    --------
    >>> import torch
    >>> arguments_text(lambda image, size: 0, (torch.zeros(2, 3), 5))
    'image: shape (2, 3), float32; size: 5'
    """
    names = parameter_names(function, arguments)
    parts = [f"{name}: {value_text(v)}" for name, v in zip(names, arguments, strict=True)]
    return "; ".join(parts) or "nothing"


def value_text(value: Any) -> str:
    """Describe one argument."""
    if isinstance(value, (Tensor, np.ndarray)):
        return f"shape {tuple(value.shape)}, {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, (list, tuple)) and any(isinstance(item, Tensor) for item in value):
        return f"{len(value)} tensors, the first of {value_text(value[0])}"
    if isinstance(value, dict) and value and all(isinstance(v, Tensor) for v in value.values()):
        return ", ".join(f"{key!r} of {value_text(item)}" for key, item in value.items())
    if callable(value):
        return f"the function {getattr(value, '__name__', type(value).__name__)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def call_problem(function: Any, arguments: Sequence[Any]) -> str | None:
    """Say why `function` cannot take that many arguments; None if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # some functions written in C do not tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return str(error)
    return None


def error_text(error: BaseException, function: Any) -> str:
    """Say what was raised and show the learner's line, not ours or a library's."""
    try:
        text = str(error).strip()
    except Exception:  # an error class of the learner's own
        text = ""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    name = error_name(error)
    said = f"{name_of(function)} stopped with {name}{': ' if text else '.'}{text}"
    if is_a(error, RecursionError):
        said += "\nIt calls itself again and again: what ends that?"
    if is_a(error, SystemExit):
        said += "\nUse return to end a function; exit() ends the whole program."
    place = code_line(error, function)
    return f"{said}\n{place}" if place else said


def code_line(error: BaseException, function: Any) -> str:
    """Return the last of the learner's lines on the way to an error, and its number."""
    if isinstance(error, RemoteError):
        return error.line
    frames = list(traceback.walk_tb(error.__traceback__))[-2000:]
    code = getattr(plain(function), "__code__", None)
    own = [f for f in frames if code is not None and f[0].f_code.co_filename == code.co_filename]
    theirs = own or [f for f in frames if not f[0].f_code.co_filename.startswith(LIBRARIES)]
    theirs = [f for f in theirs if not f[0].f_code.co_filename.startswith("<frozen")]
    if not theirs:
        return ""
    frame, number = theirs[-1]
    line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f"in line {number}:\n    {line}" if line else f"in line {number}."
