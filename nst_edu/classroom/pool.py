"""Several sandboxes at a time on this machine, each driven by a thread.

The threads only wait for their sandbox. Reading, judging and writing stay in the main thread, so
that the teacher's functions never run twice at a time: they share torch's random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 1  # jobs that lie ready while all workers are busy
PAUSE = 0.2  # s between two attempts to end all work


def in_threads(
    jobs: Iterable[T],
    work: Callable[[T], R],
    workers: int,
    stop: Callable[[], None] = lambda: None,
) -> Generator[tuple[T, R | Exception]]:
    """Do `work` on each job, `workers` at a time; yield what comes of it, in the order of the ends.

    Jobs are taken from `jobs` only when a worker will soon be free: making one may cost memory.

    Parameters
    ----------
    stop
        Called, until all is still, if the caller gives up or is interrupted: it ends the work that
        is under way.

    Raises
    ------
    ValueError
        If `workers` is less than 1.
    """
    if workers < 1:
        raise ValueError(f"--jobs must be 1 or more, not {workers}")
    waiting: dict[Future[R], T] = {}
    remaining = iter(jobs)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
    try:
        while True:
            while len(waiting) < workers + AHEAD and (job := next(remaining, None)) is not None:
                waiting[pool.submit(work, job)] = job
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                job = waiting.pop(future)
                result: R | Exception
                try:
                    result = future.result()
                except Exception as error:
                    result = error
                yield job, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # `wait` alone would wait for ever: it does not count what was cancelled as done.
        while running := [future for future in waiting if not future.done()]:
            stop()  # again and again: work that is disturbed may start once more
            wait(running, timeout=PAUSE)
        pool.shutdown(wait=True)


def in_threads_or_alone(
    jobs: Iterable[T],
    work: Callable[[T], R],
    workers: int,
    stop: Callable[[], None],
    disturbed: Callable[[R], bool],
) -> Generator[tuple[T, R | Exception]]:
    """Do what `in_threads` does; what was disturbed is done once more in the end, one at a time."""
    again: list[T] = []
    with closing(in_threads(jobs, work, workers, stop)) as results:
        for job, result in results:
            if workers > 1 and not isinstance(result, Exception) and disturbed(result):
                again.append(job)
            else:
                yield job, result
    yield from in_threads(again, work, 1, stop)


def kill_below(scratch: Path) -> None:
    """Kill the processes that this one started for sandboxes below `scratch`, and no others."""
    import psutil

    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended meanwhile
            if any(str(scratch) in word for word in child.cmdline()):
                family = child.children(recursive=True)
                child.kill()
                for descendant in family:
                    with suppress(psutil.Error):
                        descendant.kill()
