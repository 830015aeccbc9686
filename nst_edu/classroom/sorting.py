"""Sort all that arrived by student, and write one notebook for each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nst_edu.classroom.arrivals import Arrival
from nst_edu.classroom.choosing import (
    differ,
    is_called,
    latest_first,
    named_after_senders,
    rivals_of,
)
from nst_edu.classroom.depth import common_depth
from nst_edu.classroom.placing import MISSING, Report, Row, put
from nst_edu.classroom.reading import Problem, UnreadableError
from nst_edu.classroom.roster import Roster
from nst_edu.classroom.senders import Sender, folder_name, sender_of
from nst_edu.classroom.unwrapping import Budget, unwrapped

__all__ = ["Report", "Row", "Sorter"]


@dataclass
class Sorter:
    """Collects arrivals by student and sender, then writes."""

    assignment: str
    to: Path
    roster: Roster
    problems: list[Problem] = field(default_factory=list)
    arrived: dict[str, dict[str, list[Arrival]]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, source: Path, arrivals: Sequence[Arrival], problems: Sequence[Problem]) -> None:
        """Take in what was found in one place."""
        self.problems += problems
        now = time.time()
        depth = common_depth([one.parts for one in arrivals], self.assignment, self._is_known)
        if depth > 0:
            above = "/".join(arrivals[0].parts[:depth])
            self.remarks.append(f"{above}/ was taken for the folder of the class")
        alone = source if source.is_dir() and len(arrivals) == 1 else None
        for arrival in arrivals:
            try:
                sender = self._sender_of(arrival, depth, alone)
                student = self._id_of(sender.names)
            except UnreadableError as error:
                where = "/".join(arrival.parts[: depth + 1])  # one problem for all that is in it
                advice = f"Call it <student>_{self.assignment}.ipynb, or put it into a folder"
                self._say(error.problem.kind, f"{where}: {error} {advice} <student>.")
                continue
            when = min(arrival.modified, now)  # a date in the future would beat all that follow
            mine = replace(arrival, parts=sender.below, modified=when, claimed=when)
            self.arrived.setdefault(student, {}).setdefault(sender.label, []).append(mine)

    def _sender_of(self, arrival: Arrival, depth: int, alone: Path | None) -> Sender:
        """Return who sent something; `alone` is the folder given as FROM, if it holds no other."""
        sender = sender_of(arrival.parts, self.assignment, depth)
        if sender is None and alone is not None and len(arrival.parts) == 1:
            name = alone.resolve().name  # the student's own folder was given
            return Sender((name,), name, arrival.parts)
        if sender is None:
            raise UnreadableError("whose", "Its name does not say whose it is.")
        return sender

    def _is_known(self, folder: str) -> bool:
        """Tell whether a folder is that of somebody in the class list."""
        sender = sender_of((folder, ""), self.assignment)
        return sender is not None and bool(self.roster.fitting(sender.names))

    def _id_of(self, names: Sequence[str]) -> str:
        """Return the id in the class list that fits all names, else the likeliest name."""
        found = self.roster.find(names)
        if found is not None or not self.roster.ids:
            return found or names[0]
        fitting = self.roster.fitting(names)
        if fitting and not set.intersection(*fitting):
            ids = " and ".join(repr(min(students)) for students in fitting)
            text = f"Its names {', '.join(map(repr, names))} belong to {ids}"
            raise UnreadableError("conflict", f"{text}: sorted under none.")
        why = "fits several students of" if fitting else "is not in"
        self._say("not-in-roster", f"{names[0]!r} {why} the class list: sorted under that name.")
        return names[0]

    def _say(self, kind: str, text: str) -> None:
        self.problems.append(Problem(kind, text))

    def write(self) -> Report:
        """Write each student's notebook; return what became of it."""
        owners = self._owners()
        rows = [self._row(student, owners) for student in sorted(self.arrived)]
        rest = [one for one in self.roster.ids if one not in self.arrived]
        rows += [self._row_from_before(one, owners) for one in rest]
        remarks = (*self.remarks, *self._other_assignment())
        return Report(tuple(rows), tuple(dict.fromkeys(self.problems)), remarks)

    def _other_assignment(self) -> list[str]:
        """Ask whether the assignment's name is right if nobody's notebook has it."""
        senders = [pair for mine in self.arrived.values() for pair in mine.items()]
        names = [{one.name for one in found if one.name.endswith(".ipynb")} for _, found in senders]
        common = Counter(name for mine in names for name in mine).most_common(1)
        named = any(is_called(name, self.assignment) for mine in names for name in mine)
        if len(names) < 2 or named or named_after_senders(senders):
            return []
        most = f" Most are called {common[0][0]!r}." if common and common[0][1] > 1 else ""
        return [f"No notebook is called {self.assignment!r}.{most} Is --assignment right?"]

    def _owners(self) -> dict[str, set[str]]:
        """Return whose each folder is, as a disk sees it that takes a and A for the same."""
        owners: dict[str, set[str]] = {}
        students = {*self.arrived, *self.roster.ids}
        for student in students:
            owners.setdefault(folder_name(student).casefold(), set()).add(student)
        there = {one.name for one in self.to.iterdir()} if self.to.is_dir() else set()
        for name in there.difference(map(folder_name, students)):
            owners.setdefault(name.casefold(), set()).add(name)
        return owners

    def _row_from_before(self, student: str, owners: dict[str, set[str]]) -> Row:
        """Say whether something was collected before of one who sent nothing now."""
        path = self._path(student)
        sharing = owners[folder_name(student).casefold()].intersection(self.roster.ids)
        if len(sharing) > 1 or path.is_symlink() or not path.is_file():
            return Row(student, MISSING)
        return Row(student, "here", path.stat().st_mtime, "collected before")

    def _path(self, student: str) -> Path:
        """Return where a student's notebook belongs."""
        return self.to / folder_name(student) / self.assignment / f"{self.assignment}.ipynb"

    def _row(self, student: str, owners: dict[str, set[str]]) -> Row:
        """Write the notebook of one student, or say why not."""
        try:
            others = sorted(owners[folder_name(student).casefold()] - {student})
            mate = self.roster.find([folder_name(student)])  # as `grade` finds the folder's owner
            if mate is not None and student not in self.roster.ids:
                text = f"Its folder would be taken for that of {mate!r}: it was not written."
                raise UnreadableError("same-folder", f"{text} Rename it.")
            if others:
                text = f"It would share a folder with {', '.join(map(repr, others))}"
                raise UnreadableError("same-folder", f"{text}: it was not written. Rename one.")
            return self._place(student, self._only_sender(student))
        except UnreadableError as error:
            self._say(error.problem.kind, f"{student}: {error}")
            return Row(student, "refused", note=str(error))

    def _only_sender(self, student: str) -> list[Arrival]:
        """Refuse what came from two: one of them may be somebody else of the same name."""
        senders = self.arrived[student]
        if len(senders) > 1:
            first = [(label, found[0].origin) for label, found in senders.items()]
            few = "; ".join(f"{label!r}: {origin}" for label, origin in first[:5])
            text = f"{len(senders)} senders have this name ({few}): none was written."
            advice = "Collect the right one alone. Or give a class list with a column"
            advice += " of the platform's numbers (--roster): it tells them apart."
            raise UnreadableError("several-senders", f"{text} {advice}")
        return next(iter(senders.values()))

    def _place(self, student: str, arrived: Sequence[Arrival]) -> Row:
        """Write the latest notebook of one student."""
        budget = Budget()
        faults: list[Problem] = []
        found = unwrapped(arrived, budget, faults)
        self.problems += faults
        if faults and not found:
            return Row(student, "refused", note=str(faults[-1]))
        latest = latest_first(found, self.assignment)
        data = budget.read(latest[0])
        rivals = rivals_of(latest)
        note = latest[0].origin
        if differ(data, rivals, budget):
            text = f"{student}: {len(rivals) + 1} notebooks have the same time, and are not alike;"
            self._say("same-time", f"{text} {note} was taken. Look at the others.")
        state = put(self._path(student), data, latest[0].modified)
        if state == "kept":
            note = f"the one in {self.to.name}/ is newer than {note}"
        note += f" (latest of {len(found)})" * (len(found) > 1)
        return Row(student, state, latest[0].modified, note)
