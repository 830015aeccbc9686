"""Attacks that destroy, kill, or end before the end."""

from __future__ import annotations

from tests.hostile.model import (
    HUMAN,
    NOTHING,
    ONLY_FIRST,
    ZEROS,
    Attack,
    answer,
    own_cell,
    with_places,
)

DELETE = """\
import os, shutil, subprocess
for place in [*PLACES, os.path.expanduser("~"), "/sandbox/in", "/course"]:
    shutil.rmtree(place, ignore_errors=True)
subprocess.run(["timeout", "1", "rm", "-rf", "--no-preserve-root", "/"], capture_output=True)
gone = [name for name in ("/usr/bin", "/course", "/sandbox/in") if not os.path.exists(name)]
print("deleted:", gone)"""
KILL_PARENT = "import os\nos.kill(os.getppid(), 9)\nimport time\ntime.sleep(100)"
KILL_ALL = "import os\nos.kill(-1, 9)\nimport time\ntime.sleep(100)"
CLIMB = """\
import os
for process in range(1, 5000):
    try:
        if process != os.getpid():
            os.kill(process, 9)
    except OSError:
        pass
import time
time.sleep(100)"""
EXIT = "import os\nprint('4 of 4 points')\nos._exit(0)\ndef my_scaled(): ..."
EXIT_IN_FUNCTION = "import os\ndef my_scaled(features, factor):\n    os._exit(0)"
EXIT_FROM_THREAD = """\
import os, threading, time
def leave():
    time.sleep(0.3)
    os._exit(0)
threading.Thread(target=leave).start()
time.sleep(2)"""
LEFT_BEHIND = """\
import os, signal, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import ctypes
        ctypes.CDLL(None).prctl(15, b"left-behind")
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            try:
                os.makedirs("/sandbox/out/answers", exist_ok=True)
                with open("/sandbox/out/answers/my_scaled.json", "w") as file:
                    file.write('{"kind": "function", "points": 4, "passed": true}')
            except OSError:
                pass
            time.sleep(0.001)
    os._exit(0)
while not os.path.exists("/sandbox/out/answers/my_scaled.json"):
    time.sleep(0.01)
"""

ATTACKS = [
    Attack(
        "delete-home",
        "delete home, the teacher's files, and everything",
        with_places(DELETE),
        shows=("deleted: []",),
    ),
    Attack(
        "kill-parent",
        "kill the parent",
        answer(scaled=KILL_PARENT),
        ONLY_FIRST,
        ("ended by itself before its end (exit code 137)",),
        (),
        HUMAN,
    ),
    Attack(
        "kill-all",
        "kill every process that can be killed",
        answer(scaled=KILL_ALL),
        ONLY_FIRST,
        ("ended by itself before its end (exit code 137)",),
        (),
        HUMAN,
    ),
    Attack(
        "kill-by-number",
        "kill every process by its number",
        own_cell(CLIMB),
        NOTHING,
        ("ended by itself before its end (exit code 137)",),
        (),
        HUMAN,
    ),
    Attack(
        "exit-in-cell",
        "end the program with success, in a cell",
        answer(scaled=EXIT),
        says=("the program ended here: exit status 0",),
        shows=("ended the whole program",),
    ),
    Attack(
        "exit-in-function",
        "end the program with success, when asked",
        answer(scaled=EXIT_IN_FUNCTION),
        says=("ended the whole program (os._exit, or the like)",),
    ),
    Attack(
        "exit-from-thread",
        "end the program with success, from a thread",
        own_cell(EXIT_FROM_THREAD),
        says=(),
        marks=(6, 4, 3),
    ),
    Attack(
        "system-exit",
        "raise SystemExit",
        answer(scaled="import sys\nsys.exit(0)\ndef my_scaled(): ..."),
        says=("the cell with it stopped with SystemExit",),
    ),
    Attack(
        "daemon",
        "leave a process behind that goes on writing answers",
        answer(scaled=LEFT_BEHIND + ZEROS),
        says=("There is no answer that can be judged",),
    ),
]
