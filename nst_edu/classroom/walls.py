"""What the sandbox's walls are made of: the bubblewrap command."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from nst_edu.classroom.limits import Limits, for_each_process
from nst_edu.classroom.system_calls import MACHINES
from nst_edu.classroom.view import OUT, SHARED, TEMPORARY, Places, places

ROOM_SHARED = 64_000_000  # bytes

# When the kernel is short of memory, it ends what is in here first. That is said before root gives
# up its rights, which none below has that wants to take it back; others find /proc read-only.
FIRST_TO_GO = ("sh", "-c", 'echo 1000 >/proc/self/oom_score_adj; exec "$@"', "sh")
# Reports that the walls stand, waits for a line, and becomes the program.
GATE = 'echo ready; read -r go && exec </dev/null {} "$@"'

_numbers = itertools.count()


def missing() -> str:
    """Say what is missing for a sandbox on this machine; nothing if all programs are there."""
    if sys.platform != "linux" or os.uname().machine not in MACHINES:
        return (
            "The sandbox needs Linux on x86_64 or aarch64. "
            "Grade on such a machine, in a virtual one, or in CI."
        )
    if shutil.which("bwrap") is None:
        return (
            "The sandbox needs bubblewrap: install it (Debian, Ubuntu: `apt install bubblewrap`; "
            "Fedora: `dnf install bubblewrap`)."
        )
    tools = ("prlimit", "setpriv") if os.geteuid() == 0 else ("prlimit",)
    if absent := [tool for tool in tools if shutil.which(tool) is None]:
        return f"The sandbox needs {' and '.join(absent)}: install the package util-linux."
    return ""


def stranger() -> int:
    """Return the number of a user who owns nothing here, another one for each run.

    In a container that knows few users, it is one of the last that it knows.
    """
    number = os.getpid() * 64 + next(_numbers) % 64
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    first, _, count = max((tuple(map(int, line.split())) for line in lines), key=lambda r: r[2])
    if first + count > 2_000_000_000:
        return 1_500_000_000 + number % 400_000_000
    return first + count - 2 - number % max(1, count // 4)


@lru_cache(maxsize=1)
def _knows_sizes() -> bool:
    """Tell whether this bubblewrap (0.7 and later) can limit the size of a folder in memory."""
    told = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--size" in told.stdout + told.stderr


def in_memory(target: str, size: int) -> list[str]:
    """Return the arguments for a writable folder in memory of `size` bytes."""
    sized = ["--size", str(size)] if _knows_sizes() else []  # without: watched from outside
    return ["--perms", "1777", *sized, "--tmpfs", target]


def files(shown: Places) -> list[str]:
    """Return the arguments for all that is read-only."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    # Folders that bubblewrap makes unasked can be entered by root alone.
    for folder in ("/course", "/course/images", "/etc", "/packages", "/sandbox"):
        arguments += ["--dir", folder]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for path in (Path("/etc/ld.so.cache"), Path("/etc/alternatives")):
        arguments += ["--ro-bind-try", str(path), str(path)]
    for source, target in shown:
        arguments += ["--ro-bind", source, target]
    return arguments


def command(
    given: str, limits: Limits, filter_file: int, *, shown: Places | None = None
) -> list[str]:
    """Return the command that builds the walls and waits at the gate.

    Parameters
    ----------
    given
        The folder that is ``/sandbox/in`` inside.
    filter_file
        A file descriptor with the filter of system calls.
    shown
        As `places` returns it; None: just that.
    """
    alone = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    user = stranger() if os.geteuid() == 0 else None
    return [
        *(
            *FIRST_TO_GO,
            "bwrap",
            *alone,
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
        ),
        *(["--unshare-user"] if user is None else []),
        *files(places() if shown is None else shown),
        *("--proc", "/proc", "--dev", "/dev"),
        # To map it is to have shared memory that nobody counts. This way it cannot be opened.
        *("--ro-bind", "/dev/null", "/dev/zero"),
        *in_memory(SHARED, ROOM_SHARED),
        *in_memory(TEMPORARY, limits.space),
        *in_memory(OUT, limits.space),
        *("--ro-bind", given, "/sandbox/in"),
        # What bubblewrap makes for these two belongs to the user inside, and could be written to.
        *("--remount-ro", "/dev", "--remount-ro", "/proc", "--remount-ro", "/"),
        *("--chdir", "/sandbox", "--seccomp", str(filter_file), "--"),
        *(become(user) if user is not None else []),
        *("sh", "-c", GATE.format(" ".join(kept(limits))), "sh"),
    ]


def template_command(root: str, target: str) -> list[str]:
    """Return the command for the sandbox of a template, which never runs a student's code.

    It sees what the sandboxes see, the scratch folders below `root`, and the system's processes,
    for it has to build the sandboxes.
    """
    return [
        *("bwrap", "--unshare-ipc", "--unshare-net", "--unshare-uts"),
        *("--die-with-parent", "--new-session"),
        *([] if os.geteuid() == 0 else ["--unshare-user"]),
        *files(places()),
        *("--bind", "/proc", "/proc", "--dev", "/dev"),
        *in_memory(TEMPORARY, ROOM_SHARED),
        *("--ro-bind", root, target),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"),
    ]


def become(user: int) -> list[str]:
    """Return the command that turns root into an ordinary user for good."""
    rights = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *rights]


def kept(limits: Limits) -> list[str]:
    """Return the command that keeps a program within the limits for each process."""
    return ["prlimit", *(f"--{name}={size}" for name, size in for_each_process(limits).items())]
