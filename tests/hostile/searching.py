"""Attacks that search disk and memory for what only the teacher knows."""

from __future__ import annotations

from tests.hostile.model import (
    ZEROS,
    Attack,
    answer,
    own_cell,
    with_places,
)

# The code must not hold the words that it looks for: the feedback page shows the code.
READ = """\
import os
halves = (b"hidden_", b"total"), (b"right", b"_sizes"), (b"canary ", b"of")
WORDS = [one + other for one, other in halves]
def look(path):
    try:
        with open(path, "rb") as file:
            data = file.read(2_000_000)
    except (OSError, ValueError):
        return
    for word in WORDS:
        at = data.find(word)
        if at >= 0:
            print("FOUND", path, data[max(0, at - 50):at + 50])
for place in PLACES:
    look(place)
    try:
        print("LISTED", os.listdir(os.path.dirname(place)))
    except OSError as error:
        print(type(error).__name__)
"""

WALK = """\
for top, folders, files in os.walk("/"):
    if top.startswith(("/proc", "/sys", "/usr", "/packages", "/python")):
        folders.clear()
        continue
    for file in files:
        if file.endswith((".ipynb", ".json", "secret", ".csv", ".py")) and "/course" not in top:
            look(os.path.join(top, file))
"""

PROC = """\
import os
halves = (b"hidden_", b"total"), (b"pyt", b"est"), (b"TEACHERS", b"_OWN"), (b"root:", b"*:")
WORDS = [one + other for one, other in halves]
for process in os.listdir("/proc"):
    for name in ("environ", "cmdline", "maps", "root/etc/shadow", "cwd/secret", "fd/3", "fd/4"):
        try:
            with open(f"/proc/{process}/{name}", "rb") as file:
                data = file.read(500_000)
        except OSError:
            continue
        for word in WORDS:
            if word in data:
                print("FOUND", process, name, word)
    try:
        with open(f"/proc/{process}/mem", "r+b", buffering=0) as file:
            print("OPENED", process == str(os.getpid()) or process)
    except OSError as error:
        print(type(error).__name__)
"""

MEMORY = """\
import gc, inspect, sys
word = "hidden_" + "total"
KINDS = ("Task", "Assignment", "SourceTask", "Exercise", "Misconception", "Grading")
for frame in inspect.stack():
    for name, value in {**frame.frame.f_globals, **frame.frame.f_locals}.items():
        text = value if isinstance(value, str) and name != "word" else ""
        if type(value).__name__ in KINDS or word in text:
            print("FOUND", name)
        if name in ("expected", "reference", "right"):
            print("FOUND", name, value)
for thing in gc.get_objects():
    if type(thing).__name__ in KINDS:
        print("FOUND", type(thing).__name__)
"""

MEMORY_IN_FUNCTION = (
    "def my_scaled(features, factor):\n"
    + "".join(f"    {line}\n" for line in MEMORY.splitlines())
    + "    return torch.zeros_like(features)"
)

TRACE = """\
import sys, threading
seen = []
def trace(frame, event, argument):
    for name in ("expected", "reference", "right", "TASK"):
        if name in frame.f_locals:
            seen.append(frame.f_locals[name])
    return trace
sys.settrace(trace)
threading.settrace(trace)
sys.setprofile(trace)
def my_scaled(features, factor):
    sys.settrace(trace)
    if seen:
        print("FOUND", seen)
        return seen[-1]
    return torch.zeros_like(features)"""

ATTACKS = [
    Attack(
        "read-places",
        "read hidden tests, solutions, other submissions and marks by their paths",
        with_places(READ),
        shows=("FileNotFoundError",),
    ),
    Attack(
        "read-everywhere",
        "look for them everywhere",
        with_places(READ + WALK),
        shows=("FileNotFoundError",),
    ),
    Attack(
        "read-proc",
        "read memory, environment and files of other processes",
        own_cell(PROC, scaled=ZEROS),
    ),
    Attack(
        "read-memory",
        "look for the right answer in the garbage collector, in a cell",
        own_cell(MEMORY, scaled=ZEROS),
    ),
    Attack(
        "read-stack",
        "look for the right answer in the stack, in the function",
        answer(scaled=MEMORY_IN_FUNCTION),
    ),
    Attack("trace", "look for the right answer with sys.settrace", answer(scaled=TRACE)),
]
