"""Execute the code cells of a notebook in this process, as JupyterLab would, and record them.

IPython's own shell without a kernel around it: it starts in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from nst_edu.classroom.executed import ExecutedCell
from nst_edu.classroom.forking import time_limit
from nst_edu.classroom.recorder import Recorder, Stream, TooMuchOutput


class CellTimeLimit(BaseException):
    """Stops a cell; no ``except Exception:`` catches it."""


class RecordingHook(DisplayHook):
    """Records the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """Print no prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Record the value in all its formats."""
        recorder: Recorder = getattr(self.shell, "recorder")  # noqa: B009
        recorder.show("execute_result", format_dict, md_dict)

    def log_output(self, format_dict: Any) -> None:
        """Keep no second copy."""

    def finish_displayhook(self) -> None:
        """Print no empty line."""
        self._is_active = False


class RecordingPublisher(DisplayPublisher):
    """Records what is displayed: figures, tables, Markdown."""

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Record what `display` shows; `transient` names the place of what may be replaced."""
        place = (transient or {}).get("display_id")
        self.shell.recorder.show("display_data", data, metadata, place, update)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown."""
        self.shell.recorder.clear()


class Shell(InteractiveShell):
    """IPython, with its outputs recorded."""

    displayhook_class = Type(RecordingHook)
    display_pub_class = Type(RecordingPublisher)
    recorder: Recorder

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        try:
            words = str(evalue)
        except Exception:
            words = ""
        self.recorder.error(etype.__name__, words, stb)

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Keep no second copy: IPython needs as long for it as for the first."""
        return {}


def _show_plainly(shell: Shell, etype: Any, value: Any, tb: Any, tb_offset: Any = None) -> None:
    """Let Python show an error: IPython takes seconds for the thousand lines of a recursion."""
    shell.recorder.error(etype.__name__, str(value), traceback.format_exception(etype, value, tb))


def new_shell(home: Path) -> Shell:
    """Start IPython; it writes nothing outside `home`, keeps no history and starts no thread."""
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ipython_dir = str(home / "ipython")
    shell: Shell = Shell.instance(config=config)
    shell.recorder = Recorder()
    shell.set_custom_exc((RecursionError,), _show_plainly)  # type: ignore[no-untyped-call]
    return shell


def run_cell(shell: Shell, name: str, source: str, seconds: float) -> ExecutedCell:
    """Execute one cell; whatever it does, say how it ended, if this process still can."""
    recorder = shell.recorder
    recorder.begin()
    started = time.monotonic()
    ended = "error"
    try:
        streams = Stream("stdout", recorder), Stream("stderr", recorder)
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            ended = _ended(shell, source, seconds)
    except CellTimeLimit as error:
        ended = "timeout"
        recorder.error("CellTimeLimit", str(error), [])
    except BaseException as error:
        recorder.error(type(error).__name__, "", [])
    return ExecutedCell(name, ended, tuple(recorder.outputs), time.monotonic() - started)


def _ended(shell: Shell, source: str, seconds: float) -> str:
    with time_limit(seconds, CellTimeLimit):
        result = shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, (CellTimeLimit, TooMuchOutput)):
        return "timeout"
    return "ok" if error is None else "error"
