"""Check the habits of the lessons: ``python -m nst_edu.authoring.lint [NOTEBOOK …]``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from nst_edu.authoring.code_rules import CODE_RULES
from nst_edu.authoring.exercise_rules import EXERCISE_RULES
from nst_edu.authoring.finding import Finding
from nst_edu.authoring.formula_rules import FORMULA_RULES
from nst_edu.authoring.glossary_rules import GLOSSARY_RULES
from nst_edu.authoring.markdown_rules import MARKDOWN_RULES
from nst_edu.authoring.output_rules import LARGEST, OUTPUT_RULES
from nst_edu.authoring.texts import NOTEBOOKS

RULES = (
    *(*MARKDOWN_RULES, *CODE_RULES, *OUTPUT_RULES),
    *(*FORMULA_RULES, *EXERCISE_RULES, *GLOSSARY_RULES),
)


def lint_notebook(path: Path) -> list[Finding]:
    """Return what is to be put right in the notebook at `path`; empty if nothing is."""
    notebook = nbformat.read(path, as_version=4)
    found = [finding for rule in RULES for finding in rule(notebook, path.parent)]
    size = path.stat().st_size
    if size > LARGEST:
        problem = f"the file has {size / 1e6:.1f} MB"
        advice = f"Show fewer or smaller pictures: at most {LARGEST / 1e6} MB"
        found.append(Finding(None, problem, advice))
    return [dataclasses.replace(finding, notebook=path.name) for finding in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if nothing is found, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m nst_edu.authoring.lint", description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="files (default: all lessons)")
    paths = parser.parse_args(arguments).notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))
    found = [finding for path in paths for finding in lint_notebook(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
