"""What a check answers: the same words in JupyterLab and in a terminal."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass

CODE = "    "  # begins a line of code in a message
WIDTH = 88  # characters: a line in a terminal
STYLE = (
    "border-left: 4px solid {colour}; padding: 0.4em 0.8em; margin: 0.2em 0; "
    "white-space: pre-wrap; max-width: 60em"
)
# JupyterLab's own colours, so that both themes fit. The words say it all; the colour only repeats.
COLOURS = {
    "Right.": "var(--jp-success-color1, #2e7d32)",
    "Not yet.": "var(--jp-warn-color1, #b45f06)",
    "Not attempted yet.": "var(--jp-border-color1, #757575)",
}
SIGNS = {"Right.": "✓", "Not yet.": "✗", "Not attempted yet.": "○"}


@dataclass(frozen=True, repr=False)
class Result:
    """What a check has found.

    Attributes
    ----------
    passed
        Whether the answer is right.
    message
        What was done, where, and what to look at next; paragraphs are split by empty lines.
    misconception
        The name of the mistake, if the answer is wrong; see `nst_edu.exercises.generic` and the
        exercise's own `misconceptions`.
    attempted
        False for an untouched stub.

    Examples
    --------
    >>> Result(True, "Tested on 4 inputs.")
    ✓ Right. Tested on 4 inputs.
    """

    passed: bool
    message: str
    misconception: str | None = None
    attempted: bool = True

    @property
    def verdict(self) -> str:
        """Say "Right.", "Not yet." or "Not attempted yet."."""
        if not self.attempted:
            return "Not attempted yet."
        return "Right." if self.passed else "Not yet."

    def __str__(self) -> str:
        text = f"{SIGNS[self.verdict]} {self.verdict} {self.message}".rstrip()
        return "\n".join(map(_wrapped, text.split("\n")))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Show it in JupyterLab; a screen reader reads it out when it appears."""
        style = STYLE.format(colour=COLOURS[self.verdict])
        lines = "\n".join(map(_as_html, self.message.split("\n")))
        return (
            f'<div role="status" style="{style}">{SIGNS[self.verdict]} '
            f"<strong>{self.verdict}</strong> {lines}</div>"
        )


def _as_html(line: str) -> str:
    """Return a line as HTML; code, which is indented, as code."""
    text = html.escape(line)
    return f"<code>{text}</code>" if line.startswith(CODE) else text


def _wrapped(line: str) -> str:
    """Break a long line of prose; leave a line of code, which is indented, as it is."""
    if line.startswith(CODE):
        return line
    return textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
