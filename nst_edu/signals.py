"""A Ctrl-C that loses nothing: the first one stops the work, a second one not the saving."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Raise KeyboardInterrupt at the first Ctrl-C (SIGINT) or SIGTERM; ignore those that follow.

    So the picture can be saved in peace after the first one. Use it in a ``with`` block, in the
    main thread.

    Parameters
    ----------
    restore
        Put back the handlers of before at the end of the block. A program that ends there leaves
        it: an impatient Ctrl-C while Python shuts down would spoil the exit code.

    Attributes
    ----------
    number
        The signal that was obeyed, or None.
    """

    def __init__(self, *, restore: bool = True) -> None:
        self.number: int | None = None
        self._restore = restore

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._restore:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that was stopped: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self.number or signal.SIGINT)

    def ignore(self) -> None:
        """Ignore every signal from now on."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.ignore()
        self.number = number
        raise KeyboardInterrupt
