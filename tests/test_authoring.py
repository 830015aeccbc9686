"""Building lessons from their texts, and the lint, on a tiny lesson of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from nst_edu.authoring import build, lint
from nst_edu.authoring.execute import Cost, execute, kernel_environment
from nst_edu.authoring.texts import COST_LINE, differences, find_texts, read_text

TEXT = """\
# %% [markdown]
# # Lesson 42: A tiny lesson
#
# **After this lesson you can** add. It takes 1 minutes. <!-- cost -->
#
# ![One dot](text/dot.png)

# %%
import sys
from pathlib import Path

from IPython.display import display

NUMBER = 41

# %% tags=["nbval-check-output"]
print(NUMBER + 1)

# %%
display({"image/png": "iVBORw0KGgo=", "text/html": '<img alt="A dot" src="data:,x">'}, raw=True)
print(Path("text").resolve() / "dot.png", object())

# %% [markdown]
# ## The same again

# %% tags=["nbval-check-output"]
print(NUMBER + 1)
"""


def write_text(folder: Path, text: str = TEXT, name: str = "42_tiny") -> Path:
    """Make the folders of a course with one lesson; return the lesson's text."""
    texts = folder / "course" / "notebooks" / "text"
    texts.mkdir(parents=True, exist_ok=True)
    (texts / "dot.png").write_bytes(b"")
    path = texts / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def source(cell: NotebookNode) -> str:
    return str(cell.source)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the tiny lesson by the command line; tests only read it."""
    text = write_text(tmp_path_factory.mktemp("built"))
    folder = text.parent.parent
    assert build.main(["--folder", str(folder), "42"]) == 0
    return folder / "42_tiny.ipynb"


@pytest.fixture
def lesson(built: Path, tmp_path: Path) -> tuple[Path, NotebookNode]:
    """Copy the built lesson beside a text of its own; return the text and the notebook."""
    text = write_text(tmp_path)
    path = text.parent.parent / built.name
    path.write_bytes(built.read_bytes())
    return text, nbformat.read(path, as_version=4)


# Build


def test_cells_are_executed_and_tidied(built: Path) -> None:
    notebook = nbformat.read(built, as_version=4)
    nbformat.validate(notebook)
    printed = notebook.cells[2].outputs[0]
    assert (printed.name, printed.text) == ("stdout", "42\n")
    assert notebook.cells[3].outputs[1].text == "notebooks/text/dot.png <object object>\n"
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [
        1,
        2,
        3,
        4,
    ]
    assert notebook.metadata == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    assert [cell.metadata for cell in notebook.cells] == [
        *({}, {}, {"tags": ["nbval-check-output"]}, {}, {}),
        {"tags": ["nbval-check-output"]},
    ]


def test_the_header_states_a_plausible_cost(built: Path) -> None:
    found = COST_LINE.search(source(nbformat.read(built, as_version=4).cells[0]))
    assert found is not None
    assert 1 <= int(found[1]) < 60
    assert (
        0.05 < float(found[2]) < 0.35
    )  # an empty kernel has about 80 MB, this test with torch more


def test_a_rebuild_changes_nothing(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_text(tmp_path)
    path = text.parent.parent / built.name
    path.write_bytes(built.read_bytes())
    cost = build.stored_cost(built)
    assert cost is not None

    def execute_a_second_slower(notebook: NotebookNode, folder: Path) -> Cost:
        execute(notebook, folder)  # what it really took hangs on what else the machine did
        return Cost(cost.seconds + 1, cost.gigabytes)

    monkeypatch.setattr(build, "execute", execute_a_second_slower)
    build.build_notebook(text)
    assert path.read_text("utf-8") == built.read_text("utf-8")


def test_costs_are_rounded_up_and_kept_while_near() -> None:
    assert str(Cost(12, 0.9)) == "Measured cost: 12 s, 0.9 GB on 2 CPU cores"
    assert Cost(14, 1.0).is_near(Cost(12, 0.9))
    assert Cost(50, 0.9).is_near(Cost(40, 0.9))
    assert not Cost(51, 0.9).is_near(Cost(40, 0.9))
    assert not Cost(12, 1.2).is_near(Cost(12, 0.9))


def test_ids_follow_the_content_not_the_place(tmp_path: Path) -> None:
    before = [cell.id for cell in read_text(write_text(tmp_path)).cells]
    more = "# %% [markdown]\n# Put before.\n\n" + TEXT
    after = [cell.id for cell in read_text(write_text(tmp_path, more)).cells]
    assert after[1:] == before
    assert len(set(after)) == 7  # though two cells have the same code
    assert read_text(write_text(tmp_path, name="43_other")).cells[0].id != before[0]


def test_the_kernel_sees_nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NST_EDU_FAST", "1")
    monkeypatch.setenv("NST_EDU_BACKBONE", "vgg19")
    environment = kernel_environment("empty")
    assert not [name for name in environment if name.startswith("NST_EDU_")]
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["IPYTHONDIR"] == "empty"


def test_a_failing_cell_is_reported_and_the_old_notebook_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_text(tmp_path, "# %%\n1 / 0\n")
    path = text.parent.parent / "42_tiny.ipynb"
    path.write_text("{}", encoding="utf-8")
    assert build.main(["--folder", str(path.parent)]) == 1
    assert path.read_text("utf-8") == "{}"
    error = capsys.readouterr().err
    assert "42_tiny.ipynb: not built, a cell failed" in error
    assert "ZeroDivisionError" in error


def test_lessons_are_chosen_by_how_they_begin(tmp_path: Path) -> None:
    folder = write_text(tmp_path).parent.parent
    write_text(tmp_path, name="43_other")
    assert [text.stem for text in find_texts(folder)] == ["42_tiny", "43_other"]
    assert [text.stem for text in find_texts(folder, ["43", "43_other.ipynb"])] == ["43_other"]
    with pytest.raises(ValueError, match=r"begins with '7'\. There are: 42_tiny, 43_other"):
        find_texts(folder, ["7"])


# Check


def check(text: Path) -> int:
    return build.main(["--check", "--folder", str(text.parent.parent)])


def test_check_agrees_with_a_build(lesson: tuple[Path, NotebookNode]) -> None:
    text, _notebook = lesson
    assert differences(text) == []
    assert check(text) == 0


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("NUMBER = 41", "NUMBER = 40", "cell 2: another source, id than in the text"),
        ("add.", "subtract.", "cell 1: another source, id than in the text"),
        ("# %% tags", "# %% otherwise", "cell 3: another metadata than in the text"),
        ("# %% [markdown]\n# ## The", "# %%\n# ## The", "cell 5: another source, cell_type, id"),
        (
            "\n# ## The same again",
            "\n# ## One\n\n# %% [markdown]\n# two",
            "it has 6 cells, the text has 7",
        ),
    ],
)
def test_check_fails_after_an_edit_of_the_text(
    lesson: tuple[Path, NotebookNode], old: str, new: str, difference: str
) -> None:
    text, _notebook = lesson
    assert old in TEXT
    text.write_text(TEXT.replace(old, new), encoding="utf-8")
    assert any(difference in found for found in differences(text))
    assert check(text) == 1


def unexecuted(notebook: NotebookNode) -> None:
    notebook.cells[1].execution_count = None


def saved_elsewhere(notebook: NotebookNode) -> None:
    notebook.metadata.language_info["version"] = "3.99"


def without_cost(notebook: NotebookNode) -> None:
    notebook.cells[0].source = COST_LINE.sub("", notebook.cells[0].source)


@pytest.mark.parametrize(
    ("edit", "difference"),
    [
        (unexecuted, "cell 2: was not executed"),
        (saved_elsewhere, "metadata"),
        (without_cost, "cell 1: another source"),
    ],
)
def test_check_fails_after_an_edit_of_the_notebook(
    lesson: tuple[Path, NotebookNode], edit: Callable[[NotebookNode], None], difference: str
) -> None:
    text, notebook = lesson
    edit(notebook)
    nbformat.write(notebook, text.parent.parent / "42_tiny.ipynb")
    assert any(difference in found for found in differences(text))


def test_check_finds_notebooks_without_text_and_texts_without_notebook(
    lesson: tuple[Path, NotebookNode], capsys: pytest.CaptureFixture[str]
) -> None:
    text, _notebook = lesson
    text.rename(text.with_name("43_new.py"))
    assert check(text) == 1
    error = capsys.readouterr().err
    assert "43_new.ipynb: the notebook is missing. Run: make notebooks" in error
    assert "42_tiny.ipynb: has no text/42_tiny.py" in error


# Lint


def test_the_built_lesson_has_no_findings(built: Path) -> None:
    assert [str(finding) for finding in lint.lint_notebook(built)] == []
    assert lint.main([str(built)]) == 0


def replace(number: int, old: str, new: str) -> Callable[[NotebookNode], None]:
    """Return an edit of the source of cell `number`, counted from 1."""

    def edit(notebook: NotebookNode) -> None:
        cell = notebook.cells[number - 1]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return edit


def add_code(code: str) -> Callable[[NotebookNode], None]:
    """Return an edit that appends code to the last cell."""
    return replace(6, "print", f"{code}\nprint")


def add_output(**content: object) -> Callable[[NotebookNode], None]:
    """Return an edit that appends an output to cell 4."""

    def edit(notebook: NotebookNode) -> None:
        notebook.cells[3].outputs.append(nbformat.from_dict(content))

    return edit


def add_data(**data: str) -> Callable[[NotebookNode], None]:
    kinds = {kind.replace("__", "/"): value for kind, value in data.items()}
    return add_output(output_type="display_data", metadata={}, data=kinds)


def set_tag(tag: str) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        notebook.cells[3].metadata["tags"] = [tag]

    return edit


def store_widgets(notebook: NotebookNode) -> None:
    notebook.metadata["widgets"] = {}


def remove_outputs(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []


HOME = "/" + "home/ada/cat.png"  # in two parts: no file here names a machine's folder
WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
FUNCTION = "offset = 1\ndef shift(x):\n    return x + offset"

CASES: dict[str, tuple[Callable[[NotebookNode], None], str]] = {
    "second H1": (replace(5, "## ", "# "), "cell 5: a second H1"),
    "no title": (replace(1, "# Lesson", "## Lesson"), "does not begin with its title"),
    "level left out": (replace(5, "## ", "### "), "cell 5: H3 follows H1"),
    "objectives": (replace(1, "After this lesson you can", "Now"), "do not state the objectives"),
    "duration": (replace(1, "1 minutes", "Not long"), "do not state the duration"),
    "cost": (without_cost, "do not state the measured cost"),
    "alt text": (replace(1, "One dot", ""), "cell 1: a picture has no alt text"),
    "alt text, HTML": (replace(5, "again", '<img src="text/dot.png">'), "cell 5: a picture has no"),
    "broken link": (replace(1, "dot.png", "dash.png"), "'text/dash.png' leads nowhere"),
    "magic": (add_code("%timeit 1"), "cell 6: not plain Python"),
    "shell": (add_code("!ls"), "cell 6: not plain Python"),
    "help": (add_code("print?"), "cell 6: not plain Python"),
    "get_ipython": (add_code("get_ipython().system('ls')"), "cell 6: not plain Python"),
    "long cell": (add_code("\n".join(["x = 1"] * 25)), "cell 6: a code cell of 26 lines"),
    "late import": (add_code("import math"), "cell 6: an import outside the set-up cell"),
    "no set-up": (replace(2, "import sys", "NUMBER = 41\n'''"), "cell 2: no set-up cell"),
    "star import": (replace(2, "import sys", "from math import *"), "from math import *"),
    "sys.path": (add_code("sys.path.append('x')"), "sys.path is changed"),
    "network module": (replace(2, "import sys", "import urllib.request"), "downloads"),
    "torch.hub": (add_code("torch.hub.load('a', 'b')"), "downloads"),
    "download": (add_code("data(download=True)"), "download=True downloads"),
    "global": (add_code(FUNCTION), "cell 6: shift() reads 'offset'"),
    "misspelt tag": (set_tag("nbval-check-outputs"), "cell 4: tag 'nbval-check-outputs'"),
    "skipping tag": (set_tag("nbval-skip"), "cell 4: tag 'nbval-skip'"),
    "marker": (add_code("# NBVAL_CHECK_OUTPUT"), "an nbval marker in a comment"),
    "not executed": (unexecuted, "cell 2: a code cell without result"),
    "no outputs": (remove_outputs, "no output is stored"),
    "widget state": (store_widgets, "the state of widgets is stored"),
    "widget": (
        add_output(output_type="display_data", metadata={}, data=WIDGET),
        "cell 4: a widget's state",
    ),
    "error": (
        add_output(output_type="error", ename="ValueError", evalue="x", traceback=[]),
        "cell 4: it failed: ValueError",
    ),
    "stderr": (
        add_output(output_type="stream", name="stderr", text="UserWarning: x\n"),
        "cell 4: writes to stderr: 'UserWarning: x'",
    ),
    "bare picture": (add_data(image__png="iVBORw0KGgo="), "cell 4: an output picture has no alt"),
    "empty alt": (add_data(text__html='<img alt=" " src="x">'), "an output picture has no alt"),
    "placeholder": (
        add_data(text__html='<img alt="No description has been provided for this image">'),
        "an output picture has no alt",
    ),
    "compared picture": (set_tag("nbval-check-output"), "cell 4: a picture is compared"),
    "path in code": (add_code(f"x = {HOME!r}"), f"cell 6: the absolute path {HOME!r}"),
    "path in text": (replace(5, "again", "again: C:\\Users\\ada"), "cell 5: the absolute path"),
    "path in output": (
        add_output(output_type="stream", name="stdout", text=f"saved {HOME}\n"),
        f"cell 4: the absolute path {HOME!r}",
    ),
    "large file": (add_data(text__plain="x" * 1_500_000), "the file has 1.5 MB"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_finds_its_fault(
    name: str, lesson: tuple[Path, NotebookNode], capsys: pytest.CaptureFixture[str]
) -> None:
    text, notebook = lesson
    edit, expected = CASES[name]
    edit(notebook)
    path = text.parent.parent / "42_tiny.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")  # as it is, without validation
    assert lint.main([str(path)]) == 1
    findings = capsys.readouterr().out.splitlines()
    assert any(expected in finding for finding in findings)
    assert all(finding.startswith("42_tiny.ipynb") for finding in findings)


@pytest.mark.parametrize(
    "edit",
    [
        add_code("def double(x):\n    y = 2 * x\n    return y + NUMBER"),
        add_code("doubled = [NUMBER * k for k in range(3)]"),
        replace(5, "again", "[a link](https://example.org) and [a part](#part)"),
        replace(5, "again", "again\n\n```python\n# a comment, no title\n```\n"),
        add_data(text__html=f'<img alt="A cat" src="data:image/png;base64,+{HOME[:10]}/">'),
        add_data(text__plain="3/home/stretch, 1 / 2, and/or"),
    ],
)
def test_no_rule_finds_what_is_right(
    edit: Callable[[NotebookNode], None], lesson: tuple[Path, NotebookNode]
) -> None:
    text, notebook = lesson
    edit(notebook)
    path = text.parent.parent / "42_tiny.ipynb"
    nbformat.write(notebook, path)
    assert [str(finding) for finding in lint.lint_notebook(path)] == []
