"""Watch a run from outside until it ends, or end it when it passes a limit."""

from __future__ import annotations

import selectors
import time

from nst_edu.classroom import counting
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.observed import ENDING, TAIL, Run, Tail

__all__ = ["PAUSE", "TAIL", "Run", "Tail", "watch"]

PAUSE = 0.1  # s between two looks at the memory, at most; in the beginning less
CROWDED = 0.2  # of its time that a run may queue for a processor before its neighbours are blamed


def watch(run: Run, limits: Limits) -> Outcome:
    """Wait until `run` ends, or end it when it passes a limit; in any case nothing is left."""
    started = time.monotonic()
    stopped = None
    try:
        stopped = _stopped_by(run, limits, started)
    finally:
        run.end()
    while stopped != "output" and run.tail.length <= limits.output and _more(run):
        pass
    return _outcome(run, limits, stopped, time.monotonic() - started)


def _outcome(run: Run, limits: Limits, stopped: str | None, seconds: float) -> Outcome:
    """Say how a run ended that was stopped at a limit, or not."""
    code = run.code(ENDING)
    ended = stopped or ("finished" if code == 0 else "crashed")
    if ended == "crashed" and run.tally.cpu >= 0.9 * limits.cpu:
        ended = "cpu time"  # the kernel was faster
    if ended == "machine memory":
        left = counting.memory_left() / 1e6
        run.tail.add(f"\n[This machine had {left:,.0f} MB of memory left.]".encode())
    waited = ended == "wall time" and run.tally.queued > CROWDED * seconds
    return Outcome(
        ended,
        None if stopped else code,
        seconds,
        run.peak,
        run.tail.text(),
        crowded=waited or ended == "machine memory",
    )


def _more(run: Run) -> bool:
    """Read once more after the end; tell whether there was anything."""
    before = run.tail.length
    return run.read() and run.tail.length > before


def _stopped_by(run: Run, limits: Limits, started: float) -> str | None:
    """Wait; return the limit that is passed, or None if the run comes to an end before."""
    look, listening = 0.0, True
    with selectors.DefaultSelector() as waiting:
        for file in (run.first, run.output, *run.news):
            waiting.register(file, selectors.EVENT_READ)
        while run.code(0) is None:
            events = waiting.select(timeout=max(0.0, look - time.monotonic()))
            now = time.monotonic()
            if listening and not run.read():
                listening = False
                waiting.unregister(run.output)
            if run.tail.length > limits.output:
                return "output"
            if run.time(started) > limits.wall:
                return "wall time"
            if now >= look:
                if (passed := run.excess(limits)) is not None:
                    return passed
                look = time.monotonic() + min(PAUSE, 0.02 + (now - started) / 10)
            if any(key.fd == run.first for key, _ in events):
                break
    return None
