"""The names that a cell of a lesson uses, without running the cells before it.

Only what a name depends on is executed: imports, functions, CONSTANTS.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from nst_edu.authoring.solutions import names_of


def names_for(source: str, notebook: NotebookNode, cell: int) -> dict[str, Any]:
    """Return the names that the code `source`, standing in cell `cell`, finds in the lesson.

    Parameters
    ----------
    source
        For example a solution.
    notebook
        The lesson; stubs in it are taken as they are.
    cell
        Counted from 1; what is defined in or after it is not seen.
    """
    definitions: dict[str, list[ast.stmt]] = {}
    for other in notebook.cells[: cell - 1]:
        if other.cell_type == "code":
            for statement in ast.parse(other.source).body:
                for name in names_of(statement):
                    definitions.setdefault(name, []).append(statement)
    namespace: dict[str, Any] = {}
    done: set[int] = set()
    for name in _used(ast.parse(source)):
        _define(name, definitions, namespace, done)
    return namespace


def _define(
    name: str,
    definitions: dict[str, list[ast.stmt]],
    namespace: dict[str, Any],
    done: set[int],
) -> None:
    """Execute the last definition of `name`, after those that it depends on."""
    if name in namespace or hasattr(builtins, name) or name not in definitions:
        return
    statement = definitions[name][-1]
    if id(statement) in done:
        return
    done.add(id(statement))
    for other in _used(ast.Module([statement], [])):
        _define(other, definitions, namespace, done)
    exec(compile(ast.Module([statement], []), "<lesson>", "exec"), namespace)


def _used(tree: ast.Module) -> list[str]:
    """Return the names that some code takes from outside: no names local to a function."""
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    at_top = [symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()]
    return list(dict.fromkeys([*at_top, *_global_names(table)]))


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    for child in table.get_children():
        yield from (symbol.get_name() for symbol in child.get_symbols() if symbol.is_global())
        yield from _global_names(child)
