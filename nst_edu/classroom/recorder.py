"""Keep what a cell puts out, within limits, as a notebook would."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from nst_edu.classroom.executed import MOST_OUTPUTS, PICTURES, TEXTS

STREAM = 20_000  # characters of a cell that are kept
FLOOD = 3_000_000  # characters after which a cell is stopped
RICH = 1_500_000  # characters of pictures and HTML of one cell
WHOLE = 6_000_000  # of the notebook


class TooMuchOutput(BaseException):
    """Stops a cell that prints without end; no ``except Exception:`` catches it."""


class Recorder:
    """Collects the outputs of one cell after the other."""

    def __init__(self) -> None:
        self.room = WHOLE
        self.begin()

    def begin(self) -> None:
        """Begin a cell: nothing was put out yet."""
        self.outputs: list[dict[str, Any]] = []
        self.places: dict[str, dict[str, Any]] = {}
        self.written = 0
        self.rich = min(RICH, self.room)

    def stream(self, name: str, text: str) -> None:
        """Add to what was written to ``stdout`` or ``stderr``."""
        room = STREAM - self.written
        self.written += len(text)
        if room > 0 and text:
            self._append_text(name, text[:room])
            if self.written > STREAM:
                self._append_text(name, "\n… the rest is not shown.\n")
        if self.written > FLOOD:
            raise TooMuchOutput(f"the cell printed more than {FLOOD:,} characters")

    def _append_text(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last.get("name") == name:
            last["text"] += text
        else:
            self._add({"output_type": "stream", "name": name, "text": text})

    def error(self, name: str, value: str, lines: list[str]) -> None:
        """Add what was raised."""
        kept = [str(line)[:4000] for line in lines[:100]]
        output = {"ename": name[:200], "evalue": value[:1000], "traceback": kept}
        self.outputs.append({"output_type": "error", **output})

    def show(
        self,
        kind: str,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None,
        place: str | None = None,
        update: bool = False,
    ) -> None:
        """Add something displayed, or replace what was displayed at the same `place`."""
        bundle = {mime: _text(data[mime]) for mime in (*TEXTS, *PICTURES) if mime in data}
        size = sum(map(len, bundle.values()))
        if size > self.rich:
            bundle = {"text/plain": "… this output is too large, and not shown."}
            size = 100
        self.rich -= size
        self.room -= size
        described = {m: {"alt": _alt(content)} for m, content in (metadata or {}).items()}
        content = {"data": bundle, "metadata": described}
        if update and place in self.places:
            self.places[place].update(content)
            return
        output = {"output_type": kind, **content}
        self._add(output)
        if place is not None:
            self.places[place] = output

    def _add(self, output: dict[str, Any]) -> None:
        if len(self.outputs) < MOST_OUTPUTS - 1:  # an error has its place in any case
            self.outputs.append(output)

    def clear(self) -> None:
        """Forget what the cell has put out."""
        self.outputs.clear()
        self.places.clear()


def _text(content: Any) -> str:
    return base64.b64encode(content).decode() if isinstance(content, bytes) else str(content)


def _alt(metadata: Any) -> str:
    return str(metadata.get("alt", ""))[:2000] if isinstance(metadata, dict) else ""


class Stream(io.TextIOBase):
    """Stands in for ``sys.stdout`` or ``sys.stderr``."""

    def __init__(self, name: str, recorder: Recorder) -> None:
        self._name, self._recorder = name, recorder

    def write(self, text: str) -> int:
        """Record `text`."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._recorder.stream(self._name, text)
        return len(text)

    def writable(self) -> bool:
        """Tell that one can write."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Say what printing needs to know."""
        return "utf-8"
