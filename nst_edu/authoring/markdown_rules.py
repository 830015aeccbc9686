"""Rules for the text of a lesson: headings, header, pictures, links."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from nbformat import NotebookNode

from nst_edu.authoring.finding import Finding
from nst_edu.authoring.texts import COST_LINE

FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#{1,6})\s+(.+)$", re.MULTILINE)
PICTURE = re.compile(r"!\[([^\]]*)\]\(")
IMG_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ALT = re.compile(r"""\balt\s*=\s*("[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*')""", re.IGNORECASE)
TARGET = re.compile(r"""\]\(\s*<?([^)\s>]+)|\b(?:href|src)\s*=\s*["']([^"']+)""")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|#)", re.IGNORECASE)  # https:, mailto:, data:, #part
FIRST_CELLS = 3


def markdown_cells(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """Yield (number, source without code blocks) of each markdown cell."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            yield number, FENCED.sub("", cell.source)


def headings(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Begin with the one H1; leave out no level on the way down."""
    found = [
        (number, len(marks))
        for number, source in markdown_cells(notebook)
        for marks, _title in HEADING.findall(source)
    ]
    titles = [number for number, level in found if level == 1]
    if found[:1] != [(1, 1)]:
        yield Finding(1, "the notebook does not begin with its title", "Begin cell 1 with '# …'")
    for number in titles[1:]:
        yield Finding(number, "a second H1", "Use '##': the one H1 is the title")
    for (_before, above), (number, level) in itertools.pairwise(found):
        if level > above + 1:
            yield Finding(number, f"H{level} follows H{above}", f"Use '{'#' * (above + 1)}'")


def header(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """State objectives, minutes and the measured cost in the first cells."""
    first = "\n".join(cell.source for cell in notebook.cells[:FIRST_CELLS])
    wanted = [
        (r"(?i)\bafter this lesson you can\b", "objectives", "Add 'After this lesson you can …'"),
        (r"\b\d+ minutes\b", "duration", "Add, for example, '45 minutes'"),
        (COST_LINE.pattern, "measured cost", "Put '<!-- cost -->' into the text, and build"),
    ]
    for pattern, what, advice in wanted:
        if not re.search(pattern, first):
            yield Finding(None, f"its first {FIRST_CELLS} cells do not state the {what}", advice)


def alternative_texts(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Describe every picture in the text."""
    for number, source in markdown_cells(notebook):
        bare = [alt for alt in PICTURE.findall(source) if not alt.strip()]
        bare += [tag for tag in IMG_TAG.findall(source) if not ALT.search(tag)]
        if bare:
            yield Finding(number, "a picture has no alt text", "Say what it shows: ![…](file)")


def links(notebook: NotebookNode, folder: Path) -> Iterator[Finding]:
    """Let every relative link lead to a file."""
    for number, source in markdown_cells(notebook):
        for groups in TARGET.findall(source):
            target = "".join(groups)
            if ELSEWHERE.match(target):
                continue
            if not (folder / unquote(target.split("#")[0])).exists():
                yield Finding(number, f"the link to {target!r} leads nowhere", "Correct the path")


MARKDOWN_RULES = (headings, header, alternative_texts, links)
