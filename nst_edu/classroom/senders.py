"""Whose a file is, by the names that learning platforms give to folders and files."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

from nst_edu.classroom.archives import Arrival
from nst_edu.classroom.layout import student_of

MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)")
CANVAS = re.compile(r"(?P<name>[^\W_]+)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)")
UNSAFE = re.compile(r"[^\w.@+-]+")
LONGEST = 80  # characters of a folder's name


def names_of(arrival: Arrival, assignment: str, depth: int = 0) -> tuple[str, ...]:
    """Return the names under which the sender may be in a class list, the likeliest first.

    Parameters
    ----------
    arrival
        What was found.
    assignment
        Its name.
    depth
        How many folders at the top say nothing, because they are the same for all.

    Examples
    --------
    >>> def find(*parts): return names_of(Arrival(parts, "", 0.0, bytes), "gram")
    >>> find("Jane Doe_12345_assignsubmission_file_gram.ipynb")
    ('Jane Doe', '12345')
    >>> find("gram-submissions", "gram-jdoe", "work.ipynb"), find("jdoe", "gram", "gram.ipynb")
    (('jdoe',), ('jdoe',))
    >>> find("doejane_77_88_gram-1.ipynb"), find("jdoe", "work.ipynb"), find("gram_jdoe.ipynb")
    (('doejane', '77'), ('jdoe',), ('jdoe',))
    >>> find("gram.ipynb")
    ()
    """
    for part in arrival.parts:
        if (found := MOODLE.fullmatch(part)) is not None:
            return found["name"], found["number"]
    folders = arrival.parts[:-1]
    student = _by_assignment_folder(folders, assignment) or _by_repository(
        folders[depth:], assignment
    )
    if student:
        return (student,)
    own = [part for part in folders[depth:] if part.casefold() != assignment.casefold()]
    return _by_label(own[0] if own else arrival.name.rpartition(".")[0], assignment)


def _by_assignment_folder(folders: Sequence[str], assignment: str) -> str | None:
    """Return STUDENT in ``STUDENT/ASSIGNMENT/``, as nbgrader sorts them."""
    for above, folder in itertools.pairwise(folders):
        if folder.casefold() == assignment.casefold():
            return above
    return None


def _by_repository(folders: Sequence[str], assignment: str) -> str | None:
    """Return LOGIN in ``ASSIGNMENT-LOGIN/``, as GitHub Classroom names its repositories."""
    start = re.sub(r"[\W_]+", "-", assignment).casefold() + "-"
    top = next((f for f in folders if not f.casefold().endswith("-submissions")), "")
    return top[len(start) :] or None if top.casefold().startswith(start) else None


def _by_label(label: str, assignment: str) -> tuple[str, ...]:
    """Return the sender in the name of a folder, or of a file without its ending."""
    if (found := CANVAS.fullmatch(label)) is not None:
        return found["name"], found["number"]
    student = student_of(f"{label}.ipynb", assignment)
    return () if student.casefold() == assignment.casefold() else (student,)


def own_name(arrival: Arrival) -> str:
    """Return the name that the student gave to the file, without what a platform put before it."""
    for form in (MOODLE, CANVAS):
        if (found := form.fullmatch(arrival.name)) is not None and found["file"]:
            return found["file"]
    return arrival.name


def common_depth(arrivals: Sequence[Arrival]) -> int:
    """Return how many folders at the top are the same for all, and above the students' own."""
    depth = 0
    while True:
        inner = [a.parts[: depth + 2] for a in arrivals if len(a.parts) > depth + 2]
        same = len({parts[: depth + 1] for parts in inner}) == 1
        if len(inner) < len(arrivals) or not same or len({parts[-1] for parts in inner}) < 2:
            return depth
        depth += 1


def folder_name(student: str) -> str:
    """Return a folder's name for a student's id that is one folder, on any system.

    Examples
    --------
    >>> folder_name("Jane Doe"), folder_name("../../etc"), folder_name("Zoë")
    ('Jane_Doe', '_.._etc', 'Zoë')
    """
    text = UNSAFE.sub("_", unicodedata.normalize("NFC", student).strip())
    return text.lstrip(".-")[:LONGEST].rstrip(".") or "_"
