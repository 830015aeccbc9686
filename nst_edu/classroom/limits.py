"""How much a student's code may use, and how its run ended."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

import psutil

# Virtual memory that a process may reserve beyond what it may use: `import torch` with the
# libraries for CUDA maps 3.1 GB and uses 0.5 GB, of which 0.7 GB are mapped as its own data.
ADDRESSES = 24_000_000_000
DATA = 250_000_000


@dataclass(frozen=True)
class Limits:
    """What one run in the sandbox may use.

    Attributes
    ----------
    wall, cpu
        Seconds by the clock, and of processor time, of all its processes together.
    memory
        Bytes that all its processes and its files hold in memory.
    file_size, space
        Bytes in one file, and in all files in ``out``; in ``/tmp`` there is as much room again.
    files
        Files and folders that may exist at the end.
    processes, started
        Processes and threads at a time, and in all. What they use between two looks is not seen if
        they have ended by then.
    output
        Bytes written to standard output and error.
    open_files
        Files open at a time, in each process.
    """

    wall: float = 120
    cpu: float = 100
    memory: int = 1_500_000_000
    file_size: int = 50_000_000
    processes: int = 64
    output: int = 1_000_000
    open_files: int = 256
    space: int = 100_000_000
    files: int = 10_000
    started: int = 3_000


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    ended
        "finished", "crashed", "wall time", "cpu time", "memory", "machine memory" (this machine had
        none left), "space", "processes" (too many in all), "output" or "not started".
    code
        The exit code; None if the run was stopped. 128 + n: it died of signal n.
    seconds
        By the clock.
    peak
        Bytes that its processes and files were seen to hold in memory at most.
    tail
        The last that it wrote to standard output and error.
    crowded
        Whether it was stopped, and others may be to blame: it had to queue for a processor, or
        this machine was short of memory.
    """

    ended: str
    code: int | None
    seconds: float
    peak: int
    tail: str
    crowded: bool = False


def for_each_process(limits: Limits) -> dict[str, int]:
    """Return the limits that the kernel keeps for each process, named as `prlimit` names them.

    A process that asks for too much memory gets an error, and the notebook goes on. What all
    processes use together is watched from outside.
    """
    seconds = max(1, round(limits.cpu))
    return {
        "as": limits.memory + ADDRESSES,
        "data": limits.memory + DATA,
        "cpu": seconds + 1,
        "fsize": limits.file_size,
        "nproc": limits.processes + _others(),
        "nofile": limits.open_files,
        "core": 0,
        "nice": 0,
        "rtprio": 0,
        "memlock": 1_000_000,
        "msgqueue": 0,
    }


def _others() -> int:
    """Return how many tasks of this user count too: all, before namespaces had their own count."""
    release = platform.release().split("-")[0].split(".")
    if os.geteuid() == 0 or tuple(int(part) for part in release[:2]) >= (5, 14):
        return 0
    total = 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids is not None and uids.real == os.getuid():
            total += process.info["num_threads"] or 1
    return total
