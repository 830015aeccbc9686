"""Give up, for good, all that a process may do and a student's code may not.

What bubblewrap, `setpriv` and `prlimit` do for a new program, these functions do for a process that
goes on. They call the kernel by its C interface, for which Python has no names before 3.12.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from pathlib import Path

from nst_edu.classroom.call_filter import call_filter
from nst_edu.classroom.limits import Limits, for_each_process

# <linux/sched.h>: CLONE_NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET; NEWUSER.
NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
USERS = 0x10000000
# <linux/prctl.h>
DIE_WITH_PARENT, DUMPABLE, SECCOMP, DROP_RIGHT, NO_NEW_RIGHTS = 1, 4, 22, 24, 38
FILTER = 2
RIGHTS_VERSION = 0x20080522
KILL = 9


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}{arguments}: {os.strerror(number)}")


def _prctl(option: int, *arguments: int) -> None:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    _call("prctl", ctypes.c_int(option), *(ctypes.c_ulong(value) for value in padded))


def die_with_parent() -> None:
    """End when the parent ends."""
    _prctl(DIE_WITH_PARENT, KILL)


def first_to_go() -> None:
    """Have the kernel end this process first when it is short of memory: see `walls`."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def join(process: int) -> None:
    """Enter the namespaces of another process; for process numbers, the next child does.

    Root stays among the users that it knows; somebody else needs the sandbox's own.
    """
    wanted = NAMESPACES if os.geteuid() == 0 else NAMESPACES | USERS
    file = os.pidfd_open(process)
    try:
        _call("setns", ctypes.c_int(file), ctypes.c_int(wanted))
    finally:
        os.close(file)


def give_up(limits: Limits, user: int | None) -> None:
    """Keep within the limits, become `user`, lose all rights, and have system calls filtered."""
    for right in range(64):
        with contextlib.suppress(OSError):  # this kernel knows fewer
            _prctl(DROP_RIGHT, right)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(RIGHTS_VERSION, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _prctl(NO_NEW_RIGHTS, 1)
    _prctl(DUMPABLE, 1)
    die_with_parent()  # a change of user has undone it
    for name, size in for_each_process(limits).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (size, size))
    code = call_filter()
    program = _Program(len(code) // 8, code)
    _prctl(SECCOMP, FILTER, ctypes.addressof(program))
