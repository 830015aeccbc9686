"""Do work in a child process that may crash, hang or end the program: the parent goes on."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import mmap
import os
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache

from nst_edu.classroom import clocks
from nst_edu.classroom.view import SHARED
from nst_edu.exercises.limits import TimeIsUp

SHORTEST, LONGEST = 0.002, 0.05  # s between two looks at the child
AGAIN = 5.0  # s after which code that caught the first interrupt meets the next one
GRACE = 5.0  # s that a child is given beyond the limit that it keeps itself
STARTING = 60.0  # s until a child says for the first time where it is


class Board:
    """What a child tells its parent, in memory that both see: where it is, and since when.

    The child's code can write anything here. Then it is stopped at another time, and that is all.
    """

    LAYOUT = struct.Struct("=dddddd")
    SIZE = 8 + 2 * LAYOUT.size  # which of two places holds what was said last, and the two
    COUNT = mmap.PAGESIZE // SIZE
    _numbers = itertools.count()

    def __init__(self) -> None:
        self._memory = _page()
        # The first one lasts as long as the program; of the others, few are in use at a time.
        number = next(self._numbers)
        self._start = self.SIZE * (number and 1 + (number - 1) % (self.COUNT - 1))
        self.tell(-1, STARTING)

    def tell(self, place: int, limit: float, finished: bool = False) -> None:
        """Say that the work at `place` begins now and may take so long."""
        self._write(place, limit, clocks.now(), finished)

    def reset(self) -> None:
        """Prepare for a child, whose clocks begin at 0."""
        self._write(-1, STARTING, clocks.Moment(time.monotonic(), 0.0), False)

    def _write(self, place: int, limit: float, since: clocks.Moment, finished: bool) -> None:
        # `pack_into` clears the bytes before it fills them: whoever looked in between would find
        # that the work began at the clock's zero. So the other place is filled, and one byte
        # points to it.
        other = 1 - self._memory[self._start] % 2
        times = since.clock, since.worked, since.queued
        self.LAYOUT.pack_into(self._memory, self._at(other), place, finished, limit, *times)
        self._memory[self._start] = other

    def _at(self, number: int) -> int:
        return self._start + 8 + number * self.LAYOUT.size

    def _read(self) -> tuple[float, ...]:
        return self.LAYOUT.unpack_from(self._memory, self._at(self._memory[self._start] % 2))

    @property
    def place(self) -> int:
        """Where the child is."""
        place = self._read()[0]
        return int(place) if abs(place) < 1e9 else -1

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self._read()[1] == 1

    def is_overdue(self, child: int) -> bool:
        """Tell whether the child must be stopped."""
        told = self._read()
        _, _, limit, *since = told
        late = clocks.overdue(clocks.Moment(*since), clocks.now(child), limit + GRACE)
        return late and repr(self._read()) == repr(told)  # it has said nothing new meanwhile


@lru_cache(maxsize=1)
def _page() -> mmap.mmap:
    """Return a page of memory that is shared with all children.

    The first caller runs before any student's code, which may fill the folder; what is written to a
    file once can be written again. The sandbox has no shared memory without a file.
    """
    folder = SHARED if os.access(SHARED, os.W_OK) else None
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(mmap.PAGESIZE))
        file.flush()
        return mmap.mmap(file.fileno(), mmap.PAGESIZE)


def in_child(work: Callable[[], None], board: Board) -> str:
    """Do `work` in a copy of this process; what it changes in memory is lost.

    Parameters
    ----------
    work
        What to do.
    board
        Where the work says how long it may take.

    Returns
    -------
    str
        ``"done"``, ``"stopped"`` (it was killed here), or how it died: ``"exit status 3"``.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    child = os.fork()
    if child == 0:
        _do_and_exit(work)
    pause = SHORTEST
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return "done" if code == 0 else _words(code)
        if board.is_overdue(child):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "stopped"
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)


def _do_and_exit(work: Callable[[], None]) -> None:
    """End the copy at once: what the student's code wants done at the end is not done."""
    code = 1
    try:
        _die_with_parent()
        work()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    """Leave nothing behind that works on when the parent is killed; Linux can do this."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _words(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


@contextlib.contextmanager
def time_limit(limit: float, error: type[BaseException] = TimeIsUp) -> Iterator[None]:
    """Raise `error` in the main thread when the time is up.

    It comes again every few seconds, for code that catches everything.
    """
    since = clocks.now()
    last = 0.0

    def look(number: int, frame: object) -> None:
        nonlocal last
        now = clocks.now()
        if now.clock - last >= AGAIN and clocks.overdue(since, now, limit):
            last = now.clock
            raise error(f"stopped after {limit:g} s")

    before = signal.signal(signal.SIGALRM, look)
    pause = min(limit / 4, 0.5)
    signal.setitimer(signal.ITIMER_REAL, pause, pause)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
