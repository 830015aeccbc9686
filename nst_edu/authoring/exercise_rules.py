"""Rules for the exercises of a lesson: each has a stub, a check, hints and a solution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from nst_edu.authoring.code_rules import code_cells
from nst_edu.authoring.finding import Finding
from nst_edu.authoring.solutions import CHECK, Task, defined_names, find_tasks, has_tag
from nst_edu.exercises.stubs import source_blanks

CALL = re.compile(r"\bexercises\.check_(\w+)\(\s*(\w+)")


def complete_exercises(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Let each exercise have a stub with blanks, a check, a hint or more, and one solution."""
    for task in find_tasks(notebook):
        for problem, advice in (*_stub(task), *_help(task)):
            yield Finding(task.cell, problem, advice)


def _stub(task: Task) -> Iterator[tuple[str, str]]:
    if not task.names:
        yield "the stub defines nothing", "Let it define my_<id>"
    elif not source_blanks(task.stub):
        yield "the stub has no blank", "Leave '...' where the learner is to write"


def _help(task: Task) -> Iterator[tuple[str, str]]:
    if not task.checks:
        yield (
            "the exercise has no check",
            "Add exercises.check_<id>(my_<id>), tagged 'check'",
        )
    if not task.hints:
        yield "the exercise has no hint", "Add <details><summary>Hint 1</summary> … </details>"
    if len(task.solutions) != 1:
        problem = f"the exercise has {len(task.solutions)} solutions"
        yield problem, "Put one ```python block under <details><summary>Solution</summary>"
    elif missing := set(task.names) - set(defined_names(task.solutions[0])):
        yield f"the solution does not define {sorted(missing)}", "Let it define what the stub does"


def checks_follow_their_stubs(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Check each exercise after its stub, in a tagged cell, with a result that is compared."""
    names = {number: task.names for task in find_tasks(notebook) for number in task.checks}
    for number, cell in code_cells(notebook):
        calls = CALL.findall(cell.source)
        if calls and not has_tag(cell, CHECK):
            yield Finding(number, "a check without its tag", f"Add the tag {CHECK!r}")
        if not has_tag(cell, CHECK):
            continue
        if "nbval-check-output" not in cell.metadata["tags"]:
            advice = "Add the tag 'nbval-check-output'"
            yield Finding(number, "the check's result is not compared", advice)
        if not calls or any(f"my_{name}" != argument for name, argument in calls):
            advice = "Write exercises.check_<id>(my_<id>)"
            yield Finding(number, "the check does not check its own exercise", advice)
        elif not {argument for _, argument in calls} <= set(names.get(number, ())):
            advice = "Put it after the stub that defines it, before the next one"
            yield Finding(number, "the check does not follow its stub", advice)


EXERCISE_RULES = (complete_exercises, checks_follow_their_stubs)
