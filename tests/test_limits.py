"""A function's time: work and sleep count, waiting for a processor on a busy machine does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nst_edu.exercises import limits
from nst_edu.exercises.limits import finishes, out_of_time, queued

TOLD = Path("/proc/thread-self/schedstat").exists()  # the system tells who waits for a processor
PRIORITIES = hasattr(os, "sched_setaffinity") and TOLD

tells = pytest.mark.skipif(not TOLD, reason="the system does not tell how long a thread waits")
linux = pytest.mark.skipif(not PRIORITIES, reason="sets a thread's processor and its priority")

BUSY = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: pass"


@pytest.mark.parametrize(
    ("waited", "worked", "in_queue", "over"),
    [
        pytest.param(1.6, 1.6, 0.0, True, id="it worked all the time"),
        pytest.param(1.6, 0.0, 0.0, True, id="it slept"),
        pytest.param(1.6, 0.01, 1.5, False, id="the machine was busy"),
        pytest.param(3.3, 0.04, 3.2, False, id="the machine was very busy"),
        pytest.param(9.0, 0.01, 7.0, True, id="the machine was busy, and it slept"),
        pytest.param(9.0, 1.6, 7.0, True, id="the machine was busy, and it worked too long"),
        pytest.param(12.1, 0.04, 12.0, True, id="nobody waits for ever"),
        pytest.param(1.4, 1.4, 0.0, False, id="there is time left"),
    ],
)
def test_waiting_for_a_processor_does_not_count(
    waited: float, worked: float, in_queue: float, over: bool
) -> None:
    assert out_of_time(waited, worked, limit=1.5, queued=in_queue) is over


def test_where_the_system_does_not_tell_nothing_was_queued() -> None:
    assert queued(0) == 0  # no thread has this number


@tells
def test_a_thread_that_sleeps_does_not_wait_for_a_processor() -> None:
    time.sleep(0.3)
    before = queued(threading.get_native_id())
    time.sleep(0.3)
    assert queued(threading.get_native_id()) - before < 0.2


@pytest.fixture
def processor() -> Iterator[int]:
    """Keep one processor busy, and return its number."""
    number = min(os.sched_getaffinity(0))
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    os.sched_setaffinity(busy.pid, {number})
    yield number
    busy.kill()
    busy.wait()


def _last_in_the_queue(processor: int) -> None:
    """Let this thread have a fiftieth of a processor; in Linux both lines are for it alone."""
    os.sched_setaffinity(0, {processor})
    os.setpriority(os.PRIO_PROCESS, 0, 19)


@linux
def test_a_short_task_comes_to_its_end_on_a_busy_machine(
    processor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST", 60.0)  # however busy this machine is besides
    seen = []

    def work() -> None:
        _last_in_the_queue(processor)
        while time.thread_time() < 0.02:
            pass
        seen.append(queued(threading.get_native_id()))

    started = time.monotonic()
    finished = finishes(work, limit=0.3)
    assert time.monotonic() - started > 0.3  # otherwise this test shows nothing
    assert finished
    assert seen[0] > 0.1


@linux
def test_who_sleeps_on_a_busy_machine_is_stopped(processor: int) -> None:
    def work() -> None:
        _last_in_the_queue(processor)
        time.sleep(8)

    started = time.monotonic()
    assert not finishes(work, limit=0.3)
    assert time.monotonic() - started < 6
