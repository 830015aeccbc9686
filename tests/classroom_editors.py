"""The same notebook as different programs save it: what they add, drop, order and indent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode

VERSION = "3.11.7"
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": VERSION,
}
STREAM = {"name": "stdout", "output_type": "stream", "text": ["example right: True\n"]}


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def jupyterlab(notebook: NotebookNode) -> bytes:
    """JupyterLab 4: format 4.5, cell ids, one space, keys in order, a new line at the end."""
    cells = []
    for number, cell in enumerate(notebook.cells):
        metadata = dict(cell.metadata)
        saved: dict[str, Any] = {"cell_type": cell.cell_type, "id": cell.id, "metadata": metadata}
        if cell.cell_type == "code":
            time = "2026-11-21T10:00:00.000000Z"
            metadata["execution"] = {"iopub.execute_input": time, "shell.execute_reply": time}
            saved |= {"execution_count": number + 1, "outputs": [STREAM]}
        elif number == 0:
            metadata |= {"editable": True, "slideshow": {"slide_type": ""}}
        cells.append({**saved, "source": _lines(cell.source)})
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {**notebook.metadata, "kernelspec": kernel, "language_info": LANGUAGE},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def vs_code(notebook: NotebookNode) -> bytes:
    """VS Code: format 4.2 without ids for older notebooks, the name of a virtual environment.

    Cells that were made anew carry a language and nothing of nbgrader's.
    """
    cells = []
    for number, cell in enumerate(notebook.cells):
        metadata = dict(cell.metadata)
        if metadata.get("nbgrader", {}).get("solution"):
            metadata = {"vscode": {"languageId": "python"}}
        saved: dict[str, Any] = {"cell_type": cell.cell_type}
        if cell.cell_type == "code":
            saved["execution_count"] = number + 1
        saved["metadata"] = metadata
        if cell.cell_type == "code":
            saved["outputs"] = [STREAM]
        cells.append({**saved, "source": _lines(cell.source)})
    kernel = {"display_name": ".venv (3.11.7)", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": LANGUAGE, "orig_nbformat": 4},
        "nbformat": 4,
        "nbformat_minor": 2,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def colab(notebook: NotebookNode) -> bytes:
    """Colab: format 4.0, its own ids in the metadata, two spaces; here with CR LF in the cells."""
    cells = []
    for number, cell in enumerate(notebook.cells):
        metadata: dict[str, Any] = {"id": f"Xy{number:02d}abcDEFgh"}
        saved = {
            "cell_type": cell.cell_type,
            "source": _lines(cell.source.replace("\n", "\r\n")),
            "metadata": metadata,
        }
        if cell.cell_type == "code":
            metadata |= {
                "colab": {"base_uri": "https://localhost:8080/", "height": 35},
                "outputId": "0b1c2d3e-0000-4000-8000-000000000000",
            }
            saved |= {"execution_count": number + 1, "outputs": [STREAM]}
        cells.append(saved)
    whole = {
        "nbformat": 4,
        "nbformat_minor": 0,
        "metadata": {
            "colab": {"provenance": [], "toc_visible": True, "gpuType": "T4"},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
            "accelerator": "GPU",
        },
        "cells": cells,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False).encode()


EDITORS: dict[str, Callable[[NotebookNode], bytes]] = {
    "JupyterLab": jupyterlab,
    "VS Code": vs_code,
    "Colab": colab,
}
