"""What a cell put out, as the feedback page shows it: text and pictures, nothing that can run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nst_edu.classroom.safe_html import LONGEST_TEXT, MAGIC, picture

MOST_OUTPUTS = 30  # shown of a cell
CELL = re.compile(r"<ipython-input-\d+-\w+>")  # what IPython calls the file of a cell
SPOKEN = 2000  # characters of a picture's description


@dataclass(frozen=True)
class Shown:
    """An output as the page shows it.

    Attributes
    ----------
    text
        What was printed; for a picture its description.
    error
        Whether it is an error message.
    picture
        A ``data:`` address, or empty.
    """

    text: str
    error: bool = False
    picture: str = ""

    @property
    def size(self) -> int:
        """Characters that it adds to the page."""
        return min(len(self.text), LONGEST_TEXT) + len(self.picture)


def shown_outputs(outputs: Iterable[object], number: int) -> tuple[Shown, ...]:
    """Turn the outputs of a cell into what the page shows; never raise for what they contain.

    Parameters
    ----------
    outputs
        Dictionaries as in a notebook, from the sandbox: anything may be in them.
    number
        Of the cell, for pictures without a description.
    """
    shown: list[Shown] = []
    for output in outputs:
        if len(shown) == MOST_OUTPUTS:
            shown.append(Shown("… more outputs are not shown."))
            break
        if isinstance(output, Mapping) and (one := _shown(output, number)) is not None:
            shown.append(one)
    return tuple(shown)


def attached(attachments: object) -> tuple[dict[str, Any], ...]:
    """Turn the pictures attached to a text cell into outputs, which `shown_outputs` bounds.

    Parameters
    ----------
    attachments
        As in a notebook: name → MIME type → base64. Anything may be in them.
    """
    if not isinstance(attachments, Mapping):
        return ()
    return tuple(
        {
            "output_type": "display_data",
            "data": {mime: bundle[mime]},
            "metadata": {mime: {"alt": f"Picture in the text: {name}"}},
        }
        for name, bundle in attachments.items()
        if isinstance(bundle, Mapping)
        for mime in MAGIC
        if picture(mime, bundle.get(mime))
    )[: MOST_OUTPUTS + 1]


def _shown(output: Mapping[str, Any], number: int) -> Shown | None:
    """Return one output; HTML, scripts, widgets and vector graphics are named, not shown."""
    kind = output.get("output_type")
    if kind == "stream":
        return Shown(_text(output.get("text")), error=output.get("name") == "stderr")
    if kind == "error":
        lines = CELL.sub("<a cell>", _text(output.get("traceback"), "\n"))
        summary = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
        return Shown(lines or summary, error=True)
    data = output.get("data")
    if not isinstance(data, Mapping):
        return None
    for mime in MAGIC:
        if address := picture(mime, data.get(mime)):
            return Shown(_description(output, mime, number), picture=address)
    if "text/plain" in data:
        return Shown(_text(data["text/plain"]))
    return Shown("(An output of a kind that is not shown here.)")


def _description(output: Mapping[str, Any], mime: str, number: int) -> str:
    """Return the alternative text of a picture: its own, or where it comes from."""
    metadata = output.get("metadata")
    about = metadata.get(mime) if isinstance(metadata, Mapping) else None
    alt = about.get("alt") if isinstance(about, Mapping) else None
    text = _text(alt) if alt else _text(output["data"].get("text/plain"))
    own = text and not text.startswith("<")  # <Figure size 640x480 …> says nothing
    return text[:SPOKEN] if own else f"Picture made by cell {number}; it has no description."


def _text(value: object, between: str = "") -> str:
    """Return a text of a notebook: one string, or a list of strings."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return between.join(part for part in value if isinstance(part, str))
    return ""
