"""Compare what calls led to: errors, values, changed arguments, gradients."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nst_edu.exercises.comparing import Difference, compare
from nst_edu.exercises.numeric import NO_GRADIENT
from nst_edu.exercises.remote import error_name, is_a, same_type
from nst_edu.exercises.running import Outcome

GRADIENT_TOLERANCE = 10  # times that of the values: errors add up on the way back


class Tolerant(Protocol):
    """An exercise, as far as this module needs to know it."""

    @property
    def rtol(self) -> float | None:
        """Relative tolerance."""


def as_tensors(expected: Sequence[Outcome], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with a tensor for each plain number that is as good as one.

    That is so where a tensor of one number is needed, and no gradient is asked for.
    """
    beyond = outcomes[len(expected) :]
    pairs = zip(expected, outcomes, strict=False)
    return [*(_as_tensor(right, ours) for right, ours in pairs), *beyond]


def _as_tensor(right: Outcome, ours: Outcome) -> Outcome:
    wanted = right.value
    single = isinstance(wanted, Tensor) and wanted.ndim == 0 and wanted.is_floating_point()
    if not single or right.gradients is not None or not _is_number(ours.value):
        return ours
    return replace(ours, value=torch.tensor(float(ours.value), dtype=wanted.dtype))


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iuf"
    real = isinstance(value, (numbers.Real, np.integer, np.floating))
    return real and not isinstance(value, bool)


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
    if value is not None and right.gradients is None:  # nobody asked for one
        value = replace(value, detail=value.detail.removesuffix(f" {NO_GRADIENT}"))
    if value is not None and value.kind not in ("wrong-value", "wrong-dtype"):
        return value
    return found or value or _gradients(right, ours, rtol)


def _errors(right: Outcome, ours: Outcome) -> Difference | None:
    if ours.error is None:
        kind = type(right.error).__name__
        return Difference("did-not-raise", f"An error ({kind}) is needed here, and none came.")
    if right.error is not None and is_a(ours.error, type(right.error)):
        return None
    return Difference("raised", error_name(ours.error))


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
    if right.gradients is None or right.backward_error is not None:
        return None
    # What comes from another process may lack what was asked for: that is no right answer.
    lacking = ours.gradients is None or len(ours.gradients) != len(right.gradients)
    if ours.gradients is None or lacking or ours.backward_error is not None:
        return Difference("wrong-gradient", "")
    if right.attached != ours.attached:
        return Difference("detached" if right.attached else "attached", "")
    triples = zip(right.sources, right.gradients, ours.gradients, strict=True)
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

    There must be such a case. If all that `wrong` does there is to raise, many others do that, too:
    then `ours` has to be right in all other cases, as `wrong` is.
    """
    if len(ours) < len(expected):
        return False
    rtol = exercise.rtol
    triples = list(zip(expected, wrong, ours, strict=False))
    found = [difference(right, theirs, rtol) for right, theirs, _ in triples]
    kinds = {f.kind for f in found if f is not None}
    if not kinds:
        return False
    return all(
        _alike(f.kind, theirs, mine, rtol)
        if f is not None
        else kinds != {"raised"} or _right(right, mine, rtol)
        for f, (right, theirs, mine) in zip(found, triples, strict=True)
    )


def _right(right: Outcome, mine: Outcome, rtol: float | None) -> bool:
    """Tell whether an outcome is right but for the dtype."""
    found = difference(right, mine, rtol)
    return found is None or found.kind == "wrong-dtype"


def _alike(kind: str, theirs: Outcome, mine: Outcome, rtol: float | None) -> bool:
    """Tell whether two outcomes agree in what makes the first of them wrong."""
    if theirs.error is not None or mine.error is not None:
        return same_type(theirs.error, mine.error)
    if kind == "changed-input":
        return theirs.changed == mine.changed
    if kind in ("wrong-gradient", "detached", "attached"):
        apart = (
            compare(theirs.value, mine.value, rtol=rtol, dtype=False)
            or _changes(theirs, mine, rtol)
            or _gradients(theirs, mine, rtol)
        )
        return apart is None and theirs.attached == mine.attached
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
