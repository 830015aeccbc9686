"""The runner in the enemy's hands, without a sandbox: whoever spoils it spoils their own answers.

All submissions but those that attack the process above them are executed by one process, because
starting torch is what takes longest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from nst_edu.classroom import exchange, forking, runner
from nst_edu.classroom.exchange import Answer, ExecutedCell
from nst_edu.classroom.questions import Question
from nst_edu.classroom.tasks import Mark, Task

SEED = 11
STUDENT = "ada"


def cases(generator: torch.Generator) -> list[tuple[torch.Tensor]]:
    return [(torch.randn(shape, generator=generator),) for shape in ((2, 3), (4, 1, 2))]


TASKS = (
    Task("my_sum", 2, lambda x: x.sum(), cases),
    Task("my_double", 3, lambda x: 2 * x, cases),
    Task("my_number", 1, lambda g: torch.randint(99, (1,), generator=g).item()),
)
SUM = "def my_sum(x):\n    return x.sum()"
DOUBLE = "def my_double(x):\n    return 2 * x"
NUMBER = """
    from nst_edu.classroom import tasks
    my_number = torch.randint(99, (1,), generator=tasks.personal("ada", "number")).item()
"""
HONEST = ("import torch", SUM, DOUBLE, NUMBER)
FULL = {"my_sum": 2.0, "my_double": 3.0, "my_number": 1.0}

# Each is put between the answer to the first task and that to the others.
ATTACKS = {
    "exit status 0": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "exit": "exit()",
    "crash": "import os\nos.abort()",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "killed later": """
        import os, threading
        threading.Timer(0.3, lambda: os._exit(0)).start()
        while True: pass
    """,
    "catches everything": """
        import signal
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        while True:
            try:
                while True: pass
            except BaseException:
                pass
    """,
    "sleeps": "import time\ntime.sleep(1e6)",
    "waits": "import threading\nthreading.Lock().acquire() and threading.Event().wait()",
    "reads": "input()",
    "C code without end": "import itertools\nsum(itertools.count())",
    "prints": "while True: print('x' * 1000)",
    "prints and catches": """
        while True:
            try:
                print('x' * 100_000)
            except Exception:
                pass
    """,
    "recursion": "def f(): return f()\nf()",
    "recursion in repr": """
        class A:
            def __repr__(self): return repr(self)
        A()
    """,
    "error without words": """
        class E(Exception):
            def __str__(self): raise SystemExit
        raise E
    """,
    "thread": """
        import threading
        def work():
            while True: pass
        threading.Thread(target=work, daemon=True).start()
    """,
    "at the end": "import atexit, os\natexit.register(lambda: os._exit(1))",
    "displays": """
        from IPython.display import HTML, display
        for _ in range(2000): display(HTML('<script>alert(1)</script>' * 1000))
    """,
    "syntax": "def f(:",
    "half a sign": "print('\ud800')\n'\ud800\x00'",
    "removes its folder": "import os, shutil\nshutil.rmtree(os.getcwd())",
    "closes streams": "import sys, os\nsys.stdout.close()\nos.close(1)\nos.close(2)",
    "closes all": "import os\nos.closerange(0, 100)",
    "default types": "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)",
    "alarm": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)",
}
# What these spoil are their own answers only.
SPOILERS = {
    "patches IPython": """
        from IPython.core.interactiveshell import InteractiveShell
        InteractiveShell.run_cell = lambda *a, **k: None
    """,
    "patches json": 'import json\njson.dumps = lambda *a, **k: \'{"kind": "function"}\'',
    "patches safetensors": "import safetensors.torch as s\ns.save_file = lambda t, p: None",
    "patches open": "import builtins, io\nbuiltins.open = io.open = None",
    "patches pathlib": "import pathlib\npathlib.Path.write_text = lambda *a, **k: 5",
    "patches torch": "import torch\ntorch.Tensor.__mul__ = torch.Tensor.__rmul__ = None",
    "patches the runner": """
        from nst_edu.classroom import answering
        answering.answered = lambda *a: {"kind": "function", "outcomes": [], "too_slow": False,
                                         "printed": "", "lines": 0}
    """,
    "patches the check": """
        from nst_edu.exercises import running
        running.compare = running.call = lambda *a, **k: None
        import nst_edu.classroom.tasks as t
        t.Task.judge = t.Task.mark = lambda *a: 99.0
    """,
    "ignores children": "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "forges answers": """
        import json, pathlib, sys
        import nst_edu.classroom.runner as runner
        import gc
        for w in [o for o in gc.get_objects() if isinstance(o, runner.Worker)]:
            for name in ("my_double", "my_number"):
                file = w.out / "answers" / f"{name}.json"
                file.write_text(json.dumps({"kind": "value", "value": 1e9, "points": 99}))
    """,
    "fills the board": """
        import gc
        import nst_edu.classroom.forking as forking
        for b in [o for o in gc.get_objects() if isinstance(o, forking.Board)]:
            b._memory[:] = b'\\xff' * len(b._memory)
    """,
    "replaces out": """
        import gc, shutil
        import nst_edu.classroom.runner as runner
        for w in [o for o in gc.get_objects() if isinstance(o, runner.Worker)]:
            shutil.rmtree(w.out / "answers")
            (w.out / "answers").symlink_to(w.out)
    """,
}
ANSWERS = {
    "function ends all": ("def my_double(x):\n    import os\n    os._exit(0)", "ended the whole"),
    "function exits": ("def my_double(x):\n    raise SystemExit", "exit() ends the whole program"),
    "function crashes": ("def my_double(x):\n    import os\n    os.abort()", "signal SIGABRT"),
    "function sleeps": ("def my_double(x):\n    import time\n    time.sleep(1e6)", "too long"),
    "function loops": ("def my_double(x):\n    while True: x = x", "too long"),
    "function in C": ("def my_double(x):\n    sum(iter(int, 1))", "too long"),
    "function prints": ("def my_double(x):\n    while True: print(5)", "printing takes time"),
    "function interrupts": ("def my_double(x):\n    raise KeyboardInterrupt", "exit status 1"),
    "function forks": (
        "def my_double(x):\n    import os\n    os.fork()\n    return x",
        "is 1/2 of",
    ),
    "result is large": ("def my_double(x):\n    return torch.ones(9_000_000)", "too large"),
    "result is endless": (
        "def my_double(x):\n    found = [x]\n    found.append(found)\n    return found",
        "a list",
    ),
    "result is rude": (
        "class R:\n    __class__ = property(lambda s: 1 / 0)\ndef my_double(x):\n    return R()",
        "",
    ),
    "not there": ("my_triple = 3", "There is no my_double in the notebook. Give"),
    "cell failed": ("1 / 0\ndef my_double(x): return 2 * x", "stopped with ZeroDivisionError"),
    "cell has no syntax": ("def my_double(x) return 2 * x", "stopped with SyntaxError"),
    "deleted": ("def my_double(x):\n    return 2 * x\ndel my_double", "There is no my_double"),
    "blank": ("def my_double(x):\n    ...  # your answer", "1 blank (...) is left"),
    "changes the input": ("def my_double(x):\n    x *= 2\n    return x", "changes its argument x"),
}


@dataclass(frozen=True)
class Graded:
    """What became of one submission."""

    marks: Mapping[str, Mark]
    cells: list[ExecutedCell]
    answers: Mapping[str, Answer]

    @property
    def points(self) -> dict[str, float]:
        return {name: mark.points for name, mark in self.marks.items()}


def questions(after: Mapping[str, str] | None = None) -> list[Question]:
    return [task.question(SEED, (after or {}).get(task.name)) for task in TASKS]


def write(folder: Path, sources: Any, after: Mapping[str, str] | None = None) -> Path:
    """Write a submission; the ids of its cells are c0, c1 and so on."""
    cells = [(f"c{n}", textwrap.dedent(source)) for n, source in enumerate(sources)]
    asked = questions(after)
    exchange.write_inputs(folder / "in", cells, asked, cell_seconds=1, task_seconds=1)
    return folder


def read(folder: Path) -> Graded:
    answers = exchange.read_answers(folder / "out", questions())
    marks = {task.name: task.judge(answers[task.name], STUDENT, SEED) for task in TASKS}
    return Graded(marks, exchange.read_executed(folder / "out"), answers)


def started(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)


PATIENT = (
    "patient"  # at the end of a folder's name: a machine that stands still a while stops no one
)
MANY = """
import sys
from pathlib import Path
from nst_edu.classroom import forking, runner
runner.torch.set_num_threads(1)
for folder in sys.argv[1:]:
    forking.GRACE = 5.0 if folder.endswith("patient") else 1.0
    runner.execute(Path(folder))
