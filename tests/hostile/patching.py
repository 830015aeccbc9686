"""Attacks that change the program which grades, or so they think."""

from __future__ import annotations

from tests.hostile.model import ONLY_FIRST, ZEROS, Attack, answer, own_cell

ASSERT = """\
import ast, builtins
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
builtins.AssertionError = type("Quiet", (Exception,), {"__init__": lambda *a: None})
globals()["__builtins__"] = builtins
__debug = False"""

TORCH = """\
true = lambda *a, **k: True
torch.equal = torch.allclose = torch.Tensor.equal = torch.Tensor.allclose = true
torch.testing.assert_close = lambda *a, **k: None
torch.Tensor.__eq__ = lambda a, b: torch.ones((), dtype=torch.bool)
torch.isclose = lambda a, b, **k: torch.ones(a.shape, dtype=torch.bool)
torch.Tensor.isclose = torch.isclose"""

PACKAGE = """\
import sys
import nst_edu.exercises.checking, nst_edu.exercises.comparing, nst_edu.exercises.judging
from nst_edu.classroom import marking, tasks
for name, module in list(sys.modules.items()):
    if name.startswith("nst_edu"):
        for function in ("compare", "difference", "judge", "examine", "share_of", "judge_value"):
            if hasattr(module, function):
                setattr(module, function, lambda *a, **k: None)
tasks.Task.judge = tasks.Task.mark = lambda self, *a: self.points
tasks.agrees = lambda *a, **k: True
open("/course/nst_edu/classroom/tasks.py", "a")"""

DUMPS = """\
import json, safetensors.torch
forged = '{"kind": "function", "points": 4, "passed": true, "share": 1.0, "credit": 1}'
json.dumps = lambda *a, **k: forged
json.JSONEncoder.encode = lambda *a, **k: forged
safetensors.torch.save_file = lambda *a, **k: None"""

BUILTINS = """\
import builtins
real_isinstance, real_len = builtins.isinstance, builtins.len
class Lies(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = float.__hash__
builtins.abs = lambda x: Lies(0)
builtins.max = lambda *a, **k: Lies(0)
builtins.all = builtins.any = lambda *a: True
builtins.open = None"""

RUNNER = """\
import sys
shell = get_ipython()
class Names(dict):
    def __contains__(self, name): return True
    def __missing__(self, name): return lambda *a: torch.zeros(1)
shell.user_ns["__forged__"] = True
main = sys.modules["__main__"]
for name in ("answering", "board", "Worker", "write_executed", "run_cell", "execute"):
    setattr(main, name, None)
from nst_edu.classroom import answering, exchange, outcomes
def forged(run, function, packer):
    return {"kind": "function", "outcomes": [{"value": "right", "points": 4}] * 2, "passed": True}
answering.packed_run = outcomes.packed_run = forged"""

STEER = """\
import gc
from nst_edu.classroom.forking import Board
for thing in gc.get_objects():
    if isinstance(thing, Board):
        thing.tell(10**9, float("nan"), finished=True)
        thing.tell = lambda *a, **k: None
import os
os._exit(0)"""

UNREADABLE = ("There is no answer that can be judged",)

ATTACKS = [
    Attack("no-asserts", "redefine assert", own_cell(ASSERT, scaled=ZEROS)),
    Attack("patch-torch", "patch torch's comparisons", own_cell(TORCH, scaled=ZEROS)),
    Attack(
        "patch-package",
        "patch the checks, and write into the package",
        own_cell(PACKAGE, scaled=ZEROS),
        shows=("PermissionError",),
    ),
    Attack(
        "patch-json",
        "patch json and safetensors, so that points are written",
        answer(scaled=f"{ZEROS}\n{DUMPS}"),
        ONLY_FIRST,
        UNREADABLE,
    ),
    Attack(
        "patch-builtins",
        "patch builtins",
        answer(scaled=f"{ZEROS}\n{BUILTINS}"),
        says=("the program ended here",),
    ),
    Attack(
        "patch-runner",
        "patch the runner's modules",
        answer(scaled=f"{ZEROS}\n{RUNNER}"),
        says=UNREADABLE,
    ),
    Attack(
        "steer-runner", "say that all is finished", answer(scaled=f"{ZEROS}\n{STEER}"), ONLY_FIRST
    ),
]
