"""Add up what the processes of a run use, those included that have ended and those that hide it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from nst_edu.classroom.processes import Use, share_of

EXACT = 1.0  # s for which a process's share of shared memory is believed
BUFFER = 212_992  # bytes that a socket may hold, each way: the kernel's own default


def memory_left() -> int:
    """Return the bytes of memory that this machine can still give."""
    return int(psutil.virtual_memory().available)


def in_sockets(file: int) -> int:
    """Return the bytes that the sockets of a sandbox can hold, in which nobody sees what there is.

    Parameters
    ----------
    file
        A file descriptor of the ``/proc/…/net/sockstat`` of a process inside.
    """
    words = os.pread(file, 100, 0).split()  # sockets: used 3 …
    return 2 * _buffer() * int(words[2])


def _buffer() -> int:
    try:
        return int(Path("/proc/sys/net/core/wmem_default").read_text(encoding="ascii"))
    except OSError:  # in a container, which has the kernel's default
        return BUFFER


@dataclass
class Tally:
    """What the processes of a run have used.

    A child whose end nobody is told takes its time with it, so each process is remembered. What
    one uses between the last look at it and its end is seen only if its parent is told.

    Attributes
    ----------
    queued
        Seconds in which one process or another wanted a processor and got none.
    started
        Processes and threads so far. Those between two looks are not seen, so there is a limit.
    shares
        Of each process: its share of memory, all that it used, and when this was.
    """

    queued: float = 0.0
    started: int = 0
    last: dict[tuple[int, int], Use] = field(default_factory=dict)
    alive: float = 0.0  # s of processor time, of those alive and their children: the most so far
    shares: dict[int, tuple[int, int, float]] = field(default_factory=dict)

    def add(self, uses: Sequence[Use]) -> None:
        """Take note of what those alive have used so far."""
        waits = [0.0]
        for use in uses:
            before = self.last.get((use.process, use.began))
            waits.append(use.queued - (before.queued if before else 0.0))
            self.last[use.process, use.began] = use
            self.started = max(self.started, use.inside)
        self.queued += max(waits)  # not their sum: they may wait at the same time
        self.alive = max(self.alive, sum(use.own + use.children for use in uses))

    @property
    def cpu(self) -> float:
        """Seconds of processor time, of all processes together."""
        return max(self.alive, sum(use.own for use in self.last.values()))

    def memory(self, uses: Sequence[Use], limit: int) -> int:
        """Return the bytes that processes use.

        What a child shares with its parent is counted twice in the sum of what they tell. Shares
        cost more to know, so they are asked for only when the limit seems to be passed.
        """
        used = sum(use.memory for use in uses)
        if used <= limit or len(uses) == 1:
            return used
        now = time.monotonic()
        return sum(self._share(use, now) for use in uses)

    def _share(self, use: Use, now: float) -> int:
        """Return a process's share as it was found not long ago, with what it has used since.

        It is not believed for long: what is written to is shared no more, and nothing else tells.
        """
        share, then, at = self.shares.get(use.process, (0, 0, 0.0))
        if now - at > EXACT:
            share, then = share_of(use.process), use.memory
            self.shares[use.process] = share, then, now
        return share + max(0, use.memory - then)
