"""What processes there are, and what they use: read from ``/proc``, as fast as can be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil


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


def use_of(process: int) -> tuple[float, int]:
    """Return the seconds of processor time and the bytes of memory that `process` has used."""
    try:
        line = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return 0.0, 0
    fields = line.rpartition(b")")[2].split()  # its name, in brackets, may be anything
    seconds = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return seconds, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def share_of(process: int) -> int:
    """Return the bytes of memory that `process` uses, where n processes share one a nth of it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return use_of(process)[1]
