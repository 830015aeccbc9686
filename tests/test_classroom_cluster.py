"""Sandboxes here and on a cluster: nothing is lost or graded twice, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

import nst_edu
from nst_edu.classroom import cluster, sandbox
from nst_edu.classroom.grade import Grading
from nst_edu.classroom.layout import find_submissions
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.parcel import pack, unpack
from nst_edu.classroom.pool import in_threads
from nst_edu.classroom.records import Graded
from nst_edu.classroom.session import Options, Session
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import Store
from tests import classroom_samples as samples

# On this machine


def test_every_job_is_done_once() -> None:
    done = Counter(
        job for job, result in in_threads(range(50), lambda n: n * n, 3) if result == job**2
    )
    assert done == Counter(range(50))


def test_jobs_are_made_when_there_is_room() -> None:
    made: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(20):
            made.append(number)
            yield number

    running = in_threads(jobs(), lambda n: n, 2)
    next(running)
    assert len(made) <= 4
    running.close()


def test_an_error_is_a_result() -> None:
    def work(number: int) -> float:
        return 1 / number

    results = dict(in_threads([0, 1], work, 2))
    assert isinstance(results[0], ZeroDivisionError)
    assert results[1] == 1


def test_giving_up_ends_the_work_under_way() -> None:
    released = threading.Event()
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        if number > 1:
            assert released.wait(60)
        return number

    running = in_threads(range(100), work, 2, released.set)
    assert {next(running) for _ in range(2)} == {(0, 0), (1, 1)}
    # Ctrl+C while two jobs are under way and one waits for its turn.
    ctrl_c = (threading.get_ident(), signal.SIGINT)
    threading.Timer(0.5, signal.pthread_kill, ctrl_c).start()
    with pytest.raises(KeyboardInterrupt):
        next(running)
    assert sorted(started) == [0, 1, 2, 3]


def test_no_workers_are_wrong_use() -> None:
    with pytest.raises(ValueError, match="--jobs must be 1 or more, not 0"):
        next(in_threads([1], abs, 0))


# Parcels


def test_a_folder_comes_back(tmp_path: Path) -> None:
    files = {"executed.json": b"{}", "answers/my_gram.json": b"[1]", "answers/a.safetensors": b"\0"}
    unpack(files, tmp_path / "one")
    assert pack(tmp_path / "one") == files


def test_only_ordinary_files_are_sent(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "a" / "b" / "c" / "d").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (out / "link").symlink_to(tmp_path / "secret")
    (out / "folder").symlink_to(tmp_path)
    os.mkfifo(out / "pipe")
    (out / "a" / "b" / "c" / "deep").write_text("too deep")
    with (out / "huge").open("wb") as file:
        file.truncate(300_000_000)
    (out / "fine").write_text("fine")
    assert pack(out) == {"fine": b"fine"}


def test_many_files_are_not_sent(tmp_path: Path) -> None:
    for number in range(700):
        (tmp_path / str(number)).touch()
    assert len(pack(tmp_path)) == 500


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "a\0b"])
def test_a_parcel_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the parcel has a file with the name"):
        unpack({name: b""}, tmp_path)


# On a cluster


@dataclass(frozen=True)
class Work:
    """A job whose input is a program for Python, in place of a notebook."""

    number: int
    scratch: Path


def work(folder: Path, count: int) -> Iterator[Work]:
    for number in range(count):
        scratch = folder / str(number)
        unpack({"number": str(number).encode()}, scratch / "in")
        yield Work(number, scratch)


PROGRAM = """
import os, time
number = open("/sandbox/in/number").read()
time.sleep(0.5)
open("/sandbox/out/answer", "w").write(f"{number} of {os.listdir('/sandbox/in')}")
"""


def use_program(*_: Any) -> None:
    """Run in each worker: let `run_parcel` start PROGRAM, without a template."""
    from nst_edu.classroom import sandbox

    def run(scratch: Path, arguments: Any, limits: Limits, **_: Any) -> Outcome:
        return real(scratch, ["-c", PROGRAM], limits)

    real = sandbox.run_cold
    sandbox.run = run  # type: ignore[assignment]


@pytest.fixture
def local(network_attempts: list[str]) -> Iterator[Any]:
    """Start a cluster of two processes on this machine, each with one thread."""
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    if not sandbox.available():
        pytest.skip(f"the workers have no sandbox: {sandbox.why_not()}")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
        host="127.0.0.1", silence_logs=50,
    ) as made:  # fmt: skip
        cloudpickle = pytest.importorskip("cloudpickle")
        cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need no pytest
        yield made


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_worker_is_killed_and_nothing_is_lost(local: Any, tmp_path: Path) -> None:
    with cluster.connected(local.scheduler_address) as client:
        client.register_worker_callbacks(use_program)  # of the one that takes its place, too
        victim = next(iter(client.run(os.getpid).values()))
        finished: list[int] = []
        answers: dict[int, str] = {}
        ended = cluster.on_cluster(work(tmp_path, 12), client, Limits(), unsafe=False)
        for job, outcome in ended:
            assert isinstance(outcome, Outcome), outcome
            assert outcome.ended == "finished", outcome.tail
            finished.append(job.number)
            answers[job.number] = (job.scratch / "out" / "answer").read_text()
            if len(finished) == 2:
                os.kill(victim, signal.SIGKILL)
        assert not psutil.pid_exists(victim) or psutil.Process(victim).status() == "zombie"
    assert Counter(finished) == Counter(range(12))
    assert answers == {number: f"{number} of ['number']" for number in range(12)}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_class_is_graded_on_a_cluster_though_a_worker_dies(
    local: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = [f"student{number}" for number in range(6)]
    for student in students:
        samples.write_submission(tmp_path / "sub", student)
    grading = Grading(
        read_assignment(samples.write_source(tmp_path)), b"secret", Limits(wall=300, cpu=250)
    )
    saved: list[str] = []
    victim = next(iter(local.workers.values())).pid

    def save(store: Store, graded: Graded, *args: Any) -> None:
        keep(store, graded, *args)
        saved.append(graded.student)
        if len(saved) == 1:
            os.kill(victim, signal.SIGKILL)

    keep = Store.save
    monkeypatch.setattr(Store, "save", save)
    store, options = (
        Store(tmp_path / "marks"),
        Options(quiet=True, scheduler=local.scheduler_address),
    )
    found, _ = find_submissions(tmp_path / "sub", "sample")
    done = Session(grading, store, options).run(found)
    assert (done.graded, done.failed) == (6, {})
    assert sorted(saved) == students
    results = [store.load(student) for student in students]
    assert [graded.total for graded in results if graded] == [13.0] * 6
    assert Session(grading, store, options).run(found).kept == 6


def test_giving_up_cancels_what_is_on_the_cluster(local: Any, tmp_path: Path) -> None:
    with cluster.connected(local.scheduler_address) as client:
        client.register_worker_callbacks(use_program)
        ended = cluster.on_cluster(work(tmp_path, 30), client, Limits(), unsafe=False)
        next(ended)
        ended.close()
        deadline = time.monotonic() + 60
        while client.run_on_scheduler(tasks_left) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert client.run_on_scheduler(tasks_left) == 0


def tasks_left(dask_scheduler: Any) -> int:
    return len(dask_scheduler.tasks)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    connecting = cluster.connected("tcp://127.0.0.1:9")
    with pytest.raises(ValueError, match=r"--scheduler: nobody answers at 'tcp://127\.0\.0\.1:9'"):
        connecting.__enter__()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "the cluster has no worker"),
        ({"tcp://w:1": ("0.0.0", "")}, "worker tcp://w:1 has nst-edu 0.0.0, this machine"),
        ({"tcp://w:1": (nst_edu.__version__, "no bwrap")}, "has no sandbox: no bwrap"),
    ],
)
def test_an_unfit_cluster_is_refused(answers: dict[str, tuple[str, str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cluster._check_workers(answers, unsafe=False)
