"""Small changes of a program's syntax tree, as a slip of the pen would make them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

SPOIL = "_spoil"  # what a mutant calls to change an argument in place
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
}
METHODS = {
    "mean": "sum",
    "sum": "mean",
    "square": "abs",
    "abs": "square",
    "max": "min",
    "min": "max",
    "amax": "amin",
    "amin": "amax",
    "sqrt": "square",
    "flatten": "clone",
}
RESULT_METHODS = ("detach()", "mT", "mul(1.5)", "float()")
DROPPED = (ast.Assign, ast.If, ast.For, ast.While, ast.Assert, ast.Raise)
Change = tuple[str, ast.AST]  # what was changed, and what stands in the node's place


def expressions(node: ast.AST) -> Iterator[Change]:
    """Yield what may stand in the place of an expression."""
    if isinstance(node, ast.BinOp):
        yield from _operations(node)
    elif isinstance(node, ast.UnaryOp):
        yield "sign or not dropped", node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARISONS[type(node.ops[0])]:
            yield "comparison changed", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        flipped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and/or swapped", ast.BoolOp(flipped, node.values)
        yield "condition dropped", node.values[0]
    elif isinstance(node, ast.IfExp):
        yield "branches swapped", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Attribute) and node.attr in ("mT", "T", "mH", "H"):
        yield "transposition dropped", node.value


def _operations(node: ast.BinOp) -> Iterator[Change]:
    for other in OPERATORS.get(type(node.op), ()):
        yield "operator changed", ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv)):
        yield "right operand dropped", node.left
        yield "left operand dropped", node.right
    else:
        yield "operands swapped", ast.BinOp(node.right, node.op, node.left)


def _constants(value: object) -> Iterator[Change]:
    if isinstance(value, bool):
        yield "truth value changed", ast.Constant(not value)
    elif isinstance(value, int):
        yield "number + 1", ast.Constant(value + 1)
        yield "number - 1", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "number doubled", ast.Constant(2 * value if value else 1.0)


def _calls(node: ast.Call) -> Iterator[Change]:
    """Change what is called, or what with."""
    if isinstance(node.func, ast.Attribute):
        module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("torch", "F")
        other = METHODS.get(node.func.attr)
        if other:
            function = ast.Attribute(node.func.value, other, ast.Load())
            yield f"{node.func.attr} → {other}", ast.Call(function, node.args, node.keywords)
        if not module:
            yield f".{node.func.attr}() dropped", node.func.value
    for number in range(len(node.keywords)):
        fewer = [k for n, k in enumerate(node.keywords) if n != number]
        yield "keyword dropped", ast.Call(node.func, node.args, fewer)
    if len(node.args) > 1:
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "arguments swapped", ast.Call(node.func, swapped, node.keywords)


def statements(node: ast.AST) -> Iterator[Change]:
    """Yield what may stand in the place of a statement, or of a whole function."""
    if isinstance(node, ast.Return) and node.value is not None:
        for method in ("detach()", "mT", "mul(1.5)", "float()"):
            yield (
                f"result.{method}",
                ast.parse(f"return ({ast.unparse(node.value)}).{method}").body[0],
            )
        yield "return dropped", ast.Expr(node.value)
    elif isinstance(node, ast.AugAssign):
        for other in OPERATORS.get(type(node.op), ()):
            yield "operator changed", ast.AugAssign(node.target, other(), node.value)
        yield "statement dropped", ast.Pass()
        yield "= for +=", ast.Assign([_stored(node.target)], node.value)
    elif isinstance(node, DROPPED) or _is_call(node):
        yield "statement dropped", ast.Pass()
    elif isinstance(node, ast.FunctionDef):
        yield from _spoilt(node)
    if isinstance(node, (ast.If, ast.While)):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield "condition negated", negated
    if isinstance(node, ast.With):
        yield "with dropped", ast.If(ast.Constant(True), node.body, [])


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)


def _stored(target: ast.expr) -> ast.expr:
    twin = copy.deepcopy(target)
    twin.ctx = ast.Store()  # type: ignore[attr-defined]
    return twin


def _spoilt(function: ast.FunctionDef) -> Iterator[Change]:
    """Change each argument in place: at the beginning, or when all is computed."""
    for argument in function.args.args:
        call = ast.parse(f"{SPOIL}({argument.arg})").body
        first = copy.deepcopy(function)
        first.body = [*call, *first.body]
        yield f"{argument.arg} changed in place at the beginning", first
        last = copy.deepcopy(function)
        last.body = [ast.Try(last.body, [], [], call)]
        yield f"{argument.arg} changed in place at the end", last
