"""Formulas on pages: those of the assignments are all shown, and no text gets more out of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

from nst_edu.classroom.formulas import ATTRIBUTES, DEEPEST, ELEMENTS, LONGEST, TABLES, mathml
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


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin {aligned} a \end {aligned}",
        r"\begin{gather} a \\ b \end{gather}",
        r"\begin{array}{c|c} a & b \end{array}",
        r"\begin{pmatrix} a \\ \hline b \end{pmatrix}",
        r"\begin{matrix} a \\[2pt] b \end{matrix}",
        r"\begin{aligned} a",
        r"x \end{aligned}",
        r"a & b",
        r"a \\ b",
        r"\unknown x",
    ],
)
def test_what_would_read_as_another_formula_is_shown_as_written(tex: str) -> None:
    assert mathml(tex, display=True) is None
    text = "".join(ET.fromstring(markdown(f"$$\n{tex}\n$$")).itertext())
    assert text == f"$${tex}$$"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_has_its_rows_and_columns(name: str) -> None:
    columns = "{cc}" if name == "array" else ""
    made = mathml(rf"\begin{{{name}}}{columns} a & b \\ c & d \\ e & f \end{{{name}}}", True)
    assert made is not None
    (table,) = ET.fromstring(made).iter("mtable")
    rows = [["".join(cell.itertext()) for cell in row] for row in table]
    assert rows == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_an_ampersand_can_be_written() -> None:
    assert "<mi>&amp;</mi>" in (mathml(r"a \& b", display=False) or "")


@pytest.mark.parametrize("text", ["&#xe000;0&#xe001;", "&#57344;" + "9" * 5000 + "&#57345;", "-0-"])
def test_nobody_can_put_a_formula_where_another_stands(text: str) -> None:
    """It once stopped the whole class, or made 91 MB of 83 kB."""
    made = markdown(f"$a$ {text}")
    assert made.count("<math") == 1


def test_no_character_reference_turns_the_direction_of_writing() -> None:
    assert "\u202e" not in markdown("&#x202e;txt.exe")


def test_a_small_table_that_becomes_a_large_one_is_shown_as_written() -> None:
    table = "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|b|\n" * 500
    assert markdown(table).startswith("<pre>|a|a")
    assert "<table>" in markdown("|a|b|\n|-|-|\n|1|2|\n")


def test_no_space_is_wider_than_a_page() -> None:
    made = mathml(r"x\hspace{-99999999em}y\hspace{2em}z", display=False)
    assert made is not None
    assert "9999" not in made
    assert 'width="2em"' in made
