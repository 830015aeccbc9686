"""A student's own check before handing in: ``nst-edu classroom validate``, without a network.

It needs no hidden tests: it says what would surprise the student or the grader, and no marks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst_edu.classroom.raw_cells import Contents, RawCell

SECONDS = 120  # for all cells together, as in the grader
UNKNOWN = (
    "Note: this notebook does not say what was handed out (some editors drop that), so its tests "
    "and blanks were not looked at. Put the manifest.json of the assignment beside it for that."
)


@dataclass(frozen=True)
class Report:
    """What a student should know before handing in.

    Attributes
    ----------
    notebook
        The file.
    problems
        A sentence for each; nothing needs to be done if there are none.
    printed
        What the visible tests print, a block for each.
    notes
        What else is to be known.
    """

    notebook: Path
    problems: tuple[str, ...]
    printed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the notebook can be handed in as it is."""
        return not self.problems

    def __str__(self) -> str:
        lines = [f"{self.notebook}"]
        if self.printed:
            lines += ["", "The visible tests say:", *self.printed]
        if self.ok:
            lines += ["", "Ready to be handed in: it runs from top to bottom."]
        else:
            count = "1 thing" if len(self.problems) == 1 else f"{len(self.problems)} things"
            lines += ["", f"Look at {count} before you hand in:"]
            lines += [f"- {problem}" for problem in self.problems]
        return "\n".join([*lines, *self.notes])


def validate(notebook: Path, *, seconds: float = SECONDS, quiet: bool = True) -> Report:
    """Check a student's notebook, and run it in a fresh kernel as it stands.

    Parameters
    ----------
    notebook
        The student's file; it is not changed.
    seconds
        How long all cells together may take.
    quiet
        Whether to show no progress bar.
    """
    from nst_edu.classroom import fresh_run
    from nst_edu.classroom import hand_in_rules as rules
    from nst_edu.classroom.raw_cells import read_contents

    contents = read_contents(notebook)
    problems = [str(problem) for problem in contents.problems]
    if any(problem.fatal for problem in contents.problems):
        return Report(notebook, tuple(problems))
    noted = _noted_cells(contents, notebook)
    problems += rules.size_problems(notebook)
    problems += rules.student_problems(contents.cells, noted)
    problems += rules.blank_problems(contents.cells, noted)
    problems += rules.cell_problems(contents.cells, noted)
    tests = _tests(contents.cells, noted)
    raised, printed = fresh_run.run_cells(contents.cells, notebook.parent, tests, seconds, quiet)
    return Report(notebook, (*problems, *raised), tuple(printed), () if noted else (UNKNOWN,))


def _noted_cells(contents: Contents, notebook: Path) -> dict[str, Mapping[str, Any]]:
    """Return what the release says of its cells: in the notebook, or in the manifest beside it."""
    found: Any = (contents.release or {}).get("cells")
    manifest = notebook.with_name("manifest.json")
    if not isinstance(found, dict) and manifest.is_file():
        try:
            whole = json.loads(manifest.read_text(encoding="utf-8"))
            found = whole["cells"] if notebook.name in whole["files"] else None
        except (ValueError, KeyError, TypeError):
            found = None
    known = found.items() if isinstance(found, dict) else ()
    return {name: one for name, one in known if isinstance(one, dict)}


def _tests(cells: Sequence[RawCell], noted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the id of each test cell → its grade_id."""
    from nst_edu.classroom.student_version import fingerprint

    prints = {one.get("digest"): name for name, one in noted.items() if one.get("role") == "test"}
    tests = {cell.id: prints.get(fingerprint(cell.source)) or cell.grade_id for cell in cells}
    return {cell: name for cell, name in tests.items() if name and name in prints.values()}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``nst-edu classroom validate``."""
    add = parser.add_argument
    add("notebook", metavar="NOTEBOOK", type=Path, help="the notebook that you want to hand in")
    text = "stop the notebook after so many seconds (default: %(default)s)"
    add("--seconds", metavar="S", type=float, default=SECONDS, help=text)


def run(args: argparse.Namespace) -> int:
    """Run ``nst-edu classroom validate``; return 0 if nothing is to be done, otherwise 1.

    Raises
    ------
    ValueError
        If there is no such file, or no such time.
    """
    if not args.seconds > 0:
        raise ValueError(f"--seconds must be more than 0, not {args.seconds:g}")
    if not args.notebook.is_file():
        raise ValueError(
            f"NOTEBOOK: there is no {args.notebook}: give your notebook, an .ipynb file"
        )
    report = validate(args.notebook, seconds=args.seconds, quiet=False)
    print(report)
    return 0 if report.ok else 1
