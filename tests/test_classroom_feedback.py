"""The feedback page: it says what was found, and nothing that a student wrote can run in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from nst_edu.classroom.assignment import HandMarked
from nst_edu.classroom.feedback import (
    CellShown,
    bounded,
    feedback_page,
    from_text,
    shown_cells,
    to_text,
)
from nst_edu.classroom.grade import Judged
from nst_edu.classroom.notebooks import read_submission
from nst_edu.classroom.outputs import MOST_OUTPUTS, Shown, attached, shown_outputs
from nst_edu.classroom.questions import Answer
from nst_edu.classroom.records import (
    GRADED,
    HUMAN,
    NOTHING,
    UNREADABLE,
    ByHand,
    Graded,
    Key,
    TaskMark,
)
from nst_edu.classroom.report import write_reports
from nst_edu.classroom.safe_html import picture, plain, points
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.store import Store
from nst_edu.classroom.tasks import Task
from nst_edu.exercises.numeric import compare_tensors
from tests import classroom_samples as samples
from tests.test_classroom_report import Page

CHROMIUM = Path("/usr/bin/chromium")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
KEY = Key("s", "a", "g", "i")
MARK = TaskMark("my_gram", 3, 6, "You divided by C.\n\n    x = 1", "divided-by-c", True, 7)

# Each would set the title of the page if it ran.
RUN = "document.title='RAN'"
XSS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}><script>{RUN}</script></svg>",
    f"[click](javascript:{RUN})",
    f"[click](JaVa\tScRiPt:{RUN})",
    f"[click](&#106;avascript:{RUN})",
    f"[click](data:text/html,<script>{RUN}</script>)",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<a href='javascript:{RUN}'>x</a>",
    f"<details open ontoggle={RUN}>",
    f"<style>@import 'http://evil.example/x.css'</style><body onload={RUN}>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"```html\n</code></pre><script>{RUN}</script>\n```",
    f"`</code><script>{RUN}</script>`",
    f"[x]: javascript:{RUN}\n\n[x]",
    "![tracked](http://evil.example/pixel.png)",
    f'![x](x"onerror="{RUN})',
    f"<form action=javascript:{RUN}><input autofocus onfocus={RUN}>",
    f"<object data=javascript:{RUN}></object><embed src=javascript:{RUN}>",
    f"</title></style></textarea></script><script>{RUN}</script>",
    f"{{{{ ''.__class__ }}}}{{% raw %}}<script>{RUN}</script>",
    f"<base href='http://evil.example/'><link rel=stylesheet href=x><script src=x>{RUN}</script>",
]
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "h4", "p"),
    *("strong", "em", "bdi", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("code", "pre", "section", "div", "ul", "li", "a", "img"),
}


def hostile(text: str) -> str:
    """Return a page in which a student put `text` wherever they can."""
    mark = TaskMark(text, 0, 6, text, text)
    outputs: list[Any] = [
        {"output_type": "stream", "name": "stdout", "text": text},
        {"output_type": "stream", "name": "stderr", "text": [text]},
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]},
    ]
    for mime in ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml"):
        outputs.append({"output_type": "display_data", "data": {mime: text}, "metadata": {}})
    data = {"image/png": PNG, "image/jpeg": text, "application/javascript": text}
    for alt in (text, f'" onerror="{RUN}'):
        about = {"image/png": {"alt": alt}}
        outputs.append({"output_type": "execute_result", "data": data, "metadata": about})
    shown = shown_outputs(outputs, 1)
    shown += shown_outputs(attached({text: {"image/png": PNG, "image/jpeg": text}}), 1)
    cells = [
        CellShown(kind, text, shown, note=text, tasks=(text, "essay"), handed_in=shown)
        for kind in ("code", "markdown", "raw", text)
    ]
    marked = TaskMark("my_style", 1, 2, f"Marked by a person. {text}")
    essay = ByHand("essay", 5, 3, text)
    graded = Graded(text, text, KEY, HUMAN, (mark, MARK, marked), (essay,), (text,))
    return feedback_page(graded, cells)


@pytest.mark.parametrize("text", XSS, ids=range(len(XSS)))
def test_nothing_that_a_student_wrote_is_markup(text: str) -> None:
    page = Page(hostile(text))
    assert {tag for tag, _ in page.elements} <= ALLOWED
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            address = attributes.get(name) or ""
            assert re.match(
                r"$|data:image/(png|jpeg);base64,[\w+/=]+$|https?://|mailto:|#", address
            )
            assert not (tag == "img" and name == "src" and not address.startswith("data:"))
    assert len(page.all("meta")) == 4


def test_the_policy_forbids_everything_but_pictures_and_the_one_style() -> None:
    text = hostile("x")
    style = text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (m for m in Page(text).all("meta") if m.get("http-equiv"))
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_nothing_runs_in_a_real_browser(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium: the parser's tests above must do")
    everything = tmp_path / "page.html"
    everything.write_text(hostile("\n\n".join(XSS)), encoding="utf-8", errors="replace")
    # The same browser must run a script where nobody forbids it, or the test would show nothing.
    control = tmp_path / "control.html"
    control.write_text(f"<title>before</title><script>{RUN}</script>", encoding="utf-8")
    assert "<title>RAN</title>" in opened(control, tmp_path)
    shown = opened(everything, tmp_path)
    assert "<title>Feedback:" in shown
    assert "<title>RAN" not in shown
    assert "caption" in shown


def opened(path: Path, folder: Path) -> str:
    """Return a page as it is in Chromium a second after it was opened."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}/profile",
        "--virtual-time-budget=1000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


