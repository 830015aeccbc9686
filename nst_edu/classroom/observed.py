"""A run in the sandbox, as it is seen from outside: its processes, its memory, what it prints.

The sandbox has its own process numbers. When the first of its processes (bubblewrap's own) is
killed, the kernel kills all the others, however they hide; nothing has to be hunted down.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nst_edu.classroom import counting
from nst_edu.classroom.counting import Tally, in_sockets
from nst_edu.classroom.limits import Limits
from nst_edu.classroom.processes import family, use_of

TAIL = 4_000  # bytes of what is printed that the teacher sees
ENDING = 30.0  # s that the kernel may take to kill everything
OWN_FILES = 200  # files and folders in memory that are there before the student's code starts
FLOOR = 300_000_000  # bytes of memory that this machine keeps, if it had them
LONGEST = 3.0  # times the limit: so long may a run take that has to queue


@dataclass
class Tail:
    """The last part of a stream, and how long it was."""

    length: int = 0
    kept: bytes = b""

    def add(self, data: bytes) -> None:
        """Count `data`, and keep the end."""
        self.length += len(data)
        self.kept = (self.kept + data)[-TAIL:]

    def text(self) -> str:
        """Return what was kept as text."""
        return self.kept.decode("utf-8", "replace")


@dataclass
class Run:
    """A run, as it is seen from outside.

    Attributes
    ----------
    first
        A file descriptor for the process with which all others end.
    roots
        The processes that are counted, with their descendants.
    uncounted
        A process among them that is the teacher's own.
    output
        The reading end of its standard output and error; it does not block.
    code
        Waits for so many seconds, and returns its exit code, or None as long as it runs.
    news
        More file descriptors that can be read from when it has ended.
    folders
        File descriptors of its folders in memory: the one for results, then the others.
    sockets
        A file descriptor of the count of its sockets.
    floor
        Bytes of memory that this machine must be able to give to others.
    """

    first: int
    roots: list[int]
    output: int
    code: Callable[[float], int | None]
    news: Sequence[int] = ()
    uncounted: int = 0
    folders: Sequence[int] = ()
    sockets: int | None = None
    tail: Tail = field(default_factory=Tail)
    tally: Tally = field(default_factory=Tally)
    peak: int = 0
    floor: int = field(default_factory=lambda: min(FLOOR, counting.memory_left() // 2))

    def read(self) -> bool:
        """Take what has been printed; return False if nobody can print any more."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.output, 65_536)
            self.tail.add(data)
            return bool(data)
        return True

    def excess(self, limits: Limits) -> str | None:
        """Return which limit is passed, None if all are kept."""
        members = [each for each in family(self.roots) if each != self.uncounted]
        uses = [use for each in members if (use := use_of(each)) is not None]
        self.tally.add(uses)
        held, entries = self._held()
        memory = held + self.tally.memory(uses, limits.memory - held)
        self.peak = max(self.peak, memory)
        passed = {
            "memory": memory > limits.memory,
            "space": entries > limits.files + OWN_FILES,
            "cpu time": self.tally.cpu >= limits.cpu,
            "processes": self.tally.started > limits.started,
            "machine memory": counting.memory_left() < self.floor,
        }
        return next((name for name, true in passed.items() if true), None)

    def _held(self) -> tuple[int, int]:
        """Return how many bytes its sockets and folders in memory hold, and how many files."""
        states = [os.fstatvfs(folder) for folder in self.folders]
        used = sum((state.f_blocks - state.f_bfree) * state.f_frsize for state in states)
        used += 0 if self.sockets is None else in_sockets(self.sockets)
        return used, sum(state.f_files - state.f_ffree for state in states)

    def time(self, since: float) -> float:
        """Return the seconds that count: who queues for a processor is given some of them back."""
        passed = time.monotonic() - since
        return max(passed - self.tally.queued, passed / LONGEST)

    def end(self) -> None:
        """Kill all of it, and wait until nothing is left."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.first, selectors.EVENT_READ)
            waiting.select(timeout=ENDING)
