"""Run a student's code where it can harm nothing: in a bubblewrap sandbox, within limits.

A submission is hostile until graded. What runs here has no network, sees no file of the teacher's
but those it is given, may write only to a few small folders in memory, and is gone with all its
processes when `run` returns. What it leaves in ``out`` is data from an enemy.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from nst_edu.classroom import gate, view, walls
from nst_edu.classroom.leftovers import clean, fetch
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.unsafe import run_unsafe
from nst_edu.classroom.watching import Run, watch

if TYPE_CHECKING:
    from nst_edu.classroom.template import Template

__all__ = ["Limits", "Outcome", "SandboxMissingError", "available", "clean", "run", "why_not"]


NO_ROOM = 0.1  # of the space in `out`: a run that crashed with less left had no room for results


class SandboxMissingError(RuntimeError):
    """There is no sandbox on this machine."""


def available() -> bool:
    """Tell whether `run` works on this machine: a small program is run once to find out."""
    return not why_not()


@lru_cache(maxsize=1)
def why_not() -> str:
    """Say what is missing for a sandbox, and what to do; nothing if it works."""
    if missing := walls.missing():
        return missing
    with tempfile.TemporaryDirectory(prefix="nst-edu-probe-") as folder:
        outcome = run_cold(Path(folder), ["-c", "import nst_edu"], Limits())
    if outcome.ended == "finished":
        return ""
    reason = (outcome.tail.strip().splitlines() or [outcome.ended])[-1]
    advice = (
        "Run as root (in CI: `sudo`), or allow user namespaces: `sysctl -w "
        "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`."
        if os.geteuid()
        else "In a container: start it with `--privileged`, or grade outside it."
    )
    return f"bubblewrap is here but does not work ({reason}). {advice}"


def run(
    scratch: Path,
    arguments: Sequence[str],
    limits: Limits | None = None,
    *,
    unsafe: bool = False,
    template: Template | None = None,
) -> Outcome:
    """Run Python in the sandbox, and wait for its end.

    Parameters
    ----------
    scratch
        A folder. Inside, ``scratch/in`` is ``/sandbox/in``, read-only; the plain files that are
        written to ``/sandbox/out`` are copied to ``scratch/out`` when all has ended.
    arguments
        Of Python, such as ``["-m", "nst_edu.classroom.runner", "/sandbox"]``.
    limits
        None: those of `Limits`.
    unsafe
        Where there is no sandbox, run without one, with a loud warning. Where there is one, it is
        used all the same.
    template
        A process that has imported torch already and is copied; None: start a new Python.

    Returns
    -------
    Outcome
        How it ended. What a student's code does is never raised.

    Raises
    ------
    SandboxMissingError
        If there is no sandbox on this machine, and `unsafe` is False.
    """
    limits = limits or Limits()
    if reason := why_not():
        if not unsafe:
            raise SandboxMissingError(reason)
        prepare(scratch)
        return run_unsafe(scratch, arguments, limits, reason)
    return (run_cold if template is None else template.run)(scratch, arguments, limits)


def prepare(scratch: Path) -> None:
    """Make the two folders, and let the stranger that root becomes read what is given."""
    for folder in (scratch / "in", scratch / "out"):
        folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        (scratch / "in").chmod(0o755)
        for given in (scratch / "in").rglob("*"):
            given.chmod(0o755 if given.is_dir() else 0o644)


def run_cold(scratch: Path, arguments: Sequence[str], limits: Limits) -> Outcome:
    """Run a new Python: build the walls, open the gate, and watch."""
    prepare(scratch)
    started = time.monotonic()
    try:
        with gate.filter_file() as filter_file:
            command = walls.command(str(scratch / "in"), limits, filter_file)
            command += [view.python(), *arguments]
            with (
                gate.start(command, view.environment(), [filter_file]) as process,
                gate.entered(*gate.inside_of(process.pid)) as inside,
            ):
                gate.open_gate(process)
                run = Run(inside.pidfd, [process.pid], gate.output_of(process), gate.code(process))
                return watched(run, inside, scratch, limits)
    except gate.NotStartedError as error:
        return Outcome("not started", None, time.monotonic() - started, 0, str(error))


def watched(run: Run, inside: gate.Inside, scratch: Path, limits: Limits) -> Outcome:
    """Wait for the end, and copy what was written."""
    run = replace(run, folders=inside.folders, sockets=inside.sockets)
    outcome = watch(run, limits)
    complete = fetch(inside.folders[0], scratch / "out", limits)
    left = os.fstatvfs(inside.folders[0])
    full = left.f_bavail * left.f_frsize < NO_ROOM * limits.space
    if (outcome.ended == "finished" and not complete) or (
        outcome.ended == "crashed" and (full or not complete)
    ):
        return replace(outcome, ended="space")
    return outcome
