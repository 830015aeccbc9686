"""Attacks that never come to an end."""

from __future__ import annotations

from tests.hostile.model import (
    GRADED,
    HUMAN,
    NOT_SCALED,
    ONLY_FIRST,
    TIMED,
    Attack,
    answer,
)

SWALLOW = """\
import signal, time
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {9, 19})
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass"""

CATCH = """\
def my_scaled(features, factor):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass"""

FREEZE = "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(1000)"

FORGET = """\
import os, signal, time
os.kill(os.getppid(), signal.SIGSTOP)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def lineage():
    os.setsid()
    while True:
        if os.fork() == 0:
            os.setsid()
            end = time.time() + 1.5
            while time.time() < end:
                pass
            os._exit(0)
        time.sleep(1.5)
for _ in range(28):
    if os.fork() == 0:
        lineage()
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass"""

RECURSION = """\
import sys
sys.setrecursionlimit(10**9)
def deep(n):
    return sorted([n], key=deep)
deep(0)"""

REPR = """\
class Endless:
    def __repr__(self):
        return f"{self!r}{self!r}"
my_sizes = Endless()
my_sizes"""

TOO_LATE = ("took too long",)

ATTACKS = [
    Attack(
        "endless-loop",
        "a loop that never ends, in a cell",
        answer(scaled="while True:\n    pass\ndef my_scaled(): ..."),
        says=TIMED,
        shows=TOO_LATE,
    ),
    Attack(
        "endless-function",
        "a function that never ends, and catches every interrupt",
        answer(scaled=CATCH),
        says=("loop",),
    ),
    Attack(
        "sleep-forever",
        "sleep for ever",
        answer(scaled="import time\ntime.sleep(10**8)\ndef my_scaled(): ..."),
        says=TIMED,
        shows=TOO_LATE,
    ),
    Attack(
        "swallow-limit",
        "ignore the alarm and block all signals",
        answer(scaled=f"{SWALLOW}\ndef my_scaled(): ..."),
        says=("did not end in time",),
        shows=TOO_LATE,
    ),
    Attack(
        "freeze-parent",
        "stop the process that would end this one",
        answer(scaled=FREEZE),
        NOT_SCALED,
        ("it took longer than", "cut off"),
        (),
        HUMAN,
    ),
    Attack(
        "forget-children",
        "keep the processors busy with children that nobody waits for, in sessions of their own",
        answer(scaled=f"{FORGET}\ndef my_scaled(): ..."),
        ONLY_FIRST,
        ("computed for longer than 15 s", "cut off"),
        (),
        HUMAN,
        (
            (NOT_SCALED, ("computed for longer than 15 s", "cut off"), HUMAN),
            # On a machine that gives it next to no time, the clock on the wall comes first.
            (ONLY_FIRST, ("it took longer than", "cut off"), HUMAN),
            (NOT_SCALED, ("it took longer than", "cut off"), HUMAN),
        ),
    ),
    Attack(
        "wait-for-input",
        "ask the teacher's terminal",
        answer(scaled="my_scaled = input()"),
        says=("the cell with it stopped with",),
    ),
    Attack(
        "deep-recursion",
        "overflow the stack of C",
        answer(scaled=f"{RECURSION}\ndef my_scaled(): ..."),
        says=("the program ended here: signal SIGSEGV",),
        shows=("ended the whole program",),
    ),
    Attack(
        "endless-repr",
        "recurse without end in __repr__",
        answer(sizes=REPR),
        (6, 4, 0),
        ("Endless",),
        elsewhere=(((6, 4, 0), TIMED, GRADED),),
    ),
]
