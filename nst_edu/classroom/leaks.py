"""Look for solutions and hidden tests in what students are to get."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nst_edu.classroom import regions
from nst_edu.classroom.cells import ANSWER, BY_HAND, role_of
from nst_edu.classroom.source_rules import label

if TYPE_CHECKING:
    from nbformat import NotebookNode

TRIVIAL = 16  # characters, without spaces: shorter lines say nothing
COMMON = re.compile(
    r"\s*(?:from\s+\S+\s+)?import\s"
)  # stands in many places, and gives nothing away
WHAT = {
    regions.SOLUTION: "the solution",
    regions.HIDDEN_TESTS: "the hidden tests",
    regions.MARK_SCHEME: "the mark scheme",
}


class LeakError(ValueError):
    """Students would get what they must not see; nothing was written."""


@dataclass(frozen=True)
class Secret:
    """A line that students must not see.

    Attributes
    ----------
    where
        The cell and the region.
    line
        As it stands there.
    """

    where: str
    line: str

    @property
    def squeezed(self) -> str:
        """The line without spaces, and without the sign of a comment."""
        return squeeze(self.line).lstrip("#")


def squeeze(text: str) -> str:
    """Return a text without any space, so that other line breaks hide nothing."""
    return "".join(text.split())


def secrets_in(cells: Sequence[NotebookNode]) -> list[Secret]:
    """Return the lines of a teacher's notebook that say something and must not get out."""
    found = [secret for number, cell in enumerate(cells, 1) for secret in _secrets(number, cell)]
    return [s for s in found if len(s.squeezed) >= TRIVIAL and not COMMON.match(s.line)]


def _secrets(number: int, cell: NotebookNode) -> Iterator[Secret]:
    """Yield the lines of one cell's regions, or all lines if the whole cell is cleared."""
    where = label(number, cell)
    if role_of(cell) in (ANSWER, BY_HAND) and not regions.find_regions(
        cell.source, regions.SOLUTION
    ):
        yield from (Secret(f"the answer in {where}", line) for line in cell.source.split("\n"))
        return
    for kind, what in WHAT.items():
        for region in regions.find_regions(cell.source, kind):
            lines = regions.inside(cell.source, region).split("\n")
            yield from (Secret(f"{what} in {where}", line) for line in lines)


def leaks_in_notebook(secrets: Sequence[Secret], notebook: dict[str, Any]) -> list[str]:
    """Say where a secret survives: in code, text, outputs, metadata or attachments.

    Parameters
    ----------
    secrets
        From `secrets_in`.
    notebook
        As it will be written.
    """
    found = []
    for number, cell in enumerate(notebook["cells"], 1):
        for part, content in cell.items():
            found += leaks_in_text(secrets, _all_text(content), f"the {part} of cell {number}")
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    return found + leaks_in_text(secrets, _all_text(rest), "the notebook's metadata")


def leaks_in_text(secrets: Sequence[Secret], text: str, place: str) -> list[str]:
    """Return a sentence for each secret in a text."""
    squeezed = squeeze(text)
    return [
        f"A line of {secret.where} stands in {place}: {secret.line.strip()[:70]!r}"
        for secret in {secret.squeezed: secret for secret in secrets}.values()
        if secret.squeezed in squeezed
    ]


def _all_text(content: Any) -> str:
    """Return all texts in nested JSON, and what base64 hides."""
    return "\n".join(_texts(content))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(content, list):
        yield "".join(item for item in content if isinstance(item, str))  # lines of one text
        for item in content:
            yield from _texts(item)
    elif isinstance(content, str):
        yield content
        yield _decoded(content)


def _decoded(text: str) -> str:
    """Return what base64 stands for, if it is that: attachments are."""
    try:
        return base64.b64decode(squeeze(text), validate=True).decode(errors="ignore")
    except (binascii.Error, ValueError):
        return ""
