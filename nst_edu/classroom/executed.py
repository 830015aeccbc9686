"""What each cell of a notebook put out: written in the sandbox, read outside.

The outputs are data from an enemy. Text and HTML come as they are: whoever shows them in a browser
has to clean them first.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nst_edu.classroom.strict import (
    BadDataError,
    NotThereError,
    opened_folder,
    plain_text,
    read_bytes,
)
from nst_edu.classroom.strict import read_json as strict_json

FILE = "executed.json"
LARGEST = 10_000_000  # bytes of the file
MOST_CELLS, MOST_OUTPUTS = 2000, 60
LONGEST_TEXT, LONGEST_RICH = 50_000, 2_000_000  # characters
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
PICTURES = ("image/png", "image/jpeg")
ENDINGS = ("ok", "error", "timeout", "crashed", "not run")
SIGNS = "\n\t\r\x1b\u00a0"  # a traceback has colours


@dataclass(frozen=True)
class ExecutedCell:
    """How one cell ended, and what it put out.

    Attributes
    ----------
    id
        As it was given to the runner.
    ended
        ``"ok"``, ``"error"``, ``"timeout"``, ``"crashed"`` or ``"not run"``.
    outputs
        As in a notebook: streams, errors, displayed data and results.
    seconds
        How long it took, as the sandbox says.
    """

    id: str
    ended: str = "not run"
    outputs: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0


def write_executed(folder: Path, cells: Sequence[ExecutedCell]) -> None:
    """Write all cells; a file that is there is replaced as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"cells": [asdict(cell) for cell in cells]}, allow_nan=False)
    unfinished = folder / f"{FILE}.part"
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(folder / FILE)


def read_executed(folder: Path) -> list[ExecutedCell]:
    """Read the cells from the folder ``out`` of a sandbox that has ended.

    Never raises for what is there: the list is empty if there is nothing that can be read, and
    outputs of no known kind are left out.
    """
    try:
        with opened_folder(folder) as out:
            packed = strict_json(read_bytes(out, FILE, LARGEST))
    except (BadDataError, NotThereError):
        return []
    cells = packed.get("cells") if isinstance(packed, dict) else None
    if not isinstance(cells, list):
        return []
    read = [_cell(cell) for cell in cells[:MOST_CELLS] if isinstance(cell, dict)]
    return [cell for cell in read if cell is not None]


def _cell(packed: dict[str, Any]) -> ExecutedCell | None:
    name, ended, outputs = packed.get("id"), packed.get("ended"), packed.get("outputs")
    seconds = packed.get("seconds")
    if not isinstance(name, str) or ended not in ENDINGS or not isinstance(outputs, list):
        return None
    # A finite float is all that can be there; what it says is the sandbox's affair.
    took = min(max(seconds, 0.0), 1e6) if isinstance(seconds, float) else 0.0
    read = [_output(o) for o in outputs[:MOST_OUTPUTS] if isinstance(o, dict)]
    kept = tuple(output for output in read if output is not None)
    return ExecutedCell(plain_text(name, 300), ended, kept, took)


def _output(packed: dict[str, Any]) -> dict[str, Any] | None:
    """Return an output of a notebook, of the four kinds that there are."""
    kind = packed.get("output_type")
    if kind == "stream" and packed.get("name") in ("stdout", "stderr"):
        return {"output_type": kind, "name": packed["name"], "text": _text(packed.get("text"))}
    if kind == "error" and isinstance(packed.get("traceback"), list):
        texts = {key: _text(packed.get(key), 2000) for key in ("ename", "evalue")}
        lines = [_text(line) for line in packed["traceback"][:200]]
        return {"output_type": kind, **texts, "traceback": lines}
    if kind not in ("display_data", "execute_result"):
        return None
    data, metadata = packed.get("data"), packed.get("metadata")
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    shown = {mime: _shown(mime, data[mime]) for mime in (*TEXTS, *PICTURES) if mime in data}
    kept = {mime: content for mime, content in shown.items() if content is not None}
    alts = {mime: _alt(metadata.get(mime)) for mime in kept}
    described = {mime: {"alt": alt} for mime, alt in alts.items() if alt}
    output = {"output_type": kind, "data": kept, "metadata": described}
    return {**output, "execution_count": None} if kind == "execute_result" else output


def _text(text: Any, longest: int = LONGEST_TEXT) -> str:
    return plain_text(text, longest, SIGNS) if isinstance(text, str) else ""


def _shown(mime: str, content: Any) -> str | None:
    if not isinstance(content, str) or len(content) > LONGEST_RICH:
        return None
    if mime in TEXTS:
        return plain_text(content, LONGEST_RICH, SIGNS)
    try:
        base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content


def _alt(metadata: Any) -> str:
    return _text(metadata.get("alt"), 2000) if isinstance(metadata, dict) else ""
