"""``nst-edu classroom grade`` and ``report``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nst_edu.classroom import sandbox
from nst_edu.classroom.files import CLASS, write_atomic
from nst_edu.classroom.grade import Grading
from nst_edu.classroom.gradebook import About
from nst_edu.classroom.layout import Found, find_submissions
from nst_edu.classroom.records import NOTHING, Graded
from nst_edu.classroom.report import PAGE, write_reports
from nst_edu.classroom.roster import Roster, read_roster
from nst_edu.classroom.session import Done, Options, Session
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import Store, all_results
from nst_edu.classroom.table import exit_code, in_a_line, table

CPU_SHARE = 100 / 120  # of the wall-clock limit: the rest is waiting


def grade(args: argparse.Namespace) -> int:
    """Grade a folder of submissions; write the marks, the feedback and the reports."""
    _check(args)
    _one_thread()
    assignment = read_assignment(args.assignment)
    roster = read_roster(args.roster) if args.roster else Roster()
    found, ignored = find_submissions(args.submissions, assignment.name, roster)
    found, missing = _chosen(found, roster.ids, args.student)
    store = Store(args.to)
    limits = replace(sandbox.Limits(), wall=args.seconds, cpu=args.seconds * CPU_SHARE)
    # Where there is a sandbox, it is used all the same.
    unsafe = args.unsafe and (args.scheduler is not None or not sandbox.available())
    grading = Grading(assignment, store.secret, limits, unsafe=unsafe)
    options = Options(args.jobs, args.scheduler, args.force, args.quiet)
    done = Session(grading, store, options).run(found, missing)
    about = _about(args.roster, args.to)
    everybody = write_reports(args.to, about) if all_results(args.to) else []
    by_name = {graded.student: graded for graded in everybody}
    results = [by_name[name] for name in (*done.students, *missing) if name in by_name]
    _tell(args, done, results, [path.name for path in ignored], _strangers(found, roster.ids))
    return exit_code(results, list(done.failed))


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is read."""
    if args.jobs < 1:
        raise ValueError(f"--jobs must be 1 or more, not {args.jobs}")
    if not args.seconds > 0:
        raise ValueError(f"--seconds must be more than 0, not {args.seconds:g}")
    if not args.scheduler and not args.unsafe and not sandbox.available():
        raise ValueError(
            f"there is no sandbox here: {sandbox.why_not()}. A submission could read and change "
            "all that you can; if you accept that, say --unsafe"
        )


def _one_thread() -> None:
    """Leave the processors to the sandboxes: what is judged here is small."""
    import torch

    torch.set_num_threads(1)


def _chosen(
    found: list[Found], roster: Sequence[str], wanted: Sequence[str] | None
) -> tuple[list[Found], list[str]]:
    """Return the submissions to be graded, and who handed in nothing.

    Raises
    ------
    ValueError
        If a student was asked for who has no submission.
    """
    names = {one.student for one in found}
    if wanted:
        unknown = [student for student in wanted if student not in names]
        if unknown:
            raise ValueError(f"--student: there is no submission of {', '.join(unknown)}")
        return [one for one in found if one.student in wanted], []
    listed = roster or [one.student for one in found]  # who may be missed
    found = [one for one in found if not one.absent]
    names = {one.student for one in found}
    return found, [student for student in listed if student not in names]


def _strangers(found: Sequence[Found], roster: Sequence[str]) -> list[str]:
    return [one.student for one in found if one.student not in roster] if roster else []


def _tell(
    args: argparse.Namespace,
    done: Done,
    results: Sequence[Graded],
    ignored: Sequence[str],
    strangers: Sequence[str],
) -> None:
    """Print the table and all that somebody has to know."""
    if not args.quiet:
        print(table(results))
    for student, why in done.failed.items():
        print(in_a_line(f"not graded: {student}: {why}"), file=sys.stderr)
    for names, text in ((ignored, "no notebook, not read"), (strangers, "not on the roster")):
        if names:
            print(in_a_line(f"{text}: {', '.join(names)}"), file=sys.stderr)
    doubtful = [graded.student for graded in results if exit_code([graded], [])]
    if args.quiet:
        if doubtful:
            print(in_a_line(f"{len(doubtful)} need a look: {', '.join(doubtful)}"))
        return
    look = len(doubtful)
    absent = sum(graded.status == NOTHING for graded in results)
    print(
        f"{done.graded} graded now, {done.kept} before, {look} need a look, "
        f"{absent} handed in nothing; report: {args.to / PAGE}"
    )


def _about(class_list: Path | None, marks: Path) -> About:
    """Return the columns of the class list; it is kept beside the marks, for the next time."""
    kept = marks / CLASS
    if class_list is not None and marks.is_dir():
        read_roster(class_list)  # or say what is wrong with it
        write_atomic(kept, class_list.read_bytes())
    return read_roster(kept).about if kept.is_file() else {}


def report(args: argparse.Namespace) -> int:
    """Write the reports again, from what is graded and what was entered by hand."""
    folder: Path = args.marks
    results = write_reports(folder, _about(args.roster, folder))
    print(table(results))
    print(f"report: {folder / PAGE}")
    return exit_code(results, [])
