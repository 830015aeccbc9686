"""What the limits of a sandbox miss: memory that no process shows, work that no process tells of.

Like the other hostile programs, each runs in a new Python and in a copy of a template.
"""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nst_edu.classroom import counting, sandbox
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.template import Template

Inside = Callable[..., Outcome]

pytestmark = pytest.mark.skipif(not sandbox.available(), reason=sandbox.why_not())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module", params=["cold", "warm"])
def source(request: pytest.FixtureRequest, place: Path) -> Iterator[Template | None]:
    if request.param == "cold":
        yield None
        return
    with Template(place, ["json", "ctypes", "mmap"]) as template:
        yield template
        assert template.trouble == ""  # no run was a cold one after all


@pytest.fixture
def folder(place: Path) -> Iterator[Path]:
    made = place / f"run-{time.monotonic_ns()}"
    made.mkdir()
    yield made
    sandbox.clean(made)


@pytest.fixture
def inside(folder: Path, source: Template | None) -> Inside:
    def run(code: str, **limits: float) -> Outcome:
        given = Limits(**{"wall": 60, **limits})  # type: ignore[arg-type]
        return sandbox.run(folder, ["-c", textwrap.dedent(code)], given, template=source)

    return run


def ends_well(outcome: Outcome) -> None:
    assert (outcome.ended, outcome.code) == ("finished", 0), outcome


# What is refused. Each program ends with an error if it gets what it wants.

REFUSED = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.argtypes = [ctypes.c_long] * 7

def refused(name, number, *arguments):
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    result = libc.syscall(number, *padded)
    assert result == -1 and ctypes.get_errno() == errno.EPERM, (name, result, ctypes.get_errno())
"""

HELD_BACK = {
    "memory that is shared without a file": """
        import mmap
        for flags in (0x21, 0x23, 0x21 | 0x4000, 0x40022):  # shared; …, unreserved; huge pages
            try:
                mmap.mmap(-1, 4096, flags=flags)
            except PermissionError:
                continue
            raise SystemExit(hex(flags))
        mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            file = open("/dev/zero", "r+b")
        except OSError:
            pass
        else:
            mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_SHARED)
            raise SystemExit("/dev/zero")
    """,
    "other machines, and sockets of other kinds": """
        import socket
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
        allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
        for family in set(range(1, 50)) - allowed:
            for kind in kinds:
                for make in (socket.socket, socket.socketpair):
                    try:
                        make(family, kind, 0)
                    except PermissionError:
                        continue
                    raise SystemExit(f"{make} of family {family}")
        for family in (socket.AF_INET, socket.AF_INET6):
            socket.socket(family, socket.SOCK_DGRAM).close()
            try:
                socket.socket(family, socket.SOCK_STREAM)
            except PermissionError:
                continue
            raise SystemExit("a connection, even if only to itself")
        one, other = socket.socketpair()
        for name in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            try:
                one.setsockopt(socket.SOL_SOCKET, name, 10**8)
            except PermissionError:
                continue
            raise SystemExit("larger buffers")
    """,
    "memory of the kernel's": REFUSED
    + """
import fcntl, os, platform
arm = platform.machine() != "x86_64"
for name, numbers in {
    "inotify_init1": (294, 26), "fanotify_init": (300, 262), "landlock_create_ruleset": (444, 444),
    "setxattr": (188, 5), "splice": (275, 76), "tee": (276, 77), "sendfile": (40, 71),
    "io_setup": (206, 0), "mbind": (237, 235), "add_key": (248, 217), "shmget": (29, 194),
    "memfd_create": (319, 279), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "bpf": (321, 280), "perf_event_open": (298, 241), "mq_open": (240, 180),
}.items():
    refused(name, numbers[arm])
refused("futex hash", (157, 167)[arm], 78, 1, 16)
refused("names of memory", (157, 167)[arm], 0x53564D41, 0, 0, 0, 0)
with open("/tmp/x", "w") as file:
    for command in (fcntl.F_SETLK, fcntl.F_SETLKW, 37, 38):
        refused("lock", (72, 25)[arm], file.fileno(), command, 0)
    fcntl.flock(file, fcntl.LOCK_EX)
    os.set_inheritable(file.fileno(), True)
