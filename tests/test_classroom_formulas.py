"""Formulas on pages: those of the assignments are all shown, and no text gets more out of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

from nst_edu.classroom.formulas import ATTRIBUTES, DEEPEST, ELEMENTS, LONGEST, mathml
from nst_edu.classroom.safe_html import markdown

SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "assignments").glob("*/*.ipynb"))
HOSTILE = [
    r"\text{<script>alert(1)</script>}",
    r"\href{javascript:alert(1)}{x}",
    r"\style{position:fixed}{x}\class{a}{x}",
    r"\color{red}x",
    r"\mathrm{</math><img src=x onerror=alert(1)>}",
    r"\unicode{x202e}\unicode{xd800}\unicode{x3c}b\unicode{x3e}",
    "&lt;img&gt;",
    "]]><script>",
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_formula_of_an_assignment_stays_as_it_was_written(path: Path) -> None:
    cells = nbformat.read(path, 4).cells
    pages = [markdown(cell.source) for cell in cells if cell.cell_type == "markdown"]
    shown = re.sub(r"<code>.*?</code>", "", "".join(pages), flags=re.DOTALL)
    assert "$" not in shown
    assert "<code>$" not in "".join(pages)


def test_a_formula_is_mathml() -> None:
    made = markdown(
        "The sum $x_i < y$ is\n\n$$\n\\frac{1}{n}\n$$\n\nand `$x$` is code, \\$5 a price."
    )
    assert made == (
        '<p>The sum <math display="inline"><mrow><msub><mi>x</mi><mi>i</mi></msub><mo>&lt;</mo>'
        "<mi>y</mi></mrow></math> is</p>\n"
        '<p><math display="block"><mrow><mfrac><mrow><mn>1</mn></mrow><mrow><mi>n</mi></mrow>'
        "</mfrac></mrow></math></p>\n"
        "<p>and <code>$x$</code> is code, $5 a price.</p>\n"
    )


@pytest.mark.parametrize("tex", HOSTILE)
def test_nothing_but_formulas_comes_out(tex: str) -> None:
    made = markdown(f"${tex}$")
    page = ET.fromstring(made)
    assert {element.tag for element in page.iter()} <= {"p", "code"} | ELEMENTS
    for element in page.iter():
        assert {(element.tag, name) for name in element.attrib} <= ATTRIBUTES
    assert not re.search("[\u202e\ud800]", made)


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{",
        "{" * 900,
        "^" * 900,
        r"\overbrace{" * DEEPEST + "x" + "}" * DEEPEST,
        "x" * (LONGEST + 1),
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{<b>}\a",
    ],
)
def test_what_is_no_formula_is_shown_as_written(tex: str) -> None:
    assert mathml(tex, display=False) is None
    text = "".join(ET.fromstring(markdown(f"${tex}$")).itertext())
    assert text.startswith("$")


def test_nobody_can_put_a_formula_where_another_stands() -> None:
    assert markdown("$a$ \ue0000\ue001") == (
        '<p><math display="inline"><mrow><mi>a</mi></mrow></math> \ufffd0\ufffd</p>\n'
    )
