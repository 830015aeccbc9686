"""Tell work that takes long from a machine that is busy with other things."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil

from nst_edu.classroom.processes import queued

WALL = 6.0  # times the limit: so long may it take where this cannot be told


@dataclass(frozen=True)
class Moment:
    """Where the clocks of a process stand, in seconds.

    Attributes
    ----------
    clock
        The time, as `time.monotonic` tells it.
    worked
        For how long the process had a processor, all its threads together.
    queued
        For how long its main thread wanted one and got none; 0 where the system does not tell. The
        main thread executes the cells and calls the functions: for so long they stood still. All
        threads together may queue for longer than the clock runs, and one that only queues would
        hide that the main thread sleeps.
    """

    clock: float
    worked: float
    queued: float = 0.0


def now(process: int | None = None) -> Moment:
    """Read the clocks of a process; None: of this one."""
    process = os.getpid() if process is None else process
    times = psutil.Process(process).cpu_times()
    return Moment(time.monotonic(), times.user + times.system, queued(process))


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