""",
    "to be a child of somebody else's": REFUSED
    + """
import platform
refused("clone", (56, 220)[platform.machine() != "x86_64"], 0x8000 | 17)
""",
    "to be spared when memory is short": """
        for process in ("self", "1"):
            try:
                open(f"/proc/{process}/oom_score_adj", "w").write("0")
            except OSError:
                continue
            raise SystemExit("it is spared")
        assert open("/proc/self/oom_score_adj").read().strip() == "1000"
    """,
    "a better place in the queue": """
        import os, resource
        assert resource.getrlimit(resource.RLIMIT_NICE) == (0, 0)
        assert resource.getrlimit(resource.RLIMIT_RTPRIO) == (0, 0)
        session = os.getsid(0)
        os.setsid()  # it is told that it has one
        assert os.getsid(0) == session
        try:
            open("/proc/self/autogroup", "w").write("-5")
        except OSError:
            pass
        else:
            raise SystemExit("autogroup")
    """,
}


@pytest.mark.parametrize("what", HELD_BACK)
def test_refused(what: str, inside: Inside) -> None:
    ends_well(inside(HELD_BACK[what]))


# What honest code may need.

HONEST = {
    "processes and what they share": """
        import multiprocessing, multiprocessing.shared_memory, subprocess
        def add(value, k):
            with value.get_lock():
                value.value += k
        context = multiprocessing.get_context("fork")
        value, one = context.Value("i", 1), context.Pipe()
        child = context.Process(target=add, args=(value, 2))
        child.start(); child.join()
        assert value.value == 3
        shared = multiprocessing.shared_memory.SharedMemory(create=True, size=1000)
        shared.buf[0] = 7
        shared.close(); shared.unlink()
        with context.Manager() as manager:
            assert list(manager.list([1])) == [1]
        assert subprocess.run(["sh", "-c", "sleep 0.1 & wait; echo x"],
                              capture_output=True, start_new_session=True).stdout == b"x\\n"
    """,
    "a command of a notebook's, which has a terminal": """
        from IPython.utils.process import system
        import io, contextlib
        with contextlib.redirect_stdout(io.StringIO()) as said:
            assert system("echo $((1 + 2))") == 0
        assert said.getvalue().strip() == "3", said.getvalue()
    """,
    "waiting for several things": """
        import asyncio, sys
        async def main():
            made = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print(5)", stdout=asyncio.subprocess.PIPE)
            return (await made.communicate())[0]
        assert asyncio.run(main()) == b"5\\n"
    """,
    "files": """
        import os, shutil, socket, tempfile, urllib.request
        open("/tmp/a", "wb").write(bytes(3_000_000))
        shutil.copy2("/tmp/a", "/tmp/b"); os.rename("/tmp/b", "/tmp/c")
        assert os.path.getsize("/tmp/c") == 3_000_000
        shutil.copytree("/course/nst_edu/classroom", "/tmp/d")
        try:
            urllib.request.urlopen("https://example.org/x")
        except OSError as error:
            assert "name resolution" in str(error), error
    """,
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_code_goes_on(what: str, inside: Inside) -> None:
    ends_well(inside(HONEST[what]))


# What is counted.

FORGET = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"

COUNTED = {
    "tables of pages": (
        """
        import ctypes, mmap, os, time
        libc = ctypes.CDLL(None)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        for _ in range(3):
            os.fork()
        size = 16 << 30
        start = libc.mmap(None, size, 1, 0x4022, -1, 0)  # only to be read: it holds nothing
        for place in range(start, start + size, 2 << 20):
            ctypes.string_at(place, 1)
        time.sleep(1e6)
        """,
        "memory",
        {"memory": 200_000_000},
    ),
    "messages that nobody reads": (
        """
        import socket, time
        kept = []
        for _ in range(120):
            one, other = socket.socketpair()
            one.setblocking(False)
            try:
                while True:
                    one.send(bytes(60_000))
            except BlockingIOError:
                kept.append(other)
        time.sleep(1e6)
        """,
        "memory",
        {"memory": 80_000_000},
    ),
    "what was shared, and is no more": (
        """
        import os, time
        held = bytearray(100_000_000)
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(1)  # until it was seen that this is shared
                for place in range(0, len(held), 4096):
                    held[place] = 1
                time.sleep(1e6)
        time.sleep(1e6)
        """,
        "memory",
        {"memory": 300_000_000},
    ),
    "children that nobody waits for": (
        FORGET
        + """
