"""Choose one notebook of those that one student sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from nst_edu.classroom.archives import Arrival
from nst_edu.classroom.placing import SAME_TIME
from nst_edu.classroom.reading import UnreadableError
from nst_edu.classroom.senders import person_in
from nst_edu.classroom.unwrapping import Budget

MOST_NOTEBOOKS = 20  # of one student that may be the right one


def latest_first(arrived: Sequence[Arrival], assignment: str) -> list[Arrival]:
    """Return the notebooks with the assignment's name, or all of the only name, latest first.

    Raises
    ------
    UnreadableError
        If a person has to choose.
    """
    if not arrived:
        raise UnreadableError("no-notebook", "No notebook was found in what they sent.")
    people = {person for one in arrived if (person := person_in(one.parts, assignment))}
    if len(people) > 1:
        text = f"The work of several people seems to be here: {_few(people)}."
        advice = "Give that folder or archive itself as FROM."
        raise UnreadableError("several-people", f"{text} {advice}")
    named = [one for one in arrived if is_called(one.name, assignment)]
    names = {one.name for one in arrived}
    if not named and len(names) > 1:
        text = f"{len(names)} notebooks, and none is called {assignment}: {_few(names)}."
        raise UnreadableError("several", f"{text} Collect the right one alone.")
    if len(named or arrived) > MOST_NOTEBOOKS:
        text = f"{len(named or arrived):,} notebooks; up to {MOST_NOTEBOOKS} are compared."
        raise UnreadableError("too-many", f"{text} Collect the right one alone.")
    return sorted(named or arrived, key=lambda one: (-one.modified, -one.claimed, one.origin))


def rivals_of(latest: Sequence[Arrival]) -> list[Arrival]:
    """Return those of which the times do not tell whether they are older than the first."""
    first = latest[0]
    return [
        one
        for one in latest[1:]
        if first.modified - one.modified < SAME_TIME and first.claimed - one.claimed < SAME_TIME
    ]


def differ(data: bytes, rivals: Sequence[Arrival], budget: Budget) -> bool:
    """Tell whether one says something else; it is not read further than to the first that does."""
    digest = hashlib.sha256(data).digest()  # so that only one is in memory at a time
    try:
        return any(hashlib.sha256(budget.read(one)).digest() != digest for one in rivals)
    except UnreadableError:
        return True


def _few(names: set[str]) -> str:
    return ", ".join(name[:60] for name in sorted(names)[:5])


def is_called(name: str, assignment: str) -> bool:
    """Tell whether the assignment's name is in a file's name, however it is written.

    Examples
    --------
    >>> is_called("My_Style-Loss (2).ipynb", "style loss"), is_called("work.ipynb", "gram")
    (True, False)
    """
    return _letters(assignment) in _letters(name)


def named_after_senders(senders: Sequence[tuple[str, Sequence[Arrival]]]) -> bool:
    """Tell whether every notebook has its sender's name, and no word that all have.

    Parameters
    ----------
    senders
        The label and what came.
    """
    words = []
    for label, arrived in senders:
        notebooks = [one for one in arrived if one.name.endswith(".ipynb")]
        if any(one.parts != (f"{label}.ipynb",) for one in notebooks):
            return False
        words += [set(re.findall(r"[^\W_]+", label.casefold()))] * bool(notebooks)
    return len(words) < 2 or not set.intersection(*words)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