print("all done")
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graded]:
    """Execute all submissions, one after the other, in one process."""
    top = tmp_path_factory.mktemp("submissions")
    notebooks: dict[str, Any] = {"honest": HONEST, "again": HONEST}
    for name, attack in {**ATTACKS, **SPOILERS}.items():
        notebooks[name] = ("import torch", SUM, attack, DOUBLE, NUMBER)
    for name, (answer, _) in ANSWERS.items():
        notebooks[name] = ("import torch", SUM, answer, NUMBER)
    folders = [
        write(top / f"{number}{PATIENT * (sources is HONEST)}", sources, {"my_sum": "c1"})
        for number, sources in enumerate(notebooks.values())
    ]
    ended = started(["-c", MANY, *map(str, folders)])
    assert ended.stdout.endswith("all done\n"), ended.stderr[-3000:]
    return {name: read(folder) for name, folder in zip(notebooks, folders, strict=True)}


def test_honest_answers_have_full_marks_twice(graded: dict[str, Graded]) -> None:
    assert graded["honest"].points == FULL
    assert graded["honest"].marks == graded["again"].marks
    assert [cell.ended for cell in graded["honest"].cells] == ["ok"] * 4


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_cell_does_harms_no_honest_answer(graded: dict[str, Graded], attack: str) -> None:
    found = graded[attack]
    assert found.points == FULL
    assert [cell.id for cell in found.cells] == [f"c{n}" for n in range(5)]