# What it says


def test_the_page_says_what_was_found_and_what_to_read() -> None:
    cells = [
        CellShown("markdown", "# My title\n\nSome *text*, 1 < 2."),
        CellShown("code", "x < 1", (Shown("so it is"),), tasks=("my_gram",)),
    ]
    text = feedback_page(Graded("amina", "gram", KEY, "graded", (MARK,)), cells)
    assert "<h3>My title</h3>" in text
    assert "Some <em>text</em>, 1 &lt; 2." in text
    assert "<code>x &lt; 1</code>" in text
    assert text.count("3 of 6 points") == 2
    assert text.count("To read: lesson 7.") == 2
    page = Page(text)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("caption")) == len(page.all("table")) == 1
    assert all(cell["scope"] in ("row", "col") for cell in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 3]


def test_a_comment_is_markdown_and_a_message_is_as_it_was_written() -> None:
    comment = "The sum $x^2$ is *not* `converged`."
    marks = (
        TaskMark("my_gram", 3, 6, "You wrote *all*, <b>:\n\n    a < b\n\nSee `x`."),
        TaskMark("my_style", 1, 4, f"Marked by a person. {comment}"),
    )
    cells = [CellShown("markdown", "Because.", tasks=("essay",))]
    graded = Graded("amina", "gram", KEY, GRADED, marks, (ByHand("essay", 5, 4, comment),))
    text = feedback_page(graded, cells)
    assert text.count("is <em>not</em> <code>converged</code>.") == 3  # twice in the table
    assert text.count("<msup><mi>x</mi><mn>2</mn></msup>") == 3
    assert "You wrote *all*, &lt;b&gt;:\n\n<code>    a &lt; b</code>\n\nSee `x`.</p>" in text


@pytest.mark.parametrize(
    ("status", "parts", "words"),
    [
        (GRADED, (), "graded"),
        (GRADED, (ByHand("essay", 5, 4),), "graded"),
        (GRADED, (ByHand("essay", 5),), "graded, but for what a person still has to mark"),
        (HUMAN, (), "a person will look at parts of it"),
        (UNREADABLE, (), "it could not be read; a person will look at it"),
        (NOTHING, (), "nothing was handed in"),
    ],
)
def test_the_status_is_in_words_for_a_student(
    status: str, parts: tuple[ByHand, ...], words: str
) -> None:
    text = feedback_page(Graded("amina", "gram", KEY, status, (), parts), [])
    assert f"Status: {words}.</p>" in text


def test_where_nothing_was_handed_in_there_is_no_table() -> None:
    page = Page(feedback_page(Graded("amina", "gram", KEY, NOTHING, notes=("Nothing.",)), []))
    assert page.all("table") == []
    assert len(page.all("h2")) == 1  # "What happened"


# What was handed in


def cells_of(notebook: Any, put_out: dict[str, Any], folder: Path) -> list[CellShown]:
    """Return what the page shows of a notebook, of which each cell put out `put_out` again."""
    assignment = read_assignment(samples.write_source(folder))
    path = folder / "handed_in.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    found = read_submission(path, samples.STUDENT, assignment)
    outputs = {cell.id: [put_out] for cell in found.code}
    graded = Graded(samples.STUDENT, samples.NAME, KEY, GRADED)
    return from_text(to_text(shown_cells(assignment, found, Judged(graded, outputs, {}, ""))))


