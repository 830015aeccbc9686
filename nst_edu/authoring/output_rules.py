"""Rules for what is stored in a notebook: outputs, their pictures, no trace of a machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from nst_edu.authoring.code_rules import code_cells
from nst_edu.authoring.finding import Finding
from nst_edu.authoring.markdown_rules import ALT, IMG_TAG

LARGEST = 1_500_000  # bytes
WIDGET = "application/vnd.jupyter.widget-view+json"
DATA_URI = re.compile(r"data:[a-z]+/[a-z+.-]+;base64,[A-Za-z0-9+/=]*")
PLACEHOLDER = "No description has been provided"  # what nbconvert puts where it found no alt text

# A path from the root of a disk or of a home folder, on any system.
FOLDERS = "Users|bin|etc|home|mnt|opt|private|root|srv|tmp|usr|var|work|workspace|content|kaggle"
ABSOLUTE = re.compile(
    rf"(?<![\w./:>)\]-])/(?:{FOLDERS})/[^\s\"']*|\b[A-Za-z]:\\\\?[A-Za-z]\S*|~/\S+"
)


def executed(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Execute every code cell, and have something to be seen."""
    cells = list(code_cells(notebook))
    for number, cell in cells:
        if cell.execution_count is None:
            yield Finding(number, "a code cell without result", "Run: make notebooks")
    if not any(cell.outputs for _number, cell in cells):
        yield Finding(None, "no output is stored", "Run: make notebooks")


def clean_outputs(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Store no errors, no warnings, no widget that needs a running kernel."""
    if "widgets" in notebook.metadata:
        yield Finding(None, "the state of widgets is stored", "Run: make notebooks")
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield Finding(number, f"it failed: {output.ename}", "Catch it and print it")
            if output.get("name") == "stderr":
                text = output.text.strip().splitlines()[-1][:80]
                yield Finding(number, f"writes to stderr: {text!r}", "Avoid it, or use print")
            if WIDGET in output.get("data", {}):
                yield Finding(number, "a widget's state is stored", "Run: make notebooks")


def described_pictures(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Put HTML whose <img> has an alt text beside each picture; compare no pictures."""
    advice = "Show it with nst_edu.plots, which adds the alt text"
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            page = DATA_URI.sub("", data.get("text/html", ""))
            shown = IMG_TAG.findall(page)
            picture = any(kind.startswith("image/") for kind in data)
            if (picture and not shown) or not all(map(ALT.search, shown)) or PLACEHOLDER in page:
                yield Finding(number, "an output picture has no alt text", advice)
            if (picture or shown) and "nbval-check-output" in cell.metadata.get("tags", []):
                yield Finding(number, "a picture is compared", "Tag only cells that print text")


def no_machine_paths(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Have no absolute path in a cell or an output."""
    for number, cell in enumerate(notebook.cells, 1):
        texts = [cell.source]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts += [value for kind, value in data.items() if kind.startswith("text/")]
            texts += [output.get("text", ""), *output.get("traceback", [])]
        for text in texts:
            for path in ABSOLUTE.findall(DATA_URI.sub("", str(text))):
                yield Finding(number, f"the absolute path {path!r}", "Use a relative one, or none")


OUTPUT_RULES = (executed, clean_outputs, described_pictures, no_machine_paths)
