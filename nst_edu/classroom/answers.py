"""Find the answers in a student's notebook: by grade_id, by the names they define, by place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from nst_edu.classroom.cells import ANSWER, BY_HAND, Slot
from nst_edu.classroom.matching import Match, match_given, match_tests
from nst_edu.classroom.raw_cells import RawCell
from nst_edu.classroom.reading import shown
from nst_edu.classroom.regions import tidied


def match_cells(raw: Sequence[RawCell], slots: Sequence[Slot]) -> Match:
    """Find each slot of an assignment among the cells of a notebook."""
    match = Match()
    named = {cell.grade_id for cell in raw}
    stripped = not any(slot.grade_id in named for slot in slots)
    if stripped:
        text = "No cell carries nbgrader's metadata: the editor dropped it, or cells were copied"
        match.say("no-metadata", f"{text}. Answers were found by the names that they define.")
    match_tests(raw, slots, match)
    match_given(raw, slots, match)
    free = [c for c in raw if c.id not in match.tests and c.id not in match.given]
    for slot in slots:
        if slot.role in (ANSWER, BY_HAND):
            _match_answer(raw, free, slot, match, stripped)
    return match


def _match_answer(
    raw: Sequence[RawCell], free: Sequence[RawCell], slot: Slot, match: Match, stripped: bool
) -> None:
    """Find the cells of one answer.

    Parameters
    ----------
    raw, free
        All cells, and those that may be answers.
    stripped
        Whether no cell has a grade_id: then it need not be said again for each.
    """
    by_id = [cell for cell in free if cell.grade_id == slot.grade_id]
    cells = by_id if slot.role == BY_HAND else _code_only(by_id, slot, match)
    by_name = [cell for cell in free if cell.names.intersection(slot.names)]
    if not set(cells) & set(by_name):
        cells = sorted({*cells, *by_name}, key=lambda cell: cell.number)
    if not cells and slot.role == BY_HAND:
        cells = _below(raw, set(free), slot)
    match.answers[slot.grade_id] = [cell.id for cell in cells]
    match.roles[slot.grade_id], match.stubs[slot.grade_id] = slot.role, slot.source
    _say_how(slot, cells, by_id, match, stripped)


def _code_only(cells: Sequence[RawCell], slot: Slot, match: Match) -> list[RawCell]:
    """Return the cells that are still code; note the others."""
    for cell in cells:
        if cell.kind != slot.kind:
            text = f"Cell {cell.number} ({slot.grade_id}) was turned from {slot.kind} into"
            match.say("other-kind", f"{text} {cell.kind}, so it was not executed.")
    return [cell for cell in cells if cell.kind == slot.kind]


def _below(raw: Sequence[RawCell], free: set[RawCell], slot: Slot) -> list[RawCell]:
    """Return the cell below the question, for an answer in words that lost its grade_id."""
    question = tidied(slot.before)
    for above, cell in itertools.pairwise(raw):
        if question and above.tidy == question and cell in free and cell.kind == slot.kind:
            return [cell]
    return []


def _say_how(
    slot: Slot, cells: Sequence[RawCell], by_id: Sequence[RawCell], match: Match, stripped: bool
) -> None:
    """Tell the teacher what is unusual about where an answer was found."""
    if not cells:
        what = f" ({' and '.join(slot.names[:3])})" if slot.names else ""
        text = f"No cell holds the answer {slot.grade_id}{what}: deleted, or renamed."
        match.say("missing-answer", text)
    elif not by_id and not stripped:
        text = f"The answer {slot.grade_id} was found in cell {cells[0].number}"
        how = "by its place" if slot.role == BY_HAND else "by the names that it defines"
        match.say("found-by-name", f"{text} {how}: the grade_id is gone.")
    elif by_id and (elsewhere := [cell for cell in cells if cell not in by_id]):
        text = f"The answer {slot.grade_id} was found in cell {elsewhere[0].number} by the names"
        match.say("swapped-id", f"{text} that it defines; another cell has its grade_id.")
    elif len(by_id) > 1:
        numbers = ", ".join(str(cell.number) for cell in by_id[:5]) + ", …" * (len(by_id) > 5)
        text = f"{len(by_id)} cells have the grade_id {shown(slot.grade_id)} (cells {numbers}):"
        match.say("duplicate-id", f"{text} copied or split. All were executed, the last counts.")
