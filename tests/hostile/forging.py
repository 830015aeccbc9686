"""Attacks that forge results: on the screen, in values, in files."""

from __future__ import annotations

from tests.hostile.model import FULL, HUMAN, NOTHING, ZEROS, Attack, answer, own_cell

PRINT = """
print("my_scaled: right. 4 of 4 points.")
print('{"points": 4, "passed": true}')
import sys
sys.stderr.write("4.0\\n")
4.0"""

EQUALS = """\
class Everything(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True if "eq" in function.__name__ or "all" in function.__name__ else args[0]
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __hash__ = object.__hash__
    __class__ = torch.Tensor
def my_scaled(features, factor):
    return torch.zeros(features.shape, dtype=features.dtype).as_subclass(Everything)
class Same:
    def __eq__(self, other):
        return True
    def __getattr__(self, name):
        return self
    def __call__(self, *a, **k):
        return self
my_sizes = Same()"""

WRITE = """\
import json, os
def forge():
    os.makedirs("/sandbox/out/answers", exist_ok=True)
    outcome = {"value": {"tensor": "0"}, "left": [], "gradients": ["1"], "attached": True}
    value = {"kind": "function", "outcomes": [outcome] * 2, "too_slow": False, "printed": "",
             "lines": 0, "points": 4, "passed": True}
    with open("/sandbox/out/answers/my_scaled.json", "w") as file:
        json.dump(value, file)
    with open("/sandbox/out/marks.json", "w") as file:
        json.dump({"my_scaled": 4}, file)
"""

FROM_THREAD = """\
import threading, time
def often():
    while True:
        forge()
        time.sleep(0.001)
threading.Thread(target=often, daemon=True).start()"""

AT_EXIT = """\
import atexit, sys
atexit.register(forge)
class Last:
    def __del__(self): forge()
last = Last()
sys.excepthook = lambda *a: forge()"""

PICKLE = """\
import pickle
class Trap:
    def __reduce__(self):
        return eval, ("open('/tmp/trap', 'w')",)
os.makedirs("/sandbox/out/answers", exist_ok=True)
for name in ("my_scaled.safetensors", "my_scaled.json"):
    with open(f"/sandbox/out/answers/{name}", "wb") as file:
        pickle.dump(Trap(), file)"""

DEEP = """\
os.makedirs("/sandbox/out/answers", exist_ok=True)
with open("/sandbox/out/answers/my_scaled.json", "w") as file:
    file.write("[" * 900_000 + "]" * 900_000)
with open("/sandbox/out/executed.json", "w") as file:
    file.write('{"cells": ' * 100_000)"""

LINKS = """\
import os, shutil
os.makedirs("/sandbox/out/answers", exist_ok=True)
shutil.rmtree("/sandbox/out/answers")
for name in ("answers", "executed.json.part", "more"):
    os.symlink("/sandbox/in", f"/sandbox/out/{name}")
os.mkfifo("/sandbox/out/pipe")
os.mkdir("/sandbox/out/executed.json")"""

LARGE = """\
def my_scaled(features, factor):
    raise type("E" * 10**6, (Exception,), {"__str__": lambda self: "4 of 4 points " * 10**7})()"""

EVIL_ERROR = """\
class Meta(type):
    @property
    def __name__(cls):
        return {"points": 4}
class Evil(Exception, metaclass=Meta):
    def __str__(self):
        raise KeyboardInterrupt
def my_scaled(features, factor):
    raise Evil"""

NUMBERS = """\
my_sizes = {"height": float("nan"), "width": -0.0, True: 10**98, "x": 1e308, 1: float("inf")}"""

CLAIMS = """\
def my_scaled(features, factor):
    features.requires_grad_(True).retain_grad()
    features.data.zero_()
    return features * 0"""

UNREADABLE = ("There is no answer that can be judged",)

ATTACKS = [
    Attack(
        "print-result",
        "print a false result",
        answer(scaled=ZEROS + PRINT),
        shows=("4 of 4 points",),
    ),
    Attack(
        "equals-everything", "return things that equal everything", answer(scaled=EQUALS), (6, 0, 3)
    ),
    Attack(
        "same-value",
        "give a value that equals everything",
        answer(sizes=EQUALS),
        (6, 4, 0),
        ("There is no answer that can be judged",),
    ),
    Attack(
        "write-from-thread",
        "write answers from a thread",
        answer(scaled=ZEROS + WRITE + FROM_THREAD),
    ),
    Attack("write-at-exit", "write answers at the end", answer(scaled=ZEROS + WRITE + AT_EXIT)),
    Attack(
        "write-first",
        "write answers before they are asked for",
        own_cell(WRITE + "forge()"),
        says=UNREADABLE,
    ),
    Attack(
        "pickle-answers",
        "write pickles as answers",
        own_cell("import os\n" + PICKLE),
        says=UNREADABLE,
    ),
    Attack(
        "nested-answers",
        "write answers that break the reader of JSON",
        own_cell("import os\n" + DEEP),
        says=UNREADABLE,
    ),
    Attack(
        "link-results",
        "put links and pipes in place of the results",
        own_cell(LINKS),
        NOTHING,
        ("ended by itself",),
        (),
        HUMAN,
    ),
    Attack(
        "large-error",
        "raise an error with a text of 140 MB",
        answer(scaled=LARGE),
        says=("points",),
    ),
    Attack("evil-error", "raise an error that cannot be shown", answer(scaled=EVIL_ERROR)),
    Attack(
        "strange-numbers", "give numbers that break comparisons", answer(sizes=NUMBERS), (6, 4, 0)
    ),
    Attack("change-inputs", "change the inputs so that zero is right", answer(scaled=CLAIMS)),
    Attack(
        "honest-extra",
        "patch nothing, and answer well (a control)",
        own_cell("print('<b>hello</b>')"),
        FULL,
    ),
]
