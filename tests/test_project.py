"""The files around the package agree with each other and with it."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import nst_edu
from nst_edu import cli, plots
from nst_edu.authoring.markdown_rules import ELSEWHERE, FENCED, TARGET

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest installs it there

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = [  # of the core: not of the folders in it, which are for authors and trainers
    importlib.import_module(f"nst_edu.{module.name}")
    for module in pkgutil.iter_modules(nst_edu.__path__)
    if not module.ispkg and module.name != "__main__"
]


PUBLIC = {*nst_edu.__all__, *plots.__all__}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", read("Makefile"), re.MULTILINE))


def documents() -> dict[str, str]:
    names = ("README.md", "CONTRIBUTING.md", "notebooks/README.md")
    return {name: read(name) for name in names if (ROOT / name).exists()}


def tracked_texts() -> dict[str, str]:
    """All files that are in the repository or about to be, as far as they are text."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        try:
            texts[name] = read(name)
        except (UnicodeDecodeError, FileNotFoundError):  # a picture; a file just removed
            continue
    return texts


def test_conda_and_pip_install_the_same_with_the_same_limits() -> None:
    pip = {*PROJECT["dependencies"]}.union(*PROJECT["optional-dependencies"].values())
    pip.add(f"python{PROJECT['requires-python']}")
    conda = set(re.findall(r"^  - ([^\s:]+)$", read("environment.yml"), re.MULTILINE))
    renamed = {re.sub(r"^pytorch\b", "torch", line) for line in conda}
    assert renamed - {"conda-forge", "pip"} == pip


def test_the_newest_version_in_the_changelog_is_the_packages() -> None:
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == nst_edu.__version__ == PROJECT["version"]


def test_make_commands_in_the_documents_exist() -> None:
    mentioned = {
        target
        for text in documents().values()
        for target in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", text, re.MULTILINE)
    }
    mentioned = {"".join(groups) for groups in mentioned}
    assert {"lab", "picture", "test"} <= mentioned
    assert mentioned <= make_targets()


def test_phony_targets_exist() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert {"lab", "picture", "test"} <= set(phony.split()) <= make_targets()


def test_modules_run_by_the_makefile_and_the_documents_exist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))  # `python -m` looks in the folder it is started in
    texts = "\n".join([read("Makefile"), *documents().values()])
    modules = set(re.findall(r"python[\w.]* -m ([a-z_.]+[a-z_])", texts)) - {"pip", "venv"}
    assert "pytest" in modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_commands_in_the_documents_exist() -> None:
    (commands,) = (
        set(action.choices)
        for action in cli.make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    mentioned = set(re.findall(r"\bnst-edu ([a-z]+)\b", "\n".join(documents().values())))
    assert {"stylize", "doctor"} <= mentioned <= commands


def test_links_in_the_documents_lead_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in documents().items()
        for target in map("".join, TARGET.findall(FENCED.sub("", text)))
        if not ELSEWHERE.match(target)
        and not (ROOT / name).parent.joinpath(target.split("#")[0]).exists()
    ]
    assert broken == []


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    folders = "|".join(("home", "Users", "root", "work"))
    hosts = "|".join(("py" + r"pi\.org", "python" + "hosted", "ana" + r"conda\.org", "npm" + "js"))
    trace = re.compile(rf"(?<![\w.])/(?:{folders})/\w+|{hosts}|(?:extra-)?index-" + "url[= ]http")
    texts = tracked_texts()
    assert {"pyproject.toml", "nst_edu/__init__.py"} <= set(texts)
    found = {name: sorted(set(trace.findall(text))) for name, text in texts.items()}
    assert {name: traces for name, traces in found.items() if traces} == {}


def public_callables() -> list[tuple[str, Callable[..., Any]]]:
    """Functions, classes and methods of the core without an underscore, where they are defined."""

    def members(owner: ModuleType | type, module: str) -> list[tuple[str, Any]]:
        return [
            (name, member)
            for name, member in vars(owner).items()
            if not name.startswith("_")
            and (inspect.isfunction(member) or inspect.isclass(member))
            and member.__module__ == module
        ]

    found = []
    for module in MODULES:
        for name, member in members(module, module.__name__):
            found.append((f"{module.__name__}.{name}", member))
            if inspect.isclass(member):
                methods = members(member, module.__name__)
                found += [(f"{module.__name__}.{name}.{m}", method) for m, method in methods]
    return found


def section(doc: str, title: str) -> str:
    """Return what stands under a numpydoc heading; nothing if there is none."""
    end = r"(?=\n\n\w[\w ]*\n-+\n|\Z)"
    found = re.search(rf"^{title}\n-+\n(.*?){end}", doc, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def documented(lines: str) -> list[str]:
    """Return the names at the left margin of a section: ``width, height`` are two."""
    listed = re.findall(r"^([*\w]+(?:, [*\w]+)*)$", lines, re.MULTILINE)
    return [name.lstrip("*") for line in listed for name in line.split(", ")]


def test_docstrings_begin_with_a_sentence() -> None:
    bare = [
        name
        for name, member in public_callables()
        if not re.match(r"[A-Z`].*?[.:]", inspect.getdoc(member) or "", re.DOTALL)
    ]
    assert bare == []


def test_docstrings_list_the_parameters_that_there_are() -> None:
    wrong = {}
    for name, member in public_callables():
        listed = documented(section(inspect.getdoc(member) or "", "Parameters"))
        parameters = [p for p in inspect.signature(member).parameters if p != "self"]
        # A few parameters may be explained in the sentences; five cannot.
        needed = len(parameters) > 4 and member.__name__ in PUBLIC
        if inspect.isfunction(member) and listed != parameters and (listed or needed):
            wrong[name] = (listed, parameters)
    assert wrong == {}


def test_docstrings_of_the_public_functions_list_what_they_raise() -> None:
    functions = {n: f for n in nst_edu.__all__ if inspect.isfunction(f := getattr(nst_edu, n))}
    assert "optimize_image" in functions
    missing = {}
    for name, function in functions.items():
        raised = {
            node.exc.func.id
            for node in ast.walk(ast.parse(inspect.getsource(function)))
            if isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
        }
        missing[name] = raised - set(documented(section(inspect.getdoc(function) or "", "Raises")))
    assert {name: errors for name, errors in missing.items() if errors} == {}
