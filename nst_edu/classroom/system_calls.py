"""The system calls that a student's code may not make: a filter for the kernel.

They would let it use memory that no limit counts (`memfd_create`, `shmget`), look into other
processes (`ptrace`), or reach the parts of the kernel in which most holes are found (namespaces of
its own, `bpf`, `io_uring`). Neither torch nor IPython needs them.
"""

from __future__ import annotations

import errno
import platform
import struct

# The numbers of <asm/unistd.h> on x86_64 and aarch64.
FORBIDDEN = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmat": (30, 196),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
CLONE, CLONE3 = (56, 220), (435, 435)
NAMESPACES = 0x7E020000  # the CLONE_NEW… flags
MACHINES = ("x86_64", "aarch64")
AUDIT_NUMBERS = (0xC000003E, 0xC00000B7)
OTHER_INTERFACE = 0x40000000  # the "x32" calls of x86_64, with numbers of their own

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def call_filter() -> bytes:
    """Return the filter for this machine, as `bwrap --seccomp` and `prctl` take it."""
    machine = MACHINES.index(platform.machine())
    refuse: Instruction = (RETURN, 0, 0, FAIL | errno.EPERM)
    program: list[Instruction] = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, AUDIT_NUMBERS[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, 0, 1, OTHER_INTERFACE),
        refuse,
    ]
    for numbers in FORBIDDEN.values():
        program += [(EQUAL, 0, 1, numbers[machine]), refuse]
    program += [
        # The flags of clone3 lie where no filter can read them; the C library then tries clone.
        (EQUAL, 0, 1, CLONE3[machine]),
        (RETURN, 0, 0, FAIL | errno.ENOSYS),
        (EQUAL, 0, 3, CLONE[machine]),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (ANY_BIT, 0, 1, NAMESPACES),
        refuse,
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
