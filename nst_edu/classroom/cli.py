"""``nst-edu classroom``: what it understands. Nothing heavy is imported up here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nst_edu.classroom import collect, hand_back, release, validate

if TYPE_CHECKING:
    from nst_edu.signals import StopSignals

HELP = "release, collect and grade assignments"
DESCRIPTION = """\
For teachers: hand out an assignment, collect the notebooks, grade them safely.

  nst-edu classroom release gram/gram.ipynb --to handout/
  nst-edu classroom collect ~/Downloads/*.zip --assignment gram --to submissions/
  nst-edu classroom grade submissions/ --assignment gram/gram.ipynb --to marks/
  nst-edu classroom report marks/
  nst-edu classroom feedback marks/ --moodle export.zip --to feedback.zip

For students: look whether a notebook can be handed in.

  nst-edu classroom validate gram.ipynb
"""
GRADE = """\
Grade every notebook in SUBMISSIONS: <student>/<assignment>/<any name>.ipynb,
<student>/<any name>.ipynb, or <student>_<assignment>.ipynb.

Each runs in a sandbox of its own. What is graded is kept at once in MARKS; the
same command goes on where it stopped, and grades only what has changed.

Exit codes: 0 all are graded, 1 a person must look at some (the others are
graded), 2 wrong use, 130 stopped by Ctrl-C (what is graded is kept).
"""
OTHERS = {
    "release": (release, "make the students' version of an assignment"),
    "validate": (validate, "look whether a notebook can be handed in"),
    "collect": (collect, "sort what students sent into folders"),
    "feedback": (hand_back, "pack the feedback pages for Moodle"),
}


def add_classroom(commands: Any) -> None:
    """Add the command ``classroom`` with its own commands.

    Parameters
    ----------
    commands
        The subparsers of ``nst-edu``.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "classroom", help=HELP, description=DESCRIPTION, formatter_class=raw
    )
    inner = parser.add_subparsers(
        dest="classroom", title="commands", metavar="COMMAND", required=True
    )
    for name, (module, text) in OTHERS.items():
        module.add_options(inner.add_parser(name, help=text, formatter_class=raw))
    text = "grade the notebooks in a folder"
    grade = inner.add_parser("grade", help=text, description=GRADE, formatter_class=raw)
    _add_grade_options(grade)
    text = "write marks.csv, junit.xml and report.html, with the points of by_hand.csv"
    report = inner.add_parser("report", help=text, description=text.capitalize() + ".")
    report.add_argument("marks", metavar="MARKS", type=Path, help="the folder of 'grade --to'")
    text = "the class list, if it has changed: its columns go into marks.csv"
    report.add_argument("--roster", metavar="CSV", type=Path, help=text)


def _add_grade_options(parser: argparse.ArgumentParser) -> None:
    """Add everything that ``nst-edu classroom grade`` understands."""
    add = parser.add_argument
    add("submissions", metavar="SUBMISSIONS", type=Path, help="the folder of the notebooks")
    add("--assignment", metavar="SOURCE", type=Path, required=True, help="the teacher's notebook")
    add("--to", metavar="MARKS", type=Path, required=True, help="the folder for the marks")
    text = "sandboxes at a time, each up to 1.5 GB (default: one for each processor)"
    add("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help=text)
    text = "the class list, CSV with a column 'id': shows who is missing"
    add("--roster", metavar="CSV", type=Path, help=text)
    text = "grade this student only; may be given several times"
    add("--student", metavar="ID", action="append", help=text)
    add("--force", action="store_true", help="grade again what is graded already")
    text = "stop a notebook after so many seconds (default: %(default)g)"
    add("--seconds", metavar="S", type=float, default=120.0, help=text)
    text = "send the work to an existing Dask cluster, such as tcp://10.0.0.1:8786"
    add("--scheduler", metavar="ADDRESS", help=text)
    text = "run students' code WITHOUT a sandbox: it can read and change all that you can"
    add("--unsafe", action="store_true", help=text)
    add("--quiet", action="store_true", help="say only who needs a look")


def run_classroom(args: argparse.Namespace, stop: StopSignals) -> int:
    """Run one of the commands; return the exit code."""
    if args.classroom in OTHERS:
        code: int = OTHERS[args.classroom][0].run(args)
        return code
    from nst_edu.classroom import commands  # late: it imports torch

    try:
        return commands.grade(args) if args.classroom == "grade" else commands.report(args)
    except KeyboardInterrupt:
        print("stopped: what is graded is kept; the same command goes on", file=sys.stderr)
        return stop.exit_code
