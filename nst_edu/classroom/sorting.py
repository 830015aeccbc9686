"""Choose one notebook for each student of all that arrived."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nst_edu.classroom.arrivals import Arrival
from nst_edu.classroom.placing import MISSING, SAME_TIME, Report, Row, put
from nst_edu.classroom.reading import Problem, UnreadableError
from nst_edu.classroom.roster import Roster, spelling
from nst_edu.classroom.senders import common_depth, folder_name, names_of, own_name

__all__ = ["Report", "Row", "Sorter"]


@dataclass
class Sorter:
    """Collects arrivals by student, then writes."""

    assignment: str
    to: Path
    roster: Roster
    problems: list[Problem] = field(default_factory=list)
    arrived: dict[str, list[Arrival]] = field(default_factory=dict)

    def add(self, source: Path, arrivals: Sequence[Arrival], problems: Sequence[Problem]) -> None:
        """Take in what was found in one place."""
        self.problems += problems
        depth = common_depth(arrivals)
        for arrival in arrivals:
            names = names_of(arrival, self.assignment, depth)
            if not names and len(arrivals) == 1 and len(arrival.parts) == 1 and source.is_dir():
                names = (source.resolve().name,)  # the student's own folder was given
            if names:
                self.arrived.setdefault(self._id_of(names), []).append(arrival)
            else:
                text = f"{arrival.origin}: its name does not say whose it is."
                advice = f"Call it <student>_{self.assignment}.ipynb"
                self._say("whose", f"{text} {advice}, or put it into a folder <student>.")

    def _id_of(self, names: Sequence[str]) -> str:
        """Return the id in the class list, else the likeliest name."""
        if not self.roster.ids:
            return names[0]
        found = self.roster.find(names)
        if found is not None:
            return found
        shared = any(spelling(name) in self.roster.ambiguous for name in names)
        why = "fits several students of" if shared else "is not in"
        self._say("not-in-roster", f"{names[0]!r} {why} the class list: sorted under that name.")
        return names[0]

    def _say(self, kind: str, text: str) -> None:
        problem = Problem(kind, text)
        if problem not in self.problems:
            self.problems.append(problem)

    def write(self) -> Report:
        """Write each student's notebook; return what became of it."""
        rows = []
        folders: dict[str, str] = {}
        for student in sorted(self.arrived):
            folder = folder_name(student)
            other = folders.setdefault(folder.casefold(), student)
            if other != student:
                self._say("same-folder", f"{student!r} and {other!r} would share a folder.")
                rows.append(Row(student, "refused", note=f"would share a folder with {other!r}"))
                continue
            rows.append(self._place(student, folder))
        gone = [student for student in self.roster.ids if student not in self.arrived]
        rows += [Row(student, MISSING) for student in gone]
        return Report(tuple(rows), tuple(self.problems))

    def _place(self, student: str, folder: str) -> Row:
        """Write the notebook of one student."""
        chosen = self._chosen(student)
        if chosen is None:
            return Row(student, "refused", note="several notebooks, see below")
        path = self.to / folder / self.assignment / f"{self.assignment}.ipynb"
        try:
            data = chosen.read()
            state = put(path, data, chosen.modified)
        except UnreadableError as error:
            self._say(error.problem.kind, f"{student}: {chosen.origin}: {error}")
            return Row(student, "refused", chosen.modified, str(error))
        note = chosen.origin
        if state == "kept":
            note = f"the one in {self.to.name}/ is newer than {chosen.origin}"
        others = len(self.arrived[student]) - 1
        return Row(
            student, state, chosen.modified, note + f" (latest of {others + 1})" * (others > 0)
        )

    def _chosen(self, student: str) -> Arrival | None:
        """Return the latest notebook with the assignment's name, or the only one."""
        arrived = self.arrived[student]
        wanted = _letters(self.assignment)
        named = [one for one in arrived if wanted in _letters(own_name(one))]
        names = {own_name(one) for one in arrived}
        if not named and len(names) > 1:
            few = ", ".join(sorted(names)[:5])
            text = f"{student}: {len(names)} notebooks, and none is called {self.assignment}: {few}"
            self._say("several", f"{text}. Collect the right one alone.")
            return None
        latest = sorted(named or arrived, key=lambda one: (-one.modified, one.origin))
        rivals = [one for one in latest if latest[0].modified - one.modified < SAME_TIME]
        if len(rivals) > 1 and _differ(rivals):
            text = f"{student}: {len(rivals)} different notebooks have the same time"
            self._say("same-time", f"{text}; {latest[0].origin} was taken. Look at the others.")
        return latest[0]


def _differ(rivals: Sequence[Arrival]) -> bool:
    """Tell whether notebooks say different things."""
    try:
        return len({one.read() for one in rivals}) > 1
    except UnreadableError:
        return True


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