def test_a_marker_sees_the_numbers_that_were_handed_in(tmp_path: Path) -> None:
    def printed(text: str) -> dict[str, str]:
        return {"output_type": "stream", "name": "stdout", "text": text}

    notebook = samples.submission()
    first, second, third = [cell for cell in notebook.cells if cell.cell_type == "code"][:3]
    first["outputs"], second["outputs"] = [printed("loss 0.25")] * 100, [printed("loss 0.5")]
    third["outputs"] = []
    cells = cells_of(notebook, printed("loss 0.5"), tmp_path)
    mine, same, none = [cell for cell in cells if cell.kind == "code"][:3]
    assert mine.outputs == (Shown("loss 0.5"),)
    assert mine.handed_in[0] == Shown("loss 0.25")
    assert len(mine.handed_in) == MOST_OUTPUTS + 1
    assert same.handed_in == (Shown("The same output."),)
    assert none.handed_in == (Shown("No output."),)
    text = feedback_page(Graded("amina", "gram", KEY, GRADED), [mine])
    again, before = text.index("Run again by the grader:"), text.index("As it was handed in")
    assert again < text.index("loss 0.5") < before < text.index("loss 0.25")


def test_the_markers_page_shows_both_runs(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.claim("gram", "digest", [HandMarked("plot", 5, "Rubric.", "Question?")])
    before = (Shown("loss 0.25"), Shown("A curve.", picture=f"data:image/png;base64,{PNG}"))
    cell = CellShown("code", "plot()", (Shown("loss 0.5"),), "", ("plot",), before)
    store.save(Graded("amina", "gram", KEY, GRADED, (), (ByHand("plot", 5),)), [cell])
    write_reports(tmp_path)
    text = (tmp_path / "by_hand.html").read_text(encoding="utf-8")
    assert text.index("Run again by the grader:") < text.index("loss 0.5")
    assert text.index("As it was handed in") < text.index("loss 0.25")
    assert [image["alt"] for image in Page(text).all("img")] == ["A curve."]
    assert {tag for tag, _ in Page(text).elements} <= ALLOWED


def test_a_picture_in_a_text_is_shown_below_it(tmp_path: Path) -> None:
    notebook = samples.submission()
    cell = samples.cell_of(notebook, samples.BY_HAND)
    cell["source"] = "My figure: ![loss](attachment:loss.png)"
    cell["attachments"] = {
        "loss.png": {"image/png": PNG},
        "x.svg": {"image/svg+xml": "<svg onload=alert(1)>"},
        "y.png": {"image/png": base64.b64encode(b"<svg>").decode()},
    }
    cells = cells_of(notebook, {}, tmp_path)
    (shown,) = [cell for cell in cells if "My figure" in cell.source]
    assert shown.outputs == (
        Shown("Picture in the text: loss.png", picture=f"data:image/png;base64,{PNG}"),
    )
    (image,) = Page(feedback_page(Graded("a", "b", KEY, GRADED), cells)).all("img")
    assert image == {
        "src": f"data:image/png;base64,{PNG}",
        "alt": "Picture in the text: loss.png",
    }


@pytest.mark.parametrize("odd", [None, 1, "x", [], [{}], {"a": None}, {"a": {"image/png": [1]}}])
def test_odd_attachments_do_no_harm(odd: object) -> None:
    assert attached(odd) == ()


# Messages


def test_a_cell_that_stopped_is_not_called_a_wrong_name() -> None:
    task = Task("my_x", 1, lambda generator: 1.0)
    note = "the cell with it stopped with SyntaxError: invalid syntax"
    mark = task.judge(Answer("missing", note=note), "amina", 1)
    assert mark.message == f"my_x could not be tried in the notebook: {note}."
    assert (mark.points, mark.attempted, mark.misconception) == (0, True, "missing")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(2.23, "is 120 % of"), (101.0, "is 10000 % of"), (1.05, "is 5 % of"), (1e30, "is 1e+32 % of")],
)
def test_a_percentage_is_written_as_people_do(wrong: float, words: str) -> None:
    ours = torch.tensor([wrong, 1.0], dtype=torch.float64)
    found = compare_tensors(torch.ones(2, dtype=torch.float64), ours, None, True, "")
    assert found is not None
    assert words in found.detail


