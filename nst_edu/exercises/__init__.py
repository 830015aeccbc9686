"""Checks for the exercises of the lessons: ``exercises.check_gram_matrix(my_gram_matrix)``.

Each lesson has a module here, ``lesson_07.py``, that defines its checks. A check is imported when
it is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from nst_edu.exercises.catalogue import check_modules
from nst_edu.exercises.result import Result

__all__ = ["Result"]


def __getattr__(name: str) -> Callable[[Any], Result]:
    modules = check_modules() if name.startswith("check_") else {}
    if name not in modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check: Callable[[Any], Result] = getattr(import_module(modules[name]), name)
    globals()[name] = check
    return check


def __dir__() -> list[str]:
    return sorted([*__all__, *check_modules()])  # for the Tab key in JupyterLab
