"""Sort what students sent into ``SUBMISSIONS/<student>/<assignment>/``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.classroom.sorting import Report

DESCRIPTION = """\
Collect the notebooks of a class from folders, .zip archives or single files, as
Moodle, Canvas, GitHub Classroom and nbgrader name them, into

  SUBMISSIONS/<student>/<assignment>/<assignment>.ipynb

Whose a notebook is, the folder or file tells that the platform named. Names
inside a student's own folder or archive do not count. What fits two students is
sorted under neither, and you are told.

If a student sent several, the latest counts. What was there before is kept
beside it under another name. With a class list (CSV with the columns id, name
and any others under which a platform knows a student) the folders get the ids,
and you see who is missing. A column with the platform's number is the safest:
names can be changed by the students.

Exit codes: 0 all is sorted, 1 a person must look at some, 2 wrong use.
"""


def collect(
    sources: Sequence[Path], assignment: str, to: Path, roster: Path | None = None
) -> Report:
    """Collect the notebooks of a class.

    Parameters
    ----------
    sources
        Folders, archives or notebooks.
    assignment
        Its name, as in the source's file name.
    to
        The folder SUBMISSIONS; it is made if it is missing.
    roster
        The class list.

    Raises
    ------
    ValueError
        If a source is missing or the class list is none.
    """
    from contextlib import ExitStack

    from nst_edu.classroom.arrivals import find_arrivals
    from nst_edu.classroom.roster import Roster, read_roster
    from nst_edu.classroom.sorting import Sorter

    if not assignment or Path(assignment).name != assignment or assignment.startswith("."):
        raise ValueError(f"--assignment: expected a plain name such as gram, not {assignment!r}")
    for source in sources:
        if source.exists() and to.resolve() in (source.resolve(), *source.resolve().parents):
            raise ValueError(f"FROM: {source} is in --to {to}: it is collected already")
    known = Roster() if roster is None else read_roster(roster)
    sorter = Sorter(assignment, to, known)
    with ExitStack() as opened:
        for source, found in [(one, find_arrivals(one, opened, to)) for one in sources]:
            sorter.add(source, *found)
        return sorter.write()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``nst-edu classroom collect``."""
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("sources", metavar="FROM", nargs="+", type=Path, help="a folder, a .zip or a notebook")
    add("--assignment", metavar="NAME", required=True, help="the assignment's name, such as gram")
    add("--to", metavar="SUBMISSIONS", type=Path, required=True, help="the folder to sort into")
    add("--roster", metavar="CSV", type=Path, help="the class list")


def run(args: argparse.Namespace) -> int:
    """Run ``nst-edu classroom collect``; return 1 if a person must look at something."""
    from nst_edu.classroom.placing import one_line

    report = collect(args.sources, args.assignment, args.to, args.roster)
    print(report)
    for problem in report.problems:
        print(f"- {one_line(str(problem))}", file=sys.stderr)
    return 1 if report.problems else 0