for _ in range(4):
    if os.fork() == 0:
        while True:
            if os.fork() == 0:
                end = time.time() + 0.5
                while time.time() < end:
                    pass
                os._exit(0)
            time.sleep(0.5)
time.sleep(1e6)
""",
        "cpu time",
        {"cpu": 3, "wall": 25},
    ),
    "children that are too short to be seen": (
        FORGET
        + """
while True:
    try:
        if os.fork() == 0:
            end = time.process_time() + 0.002
            while time.process_time() < end:
                pass
            os._exit(0)
    except BlockingIOError:
        time.sleep(0.002)
""",
        "processes",
        {"started": 300, "cpu": 50},
    ),
}


@pytest.mark.parametrize("what", COUNTED)
def test_counted(what: str, inside: Inside) -> None:
    code, ended, limits = COUNTED[what]
    outcome = inside(code, **limits)
    assert (outcome.ended, outcome.code) == (ended, None), outcome


def test_time_of_honest_children_counts_once(inside: Inside) -> None:
    code = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                while time.process_time() < 0.5:
                    pass
                os._exit(0)
            os.wait()
    """
    ends_well(inside(code, cpu=3.5))


def test_no_child_gets_away_from_those_who_count(folder: Path, place: Path) -> None:
    """A child given to the process above it is beside the student's first, not beyond the walls."""
    code = (
        REFUSED
        + """
import os, platform, time
for flags in (0x8000, 0x8000 | 17, 0x8000 | 0x100 | 17):
    if libc.syscall((56, 220)[platform.machine() != "x86_64"], flags, 0, 0, 0, 0, 0) == 0:
        while True:
            pass
time.sleep(1)
"""
    )
    with Template(place, ["json", "ctypes"]) as template:
        outcome = template.run(folder, ["-c", code], Limits(wall=30, cpu=5))
        ends_well(outcome)
        assert template.trouble == ""


# What is nobody's fault.


def test_who_has_to_queue_has_longer(inside: Inside) -> None:
    if len(os.sched_getaffinity(0)) > 4:
        pytest.skip("there are too many processors to keep them all busy")
    code = """
        import os, time
        for _ in range(3 * len(os.sched_getaffinity(0))):
            if os.fork() == 0:
                while True:
                    pass
        time.sleep(1e6)
    """
    outcome = inside(code, wall=1.5)
    assert outcome.ended == "wall time"
    assert 2 < outcome.seconds < 3 * 1.5 + 3
    assert outcome.crowded


def test_who_sleeps_has_not(inside: Inside) -> None:
    outcome = inside("import time; time.sleep(1e6)", wall=4)
    assert outcome.ended == "wall time"
    assert not outcome.crowded


def test_when_the_machine_has_no_memory_left(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()

    def left() -> int:
        return 10**10 if time.monotonic() - began < 1.5 else 10**8

    monkeypatch.setattr(counting, "memory_left", left)
    outcome = inside("import time; time.sleep(1e6)")
    assert outcome.ended == "machine memory"
    assert outcome.crowded
    assert "100 MB" in outcome.tail


def test_a_machine_that_never_had_memory(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "memory_left", lambda: 10**8)
    ends_well(inside("import time; time.sleep(0.5)"))


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import os; os.abort()"])
def test_a_crash_without_room_for_results_is_for_want_of_room(code: str, inside: Inside) -> None:
    fill = """
try:
    for number in range(9):
        open(f"/sandbox/out/{number}", "wb").write(bytes(1_000_000))
except OSError as error:
    print(error)
"""
    outcome = inside(fill + code, space=3_000_000)
    assert (outcome.ended, "No space left" in outcome.tail) == ("space", True), outcome
    assert inside(code).ended == "crashed"
