"""Sandboxes on the machines of an existing Dask cluster.

A worker gets the student's cells and the inputs, and sends back what came out. It never sees the
class's secret, a hidden test or a solution: judging stays on the teacher's machine. If a worker
dies, the scheduler gives its submission to another one; a result is stored here, once.

Whoever can talk to the scheduler can run code on the cluster and on the machine that asks it.
Use only one that you trust, with TLS if its network is not yours.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import nst_edu
from nst_edu.classroom.parcel import pack, unpack

if TYPE_CHECKING:
    from nst_edu.classroom.sandbox import Limits, Outcome
    from nst_edu.classroom.template import Template


class HasScratch(Protocol):
    """A job: its folder holds ``in/``, and ``out/`` is to be filled."""

    @property
    def scratch(self) -> Path:
        """The folder."""


J = TypeVar("J", bound=HasScratch)

AHEAD = 2  # jobs for each thread of the cluster, so that none waits for the network
RETRIES = 2  # of a job that raised an error, on any worker
PATIENCE = 30  # s to wait for the scheduler

_own = threading.local()


def run_parcel(
    parcel: Mapping[str, bytes], limits: Limits, unsafe: bool
) -> tuple[Outcome, dict[str, bytes]]:
    """Run one submission in a sandbox; this is what a worker does.

    Parameters
    ----------
    parcel
        The files of ``in/``.
    """
    from nst_edu.classroom.grade import COMMAND
    from nst_edu.classroom.leftovers import clean
    from nst_edu.classroom.sandbox import run

    root, template = _workplace()
    scratch = Path(tempfile.mkdtemp(dir=root))
    try:
        unpack(parcel, scratch / "in")
        outcome = run(scratch, COMMAND, limits, unsafe=unsafe, template=template)
        return outcome, pack(scratch / "out")
    finally:
        clean(scratch)


def _workplace() -> tuple[Path, Template]:
    """Return a folder and a template of this worker's thread; they last as long as the worker."""
    from nst_edu.classroom.leftovers import clean
    from nst_edu.classroom.template import Template

    if not hasattr(_own, "workplace"):
        root = Path(tempfile.mkdtemp(prefix="nst-edu-worker-"))
        _own.workplace = root, Template(root)
        atexit.register(clean, root)
        atexit.register(_own.workplace[1].close)
    found: tuple[Path, Template] = _own.workplace
    return found


def about() -> tuple[str, str]:
    """Return a worker's version of the package, and why it has no sandbox (empty: it has one)."""
    from nst_edu.classroom.sandbox import available, why_not

    return nst_edu.__version__, "" if available() else why_not()


@contextmanager
def connected(address: str, *, unsafe: bool = False) -> Iterator[Any]:
    """Connect to a scheduler, and look whether its workers are fit for this.

    Raises
    ------
    ValueError
        If `distributed` is not installed, nobody answers, there is no worker, or one has another
        version of this package or no sandbox.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            "--scheduler needs Dask: install it with  pip install 'nst-edu[cluster]'"
        ) from None
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=PATIENCE, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise ValueError(f"--scheduler: nobody answers at {address!r} ({error})") from error
    with client:
        _check_workers(client.run(about), unsafe)
        yield client


def _check_workers(answers: Mapping[str, tuple[str, str]], unsafe: bool) -> None:
    """Refuse a cluster on which grading would go wrong."""
    if not answers:
        raise ValueError("--scheduler: the cluster has no worker. Start one: dask worker ADDRESS")
    for worker, (version, missing) in sorted(answers.items()):
        if version != nst_edu.__version__:
            raise ValueError(
                f"--scheduler: worker {worker} has nst-edu {version}, this machine "
                f"{nst_edu.__version__}: install the same version on both"
            )
        if missing and not unsafe:
            raise ValueError(f"--scheduler: worker {worker} has no sandbox: {missing}")


def on_cluster(
    jobs: Iterator[J], client: Any, limits: Limits, *, unsafe: bool
) -> Generator[tuple[J, Outcome | Exception]]:
    """Run each job on some worker, and fill its ``out/``; yield them in the order of the ends."""
    from distributed import as_completed

    room = AHEAD * max(1, sum(client.nthreads().values()))
    waiting: dict[str, tuple[Any, J]] = {}
    ended = as_completed(loop=client.loop, raise_errors=False)  # type: ignore[no-untyped-call]

    def send() -> None:
        while len(waiting) < room and (job := next(jobs, None)) is not None:
            future = client.submit(
                run_parcel, pack(job.scratch / "in"), limits, unsafe, pure=False, retries=RETRIES
            )
            waiting[future.key] = future, job
            ended.add(future)  # type: ignore[no-untyped-call]

    try:
        send()
        while waiting:
            future = next(ended)
            _, job = waiting.pop(future.key)
            yield job, _received(future, job.scratch / "out")
            send()
    finally:
        client.cancel([future for future, _ in waiting.values()])


def _received(future: Any, out: Path) -> Outcome | Exception:
    """Take what a worker sent, or what went wrong on the way."""
    if future.status != "finished":
        error = future.exception() if future.status == "error" else None
        return error or RuntimeError(f"the cluster gave the work up ({future.status})")
    outcome, parcel = future.result()
    unpack(parcel, out)
    received: Outcome = outcome
    return received
