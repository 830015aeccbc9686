"""Call a function on copies of its arguments, and record all that can be seen of the call."""

from __future__ import annotations

import contextlib
import random
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst_edu.exercises.comparing import compare
from nst_edu.exercises.copying import comparable, copied, detached, tensors_in
from nst_edu.exercises.limits import TimeIsUp, finishes, quiet

EXACT = 0.0


@dataclass(frozen=True)
class Outcome:
    """What one call led to.

    Attributes
    ----------
    arguments
        The arguments as they were before the call.
    value
        What was returned; its tensors are detached copies.
    error
        What was raised in place of that.
    left
        The arguments after the call.
    changed
        Positions of the arguments that the call changed.
    gradients
        Of a fixed random projection of `value`, for each floating-point tensor of the arguments;
        None for a tensor that `value` does not depend on. None as a whole: not asked for.
    sources
        The position of the argument to which each gradient belongs.
    backward_error
        What was raised by the backward pass.
    attached
        Whether `value` knows where it comes from.
    """

    arguments: tuple[Any, ...]
    value: Any = None
    error: BaseException | None = None
    left: tuple[Any, ...] = ()
    changed: tuple[int, ...] = ()
    gradients: tuple[Tensor | None, ...] | None = None
    sources: tuple[int, ...] = ()
    backward_error: BaseException | None = None
    attached: bool = False


@dataclass
class Run:
    """All calls of a check.

    Attributes
    ----------
    outcomes
        One for each call that came to an end.
    too_slow
        Whether the last one was stopped.
    printed, lines
        What they printed, shortened, and how many lines it had.
    failure
        An error of the check itself.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    too_slow: bool = False
    printed: str = ""
    lines: int = 0
    failure: Exception | None = None


def run_all(
    function: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    differentiate: Callable[[int], bool],
) -> Run:
    """Call a learner's `function` on each case, within the time limit for all of them."""
    run = Run()

    def work() -> None:
        try:
            for arguments in cases:
                outcomes.append(call(function, arguments, differentiate))
        except Exception as error:
            run.failure = error

    outcomes: list[Outcome] = []
    with quiet() as printed:
        run.too_slow = not finishes(work)
    run.outcomes = list(outcomes)  # a function that did not stop may still add to the other
    run.printed, run.lines = printed.summary(), printed.lines
    if run.failure is not None:
        raise run.failure
    return run


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    differentiate: Callable[[int], bool] = lambda position: False,
) -> Outcome:
    """Call `function` once on copies of `arguments`; never raise what it raises.

    Parameters
    ----------
    differentiate
        Tells for the position of an argument whether its tensors take gradients.
    """
    leaves: list[Tensor] = []
    sources: list[int] = []
    given = []
    for position, argument in enumerate(arguments):
        given.append(copied(argument, leaves if differentiate(position) else None))
        sources += [position] * (len(leaves) - len(sources))
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    try:
        value = function(*given)
    except BaseException as error:
        if _comes_from_outside(error):
            raise
        return Outcome(arguments, error=error)
    left = detached(tuple(given))
    changed = tuple(
        position
        for position, (before, after) in enumerate(zip(arguments, left, strict=True))
        if compare(comparable(before), comparable(after), rtol=EXACT) is not None
    )
    seen = Outcome(arguments, detached(value), left=left, changed=changed, sources=tuple(sources))
    return _with_gradients(seen, value, leaves) if leaves else seen


def _with_gradients(outcome: Outcome, value: Any, leaves: list[Tensor]) -> Outcome:
    """Add the gradients of a fixed random projection of `value`."""
    outputs = [t for t in tensors_in(value) if t.requires_grad and t.is_floating_point()]
    gradients: tuple[Tensor | None, ...] = tuple(None for _ in leaves)
    if not outputs:
        return replace(outcome, gradients=gradients)
    try:
        generator = torch.Generator().manual_seed(0)
        projected = [
            (t * torch.randn(t.shape, generator=generator, dtype=torch.float64).to(t)).sum()
            for t in outputs
        ]
        total = torch.stack([p.double() for p in projected]).sum()
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    except BaseException as error:
        if _comes_from_outside(error):
            raise
        return replace(outcome, gradients=gradients, backward_error=error, attached=True)
    return replace(outcome, gradients=gradients, attached=True)


def _comes_from_outside(error: BaseException) -> bool:
    """Tell an interrupt by the learner, or by the time limit, from what a function raises."""
    if isinstance(error, KeyboardInterrupt):
        return threading.get_ident() == threading.main_thread().ident
    return isinstance(error, TimeIsUp)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let nothing that a function changes in torch, NumPy or random outlive the check."""
    dtype, state = torch.get_default_dtype(), torch.get_rng_state()
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.enable_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_rng_state(state)
        random.setstate(python)
        np.random.set_state(numpy)
