"""Find in a student's notebook what is no answer: test cells, and cells that were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nst_edu.classroom.cells import ANSWER, GIVEN, QUESTION, TEST, Slot
from nst_edu.classroom.raw_cells import RawCell
from nst_edu.classroom.reading import Problem
from nst_edu.classroom.regions import tidied


@dataclass
class Match:
    """Which cell is which.

    Attributes
    ----------
    answers
        grade_id of an answer → ids of the cells that hold it, in order; empty if there is none.
    roles, stubs
        grade_id of an answer → its role, and what students got.
    tests
        Ids of test cells: they are not used.
    given
        Id of a cell that nobody changes → the assignment's.
    put_back
        Place among the student's cells → given cells that were deleted there.
    problems
        What a teacher should know.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    stubs: dict[str, str] = field(default_factory=dict)
    tests: set[str] = field(default_factory=set)
    given: dict[str, Slot] = field(default_factory=dict)
    put_back: dict[int, list[Slot]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def say(self, kind: str, text: str) -> None:
        """Note a problem that is not fatal."""
        self.problems.append(Problem(kind, text))


def match_tests(raw: Sequence[RawCell], slots: Sequence[Slot], match: Match) -> None:
    """Leave test cells out: the untouched ones, and changed ones with a test's grade_id.

    A changed one stays if there is an untouched one beside it (so it was copied, or split off), or
    if it defines what no other cell defines (merged with the answer, or written into the test).
    """
    tests = {slot.grade_id: tidied(slot.source) for slot in slots if slot.role == TEST}
    untouched = {cell.id for cell in raw if cell.kind == "code" and cell.tidy in tests.values()}
    there = {cell.tidy for cell in raw if cell.id in untouched}
    match.tests |= untouched
    suspects = [c for c in raw if c.grade_id in tests and c.id not in untouched and c.source]
    changed = [cell for cell in suspects if tests[cell.grade_id or ""] not in there]
    wanted = {name for slot in slots if slot.role == ANSWER for name in slot.names}
    ids = {cell.id for cell in changed}
    wanted -= {name for cell in raw if cell.id not in ids for name in cell.names}
    for cell in changed:
        if only_here := sorted(wanted & cell.names):
            wanted -= cell.names
            text = f"{_which(cell)} defines {only_here[0]}: it was taken as an answer, not as a"
            match.say("answer-in-test", f"{text} test.")
        else:
            match.tests.add(cell.id)
    left_out = {cell.grade_id: cell for cell in reversed(changed) if cell.id in match.tests}
    for cell in left_out.values():
        text = f"{_which(cell)} was changed. It is not used: the marks come from our own tests."
        match.say("changed-test", text)


def _which(cell: RawCell) -> str:
    return f"The test cell {cell.grade_id} (cell {cell.number})"


def match_given(raw: Sequence[RawCell], slots: Sequence[Slot], match: Match) -> None:
    """Find the cells that nobody was to change; the teacher's text is used in their place."""
    for slot in slots:
        if slot.role in (GIVEN, QUESTION):
            _find_given(raw, slot, match)
    _put_missing_back(raw, slots, match)


def _find_given(raw: Sequence[RawCell], slot: Slot, match: Match) -> None:
    """Find one given cell: best by both text and grade_id, then by text, then by grade_id."""
    tidy = tidied(slot.source)
    candidates = [
        (cell.kind == slot.kind and cell.tidy == tidy, cell.grade_id == slot.grade_id, cell)
        for cell in raw
        if cell.id not in match.given and cell.id not in match.tests
    ]
    best = max(candidates, key=lambda found: found[:2], default=(False, False, None))
    exact, by_id, cell = best
    if cell is None or not (exact or by_id):
        return
    match.given[cell.id] = slot
    if not exact and slot.kind == "code":
        text = f"Cell {cell.number} ({slot.grade_id}) was changed, though it is not an answer"
        match.say("changed-given", f"{text}. The original was executed.")


def _put_missing_back(raw: Sequence[RawCell], slots: Sequence[Slot], match: Match) -> None:
    """Put code that was given and then deleted behind the last cell that stood above it."""
    place_of: dict[str, int] = {}
    for place, cell in enumerate(raw, 1):
        known = match.given[cell.id].grade_id if cell.id in match.given else cell.grade_id
        if known:
            place_of[known] = place
    found = {slot.grade_id for slot in match.given.values()}
    place = 0
    for slot in slots:
        place = place_of.get(slot.grade_id, place)
        if slot.role == GIVEN and slot.kind == "code" and slot.grade_id not in found:
            match.put_back.setdefault(place, []).append(slot)
            text = f"The given cell {slot.grade_id} was missing. It was put back."
            match.say("missing-given", text)
