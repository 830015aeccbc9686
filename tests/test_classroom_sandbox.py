"""The sandbox: small hostile programs run inside; each must fail, and leave nothing behind.

Every program runs twice: in a new Python, and in a copy of a template. The walls must be the same.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from nst_edu.classroom import sandbox, unsafe, walls
from nst_edu.classroom.call_filter import call_filter
from nst_edu.classroom.limits import Limits, Outcome
from nst_edu.classroom.system_calls import FORBIDDEN
from nst_edu.classroom.template import Template
from nst_edu.classroom.watching import Tail

Inside = Callable[..., Outcome]
MARK = f"test-{os.getpid()}-{time.monotonic_ns()}"  # other test runs have their own

needs_sandbox = pytest.mark.skipif(not sandbox.available(), reason=sandbox.why_not())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module", params=["cold", "warm"])
def template(request: pytest.FixtureRequest, root: Path) -> Iterator[Template | None]:
    if request.param == "cold":
        yield None
        return
    with Template(root, ["json", "ctypes", "nst_edu.classroom.limits"]) as template:
        yield template
        assert template.trouble == ""  # no run was a cold one after all


@pytest.fixture
def scratch(root: Path) -> Iterator[Path]:
    folder = root / f"run-{time.monotonic_ns()}"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "given.txt").write_text("given", encoding="utf-8")
    yield folder
    sandbox.clean(folder)
    assert not folder.exists()


@pytest.fixture
def inside(scratch: Path, template: Template | None) -> Inside:
    def run(code: str, **limits: float) -> Outcome:
        given = Limits(**{"wall": 120, **limits})  # type: ignore[arg-type]
        program = ["-c", textwrap.dedent(code), MARK]
        outcome = sandbox.run(scratch, program, given, template=template)
        assert survivors(template) == []
        return outcome

    return run


def survivors(template: Template | None = None) -> list[str]:
    """Return the processes that still run a program of these tests."""
    found = [
        str(process)
        for process in psutil.process_iter(["cmdline"])
        if MARK in (process.info["cmdline"] or [])
    ]
    if template is None or template._process is None:
        return found
    end = time.monotonic() + 5  # in which the template buries its children
    children = psutil.Process(template._process.pid).children(recursive=True)
    while len(children) > 1 and time.monotonic() < end:
        time.sleep(0.02)
        children = psutil.Process(template._process.pid).children(recursive=True)
    return found + [str(child) for child in children[1:]]


def ends_well(outcome: Outcome) -> None:
    assert (outcome.ended, outcome.code) == ("finished", 0), outcome.tail


# Programs that look for a hole; they end with an error if they find one.
PROBES = {
    "it reads what it is given, and writes its answer": """
        import pathlib
        assert pathlib.Path("/sandbox/in/given.txt").read_text() == "given"
        pathlib.Path("/sandbox/out/answers").mkdir()
        pathlib.Path("/sandbox/out/answers/a.json").write_text("{}")
        import nst_edu
        assert nst_edu.__file__ == "/course/nst_edu/__init__.py", nst_edu.__file__
        import psutil, numpy
    """,
    "no network": """
        import socket
        for family, address in ((socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_INET6, ("::2", 53))):
            try:
                socket.socket(family).connect(address)
            except OSError:
                continue
            raise SystemExit(f"connected to {address}")
        try:
            socket.getaddrinfo("example.org", 80)
        except OSError:
            pass
        else:
            raise SystemExit("a name was resolved")
        assert [name for _, name in socket.if_nameindex() if name != "lo"] == []
    """,
    "read-only, but for out and small folders in memory": """
        import os, pathlib, sys
        places = ["/", "/dev", "/etc", "/usr", "/usr/lib", "/course", "/course/nst_edu", "/sandbox",
                  "/sandbox/in", "/packages", os.path.dirname(os.__file__), sys.prefix, "/proc",
                  *[path for path in sys.path if os.path.isdir(path)]]
        for place in places:
            try:
                pathlib.Path(place, "written-by-a-student").write_text("x")
            except OSError:
                continue
            raise SystemExit(f"{place} can be written to")
        for place in ("/sandbox/out", "/tmp", "/dev/shm", os.environ["HOME"]):
            pathlib.Path(place, "x").write_text("x")
        for file in ("/sandbox/in/given.txt", "/course/nst_edu/__init__.py", sys.executable,
                     "/proc/self/exe"):
            try:
                open(file, "r+b")
            except OSError:
                continue
            raise SystemExit(f"{file} can be written to")
        assert os.statvfs("/proc/self/exe").f_flag & os.ST_RDONLY  # not only while it runs
    """,
    "the teacher's folders are not there": """
        import os, pathlib
        for name in ("work", "root", "home", "mnt", "media", "srv", "opt", "var", "scratch", "run"):
            assert not os.path.exists("/" + name), name
        assert sorted(os.listdir("/course")) in (["images", "nst_edu"], ["nst_edu"])
        assert sorted(os.listdir("/sandbox")) == ["in", "out"]
        assert os.listdir("/sandbox/out") == os.listdir("/dev/shm") == []
        import sys
        assert not [path for path in sys.path if path.startswith(("/work", "/home", "/root"))]
        for root, folders, names in os.walk("/course"):
            assert not {"notebooks", "tests", ".git"} & set(folders), root
        for link in pathlib.Path("/proc/self/fd").iterdir():
            where = os.path.realpath(link)
            assert where.startswith(("/dev/null", "/proc/")), where
        assert os.path.realpath("/proc/self/cwd") == "/sandbox"
        assert sorted(os.listdir("/proc/self/root")) == sorted(os.listdir("/"))
    """,
    "nothing of the teacher's environment": """
        import os
        assert "SECRET" not in os.environ and b"hush" not in open("/proc/self/environ", "rb").read()
        assert os.environ["HOME"] == "/tmp" and os.environ["USER"] == "student"
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                assert b"hush" not in open(f"/proc/{number}/environ", "rb").read()
            except OSError:
                pass
    """,
    "no other process can be seen or touched": """
        import ctypes, os, signal
        numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
        assert len(numbers) <= 4, numbers
        for number in (os.getppid(), 1):
            if number:
                try:
                    os.kill(number, signal.SIGKILL)
                except PermissionError:
                    pass
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.ptrace(16, 1, 0, 0) == -1  # attach
        try:
            open("/proc/1/mem", "rb").read(1)
        except OSError:
            pass
        else:
            raise SystemExit("memory of another process was read")
    """,
    "no rights, and none to be had": """
        import ctypes, os
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name], 16) == 0, name
        assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
        assert os.getuid() != 0 and os.getgroups() in ([], [os.getgid()], [65534])
        assert len(set(os.getresuid())) == 1
        for call in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/tmp"),
                     lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0)),
                     lambda: os.chown("/tmp", 0, 0), lambda: os.setpriority(0, 0, -5)):
            try:
                call()
            except OSError:
                continue
            raise SystemExit("it has rights")
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(0x10000000) == -1 and libc.mount(b"x", b"/tmp", b"tmpfs", 0, 0) == -1
        assert libc.memfd_create(b"x", 0) == -1 and libc.shmget(0, 4096, 0o1600) == -1
        assert libc.syscall(310, 1, 0, 0, 0, 0, 0) == -1
        import subprocess
        for tool in (["unshare", "-U", "true"], ["su", "-c", "true"], ["mount"]):
            try:
                done = subprocess.run(tool, stdin=subprocess.DEVNULL, capture_output=True)
            except OSError:
                continue
            assert done.returncode != 0 or tool == ["mount"], tool
    """,
    "threads and child processes work": """
        import multiprocessing, subprocess, threading
        thread = threading.Thread(target=print)
        thread.start(); thread.join()
        assert subprocess.run(["/bin/true"]).returncode == 0
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
    """,
    "what a child shares with its parent counts once": """
        import os, time
        held = bytearray(700_000_000)
        for _ in range(3):
            if os.fork() == 0:
                time.sleep(1)
                os._exit(0)
        time.sleep(0.8)
    """,
    "limits cannot be raised": """
        import resource
        for name in ("AS", "DATA", "CPU", "FSIZE", "NPROC", "NOFILE", "CORE", "NICE", "RTPRIO"):
            soft, hard = resource.getrlimit(getattr(resource, "RLIMIT_" + name))
            assert soft >= 0 and hard >= 0, name
            try:
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (hard + 1, hard + 1))
            except (ValueError, OSError):
                continue
            raise SystemExit(name)
    """,
    "30 GB at once are refused": """
        import mmap
        for make in (lambda: bytearray(30 << 30), lambda: mmap.mmap(-1, 30 << 30, flags=0x22)):
            try:
                make()
            except (MemoryError, OSError):
                continue
            raise SystemExit("it has the memory")
    """,
    "a file of 100 GB is refused": """
        import os
        try:
            with open("/sandbox/out/large", "wb") as file:
                file.truncate(100 << 30)
        except OSError:
            pass
        else:
            raise SystemExit("truncate")
        try:
            with open("/sandbox/out/large", "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            size = os.path.getsize("/sandbox/out/large")
            assert size <= 50_000_000, size
            os.unlink("/sandbox/out/large")
    """,
    "many large files fill no disk": """
        import os
        for folder in ("/sandbox/out", "/tmp", "/dev/shm"):
            files, full = [], False
            while not full and len(files) < 200:
                files.append(open(f"{folder}/x", "wb"))
                os.unlink(f"{folder}/x")
                try:
                    files[-1].write(bytes(20_000_000)); files[-1].flush()
                except OSError:
                    full = True
            assert full and len(files) < 10, (folder, len(files))
            for file in files:
                try:
                    file.close()
                except OSError:
                    pass
    """,
    "a fork bomb is stopped by the kernel": """
        import os, time
        started = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(100)
                started += 1
        except OSError:
            assert 10 < started <= 64, started
    """,
}


@needs_sandbox
@pytest.mark.parametrize("what", PROBES)
def test_probe(what: str, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hush")
    ends_well(inside(PROBES[what]))
    assert survivors() == []


# Programs that only end because they are stopped: what they do, and how that is called.
STOPPED = {
    "sleeping for ever": ("import time; time.sleep(1e6)", "wall time", {"wall": 2}),
    "stopping itself": ("import os; os.kill(os.getpid(), 19)", "wall time", {"wall": 2}),
    "an endless loop": ("while True: pass", "cpu time", {"cpu": 1}),
    "many busy processes": (
        "import os\nfor _ in range(3): os.fork()\nwhile True: pass",
        "cpu time",
        {"cpu": 2},
    ),
    "printing for ever": ("while True: print('x' * 10_000)", "output", {}),
    "printing without newlines, from children": (
        "import os\nos.fork()\nwhile True: os.write(2, bytes(4096))",
        "output",
        {},
    ),
    "memory shared by processes": (
        "import mmap, os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        m = bytearray(150_000_000); time.sleep(1e6)\n"
        "time.sleep(1e6)",
        "memory",
        {"memory": 300_000_000},
    ),
    "endless recursion": (
        "import sys; sys.setrecursionlimit(10**9)\nf = lambda: f()\nf()",
        "memory",
        {"memory": 100_000_000},
    ),
    "memory that is not mapped to a name": (
        "import mmap, time\nm = mmap.mmap(-1, 200_000_000, flags=0x22)  # private\n"
        "m.write(bytes(150_000_000))\ntime.sleep(1e6)",
        "memory",
        {"memory": 120_000_000},
    ),
    "memory in files": (
        "import time\n"
        "for n in range(8): open(f'/tmp/{n}', 'wb').write(bytes(10_000_000))\n"
        "time.sleep(1e6)",
        "memory",
        {"memory": 70_000_000},
    ),
    "millions of empty files": (
        "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close(); n += 1",
        "space",
        {},
    ),
}


@needs_sandbox
@pytest.mark.parametrize("what", STOPPED)
def test_stopped(what: str, inside: Inside) -> None:
    code, ended, limits = STOPPED[what]
    outcome = inside(code, **limits)
    assert (outcome.ended, outcome.code) == (ended, None), outcome
    assert len(outcome.tail) <= 4000
    assert survivors() == []


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os; os.kill(0, 9)", None),
        ("import os; os._exit(7)", 7),
        ("import os; os.abort()", 128 + 6),
        ("import ctypes; ctypes.string_at(0)", 128 + 11),
        ("raise SystemExit('no')", 1),
        ("1 / 0", 1),
    ],
)
def test_crash(code: str, expected: int | None, inside: Inside) -> None:
    outcome = inside(code)
    assert outcome.ended == "crashed"
    assert outcome.code != 0
    if expected is not None:
        assert outcome.code == expected
    assert survivors() == []


@needs_sandbox
@pytest.mark.parametrize("target", ["-1", "os.getppid()", "1"])
def test_killing_everybody_harms_nobody_else(target: str, inside: Inside) -> None:
    outcome = inside(f"import os, time; os.kill({target}, 9); time.sleep(0.5)")
    assert outcome.ended in ("crashed", "finished")  # there may be nobody, or only bubblewrap
    ends_well(inside("print(1)"))


@needs_sandbox
def test_answers_written_before_the_end_are_kept(inside: Inside, scratch: Path) -> None:
    code = """
        import os, time
        open("/sandbox/out/executed.json", "w").write("[1]")
        print("so far", flush=True)
        time.sleep(1e6)
    """
    outcome = inside(code, wall=2)
    assert outcome.ended == "wall time"
    assert "so far" in outcome.tail
    assert (scratch / "out" / "executed.json").read_text(encoding="utf-8") == "[1]"


@needs_sandbox
def test_a_child_that_hides_does_not_outlive_the_run(inside: Inside, scratch: Path) -> None:
    code = """
        import os, signal, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(1, 32):
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except (OSError, ValueError):
                        pass
                count = 0
                while True:
                    count += 1
                    open("/sandbox/out/count", "w").write(str(count))
            os._exit(0)
        time.sleep(0.3)
    """
    ends_well(inside(code))
    assert (scratch / "out" / "count").exists()


LEFT = """
    import os, socket
    os.chdir("/sandbox/out")
    open("plain", "w").write("plain")
    os.symlink("/etc/passwd", "link")
    os.symlink("/", "folder-link")
    os.mkfifo("pipe")
    socket.socket(socket.AF_UNIX).bind("socket")
    os.mkdir("locked"); os.mkdir("locked/x", 0); os.chmod("locked", 0)
    open("secret", "w").close(); os.chmod("secret", 0)
    open("strange \\\\n\\udcff name", "w").close()
    for _ in range(1500):
        os.mkdir("deep"); os.chdir("deep")
"""


@needs_sandbox
def test_only_plain_files_come_out(inside: Inside, scratch: Path) -> None:
    ends_well(inside(LEFT))
    out = scratch / "out"
    assert (out / "plain").read_text(encoding="utf-8") == "plain"
    names = {name for _, folders, files in os.walk(out) for name in folders + files}
    assert not {"link", "folder-link", "pipe", "socket"} & names
    assert all(path.is_file() or path.is_dir() for path in out.iterdir())


@needs_sandbox
def test_too_many_files_at_the_end(inside: Inside) -> None:
    outcome = inside("for n in range(60): open(f'/sandbox/out/{n}', 'w').close()", files=50)
    assert outcome.ended == "space"


def test_clean_removes_what_a_student_can_make(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "out").mkdir(parents=True)
    other = tmp_path / "other.txt"
    other.write_text("stays", encoding="utf-8")
    (folder / "out" / "another-link").symlink_to(other)
    code = textwrap.dedent(LEFT).replace("/sandbox/out", str(folder / "out"))
    subprocess.run([sys.executable, "-c", code], check=True)
    sandbox.clean(folder)
    sandbox.clean(folder)  # nothing to do
    assert not folder.exists()
    assert other.read_text(encoding="utf-8") == "stays"


@needs_sandbox
def test_the_loopback_is_its_own(inside: Inside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = inside(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
    assert outcome.ended == "crashed"
    assert "Error" in outcome.tail


@needs_sandbox
def test_two_at_a_time_know_nothing_of_each_other(root: Path) -> None:
    code = textwrap.dedent("""
        import os, time
        open("/tmp/mine", "x"); open("/dev/shm/mine", "x"); open("/sandbox/out/mine", "x")
        time.sleep(0.5)
        try:
            os.kill(-1, 9)
        except OSError:
            pass
    """)
    ends: list[str] = []

    def work(number: int) -> None:
        scratch = root / f"pair-{number}"
        scratch.mkdir()
        with Template(root, ["json"]) if number % 2 else Template(root, ["os"]) as template:
            outcome = sandbox.run(scratch, ["-c", code, MARK], template=template)
        ends.append(outcome.ended)
        assert (scratch / "out" / "mine").exists()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 3
    assert set(ends) <= {"crashed", "finished"}
    assert survivors() == []


@needs_sandbox
def test_a_template_that_cannot_start_is_replaced_by_a_new_python(scratch: Path) -> None:
    with Template(scratch.parent, ["no_such_module"]) as template:
        ends_well(sandbox.run(scratch, ["-c", "print(1)"], template=template))
        assert "no_such_module" in template.trouble


@needs_sandbox
def test_a_template_that_is_killed_is_started_again(scratch: Path) -> None:
    with Template(scratch.parent, ["json"]) as template:
        ends_well(sandbox.run(scratch, ["-c", "print(1)"], template=template))
        assert template._process is not None
        template._process.kill()
        template._process.wait()
        for _ in range(2):
            ends_well(sandbox.run(scratch, ["-c", "print(1)"], template=template))
        assert template._process is not None


@needs_sandbox
def test_nothing_is_left_of_a_closed_template(scratch: Path) -> None:
    outcomes: list[Outcome] = []
    program = ["-c", "import time; print('here', flush=True); time.sleep(1e6)"]
    template = Template(scratch.parent, ["json"])

    def work() -> None:
        outcomes.append(sandbox.run(scratch, program, template=template))

    thread = threading.Thread(target=work)
    ends_well(sandbox.run(scratch, ["-c", "print(1)"], template=template))
    thread.start()
    time.sleep(1)
    assert template._process is not None
    family = psutil.Process(template._process.pid).children(recursive=True)
    template.close()
    thread.join(timeout=20)
    assert outcomes[0].ended in ("crashed", "not started")
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert sandbox.run(scratch, program, template=template).ended == "not started"


@needs_sandbox
def test_scratch_must_be_below_the_root(tmp_path: Path) -> None:
    with Template(tmp_path / "a", ["json"]) as template, pytest.raises(ValueError, match="root"):
        sandbox.run(tmp_path, ["-c", "print(1)"], template=template)


@needs_sandbox
def test_torch_works_inside(scratch: Path) -> None:
    code = """
        import resource
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        import nst_edu.exercises.checking
        x = torch.randn(4, 32, 32, requires_grad=True)
        (x @ x).sum().backward()
        torch.nn.functional.conv2d(x[None].detach(), torch.randn(8, 4, 3, 3))
        try:
            torch.ones(4_000_000_000)
        except RuntimeError:
            print("refused")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000, "MB")
        data = TensorDataset(torch.arange(64.0).reshape(16, 4))
        assert sum(batch.sum() for batch, in DataLoader(data, 4, num_workers=2)) == 2016
        assert not torch.cuda.is_available() and torch.get_num_threads() == 1
    """
    outcome = sandbox.run(scratch, ["-c", textwrap.dedent(code)], Limits(wall=240))
    ends_well(outcome)
    refused, used = outcome.tail.splitlines()[:2]
    assert refused == "refused"
    assert int(used.removesuffix(" MB")) < 1000


def test_without_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    sandbox.why_not.cache_clear()
    request.addfinalizer(sandbox.why_not.cache_clear)
    assert not sandbox.available()
    assert "apt install bubblewrap" in sandbox.why_not()
    with pytest.raises(sandbox.SandboxMissingError, match="bubblewrap"):
        sandbox.run(tmp_path, ["-c", "print(1)"])
    code = "import os; print(os.environ.get('SECRET')); open('/sandbox/out/x'[1:], 'w')"
    monkeypatch.setenv("SECRET", "hush")
    with pytest.warns(unsafe.UnsafeWarning, match="NO SANDBOX"):
        outcome = sandbox.run(tmp_path, ["-c", code.replace("sandbox/", "")], unsafe=True)
    assert "hush" not in outcome.tail
    with pytest.warns(unsafe.UnsafeWarning):
        outcome = sandbox.run(
            tmp_path, ["-c", "while 1: print(1)", MARK], Limits(wall=30), unsafe=True
        )
    assert outcome.ended in ("output", "wall time")
    assert survivors() == []


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_told_what_to_do(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert "Linux" in walls.missing()


@needs_sandbox
def test_a_sandbox_that_does_not_start(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    assert sandbox.available()
    monkeypatch.setattr(walls, "in_memory", lambda target, size: ["--no-such-option"])
    outcome = sandbox.run(scratch, ["-c", "print(1)"])
    assert outcome.ended == "not started"
    assert "no-such-option" in outcome.tail


def test_tail_is_bounded() -> None:
    tail = Tail()
    for number in range(1000):
        tail.add(b"%d " % number * 100)
    assert len(tail.text()) == 4000
    assert tail.text().endswith("999 ")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_stays_inside(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    program = call_filter()
    length = len(program) // 8
    assert length > 2 * len(FORBIDDEN)
    for place in range(length):
        yes, no = program[8 * place + 2 : 8 * place + 4]
        assert yes == no == 0 or place + 1 + max(yes, no) < length
