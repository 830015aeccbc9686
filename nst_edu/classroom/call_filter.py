"""The filter of system calls that the kernel runs: some are refused always, some by what they ask.

The numbers below are those of the kernel's headers, and the same on all machines that are known
here, but for the numbers of the calls (x86_64, aarch64).
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

from nst_edu.classroom.system_calls import FORBIDDEN, MACHINES

AUDIT_NUMBERS = (0xC000003E, 0xC00000B7)
OTHER_INTERFACE = 0x40000000  # the "x32" calls of x86_64, with numbers of their own

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT = 0, 4, 16
REFUSE, UNKNOWN = FAIL | errno.EPERM, FAIL | errno.ENOSYS
PRETEND = FAIL | 0  # nothing is done, and the caller is told that it was

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant
Test = tuple[int, int, int, bool]  # which argument, how to compare, with what, what must come out


@dataclass(frozen=True)
class Rule:
    """What becomes of a call if all `tests` hold."""

    call: tuple[int, int]
    tests: tuple[Test, ...] = ()
    result: int = REFUSE


def equal(argument: int, value: int) -> Test:
    """Hold if an argument is `value`."""
    return argument, EQUAL, value, True


def other(argument: int, value: int) -> Test:
    """Hold if an argument is not `value`."""
    return argument, EQUAL, value, False


def any_of(argument: int, bits: int) -> Test:
    """Hold if an argument has one of `bits`."""
    return argument, ANY_BIT, bits, True


MMAP, IOCTL, SOCKET, SOCKETPAIR, SETSOCKOPT = (9, 222), (16, 29), (41, 198), (53, 199), (54, 208)
CLONE, FCNTL, SETSID, PRCTL, CLONE3 = (56, 220), (72, 25), (112, 157), (157, 167), (435, 435)

NAMESPACES, OF_MY_PARENT = 0x7E020000, 0x8000  # flags of clone
SHARED, ANONYMOUS, HUGE = 0x01, 0x20, 0x40000  # flags of mmap
LOCKS = {"SETLK": 6, "SETLKW": 7, "OFD_SETLK": 37, "OFD_SETLKW": 38}  # commands of fcntl
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16  # families of sockets
NO_DATAGRAM = 0x0D  # bits that all types of sockets have but SOCK_DGRAM
THE_SOCKET, SEND_BUFFER, RECEIVE_BUFFER = 1, 7, 8  # for setsockopt
FUTEX_TABLE, NAME_OF_MEMORY = 78, 0x53564D41  # commands of prctl
TAKE_TERMINAL = 0x540E  # ioctl

RULES = (
    # The flags of clone3 lie where no filter can read them; the C library then tries clone.
    Rule(CLONE3, result=UNKNOWN),
    Rule(CLONE, (any_of(0, NAMESPACES | OF_MY_PARENT),)),
    # Shared memory without a file stays when a process lets go of it, and then no process shows it.
    # In /dev/shm there is some, and it is counted.
    Rule(MMAP, (any_of(3, ANONYMOUS), any_of(3, SHARED))),
    Rule(MMAP, (any_of(3, HUGE),)),
    # There is nobody to talk to but the own processes, for which UNIX is there. Datagrams are, too,
    # so that who looks for a name is told that there is none. What a connection holds is unbounded.
    Rule(SOCKET, tuple(other(0, family) for family in (UNIX, INET, INET6, NETLINK))),
    *(Rule(SOCKET, (equal(0, family), any_of(1, NO_DATAGRAM))) for family in (INET, INET6)),
    Rule(SOCKETPAIR, (other(0, UNIX),)),
    # A socket is counted with all that its buffers can hold: see `counting`.
    *(
        Rule(SETSOCKOPT, (equal(1, THE_SOCKET), equal(2, name)))
        for name in (SEND_BUFFER, RECEIVE_BUFFER)
    ),
    # Of these the kernel keeps as many, or as large ones, as it is asked for.
    *(Rule(FCNTL, (equal(1, command),)) for command in LOCKS.values()),
    *(Rule(PRCTL, (equal(0, command),)) for command in (FUTEX_TABLE, NAME_OF_MEMORY)),
    # Each session has a share of the processors (the kernel's "autogroups"): a run gets one. What
    # opens a terminal, as IPython does for `!command`, wants a session, and works without.
    Rule(SETSID, result=PRETEND),
    Rule(IOCTL, (equal(1, TAKE_TERMINAL),), PRETEND),
)


def call_filter() -> bytes:
    """Return the filter for this machine, as `bwrap --seccomp` and `prctl` take it."""
    machine = MACHINES.index(platform.machine())
    program: list[Instruction] = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, AUDIT_NUMBERS[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, 0, 1, OTHER_INTERFACE),
        (RETURN, 0, 0, REFUSE),
    ]
    for numbers in FORBIDDEN.values():
        program += [(EQUAL, 0, 1, numbers[machine]), (RETURN, 0, 0, REFUSE)]
    for rule in RULES:
        program += _compiled(rule, machine)
    program.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _compiled(rule: Rule, machine: int) -> list[Instruction]:
    """Return a rule as instructions: the first test that fails jumps behind the last of them."""
    body: list[Instruction] = [(RETURN, 0, 0, rule.result)]
    for argument, comparison, value, holds in reversed(rule.tests):
        end = len(body)
        jumps = (0, end) if holds else (end, 0)
        # The lower half of an argument: no flag or number is in the upper one.
        load = (LOAD, 0, 0, ARGUMENTS_AT + 8 * argument)
        body = [load, (comparison, *jumps, value), *body]
    return [(LOAD, 0, 0, NUMBER_AT), (EQUAL, 0, len(body), rule.call[machine]), *body]
