"""Start the sandbox, and keep its gate shut until it can be watched."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nst_edu.classroom.call_filter import call_filter
from nst_edu.classroom.processes import children
from nst_edu.classroom.view import OUT, SHARED, TEMPORARY
from nst_edu.classroom.watching import TAIL

START = 60.0  # s in which the walls must stand
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
READY = b"ready\n"


class NotStartedError(Exception):
    """The walls could not be built; the message is what bubblewrap said."""


@dataclass(frozen=True)
class Inside:
    """File descriptors of a sandbox.

    Attributes
    ----------
    pidfd
        Of its first process, with which all others end.
    folders
        Of its folders in memory, the one for results first. They outlive the sandbox.
    sockets
        Of the count of its sockets.
    """

    pidfd: int
    folders: tuple[int, ...]
    sockets: int


@contextlib.contextmanager
def filter_file() -> Iterator[int]:
    """Open a pipe that holds the filter of system calls."""
    reading, writing = os.pipe()
    try:
        os.write(writing, call_filter())
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@contextlib.contextmanager
def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    passed: Sequence[int],
    errors: int = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command of `walls`, and wait until its walls stand; in the end it is gone.

    Raises
    ------
    NotStartedError
        With what it said.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment,
        pass_fds=passed,
        bufsize=0,
    )
    with process:
        try:
            _wait_until_ready(output_of(process))
            yield process
        finally:
            process.kill()


def output_of(process: subprocess.Popen[bytes]) -> int:
    """Return the reading end of its output."""
    assert process.stdout is not None
    return process.stdout.fileno()


def open_gate(process: subprocess.Popen[bytes]) -> None:
    """Let the program begin; from now on reading its output does not block."""
    assert process.stdin is not None
    os.set_blocking(output_of(process), False)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(b"go\n")


def code(process: subprocess.Popen[bytes]) -> Callable[[float], int | None]:
    """Return a function that waits for so many seconds, and returns the exit code or None."""

    def wait(seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.poll() if seconds == 0 else process.wait(seconds)
        return None

    return wait


def _wait_until_ready(output: int) -> None:
    """Wait for the word of the gatekeeper.

    Raises
    ------
    NotStartedError
        With what came in its place.
    """
    end, said = time.monotonic() + START, b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(output, selectors.EVENT_READ)
        while not said.endswith(READY):
            if not waiting.select(timeout=max(0.0, end - time.monotonic())):
                raise NotStartedError(f"nothing happened in {START:.0f} s")
            if not (data := os.read(output, TAIL)):
                raise NotStartedError(said.decode("utf-8", "replace").strip())
            said = (said + data)[-TAIL:]


def inside_of(process: int) -> tuple[int, int]:
    """Return the numbers of the first process in a sandbox that is ready, and of its keeper.

    Parameters
    ----------
    process
        The number of bubblewrap's process.
    """
    try:
        first = children(process)[0]
        return first, children(first)[0]
    except IndexError as error:
        raise NotStartedError("the sandbox ended before it could be watched") from error


@contextlib.contextmanager
def entered(first: int, keeper: int) -> Iterator[Inside]:
    """Take hold of a sandbox that is ready, and of its folders, for a while.

    Raises
    ------
    NotStartedError
        If it cannot be looked into, or has ended already.
    """
    with contextlib.ExitStack() as stack:

        def keep(file: int) -> int:
            stack.callback(os.close, file)
            return file

        try:
            pidfd = keep(os.pidfd_open(first))
            root = f"/proc/{keeper}/root"
            folders = [keep(os.open(root + path, FOLDER)) for path in (OUT, TEMPORARY, SHARED)]
            sockets = keep(os.open(f"/proc/{keeper}/net/sockstat", os.O_RDONLY))
        except OSError as error:
            raise NotStartedError(f"the sandbox cannot be looked into: {error}") from error
        yield Inside(pidfd, tuple(folders), sockets)
