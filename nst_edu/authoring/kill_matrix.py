"""Write the kill matrix: ``python -m nst_edu.authoring.kill_matrix [--check]``.

It runs every answer of the bank (``tests/bank/``) through its exercise's check, and says what the
check answers. With ``--check`` nothing is written: it says whether the page is up to date. It needs
the repository, not only the package.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from nst_edu import exercises
from nst_edu.exercises.catalogue import all_exercises
from nst_edu.exercises.checking import Exercise
from nst_edu.exercises.result import Result

ROOT = Path(__file__).parents[2]
BANK = ROOT / "tests" / "bank"
PAGE = ROOT / "notebooks" / "instructor" / "kill_matrix.md"

INTRODUCTION = """\
# Kill matrix

What each check says to the answers of the bank, right ones and wrong ones. Every wrong answer is of
the kind that learners write; the check has to name its mistake. A mistake marked * is one of those
that the checks know in any exercise, the others belong to the exercise.

This page is generated from `tests/bank/` by `python -m nst_edu.authoring.kill_matrix`, and a test
compares it. Do not edit it.
"""


def bank_modules() -> list[ModuleType]:
    """Import the bank: one module for each lesson."""
    return [import_module(f"tests.bank.{path.stem}") for path in sorted(BANK.glob("lesson_*.py"))]


def bank() -> dict[str, list[Any]]:
    """Return the bank's entries for each exercise's id, as `tests.bank.marks.Entry`."""
    marks = import_module("tests.bank.marks")
    found: dict[str, list[Any]] = {}
    for module in bank_modules():
        for entry in marks.entries(module):
            found.setdefault(entry.mark.exercise, []).append(entry)
    return found


def result_of(exercise: Exercise, answer: Any) -> Result:
    """Check one of the bank's answers; what it prints is not shown."""
    check = getattr(exercises, f"check_{exercise.id}")
    with contextlib.redirect_stdout(io.StringIO()):
        result: Result = check(answer if exercise.cases is not None else answer())
    return result


def page() -> str:
    """Return the whole page."""
    answers = bank()
    sections: dict[int, list[str]] = {}
    for exercise in all_exercises().values():
        lines = sections.setdefault(exercise.lesson, [])
        lines += _section(exercise, answers.get(exercise.id, []))
    parts = [INTRODUCTION]
    for lesson in sorted(sections):
        parts += [f"## Lesson {lesson}\n", *sections[lesson]]
    return "\n".join(parts).rstrip() + "\n"


def _section(exercise: Exercise, entries: Sequence[Any]) -> Iterator[str]:
    """Yield the lines on one exercise: who is told what, then what the messages say."""
    own = {misconception.id for misconception in exercise.misconceptions}
    messages: dict[str, str] = {}
    yield f"### {exercise.title} (`check_{exercise.id}`)\n"
    yield "| answer | is | the check says | mistake |"
    yield "|---|---|---|---|"
    for entry in entries:
        result = result_of(exercise, entry.answer)
        named = result.misconception or ""
        if named:
            messages.setdefault(named, result.message)
        star = "*" if named and named not in own else ""
        kind = "right" if entry.mark.misconception is None else "wrong"
        yield f"| `{entry.name}` | {kind} | {result.verdict} | {named}{star} |"
    yield ""
    for name, message in messages.items():
        yield f"- **{name}**: {_inline(message)}"
    yield ""


def _inline(message: str) -> str:
    """Return a message on one line, as Markdown that shows it as it is."""
    text = " ".join(message.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all is well, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="python -m nst_edu.authoring.kill_matrix", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    options = parser.parse_args(arguments)
    text = page()
    if options.check:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.name} is out of date. Run: python -m nst_edu.authoring.kill_matrix")
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
