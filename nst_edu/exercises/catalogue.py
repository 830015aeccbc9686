"""Find the exercises and their checks: each ``lesson_….py`` in this folder defines some."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.exercises.checking import Exercise

FOLDER = Path(__file__).parent
CHECK = re.compile(r"^def (check_\w+)\(", re.MULTILINE)


def check_modules() -> dict[str, str]:
    """Return for the name of each check the module that defines it; nothing is imported."""
    return {
        name: f"nst_edu.exercises.{path.stem}"
        for path in sorted(FOLDER.glob("lesson_*.py"))
        for name in CHECK.findall(path.read_text(encoding="utf-8"))
    }


def all_exercises() -> dict[str, Exercise]:
    """Import every lesson's exercises, and return them by id, in the order of the lessons.

    Raises
    ------
    ValueError
        If two exercises have one id.
    """
    from nst_edu.exercises.checking import Exercise  # late: it imports torch

    found: dict[str, Exercise] = {}
    for path in sorted(FOLDER.glob("lesson_*.py")):
        module = import_module(f"nst_edu.exercises.{path.stem}")
        for exercise in vars(module).values():
            if not isinstance(exercise, Exercise):
                continue
            if found.setdefault(exercise.id, exercise) is not exercise:
                raise ValueError(f"two exercises have the id {exercise.id!r}: rename one")
    return found
