"""Who sent something, by the one folder or file that the learning platform named.

A student names everything below that folder, so nothing below it says whose it is.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from nst_edu.classroom.layout import student_of
from nst_edu.classroom.reading import UnreadableError, shown

# Found wherever it may begin: a display name or a file's name may hold a second one.
MOODLE = re.compile(r"(?=_(?P<number>[0-9]+)_assignsubmission_[a-z]+_?(?P<file>.*))", re.DOTALL)
CANVAS = re.compile(r"(?P<name>[^\W_]+)_(?:LATE_)?(?P<number>[0-9]+)_[0-9]+_(?P<file>.+)")
UNSAFE = re.compile(r"[^\w.@+-]+")
LONGEST = 80  # characters of a folder's name


@dataclass(frozen=True)
class Sender:
    """Who sent something.

    Attributes
    ----------
    names
        Under which the sender may be in a class list, the likeliest first.
    label
        Tells this sender from every other one of the platform, also from one of the same name.
    below
        The folders and the name that the sender gave.
    """

    names: tuple[str, ...]
    label: str
    below: tuple[str, ...]


def sender_of(parts: Sequence[str], assignment: str, depth: int = 0) -> Sender | None:
    """Return who sent a file; None if its name does not say it.

    Parameters
    ----------
    parts
        The folders and the name as the platform gave them; not those in a student's archive.
    assignment
        Its name.
    depth
        How many folders at the top are the platform's.

    Raises
    ------
    UnreadableError
        If the name can be read in several ways.

    Examples
    --------
    >>> def names(*parts, depth=0): return sender_of(parts, "gram", depth).names
    >>> names("Jane Doe_12345_assignsubmission_file_gram.ipynb"), names("doejane_77_88_gram.ipynb")
    (('Jane Doe', '12345'), ('doejane', '77'))
    >>> names("gram-submissions", "gram-jdoe", "work.ipynb", depth=1), names("jdoe", "a", "b.ipynb")
    (('jdoe',), ('jdoe',))
    >>> names("jdoe", "victim", "gram", "gram.ipynb"), names("gram_jdoe.ipynb"), names("jdoe.zip")
    (('jdoe',), ('jdoe',), ('jdoe',))
    >>> sender_of(("gram.ipynb",), "gram") is None
    True
    """
    label, below = parts[depth], tuple(parts[depth + 1 :])
    readings = readings_of(label, is_file=not below)
    if len(readings) > 1:
        who = " or ".join(shown(name) for name, *_ in readings)
        text = f"Its name can be read as that of {who}: sorted under none."
        raise UnreadableError("two-readings", text)
    for name, number, file in readings:
        return Sender((name, number), f"{name}_{number}", below or (file or label,))
    own = label if below else PurePath(label).stem
    student = (below and login_of(own, assignment)) or student_of(f"{own}.ipynb", assignment)
    if student.casefold() == assignment.casefold():
        return None
    return Sender((student,), own, below or (label,))


def readings_of(label: str, is_file: bool) -> list[tuple[str, str, str]]:
    """Return the name, the number and the student's own file in a name of Moodle or Canvas.

    Examples
    --------
    >>> readings_of("Jane_1_assignsubmission_file_Jim_2_assignsubmission_file_a.ipynb", True)[0][:2]
    ('Jane', '1')
    """
    few = itertools.islice(MOODLE.finditer(label), 3)  # a long name could hold thousands
    found = [(label[: at.start()], at["number"], at["file"]) for at in few]
    canvas = CANVAS.fullmatch(label) if is_file else None  # Canvas makes no folders
    if canvas is not None:
        found.insert(0, (canvas["name"], canvas["number"], canvas["file"]))
    return [reading for reading in found if reading[0]]


def login_of(folder: str, assignment: str) -> str | None:
    """Return LOGIN in ``ASSIGNMENT-LOGIN``, as GitHub Classroom names its repositories."""
    start = re.sub(r"[\W_]+", "-", assignment).casefold() + "-"
    login = folder[len(start) :] if folder.casefold().startswith(start) else ""
    return login if login.casefold() != "submissions" and login else None


def person_in(below: Sequence[str], assignment: str) -> str | None:
    """Return whose name a platform seems to have put somewhere below a sender's own folder.

    One such name may be a student's joke. Several mean that this is no student's folder.
    """
    for part in below:
        if readings := readings_of(part, is_file=part == below[-1]):
            return readings[0][0]
    for above, folder in itertools.pairwise(below[:-1]):
        if folder.casefold() == assignment.casefold():
            return above
    return None


def folder_name(student: str) -> str:
    """Return a folder's name for a student's id that is one folder, on any system.

    Examples
    --------
    >>> folder_name("Jane Doe"), folder_name("../../etc"), folder_name("Zoë")
    ('Jane_Doe', '_.._etc', 'Zoë')
    """
    text = UNSAFE.sub("_", unicodedata.normalize("NFC", student).strip())
    return text.lstrip(".-")[:LONGEST].rstrip(".") or "_"