def test_a_picture_has_its_description() -> None:
    own = {"image/png": {"alt": "A grey square."}}
    for metadata, plain_text, expected in (
        (own, "<Figure>", "A grey square."),
        ({}, "A curve that falls.", "A curve that falls."),
        ({}, "<Figure size 640x480 with 1 Axes>", "Picture made by cell 5; it has no description."),
        ("odd", ["A ", "list."], "A list."),
    ):
        data = {"image/png": PNG, "text/plain": plain_text}
        output = {"output_type": "display_data", "data": data, "metadata": metadata}
        (shown,) = shown_outputs([output], 5)
        assert shown.text == expected
        assert shown.picture == f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", base64.b64encode(b"<svg onload=alert(1)>").decode()),
        ("image/svg+xml", PNG),
        ("image/gif", base64.b64encode(b"GIF89a").decode()),
        ("image/png", "not base64!"),
        ("image/png", PNG + '"onerror="x'),
        ("image/png", 7),
        ("image/png", [7]),
        ("image/png", None),
        ("image/jpeg", PNG),
        ("image/png", "A" * 3_000_000),
    ],
)
def test_only_png_and_jpeg_are_pictures(kind: str, data: object) -> None:
    assert picture(kind, data) is None


@pytest.mark.parametrize(
    "outputs",
    [
        [None, 1, "x", [], {}],
        [{"output_type": "stream"}, {"output_type": "stream", "text": {"a": 1}}],
        [{"output_type": "error", "traceback": [1, None]}, {"output_type": 7}],
        [{"output_type": "display_data", "data": "x"}, {"output_type": "display_data"}],
        [{"output_type": "display_data", "data": {"image/png": {"a": 1}}, "metadata": []}],
        [{"output_type": "stream", "text": "\ud800\x00\u202e"}] * 1000,
    ],
    ids=range(6),
)
def test_odd_outputs_do_no_harm(outputs: list[object]) -> None:
    shown = shown_outputs(outputs, 1)
    assert len(shown) <= 31
    page = feedback_page(Graded("a", "b", KEY, "graded"), [CellShown("code", "", shown)])
    assert not re.search("[\ud800\x00\u202e]", page)


def test_a_page_has_an_end() -> None:
    long = CellShown("code", "x" * 1000, (Shown("y" * 10**7),) * 30)
    page = feedback_page(Graded("a", "b", KEY, "graded"), bounded([long] * 2000))
    assert len(page) < 30_000_000
    assert "Its outputs are not shown: too much." in page


def test_all_code_is_shown() -> None:
    """What is hidden could be what wrote the outputs."""
    code = "x" * 199_990 + "the end"
    page = feedback_page(Graded("a", "b", KEY, "graded"), bounded([CellShown("code", code)] * 3))
    assert page.count("the end") == 3


@pytest.mark.parametrize(
    "unit",
    ["*a **a ", "[", "> ", "`", "![[", "|a", "- ", "&", "<", "[a](", "[a]: <", "**x", "[x]["],
)
def test_no_markdown_takes_long(unit: str) -> None:
    began = time.process_time()
    cells = [CellShown("markdown", f"{n} {unit * (9_900 // len(unit))}") for n in range(100)]
    page = feedback_page(Graded("a", "b", KEY, "graded"), bounded(cells))
    assert page.count("as it was written") == 94
    assert time.process_time() - began < 30  # s of the processor; at most 6 here


def test_text_looks_like_what_it_is() -> None:
    assert plain("a\r\nb\rc\x1b[1;31md\x1b]0;title\x07e\x08\u202e") == "a\nb\ncde\ufffd\ufffd"
    assert plain("abcdef", 3) == "abc\n… 3 more characters are not shown."
    assert [points(x) for x in (0, 10, 2.5, 100.0, 1 / 3)] == ["0", "10", "2.5", "100", "0.33"]


def test_contrast_is_enough_for_everybody() -> None:
    style = (Path(__file__).parent.parent / "nst_edu/classroom/templates/style.css").read_text()
    for ink, paper in (("1a1a1a", "ffffff"), ("1a1a1a", "eef4fb"), ("0b57a4", "ffffff")):
        assert {f"#{ink}", f"#{paper[:3] if paper == 'ffffff' else paper}"} <= set(
            re.findall(r"#[0-9a-f]+", style)
        )
        lighter, darker = sorted(map(luminance, (ink, paper)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) > 7


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
