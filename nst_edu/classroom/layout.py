"""Find the submissions in a folder: one folder for each student, or one file for each."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from nst_edu.classroom.reading import shown
from nst_edu.classroom.roster import Roster

OURS = ("release.json", "manifest.json")  # lie beside notebooks and are none


@dataclass(frozen=True)
class Found:
    """The files of one student.

    Attributes
    ----------
    paths
        One if all is well. None: the student's folder holds no notebook. Several: a person has to
        choose.
    absent
        The folder holds nothing, or only folders of other assignments.
    """

    student: str
    paths: tuple[Path, ...]
    absent: bool = False


def find_submissions(
    folder: Path, assignment: str, roster: Roster | None = None
) -> tuple[list[Found], list[Path]]:
    """Return the submissions of each student, and the files that are none.

    Parameters
    ----------
    folder
        ``<student>/[<assignment>/]<anything>.ipynb`` or ``<anything>.ipynb``, or both mixed.
    assignment
        Its name is taken out of a file's name to get the student's.
    roster
        If a folder or file has another of a student's names than the id, the id counts.

    Raises
    ------
    ValueError
        If there is no such folder, or there is no class list and nobody handed in this assignment.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: give the one with the submissions")
    known = roster or Roster()
    found: dict[str, list[Path]] = {}
    files: set[str] = set()  # students of whom something lies here, whatever it is
    ignored: list[Path] = []

    def add(name: str, *paths: Path, absent: bool = False) -> None:
        student = known.find([name]) or name
        found.setdefault(student, []).extend(paths)
        if not absent:
            files.add(student)

    for entry in _visible(folder):
        if _is_notebook(entry.name):
            add(student_of(entry.name, assignment), Path(entry.path))
        elif entry.is_symlink() and Path(entry.path).is_dir():
            # Who can put a link here could have another student's work graded: say so.
            add(_normal(entry.name), Path(entry.path))
        elif entry.is_dir():
            notebooks, empty = _in_folder(entry, assignment)
            add(_normal(entry.name), *notebooks, absent=empty)
        elif entry.name not in OURS:
            ignored.append(Path(entry.path))
    students = [
        Found(name, tuple(paths), absent=name not in files) for name, paths in sorted(found.items())
    ]
    if not known.ids and all(one.absent for one in students):
        raise ValueError(_nothing_in(folder, assignment))
    return students, ignored


def _nothing_in(folder: Path, assignment: str) -> str:
    """Say that nobody handed in an assignment, and which others there are."""
    inside = [one for up in _visible(folder) if up.is_dir() for one in _visible(up.path)]
    others = sorted({one.name for one in inside if one.is_dir(follow_symlinks=False)})
    text = f"SUBMISSIONS holds no notebooks: {folder} has none of {assignment!r}"
    if not others:
        return f"{text}: expected <student>/<name>.ipynb or <student>.ipynb"
    few = ", ".join(map(shown, others[:5])) + ", …" * (len(others) > 5)
    return f"{text}; its folders hold {few}. Are the folder and --assignment right?"


def _visible(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, sorted; without what editors and archives leave behind."""
    with os.scandir(folder) as entries:
        kept = [e for e in entries if not e.name.startswith(".") and e.name != "__MACOSX"]
    return sorted(kept, key=lambda entry: entry.name)


def _in_folder(entry: os.DirEntry[str], assignment: str) -> tuple[list[Path], bool]:
    """Return the notebooks in a student's folder, and whether nothing but folders is in it.

    The notebook with the assignment's name wins.
    """
    inside = _visible(entry.path)
    empty = all(one.is_dir(follow_symlinks=False) and one.name != assignment for one in inside)
    for one in inside:
        if one.name == assignment and one.is_dir(follow_symlinks=False):
            inside = _visible(one.path)
            break
    notebooks = [one for one in inside if _is_notebook(one.name)]
    named = [one for one in notebooks if one.name == f"{assignment}.ipynb"]
    return [Path(one.path) for one in named or notebooks], empty


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _normal(name: str) -> str:
    """Return one spelling of letters with accents: macOS stores another one than Linux."""
    return unicodedata.normalize("NFC", name)


def student_of(name: str, assignment: str) -> str:
    """Return the student's id in a file's name.

    Examples
    --------
    >>> student_of("gram_amina.ipynb", "gram"), student_of("li-wei-Gram.ipynb", "gram")
    ('amina', 'li-wei')
    >>> student_of("programmer7.ipynb", "gram"), student_of("gram.ipynb", "gram")
    ('programmer7', 'gram')
    """
    stem = _normal(name)[: -len(".ipynb")]
    word = rf"(?<![^\W_]){re.escape(assignment)}(?![^\W_])"
    return re.sub(word, "", stem, count=1, flags=re.IGNORECASE).strip(" _-.") or stem
