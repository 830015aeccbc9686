"""Run a student's code without a sandbox: only where a teacher has asked for it in so many words.

It is stopped when it takes too long, uses too much memory or prints too much. It can read and
change all that the teacher can, and use the network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import psutil

from nst_edu.classroom.limits import Limits, Outcome, for_each_process
from nst_edu.classroom.view import PACKAGE, environment
from nst_edu.classroom.watching import PAUSE, Tail

NEEDED = ("PATH", "SYSTEMROOT", "TEMP")  # without which no Python starts somewhere


class UnsafeWarning(UserWarning):
    """Students' code runs without a sandbox."""


def run_unsafe(scratch: Path, arguments: Sequence[str], limits: Limits, reason: str) -> Outcome:
    """Run Python as `nst_edu.classroom.sandbox.run` does, but with no walls around it."""
    warnings.warn(
        "NO SANDBOX: the code of each submission runs with all your rights on this machine. It can "
        f"read, change and delete your files, other submissions and marks. {reason}",
        UnsafeWarning,
        stacklevel=3,
    )
    started = time.monotonic()
    process = _start(scratch.resolve(), arguments, limits)
    tail = Tail()
    reader = threading.Thread(target=_read, args=(process, tail), daemon=True)
    reader.start()
    stopped, peak = _watch(process, tail, limits)
    _kill(process)
    reader.join(timeout=5)
    if process.stdout is not None:
        process.stdout.close()
    code = process.wait()
    ended = stopped or ("finished" if code == 0 else "crashed")
    seconds = time.monotonic() - started
    return Outcome(
        ended, None if stopped else code if code >= 0 else 128 - code, seconds, peak, tail.text()
    )


def _start(scratch: Path, arguments: Sequence[str], limits: Limits) -> subprocess.Popen[bytes]:
    """Start Python in a session of its own, with none of the teacher's environment."""
    variables = {
        **{name: value for name, value in environment().items() if "/" not in value},
        **{name: os.environ[name] for name in NEEDED if name in os.environ},
        "HOME": str(scratch / "out"),
        "PYTHONPATH": str(PACKAGE.parent),
    }
    return subprocess.Popen(
        [
            *_kept(limits),
            sys.executable,
            *(argument.replace("/sandbox", str(scratch)) for argument in arguments),
        ],
        cwd=scratch,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )


def _kept(limits: Limits) -> list[str]:
    """Return the command that sets limits, where there is one; the teacher's processes are many."""
    if shutil.which("prlimit") is None:
        return []
    sizes = {name: size for name, size in for_each_process(limits).items() if name != "nproc"}
    return ["prlimit", *(f"--{name}={size}" for name, size in sizes.items())]


def _read(process: subprocess.Popen[bytes], tail: Tail) -> None:
    """Take what is printed, so that nobody waits for us, and keep the end."""
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        while data := process.stdout.read(65_536):
            tail.add(data)


def _watch(process: subprocess.Popen[bytes], tail: Tail, limits: Limits) -> tuple[str | None, int]:
    """Wait; return the limit that is passed, if any, and the most memory that was seen."""
    started, peak = time.monotonic(), 0
    while process.poll() is None:
        used = 0
        for each in _family(process):
            with contextlib.suppress(psutil.Error):
                used += each.memory_info().rss
        peak = max(peak, used)
        if used > limits.memory:
            return "memory", peak
        if tail.length > limits.output:
            return "output", peak
        if time.monotonic() - started > limits.wall:
            return "wall time", peak
        time.sleep(PAUSE)
    return None, peak


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill its session and its descendants. A child that has left both is not found."""
    for each in _family(process):
        with contextlib.suppress(psutil.Error):
            each.kill()
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