def test_the_teacher_sees_what_happened(graded: dict[str, Graded]) -> None:
    ended = {name: graded[name].cells[2].ended for name in ATTACKS}
    assert {name for name, how in ended.items() if how == "crashed"} == {
        *("exit status 0", "crash", "killed", "killed later")
    }
    assert {name for name, how in ended.items() if how == "timeout"} == {
        *("catches everything", "sleeps", "waits", "C code without end"),
        *("prints", "prints and catches"),
    }
    errors = {}
    for name in ATTACKS:
        outputs = graded[name].cells[2].outputs
        found = [o for o in outputs if o["output_type"] == "error"]
        errors[name] = f"{found[-1]['ename']}: {found[-1]['evalue']}" if found else ""
    assert errors["exit status 0"] == "Stopped: the program ended here: exit status 0"
    assert errors["killed"] == "Stopped: the program ended here: signal SIGKILL"
    assert errors["catches everything"] == "Stopped: it did not end in time"
    assert errors["sleeps"] == "CellTimeLimit: stopped after 1 s"
    assert errors["prints"].startswith("TooMuchOutput: the cell printed more than")
    assert errors["recursion"].startswith("RecursionError")
    assert errors["syntax"].startswith("SyntaxError")
    assert errors["reads"].startswith("EOFError")
    assert sum(len(str(cell)) for cell in graded["displays"].cells) < 3_000_000


@pytest.mark.parametrize("attack", SPOILERS)
def test_what_spoils_the_runner_earns_nothing_more(graded: dict[str, Graded], attack: str) -> None:
    found = graded[attack]
    assert all(found.points[name] in (0.0, FULL[name]) for name in FULL)
    if attack != "replaces out":
        assert found.points["my_sum"] == 2  # it was asked before
    if attack in ("forges answers", "patches the runner", "patches json"):
        assert found.points["my_double"] == 0


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_an_answer_does_harms_no_other(graded: dict[str, Graded], answer: str) -> None:
    found = graded[answer]
    assert found.points == {**FULL, "my_double": 0.0}
    message = found.marks["my_double"].message
    assert ANSWERS[answer][1] in message
    attempted = answer not in ("not there", "blank", "deleted")
    assert found.marks["my_double"].attempted == attempted


