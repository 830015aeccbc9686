"""The students' version of an assignment, made by nbgrader's own preprocessors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nst_edu.classroom import leaks
from nst_edu.classroom.cells import released
from nst_edu.classroom.regions import STUB, TEXT_STUB, tidied

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nst_edu.classroom.assignment import Assignment

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("nbgrader", "tags", "deletable", "editable")  # of a cell's metadata


def student_version(assignment: Assignment) -> NotebookNode:
    """Return what students get: nbgrader's own preprocessors, and stable metadata.

    Parameters
    ----------
    assignment
        From `nst_edu.classroom.source.read_assignment`.

    Raises
    ------
    nst_edu.classroom.leaks.LeakError
        If a line of a solution, a hidden test or a mark scheme is still in it.
    """
    import nbformat

    notebook = nbformat.from_dict(
        {
            "cells": [_plain(cell, number) for number, cell in enumerate(assignment.cells)],
            "metadata": METADATA,
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    notebook = _preprocessed(notebook, [released(cell) for cell in assignment.cells])
    for cell in notebook.cells:
        _drop_unused_attachments(cell)
    notebook.metadata["nst_edu"] = nbformat.from_dict(_facts(assignment, notebook))
    found = leaks.leaks_in_notebook(leaks.secrets_in(assignment.cells), notebook)
    if found:
        raise leaks.LeakError(refusal(assignment, found))
    nbformat.validate(notebook)
    return notebook


def refusal(assignment: Assignment, found: Sequence[str]) -> str:
    """Say why nothing was written."""
    head = f"{assignment.path} was not released, because students could read what is hidden:"
    advice = "Reword the line in one of the two places."
    return "\n- ".join([head, *found]) + f"\n{advice}"


def _plain(cell: NotebookNode, number: int) -> dict[str, Any]:
    """Return a copy of a cell without what another machine or day would change."""
    copied = json.loads(json.dumps(cell))
    kept = {key: value for key, value in copied["metadata"].items() if key in KEPT}
    return {**copied, "metadata": kept, "id": copied.get("id") or f"cell-{number}"}


def _preprocessed(notebook: NotebookNode, texts: Sequence[str]) -> NotebookNode:
    """Apply what ``nbgrader generate_assignment`` applies, in its order, without its database.

    `texts` are what remains of each cell: nbgrader's own, without needless stubs.
    """
    from nbgrader import preprocessors as steps

    for step in (
        steps.LockCells(),
        steps.ClearSolutions(code_stub={"python": STUB}, text_stub=TEXT_STUB),
        steps.ClearOutput(),
        steps.CheckCellMetadata(),
        steps.ClearHiddenTests(),
        steps.ClearMarkScheme(),
        steps.ComputeChecksums(),
        steps.CheckCellMetadata(),
    ):
        if isinstance(step, steps.ComputeChecksums):
            for cell, text in zip(notebook.cells, texts, strict=True):
                cell.source = text
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def _drop_unused_attachments(cell: NotebookNode) -> None:
    """Remove pictures of a text that was taken away: nbgrader leaves them in the file."""
    attachments = cell.get("attachments", {})
    for name in list(attachments):
        if f"attachment:{name}" not in cell.source:
            del attachments[name]
    if "attachments" in cell and not attachments:
        del cell["attachments"]


def _facts(assignment: Assignment, notebook: NotebookNode) -> dict[str, Any]:
    """Return what the notebook says about itself, for `nst_edu.classroom.validate`."""
    said = [[cell.cell_type, cell.source, cell.metadata] for cell in notebook.cells]
    version = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    cells = {
        one.grade_id: {
            "role": one.role,
            "kind": one.kind,
            "names": [*one.names],
            "digest": fingerprint(one.source),
        }
        for one in assignment.slots
    }
    return {"assignment": assignment.name, "version": version, "cells": cells}


def fingerprint(source: str) -> str:
    """Return a short digest of a cell's text, whatever space stands at the ends of its lines."""
    return hashlib.sha256(tidied(source).encode()).hexdigest()[:16]


def manifest_of(assignment: Assignment, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the release holds; the same bytes each time, so no date and no machine.

    Parameters
    ----------
    assignment
        What was released.
    files
        Name → content, the notebook first.
    """
    notebook = json.loads(next(iter(files.values())))
    tasks = [
        {"name": one.task.name, "cell": one.grade_id, "points": one.points}
        for one in assignment.tasks
    ]
    by_hand = [{"cell": one.grade_id, "points": one.points} for one in assignment.by_hand]
    return {
        "format": 1,
        **notebook["metadata"]["nst_edu"],
        "points": assignment.points,
        "points_by_hand": assignment.points_by_hand,
        "tasks": tasks,
        "by_hand": by_hand,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
