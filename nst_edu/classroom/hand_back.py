"""Pack the feedback pages so that Moodle gives each student the own one."""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_edu.classroom.archives import Arrival
    from nst_edu.classroom.records import Graded

DESCRIPTION = """\
Pack all feedback pages into a zip for Moodle. There, open the assignment, choose
'Upload multiple feedback files in a zip', and give it this file.

Which page is whose, Moodle's own export tells: the archive of the submissions
that you collected from. The pages show the points that you gave by hand so far.

Exit codes: 0 all pages are packed, 1 a person must look at some, 2 wrong use.
"""
# mod/assign/feedback/file/importziplib.php reads the second part; the name before it is ignored.
FOLDER = "Participant_{number}_assignsubmission_file_"


@dataclass(frozen=True)
class Packed:
    """What became of the pages.

    Attributes
    ----------
    students
        Whose page is in the zip.
    problems
        What a person must look at.
    """

    students: tuple[str, ...]
    problems: tuple[str, ...]


def pack_feedback(
    marks: Path, sources: Sequence[Path], to: Path, roster: Path | None = None
) -> Packed:
    """Write a zip with a folder for each participant and the student's feedback page in it.

    Parameters
    ----------
    marks
        The folder of ``grade --to``.
    sources
        What Moodle exported: folders or archives.
    to
        The zip; it is replaced if it exists.
    roster
        The class list; None: the one that was last given to ``grade``, if there was one.

    Raises
    ------
    ValueError
        If there are no marks, a source is missing, or `to` is no name of a zip.
    """
    from nst_edu.classroom.files import CLASS, safe_name
    from nst_edu.classroom.store import FEEDBACK

    if to.suffix.lower() != ".zip":
        raise ValueError(f"--to: expected the name of a .zip, not {to}")
    results = _results(marks)
    assignment = next(iter(results.values())).assignment
    kept = marks / CLASS if (marks / CLASS).is_file() else None
    numbers, problems = _numbers(sources, results, roster or kept)
    pages = {student: marks / safe_name(student) / FEEDBACK for student in results}
    there = [one for one in sorted(pages) if one in numbers and pages[one].is_file()]
    if not there:
        few = "\n".join(problems[:5])
        raise ValueError(f"--moodle: nothing in it fits the marks, so nothing was packed\n{few}")
    part = to.with_name(f".{to.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in there:
            folder = FOLDER.format(number=numbers[student])
            archive.write(pages[student], f"{folder}/{assignment}-{FEEDBACK}")
    part.replace(to)
    left = sorted({*results} - {*there})
    problems += [f"{one}: graded, but not packed: not in the export" for one in left]
    open_ = [student for student in there if results[student].open]
    if open_:
        problems.append(f"points are still to be given by hand: {', '.join(open_)}")
    return Packed(tuple(there), tuple(problems))


def _results(marks: Path) -> dict[str, Graded]:
    """Return what was handed in and graded, with the points given by hand; its pages show them."""
    from nst_edu.classroom.by_hand import FORM, read_entries, with_points
    from nst_edu.classroom.records import NOTHING
    from nst_edu.classroom.store import Store, all_results

    program = all_results(marks) if marks.is_dir() else []
    handed_in = [graded for graded in program if graded.status != NOTHING]
    if not handed_in:
        raise ValueError(f"{marks} holds no results: give the folder of 'grade --to'")
    entries = read_entries(marks / FORM, program)
    results = {graded.student: with_points(graded, entries) for graded in handed_in}
    store = Store(marks)
    for graded in results.values():
        store.show(graded)
    return results


def _numbers(
    sources: Sequence[Path], results: Mapping[str, Graded], roster: Path | None
) -> tuple[dict[str, str], list[str]]:
    """Return each student's number in Moodle, and what a person must look at."""
    from contextlib import ExitStack

    from nst_edu.classroom.arrivals import find_arrivals
    from nst_edu.classroom.roster import Roster, read_roster
    from nst_edu.classroom.senders import folder_name
    from nst_edu.classroom.sorting import Sorter

    assignment = next(iter(results.values())).assignment
    names = {folder_name(student): student for student in results}
    numbers: dict[str, str] = {}
    sent: dict[str, dict[str, list[Arrival]]] = {}
    with ExitStack() as opened:
        sorter = Sorter(assignment, Path(), read_roster(roster) if roster else Roster())
        for source in sources:
            sorter.add(source, *find_arrivals(source, opened))
        problems = [str(problem) for problem in sorter.problems]
        for name, senders in sorter.arrived.items():  # without a class list, Jane Doe is Jane_Doe
            sent.setdefault(names.get(folder_name(name), name), {}).update(senders)
        for student, senders in sorted(sent.items()):
            try:
                numbers[student] = _number_of(senders, results.get(student))
            except ValueError as error:
                problems.append(f"{student}: {error}: not packed")
    return numbers, problems


def _number_of(senders: Mapping[str, Sequence[Arrival]], graded: Graded | None) -> str:
    """Return the number of the one sender that a student is, if it sent what was graded."""
    from nst_edu.classroom.reading import UnreadableError
    from nst_edu.classroom.unwrapping import Budget, unwrapped

    if graded is None:
        raise ValueError("handed in, but not graded")
    if len(senders) > 1:
        raise ValueError(f"{len(senders)} senders have this name ({', '.join(senders)})")
    label, arrived = next(iter(senders.items()))
    if f"{label}_assignsubmission_" not in arrived[0].origin:
        raise ValueError(f"{arrived[0].origin} is not named as Moodle names it")
    budget = Budget()
    try:
        sent = [budget.read(one) for one in unwrapped(arrived, budget, [])]
    except UnreadableError:
        sent = []
    if not any(sha256(data).hexdigest() == graded.key.submission for data in sent):
        raise ValueError("what was graded is another notebook than the one in the export")
    return label.rpartition("_")[2]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``nst-edu classroom feedback``."""
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("marks", metavar="MARKS", type=Path, help="the folder of 'grade --to'")
    text = "the archive or folder that Moodle exported"
    add("--moodle", metavar="EXPORT", type=Path, nargs="+", required=True, help=text)
    add("--to", metavar="ZIP", type=Path, required=True, help="the zip to write")
    add("--roster", metavar="CSV", type=Path, help="the class list, if it has changed")


def run(args: argparse.Namespace) -> int:
    """Run ``nst-edu classroom feedback``; return 1 if a person must look at something."""
    from nst_edu.classroom.placing import one_line

    packed = pack_feedback(args.marks, args.moodle, args.to, args.roster)
    print(f"{len(packed.students)} pages in {args.to}")
    for problem in packed.problems:
        print(f"- {one_line(problem)}", file=sys.stderr)
    return 1 if packed.problems else 0
