"""Look at the cell that ran just before the check: it may have failed, or defined another name.

A check gets what ``my_…`` stands for at that moment. If the learner's cell has stopped with an
error, that is an earlier version of the answer, and to judge it would confuse.
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
from typing import Any

from nst_edu.exercises.result import Result

ALIKE = 0.7  # of 1: how alike two names are if one is a slip of the other


def stale(name: str) -> Result | None:
    """Say so if the cell before was to define `name` and did not; outside IPython, None.

    Parameters
    ----------
    name
        What the learner is asked to define: ``"my_gram_matrix"``.
    """
    last = _last_execution()
    source = getattr(getattr(last, "info", None), "raw_cell", None)
    if last is None or not isinstance(source, str):
        return None
    if not last.success:
        return _failed(name, source, last.error_before_exec or last.error_in_exec)
    defined = _defined(source)
    slips = difflib.get_close_matches(name, defined, cutoff=ALIKE)
    if name in defined or not slips:
        return None
    text = f"The cell before this one defines {slips[0]}. This check looks at {name}."
    return Result(False, f"{text} Is it a slip of the pen?", "other-name")


def _last_execution() -> Any:
    """Return what IPython knows about the cell that ran last; None outside IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return getattr(get_ipython(), "last_execution_result", None)


def _failed(name: str, source: str, error: BaseException | None) -> Result | None:
    """Say that the cell with `name` in it has stopped with an error."""
    if error is None or not re.search(rf"\b{re.escape(name)}\b", source):
        return None
    line = getattr(error, "lineno", None)
    place = f", line {line}" if isinstance(error, SyntaxError) and line else ""
    words = str(getattr(error, "msg", None) or error)[:200]
    text = f"The cell with {name} stopped with an error ({type(error).__name__}{place}: {words})."
    advice = f"So {name} is still what it was before. Mend that cell and run it, then check again."
    return Result(False, f"{text} {advice}", "cell-failed")


def _defined(source: str) -> list[str]:
    """Return the names ``my_…`` that a cell defines."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, perhaps
        return []
    functions = [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    stored = [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    return [name for name in (*functions, *stored) if name.startswith("my_")]
