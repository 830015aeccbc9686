"""Compare what calls led to: errors, values, changed arguments, gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from nst_edu.exercises.comparing import Difference, compare
from nst_edu.exercises.running import Outcome

GRADIENT_TOLERANCE = 10  # times that of the values: errors add up on the way back


class Tolerant(Protocol):
    """An exercise, as far as this module needs to know it."""

    @property
    def rtol(self) -> float | None:
        """Relative tolerance."""


def differing(
    exercise: Tolerant, expected: Sequence[Outcome], outcomes: Sequence[Outcome]
) -> list[Difference | None]:
    """Return for each outcome how it differs from the expected one; None if it does not."""
    pairs = zip(expected, outcomes, strict=False)
    return [difference(right, ours, exercise.rtol) for right, ours in pairs]


def difference(right: Outcome, ours: Outcome, rtol: float | None = None) -> Difference | None:
    """Return how an outcome differs from the right one, the gravest difference first."""
    if right.error is not None or ours.error is not None:
        return _errors(right, ours)
    found = _changes(right, ours, rtol)
    if ours.value is None and right.value is not None:
        return found or Difference("returned-none", "The result is None.")
    value = compare(right.value, ours.value, rtol=rtol)
    if value is not None and value.kind != "wrong-value":
        return value
    return found or value or _gradients(right, ours, rtol)


def _errors(right: Outcome, ours: Outcome) -> Difference | None:
    if ours.error is None:
        kind = type(right.error).__name__
        return Difference("did-not-raise", f"An error ({kind}) is needed here, and none came.")
    if right.error is not None and isinstance(ours.error, type(right.error)):
        return None
    return Difference("raised", type(ours.error).__name__)


def _changes(right: Outcome, ours: Outcome, rtol: float | None) -> Difference | None:
    """Compare what the call left in its arguments."""
    for position in ours.changed:
        if position not in right.changed:
            return Difference("changed-input", str(position))
    for position in right.changed:
        found = compare(right.left[position], ours.left[position], rtol=rtol)
        if found is not None:
            return Difference("wrong-value", f"In the changed argument: {found.detail}")
    return None


def _gradients(right: Outcome, ours: Outcome, rtol: float | None) -> Difference | None:
    """Compare the gradients; the detail of a difference is the position of the argument."""
    if right.gradients is None or ours.gradients is None or right.backward_error is not None:
        return None
    if ours.backward_error is not None:
        return Difference("wrong-gradient", "")
    if right.attached != ours.attached:
        return Difference("detached" if right.attached else "attached", "")
    triples = zip(ours.sources, right.gradients, ours.gradients, strict=True)
    for position, expected, got in triples:
        model = got if expected is None else expected
        if model is None:
            continue
        wanted, found = (torch.zeros_like(model) if g is None else g for g in (expected, got))
        if _gradient(wanted, found, None if rtol is None else GRADIENT_TOLERANCE * rtol):
            return Difference(_kind_of_gradient(wanted, found), str(position))
    return None


def _kind_of_gradient(wanted: torch.Tensor, found: torch.Tensor) -> str:
    if not wanted.any():
        return "attached"
    return "wrong-gradient" if found.any() else "detached"


def _gradient(
    wanted: torch.Tensor, found: torch.Tensor, tolerance: float | None
) -> Difference | None:
    if tolerance is None:
        tolerance = GRADIENT_TOLERANCE * (1e-4 if wanted.dtype == torch.float32 else 1e-6)
    return compare(wanted, found, rtol=tolerance)


def same_mistake(
    exercise: Tolerant,
    expected: Sequence[Outcome],
    wrong: Sequence[Outcome],
    ours: Sequence[Outcome],
) -> bool:
    """Tell whether `ours` equals `wrong` in all cases in which `wrong` differs from the reference.

    There must be such a case.
    """
    if len(ours) < len(expected):
        return False
    rtol = exercise.rtol
    telling = [
        (found, theirs, mine)
        for right, theirs, mine in zip(expected, wrong, ours, strict=False)
        if (found := difference(right, theirs, rtol)) is not None
    ]
    return bool(telling) and all(_alike(found.kind, a, b, rtol) for found, a, b in telling)


def _alike(kind: str, theirs: Outcome, mine: Outcome, rtol: float | None) -> bool:
    """Tell whether two outcomes agree in what makes the first of them wrong."""
    if theirs.error is not None or mine.error is not None:
        return type(theirs.error) is type(mine.error)
    if kind == "changed-input":
        return theirs.changed == mine.changed
    if kind in ("wrong-gradient", "detached", "attached"):
        return difference(theirs, mine, rtol) is None and theirs.attached == mine.attached
    if kind in ("returned-none", "did-not-raise"):
        return (theirs.value is None) == (mine.value is None)
    if theirs.changed and difference_of_left(theirs, mine, rtol):
        return False
    return compare(theirs.value, mine.value, rtol=rtol, dtype=kind == "wrong-dtype") is None


def difference_of_left(theirs: Outcome, mine: Outcome, rtol: float | None) -> bool:
    """Tell whether two calls left different things in their arguments."""
    return any(
        compare(theirs.left[position], mine.left[position], rtol=rtol) is not None
        for position in theirs.changed
    )
