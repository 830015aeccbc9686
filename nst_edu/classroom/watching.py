"""Watch a run from outside: its time, its memory, and what it prints; and end it.

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

from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.processes import family, share_of, use_of

PAUSE = 0.1  # s between two looks at the memory, at most; in the beginning less
TAIL = 4_000  # bytes of what is printed that the teacher sees
ENDING = 30.0  # s that the kernel may take to kill everything
OWN_FILES = 200  # files and folders in memory that are there before the student's code starts


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
    """

    first: int
    roots: list[int]
    output: int
    code: Callable[[float], int | None]
    news: Sequence[int] = ()
    uncounted: int = 0
    folders: Sequence[int] = ()
    tail: Tail = field(default_factory=Tail)
    peak: int = 0
    cpu: float = 0.0

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
        uses = [use_of(each) for each in members]
        held, entries = self._held()
        memory = sum(used for _, used in uses) + held
        if memory > limits.memory and len(members) > 1:
            # What a child shares with its parent has been counted twice. The exact sum costs more.
            memory = sum(share_of(each) for each in members) + held
        self.cpu = max(self.cpu, sum(seconds for seconds, _ in uses))
        self.peak = max(self.peak, memory)
        passed = {
            "memory": memory > limits.memory,
            "space": entries > limits.files + OWN_FILES,
            "cpu time": self.cpu >= limits.cpu,
        }
        return next((name for name, true in passed.items() if true), None)

    def _held(self) -> tuple[int, int]:
        """Return how many bytes, and files, its folders in memory hold."""
        states = [os.fstatvfs(folder) for folder in self.folders]
        used = sum((state.f_blocks - state.f_bfree) * state.f_frsize for state in states)
        return used, sum(state.f_files - state.f_ffree for state in states)

    def end(self) -> None:
        """Kill all of it, and wait until nothing is left."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.first, selectors.EVENT_READ)
            waiting.select(timeout=ENDING)


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
    code = run.code(ENDING)
    seconds = time.monotonic() - started
    ended = stopped or ("finished" if code == 0 else "crashed")
    if ended == "crashed" and run.cpu >= 0.9 * limits.cpu:
        ended = "cpu time"  # the kernel was faster
    return Outcome(ended, None if stopped else code, seconds, run.peak, run.tail.text())


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
            if now - started > limits.wall:
                return "wall time"
            if now >= look:
                if (passed := run.excess(limits)) is not None:
                    return passed
                look = time.monotonic() + min(PAUSE, 0.02 + (now - started) / 10)
            if any(key.fd == run.first for key, _ in events):
                break
    return None
