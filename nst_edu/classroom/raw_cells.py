"""The cells of a notebook that somebody sent, whatever else is in it.

Only what the cells say and put out is kept, and pictures attached to a text: no other attachments,
no metadata but nbgrader's own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nst_edu.classroom.outputs import attached
from nst_edu.classroom.reading import Problem, UnreadableError, parse, read_bytes
from nst_edu.classroom.regions import names_defined, tidied

LONGEST_CELL = 200_000  # characters
LONGEST = 2_000_000  # of all cells together
MOST_CELLS = 2000
KINDS = ("code", "markdown", "raw")
ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


@dataclass(frozen=True, eq=False)
class RawCell:
    """A cell as it was sent; `number` counts from 1, `outputs` may hold anything.

    The outputs of a text are the pictures attached to it.
    """

    number: int
    id: str
    kind: str
    source: str
    grade_id: str | None
    outputs: tuple[Any, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """What its code defines at the top level."""
        return frozenset(names_defined(self.source) if self.kind == "code" else ())

    @cached_property
    def tidy(self) -> str:
        """The source without space at the ends of lines."""
        return tidied(self.source)


def place_of(cell: RawCell) -> str:
    """Name a cell so that a student finds it: JupyterLab does not number text cells."""
    if cell.kind != "code":
        return f"Cell {cell.number} (text cells count, too)"
    names = names_defined(cell.source)
    first = next((line.strip() for line in cell.source.split("\n") if line.strip()), "")
    return f"The cell that {f'defines {names[-1]}' if names else f'begins with {first[:40]!r}'}"


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes
    ----------
    cells
        Those that could be read.
    problems
        What could not.
    digest
        SHA-256 of the file's bytes; empty if they could not be read.
    release
        What `nst_edu.classroom.release` wrote into the notebook's metadata, if it is still there.
    """

    cells: tuple[RawCell, ...]
    problems: tuple[Problem, ...]
    digest: str = ""
    release: dict[str, Any] | None = None


def read_contents(path: Path, within: Path | None = None) -> Contents:
    """Read a notebook's cells; whatever is wrong is in `Contents.problems`.

    Parameters
    ----------
    within
        A folder above `path`: no link on the way from there is followed.
    """
    digest = ""
    try:
        data = read_bytes(path, within)
        digest = hashlib.sha256(data).hexdigest()
        notebook = parse(data)
        cells, problems = cells_of(notebook)
        return Contents(cells, problems, digest, _release_of(notebook))
    except UnreadableError as error:
        return Contents((), (error.problem,), digest)


def _release_of(notebook: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the release noted in the metadata."""
    metadata = notebook.get("metadata")
    found = metadata.get("nst_edu") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else None


def cells_of(notebook: dict[str, Any]) -> tuple[tuple[RawCell, ...], tuple[Problem, ...]]:
    """Return the cells that can be read, with ids that differ, and what is wrong with the rest."""
    cells: list[RawCell] = []
    faults: dict[str, list[int]] = {}
    taken: set[str] = set()
    length = 0
    for number, raw in enumerate(notebook["cells"][:MOST_CELLS], 1):
        cell, found = _cell(number, raw, taken)
        length += 0 if cell is None else len(cell.source)
        if cell is not None and length > LONGEST:
            cell, found = None, ["long-notebook"]
        for fault in found:
            faults.setdefault(fault, []).append(number)
        if cell is not None:
            cells.append(cell)
            taken.add(cell.id)
    problems = [Problem(*_says(fault, numbers)) for fault, numbers in faults.items()]
    if len(notebook["cells"]) > MOST_CELLS:
        text = f"The notebook has {len(notebook['cells']):,} cells; the first {MOST_CELLS:,} count."
        problems.append(Problem("too-many-cells", text))
    if not cells:
        problems.append(Problem("no-cells", "The notebook has no cells to read.", fatal=True))
    return tuple(cells), tuple(problems)


FAULTS = {
    "not-a-cell": "not of a cell's form; left out",
    "unknown-cell": "of an unknown kind; left out",
    "no-text": "without a text; left out",
    "long-cell": f"longer than {LONGEST_CELL:,} characters; left out",
    "long-notebook": f"beyond the first {LONGEST:,} characters of the notebook; left out",
}


def _says(fault: str, numbers: list[int]) -> tuple[str, str]:
    """Return the kind and the sentence for a fault of some cells."""
    few = ", ".join(map(str, numbers[:5])) + ", …" * (len(numbers) > 5)
    which = f"Cell {few} is" if len(numbers) == 1 else f"{len(numbers)} cells ({few}) are"
    return fault, f"{which} {FAULTS[fault]}."


def _cell(number: int, raw: Any, taken: set[str]) -> tuple[RawCell | None, list[str]]:
    """Read one cell; return None and the fault if that cannot be done."""
    if not isinstance(raw, dict):
        return None, ["not-a-cell"]
    kind, source = raw.get("cell_type"), raw.get("source")
    if kind not in KINDS:
        return None, ["unknown-cell"]
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None, ["no-text"]
    if len(source) > LONGEST_CELL:
        return None, ["long-cell"]
    metadata = raw.get("metadata")
    noted = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    noted = noted if isinstance(noted, dict) else {}
    grade_id = _text_or_none(noted.get("grade_id"))
    new_id = _new_id(raw.get("id"), number, taken)
    return RawCell(number, new_id, kind, _clean(source), grade_id, _outputs(kind, raw)), []


def _outputs(kind: str, raw: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a cell put out, or the pictures attached to a text."""
    if kind == "markdown":
        return attached(raw.get("attachments"))
    outputs = raw.get("outputs")
    return tuple(outputs) if kind == "code" and isinstance(outputs, list) else ()


def _text_or_none(value: Any) -> str | None:
    return _clean(value) if isinstance(value, str) and 0 < len(value) <= 200 else None


def _new_id(wanted: Any, number: int, taken: set[str]) -> str:
    """Return the cell's id if it is one and nobody has it, else a new one."""
    if isinstance(wanted, str) and ID.fullmatch(wanted) and wanted not in taken:
        return wanted
    new = f"cell-{number}"
    while new in taken:
        new += "-"
    return new


def _clean(text: str) -> str:
    """Return a text that can be written as UTF-8, with one kind of line end."""
    text = text.encode(errors="replace").decode()  # JSON may hold half of a surrogate pair
    return text.replace("\r\n", "\n").replace("\r", "\n")
