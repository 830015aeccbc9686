"""Tell work that takes long from a machine that is busy with other things."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

WALL = 6.0  # times the limit: so long may it take where this cannot be told


@dataclass(frozen=True)
class Moment:
    """Where the clocks of a process stand, in seconds.

    Attributes
    ----------
    clock
        The time, as `time.monotonic` tells it.
    worked
        For how long the process had a processor.
    queued
        For how long it wanted one and got none; 0 where the system does not tell.
    """

    clock: float
    worked: float
    queued: float = 0.0


def now(process: int | None = None) -> Moment:
    """Read the clocks of a process; None: of this one."""
    process = os.getpid() if process is None else process
    times = psutil.Process(process).cpu_times()
    try:
        queued = int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        queued = 0.0
    return Moment(time.monotonic(), times.user + times.system, queued)


def overdue(since: Moment, until: Moment, limit: float) -> bool:
    """Tell whether something has had its time: so many seconds of work, or of sleep.

    Examples
    --------
    >>> start = Moment(clock=0, worked=0)
    >>> overdue(start, Moment(clock=11, worked=11), limit=10)
    True
    >>> overdue(start, Moment(clock=11, worked=3), limit=10)  # the machine does other things
    False
    >>> overdue(start, Moment(clock=11, worked=0), limit=10)  # it sleeps
    True
    >>> overdue(start, Moment(clock=11, worked=0, queued=10.9), limit=10)  # it cannot work
    False
    """
    worked = until.worked - since.worked
    waited = until.clock - since.clock - (until.queued - since.queued)
    sleeps = worked < 0.02 * waited
    # A time that an enemy wrote may be nan, which is neither more nor less than the limit.
    return not (worked <= limit and waited <= (limit if sleeps else WALL * limit))
