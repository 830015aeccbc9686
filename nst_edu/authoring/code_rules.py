"""Rules for the code of a lesson: set-up, length, nothing but plain Python."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from nst_edu.authoring.finding import Finding

LONGEST_CELL = 25  # lines
NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "socket", "urllib", "urllib3", "wget"}
COMPREHENSIONS = {"dictcomp", "genexpr", "lambda", "listcomp", "setcomp"}  # read where written
KNOWN_NBVAL_TAGS = {"nbval-check-output", "nbval-ignore-output"}


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Yield (number, cell) of each code cell."""
    return ((n, cell) for n, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code")


def parsed_cells(notebook: NotebookNode) -> Iterator[tuple[int, ast.Module]]:
    """Yield (number, syntax tree) of each code cell that is plain Python."""
    for number, cell in code_cells(notebook):
        try:
            yield number, ast.parse(cell.source)
        except SyntaxError:
            continue  # `plain_python` reports it


def plain_python(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Use no magics, no shell commands, no ``?``."""
    parsed = {number for number, _tree in parsed_cells(notebook)}
    for number, cell in code_cells(notebook):
        if number not in parsed or "get_ipython" in cell.source:
            yield Finding(number, "not plain Python", "Remove the magic (%), shell (!) or help (?)")


def length(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Keep each cell short enough for the screen."""
    for number, cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        if lines > LONGEST_CELL:
            advice = f"Split it: at most {LONGEST_CELL}"
            yield Finding(number, f"a code cell of {lines} lines", advice)


def setup(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Put all imports into the first code cell."""
    first = next((number for number, _cell in code_cells(notebook)), None)
    importing = {number for number, tree in parsed_cells(notebook) if list(imports(tree))}
    if first is None or first not in importing:
        yield Finding(first, "no set-up cell", "Let the first code cell import what is needed")
    for number in sorted(importing - {first}):
        yield Finding(number, "an import outside the set-up cell", f"Move it to cell {first}")


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the name of each imported module; with ``.*`` if all of it is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            star = any(alias.name == "*" for alias in node.names)
            yield f"{node.module}{'.*' if star else ''}"


def forbidden_names(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Use no star imports, no changes of ``sys.path``, no downloads."""
    for number, tree in parsed_cells(notebook):
        for module in imports(tree):
            if module.endswith(".*"):
                yield Finding(number, f"from {module[:-2]} import *", "Name what is imported")
            if module.split(".")[0] in NETWORK:
                yield Finding(number, f"{module!r} downloads", "Use bundled files: no network")
        for node in ast.walk(tree):
            code = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.keyword)) else ""
            if code == "sys.path":
                yield Finding(number, "sys.path is changed", "Install the package instead")
            if code == "download=True" or code.startswith("torch.hub."):
                yield Finding(number, f"{code} downloads", "Use bundled files: no network")


def functions_read_no_globals(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Give functions their values as arguments; CONSTANTS, functions and modules are global."""
    trees = list(parsed_cells(notebook))
    variables = {
        node.id
        for _number, tree in trees
        for statement in tree.body
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef))
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not node.id.isupper()
    }
    for number, tree in trees:
        table = symtable.symtable(ast.unparse(tree), "cell", "exec")
        for name, function in _read_globals(table):
            if name in variables:
                yield Finding(number, f"{function}() reads {name!r}", "Make it an argument")


def _read_globals(table: symtable.SymbolTable) -> Iterator[tuple[str, str]]:
    """Yield (name, function) for each global name that a function in `table` reads."""
    for child in table.get_children():
        name = child.get_name()
        if child.get_type() == "function" and name not in COMPREHENSIONS:
            yield from ((s.get_name(), name) for s in child.get_symbols() if s.is_global())
        yield from _read_globals(child)


def tags(notebook: NotebookNode, _: Path) -> Iterator[Finding]:
    """Let nbval execute every cell; it ignores a misspelt tag without a word."""
    for number, cell in code_cells(notebook):
        for tag in cell.metadata.get("tags", []):
            if re.match("nbval|raises", tag) and tag not in KNOWN_NBVAL_TAGS:
                yield Finding(number, f"tag {tag!r}", f"Use {' or '.join(KNOWN_NBVAL_TAGS)}")
        if re.search(r"#\s*NBVAL_", cell.source):
            yield Finding(number, "an nbval marker in a comment", "Use a tag: nbval-check-output")


CODE_RULES = (
    *(plain_python, length, setup, forbidden_names),
    *(functions_read_no_globals, tags),
)
