"""What processes there are, and what they use: read from ``/proc``, as fast as can be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Use:
    """What a process has used so far.

    Attributes
    ----------
    process, began
        Its number, and when it began: numbers are given again.
    inside
        Its number in its sandbox, where processes and threads are numbered as they start; 0 for
        one outside.
    own, children
        Seconds of processor time, of its own and of the children whose end it was told.
    queued
        Seconds for which its main thread wanted a processor and got none.
    resident, beside
        Bytes of memory, and those that do not count as such: tables of pages, and swapped out.
    """

    process: int
    began: int
    inside: int
    own: float
    children: float
    queued: float
    resident: int
    beside: int

    @property
    def memory(self) -> int:
        """All bytes."""
        return self.resident + self.beside


def children(process: int) -> list[int]:
    """Return the processes that `process` has started and not yet outlived."""
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    except FileNotFoundError:  # it has ended; or a kernel without these files
        with contextlib.suppress(psutil.Error):
            found = [child.pid for child in psutil.Process(process).children()]
    except OSError:
        pass
    return found


def family(roots: Sequence[int]) -> Iterator[int]:
    """Yield `roots` and all that descends from them."""
    waiting, seen = list(roots), set(roots)
    while waiting:
        process = waiting.pop()
        yield process
        new = [child for child in children(process) if child not in seen]
        waiting += new
        seen.update(new)


def use_of(process: int) -> Use | None:
    """Return what `process` has used; None if it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
        status = Path(f"/proc/{process}/status").read_bytes()
    except OSError:
        return None
    fields = stat.rpartition(b")")[2].split()  # its name, in brackets, may be anything
    inside = _numbers(status, b"NSpid")[1:]  # first its number outside
    user, system, childrens_user, childrens_system = map(int, fields[11:15])
    return Use(
        process=process,
        began=int(fields[19]),
        inside=inside[-1] if inside else 0,
        own=(user + system) / TICK,
        children=(childrens_user + childrens_system) / TICK,
        queued=queued(process),
        resident=int(fields[21]) * PAGE,
        beside=1024 * sum(_numbers(status, b"VmPTE") + _numbers(status, b"VmSwap")),
    )


def queued(process: int) -> float:
    """Return for how many seconds the main thread of `process` wanted a processor and got none.

    It is 0 where the system does not tell.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/schedstat").read_bytes().split()[1]) / 1e9
    return 0.0


def _numbers(status: bytes, name: bytes) -> list[int]:
    """Return the numbers on one line of a file of lines."""
    line = status.partition(b"\n%b:" % name)[2].partition(b"\n")[0]
    return [int(word) for word in line.split() if word.isdigit()]


def share_of(process: int) -> int:
    """Return the bytes of memory that `process` uses, where n that share one have a nth of it."""
    use = use_of(process)
    if use is None or not use.resident:
        return 0  # it has ended
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024 + use.beside
    again = use_of(process)
    return again.memory if again else 0
