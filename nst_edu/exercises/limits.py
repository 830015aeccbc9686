"""Run a function that may never end, print a million lines, or call ``sys.exit``.

The function runs in a thread of its own. So an exception that stops it can never hit anything
else, even if it comes late; and the check goes on in time even if the function cannot be stopped.
What no thread can stop is a single call of C code that never gives other threads a turn, such as
``sum(itertools.count())``.
"""

from __future__ import annotations

import _thread
import builtins
import contextlib
import ctypes
import io
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TIME_LIMIT = 1.5  # s, for all calls of one check: the answer should be there after 2 s
LONGEST = 8 * TIME_LIMIT  # s, on a machine so busy that the function hardly gets a turn
PATIENCE = 0.2  # s that the check waits for a stopped function to end
LAST_PATIENCE = 3.0  # s after which a function that catches every exception is parked
LINES, CHARACTERS = 20, 2000  # of what a function prints, so much is shown

_interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc


class TimeIsUp(SystemExit):
    """Stops a function. A SystemExit, because that ends a thread without a word."""


class Parked(TimeIsUp):
    """Stops a function that catches every exception: its thread sleeps for ever.

    Python makes the instance in the function's own thread, before any ``except:`` gets it.
    """

    def __init__(self, *_: object) -> None:
        while True:
            time.sleep(1e6)


class Printed(io.TextIOBase):
    """Takes what a function prints, and keeps the beginning."""

    def __init__(self) -> None:
        self.kept = ""
        self.characters = self.lines = 0

    def write(self, text: str) -> int:
        """Count `text`, and keep it as long as there is room."""
        self.characters += len(text)
        self.lines += text.count("\n")
        if len(self.kept) < CHARACTERS:
            self.kept += text[: CHARACTERS - len(self.kept)]
        return len(text)

    def writable(self) -> bool:
        """Tell that one can write."""
        return True

    def summary(self) -> str:
        """Return the first lines, and say how much is not shown."""
        shown = "\n".join(self.kept.splitlines()[:LINES])
        hidden = self.lines - shown.count("\n") - 1
        if hidden > 0:
            return f"{shown}\n… {hidden:,} more lines are not shown."
        hidden = self.characters - len(shown) - 1
        return f"{shown}\n… {hidden:,} more characters are not shown." if hidden > 0 else shown


class _Worker:
    """A thread that does `work` and can be interrupted.

    Its two locks are the bare ones: an exception from outside cannot come halfway through them.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.running, self.needed = _thread.allocate_lock(), _thread.allocate_lock()
        self.running.acquire()
        self.needed.acquire()
        self.native: int | None = None  # its number in the system, as soon as it gets a turn
        self.ident = _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self.native = threading.get_native_id()
            self.work()
        finally:
            try:
                self.running.release()
            finally:
                # The system gives a thread's number to the next thread. As long as somebody may
                # still interrupt this one, it keeps its number.
                self.needed.acquire()

    def queued(self) -> float:
        """Return for how many seconds it wanted a processor and got none."""
        return math.inf if self.native is None else queued(self.native)

    def ends(self, seconds: float) -> bool:
        """Wait; tell whether the work is done."""
        return self.running.acquire(timeout=seconds)

    def release(self) -> None:
        """Let the thread go: nobody will interrupt it any more."""
        self.needed.release()

    def interrupt(self, seconds: float, pause: float) -> bool:
        """Raise TimeIsUp in the thread again and again, past each ``except:``, until it ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.throw(TimeIsUp)
            if self.ends(pause):
                return True
        return False

    def throw(self, error: type[TimeIsUp]) -> None:
        """Raise an exception in the thread when it next executes Python code."""
        _interrupt(ctypes.c_ulong(self.ident), ctypes.py_object(error))

    def stop(self) -> None:
        """Interrupt it now, and go on behind the scenes if it does not end soon."""
        if self.interrupt(PATIENCE, 0.01):
            self.release()
        else:
            threading.Thread(target=self._wear_down, daemon=True).start()

    def _wear_down(self) -> None:
        if not self.interrupt(LAST_PATIENCE, 0.1):
            self.throw(Parked)
        self.release()


def queued(thread: int) -> float:
    """Return for how many seconds a thread wanted a processor and got none.

    Parameters
    ----------
    thread
        The number that the system gives to a thread of this process.

    Returns
    -------
    float
        0 where the system does not tell: Linux does.
    """
    try:
        # Of /proc/self the same file would tell of the main thread only.
        file = Path(f"/proc/self/task/{thread}/schedstat")
        return int(file.read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def out_of_time(waited: float, worked: float, limit: float, queued: float = 0.0) -> bool:
    """Tell whether a function has had its time.

    Parameters
    ----------
    waited, worked
        Seconds that have passed, and in which this process has had a processor.
    limit
        Seconds that it may take; more if the machine is so busy that it hardly gets a turn.
    queued
        Seconds in which it wanted a processor and got none: they do not count, up to `LONGEST`.

    Examples
    --------
    >>> out_of_time(waited=1.6, worked=1.6, limit=1.5)
    True
    >>> out_of_time(waited=1.6, worked=0.3, limit=1.5)  # it gets a fifth of a processor
    False
    >>> out_of_time(waited=1.6, worked=0.01, limit=1.5)  # it sleeps
    True
    >>> out_of_time(waited=1.6, worked=0.01, limit=1.5, queued=1.5)  # it cannot work
    False
    """
    had = waited - queued
    starved = 0.02 * had < worked < 0.4 * limit
    return waited > max(limit, LONGEST) or (had > limit and not starved)


def finishes(work: Callable[[], None], limit: float | None = None) -> bool:
    """Do `work` in a thread of its own; stop it, and return False, when its time is up.

    Parameters
    ----------
    work
        It must catch its own exceptions.
    limit
        Seconds; None: `TIME_LIMIT`. A thread that hardly gets a turn, because the machine does
        other things, is given more: up to `LONGEST`.
    """
    limit = TIME_LIMIT if limit is None else limit
    started, used = time.monotonic(), time.process_time()
    worker = _Worker(work)
    try:
        while not worker.ends(0.02):
            waited, worked = time.monotonic() - started, time.process_time() - used
            if out_of_time(waited, worked, limit, worker.queued()):
                worker.stop()
                return False
    except BaseException:  # the learner interrupts the kernel
        worker.stop()
        raise
    worker.release()
    return True


@contextlib.contextmanager
def quiet() -> Iterator[Printed]:
    """Keep what is printed, and let nobody ask for input."""

    def no_input(*_: Any, **__: Any) -> str:
        raise EOFError("a check cannot answer input(): the values come as arguments")

    printed, asking = Printed(), builtins.input
    before = sys.stdout, sys.stderr
    builtins.input = no_input
    try:
        sys.stdout = sys.stderr = printed
        yield printed
    finally:
        builtins.input = asking
        sys.stdout, sys.stderr = before