def test_outputs_are_recorded_and_the_shell_is_like_a_notebooks(tmp_path: Path) -> None:
    sources = (
        "import torch\nprint('ü')\n1 + 1",
        "from IPython.display import display, Markdown\nh = display(Markdown('*a*'), display_id=1)",
        "import warnings\nwarnings.warn('careful')",
        "display({'image/png': b'abc', 'text/plain': 'p'}, raw=True,"
        " metadata={'image/png': {'alt': 'a line'}})",
        "_",
        "%pwd\n",
        "1 / 0",
        "async def f(): return 7\nawait f()",
        "def my_double(x):\n    ...  # your answer",
        "import os\nopen('here', 'w').write('x'); os.listdir()",
        "__name__",
        "x = 5;\n'quiet';",
        "def my_double(x):\n    return 2 * x",
        "my_number = None",
        "def my_sum(x):\n    return x.sum()",
        "my_sum = None",
    )
    folder = write(tmp_path, sources, {"my_double": "c8", "my_sum": "c14"})
    ended = started(["-m", "nst_edu.classroom.runner", str(folder)])
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    found = read(folder)
    cells = [cell.outputs for cell in found.cells]
    assert cells[0][0] == {"output_type": "stream", "name": "stdout", "text": "ü\n"}
    assert cells[0][1]["data"] == {"text/plain": "2"}
    assert cells[1][0]["data"]["text/markdown"] == "*a*"
    assert cells[2][0]["name"] == "stderr"
    assert "careful" in cells[2][0]["text"]
    assert cells[3][0]["data"] == {"text/plain": "p", "image/png": "YWJj"}
    assert cells[3][0]["metadata"] == {"image/png": {"alt": "a line"}}
    assert cells[4][0]["data"] == {"text/plain": "2"}
    assert cells[6][0]["ename"] == "ZeroDivisionError"
    assert cells[7][0]["data"] == {"text/plain": "7"}
    assert "'here'" in cells[9][0]["data"]["text/plain"]
    assert cells[10][0]["data"] == {"text/plain": "'__main__'"}
    assert cells[11] == ()
    # A blank is asked again at the end; what is spoilt below the answer was asked before.
    assert found.points == {"my_sum": 2.0, "my_double": 3.0, "my_number": 0.0}
    assert not found.marks["my_number"].attempted
    assert not (folder / "out" / "here").exists()


def test_killing_the_process_above_costs_the_answers_that_were_not_asked(tmp_path: Path) -> None:
    attack = "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(1)"
    attack += "\nos._exit(0)"
    folder = write(tmp_path, ("import torch", SUM, attack, DOUBLE, NUMBER), {"my_sum": "c1"})
    ended = started(["-m", "nst_edu.classroom.runner", str(folder)])
    assert ended.returncode == -9
    found = read(folder)
    assert found.points == {"my_sum": 2.0, "my_double": 0.0, "my_number": 0.0}
    assert found.marks["my_double"].message.startswith("my_double could not be tried in the")
    assert [cell.ended for cell in found.cells] == ["ok", "ok", *["not run"] * 3]


def test_wrong_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_a_board_never_shows_half_of_what_was_said() -> None:
    """Whoever saw cleared bytes would take the work for one that began when the clock did."""
    board = forking.Board()
    board.reset()
    child = os.fork()
    if child == 0:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            board.tell(0, 26.0)
        os._exit(0)
    seen = set()
    while not os.waitpid(child, os.WNOHANG)[0]:
        _, _, limit, clock, *_ = board._read()
        seen.add((limit, clock > 0))
    assert seen <= {(forking.STARTING, True), (26.0, True)}
