"""The lessons: built from their texts, free of the lint's findings, executed without a network.

That each cell runs is tested cell by cell: conftest.py at the top makes tests of the notebooks.
Here stands what concerns them as a whole, and that those tests would fail if they should.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

from nst_edu.authoring import build
from nst_edu.authoring.lint import lint_notebook
from nst_edu.authoring.texts import NOTEBOOKS

ROOT = Path(__file__).parents[1]
REQUIRED = {f"{number:02}" for number in range(10)}

CONNECT = """\
import os, socket, urllib.request
for attempt in (
    lambda: socket.socket().connect(("192.0.2.1", 80)),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: urllib.request.urlopen("http://example.org", timeout=1),
):
    try:
        attempt()
    except OSError as error:
        print(error)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
print("this machine: reached")
print(sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NST_EDU_")))
print("names from outside:", "sys" in globals())
"""
REFUSED = """\
lessons have no network in tests: 192.0.2.1
lessons have no network in tests: 192.0.2.1
lessons have no network in tests: 'example.org'
<urlopen error lessons have no network in tests: 'example.org'>
this machine: reached
['NST_EDU_DEVICE=cpu', 'NST_EDU_FAST=0']
names from outside: False
"""


def test_there_are_lessons() -> None:
    assert {path.stem[:2] for path in NOTEBOOKS.glob("*.ipynb")} >= REQUIRED


def test_lessons_agree_with_their_texts() -> None:
    assert build.check(NOTEBOOKS, []) == []


def test_the_lint_finds_nothing_in_the_lessons() -> None:
    found = [str(f) for path in sorted(NOTEBOOKS.glob("*.ipynb")) for f in lint_notebook(path)]
    assert found == []


def run_lesson(folder: Path, *cells: tuple[str, str, list[str]]) -> tuple[int, str]:
    """Run pytest on a project with one lesson of (code, stored output, tags); return its words."""
    (folder / "tests").mkdir()
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "conftest.py", folder)
    shutil.copy(ROOT / "tests" / "offline.py", folder / "tests")
    notebook = new_notebook()
    for code, text, tags in cells:
        output = new_output("stream", name="stdout", text=text)
        cell = new_code_cell(code, execution_count=1, outputs=[output], metadata={"tags": tags})
        notebook.cells.append(cell)
    write(notebook, folder / "notebooks" / "01_lesson.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "-W", "error", "-m", "not gpu", "notebooks"]
    command += ["-o", "markers=gpu"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NST_EDU_BACKBONE": "vgg19"}
    environment.pop("NST_EDU_FAST", None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_lessons_run_without_network_and_fail_where_they_should(tmp_path: Path) -> None:
    code, words = run_lesson(
        tmp_path,
        (CONNECT, REFUSED, ["nbval-check-output"]),
        ("print(1)", "2\n", ["nbval-check-output"]),
        ("print(1)", "2\n", []),
        ("1 / 0", "", []),
    )
    results = re.findall(r"^(\w+) notebooks/01_lesson.ipynb::cpu::Cell (\d)", words, re.MULTILINE)
    assert code == 1
    assert {cell: result for result, cell in results} == {
        "0": "PASSED",  # no network, nobody's settings
        "1": "FAILED",  # another output than stored
        "2": "PASSED",  # not tagged: not compared
        "3": "FAILED",
    }, words
