"""Several sandboxes at a time: marks do not depend on who else is graded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nst_edu.classroom import sandbox
from nst_edu.classroom.grade import Grading
from nst_edu.classroom.layout import find_submissions
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.pool import in_threads_or_alone
from nst_edu.classroom.session import Options, Session
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import Store
from tests import classroom_samples as samples

SECRET = bytes(range(32))


def done_in(workers: int, disturbed: Sequence[int]) -> tuple[list[int], int, int]:
    """Return the jobs in the order of their results, how often one was done, and beside another."""
    lock, at_work, done = threading.Lock(), 0, list[int]()
    beside = 0

    def work(job: int) -> int:
        nonlocal at_work, beside
        with lock:
            at_work += 1
            beside += job in done and at_work > 1
            done.append(job)
        with lock:
            at_work -= 1
        return -job if done.count(job) == 1 and job in disturbed else job

    results = in_threads_or_alone(range(9), work, workers, lambda: None, lambda job: job < 0)
    return [job for job, _ in results], len(done), beside


def test_what_was_disturbed_is_done_again_in_the_end_and_alone() -> None:
    order, times, beside = done_in(3, [1, 4])
    assert sorted(order) == list(range(9))
    assert set(order[-2:]) == {1, 4}
    assert (times, beside) == (11, 0)


def test_who_is_alone_is_not_disturbed() -> None:
    order, times, _ = done_in(1, [1, 4])
    assert (sorted(order), times) == (list(range(9)), 9)


def test_work_that_is_given_up_is_stopped() -> None:
    stopped = threading.Event()

    def work(job: int) -> int:
        return job if job == 0 else stopped.wait(20)

    running = in_threads_or_alone(range(5), work, 2, stopped.set, lambda job: False)
    assert next(running) == (0, 0)
    running.close()
    assert stopped.is_set()


@pytest.mark.parametrize(("jobs", "times"), [(1, 1), (2, 2)])
def test_a_crowded_run_is_run_once_more_from_nothing(
    jobs: int, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "bo"):
        samples.write_submission(tmp_path / "sub", student)
    runs: list[Path] = []

    def run(scratch: Path, *_: Any, **__: Any) -> Outcome:
        crowded = runs.count(scratch) == 0 and scratch.name == "0"
        runs.append(scratch)
        assert not (scratch / "out").exists()
        (scratch / "out").mkdir()
        return Outcome("wall time" if crowded else "finished", None, 1.0, 1, "", crowded)

    monkeypatch.setattr(sandbox, "run", run)
    assignment = read_assignment(samples.write_source(tmp_path / "source"))
    found, _ = find_submissions(tmp_path / "sub", samples.NAME)
    session = Session(
        Grading(assignment, SECRET, Limits()), Store(tmp_path / "marks"), Options(jobs, quiet=True)
    )
    assert session.run(found).graded == 2
    assert [path.name for path in runs].count("0") == times
    graded = Store(tmp_path / "marks").load("ada")
    assert graded is not None
    assert any("stopped" in note for note in graded.notes) == (times == 1)
