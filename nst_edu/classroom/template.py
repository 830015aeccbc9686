"""Import torch once, and copy the process for each run: the teacher's side of `fork_server`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nst_edu.classroom import gate, sandbox, view, walls
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.watching import Run

SCRATCH = "/scratch"  # in the template's own sandbox
MODULES = (
    "torch",
    "matplotlib.pyplot",
    "IPython.core.interactiveshell",
    "nst_edu.exercises.checking",
    "nst_edu.images",
    "nst_edu.transfer",
)
IMPORTS = 300.0  # s that the imports may take, on a machine that does other things
LONGEST = 100_000  # bytes of a message
PATIENCE = 3  # so often is it started again


class TemplateError(Exception):
    """The template does not answer."""


class Template:
    """A process that has imported `modules`, in a sandbox of its own, ready to be copied.

    It serves one run at a time; make one for each worker. If it cannot do its work here, each run
    starts a new Python, which takes longer and is as safe.

    Parameters
    ----------
    root
        The folder in which all scratch folders will be.
    modules
        What to import. They must not start threads.

    Attributes
    ----------
    trouble
        Why it could not be used the last time; empty if it could.
    """

    def __init__(self, root: Path, modules: Sequence[str] = MODULES) -> None:
        self.root, self.modules, self.trouble = root.resolve(), tuple(modules), ""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._code: int | None = None
        self._failures = 0
        self._closed = False

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and what it runs; after that, no run is started any more."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def run(self, scratch: Path, arguments: Sequence[str], limits: Limits) -> Outcome:
        """Do what `nst_edu.classroom.sandbox.run` does."""
        if not scratch.resolve().is_relative_to(self.root):
            raise ValueError(
                f"scratch must be below the template's root {self.root}, got {scratch}. "
                "Make the template with the folder that holds all scratch folders"
            )
        sandbox.prepare(scratch)
        with self._lock:
            if self._failures < PATIENCE and not self._closed:
                try:
                    return self._run(scratch, arguments, limits)
                except (TemplateError, gate.NotStartedError, OSError) as error:
                    self.trouble = str(error)
                    self._failures += 1
                    self._end()
        if self._closed:
            return Outcome("not started", None, 0.0, 0, "the template was closed")
        return sandbox.run_cold(scratch, arguments, limits)

    def _run(self, scratch: Path, arguments: Sequence[str], limits: Limits) -> Outcome:
        control = self._started()
        request = {
            "given": f"{SCRATCH}/{scratch.resolve().relative_to(self.root)}/in",
            "arguments": list(arguments),
            "limits": dataclasses.asdict(limits),
            "shown": [target for _, target in view.places()],
            # Chosen here, where each run gets another one: behind the walls all numbers are alike.
            "user": walls.stranger() if os.geteuid() == 0 else None,
        }
        with _pipe() as (output, theirs):
            socket.send_fds(control, [json.dumps(request).encode()], [theirs])
            reply = _receive(control, gate.START)
            with gate.entered(reply["first"], reply["keeper"]) as inside:
                control.send(b"go")
                run = Run(
                    inside.pidfd,
                    [reply["first"], reply["usher"]],
                    output,
                    self._ended,
                    news=[control.fileno()],
                    uncounted=reply["usher"],
                )
                return self._watched(run, inside, scratch, limits)

    def _watched(self, run: Run, inside: gate.Inside, scratch: Path, limits: Limits) -> Outcome:
        """Wait for the end; a template that does not tell of it is not used again."""
        self._code = None
        outcome = sandbox.watched(run, inside, scratch, limits)
        if self._code is None:
            self._end()
        return outcome

    def _ended(self, seconds: float) -> int | None:
        """Wait for the message that tells the exit code."""
        if self._code is None and self._control is not None:
            with contextlib.suppress(TemplateError):
                self._code = _receive(self._control, seconds)["code"]
        return self._code

    def _started(self) -> socket.socket:
        """Start the process if there is none, and wait until it has imported everything."""
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        command = walls.template_command(str(self.root), SCRATCH)
        command += [view.python(), "-m", "nst_edu.classroom.fork_server", str(theirs.fileno())]
        with theirs, tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                [*command, *self.modules],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=view.environment(),
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
            try:
                threads = _receive(ours, IMPORTS)["threads"]
            except TemplateError as error:
                errors.seek(0)
                said = errors.read()[-1000:].decode("utf-8", "replace").strip()
                raise TemplateError(f"{error}: {said}") from error
        if threads != 1:
            raise TemplateError(f"one of {self.modules} has started {threads - 1} threads")
        return ours


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Open a pipe whose reading end does not block."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def _receive(control: socket.socket, seconds: float) -> dict[str, Any]:
    """Wait for a message of the template's.

    Raises
    ------
    TemplateError
        If none comes, or if it tells of an error.
    """
    control.settimeout(seconds)
    try:
        data = control.recv(LONGEST)
    except (TimeoutError, BlockingIOError) as error:
        raise TemplateError(f"the template has not answered in {seconds:.0f} s") from error
    if not data:
        raise TemplateError("the template has ended")
    message: dict[str, Any] = json.loads(data)
    if "error" in message:
        raise TemplateError(message["error"])
    return message
