"""Show formulas of notebooks in a page that runs nothing: TeX becomes MathML.

Whatever the TeX says, only the elements and attributes listed here come out of it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from secrets import token_hex

from nst_edu.classroom.safe_html import UNSEEN

LONGEST, DEEPEST = 1000, 30  # characters of a formula that is shown as one; elements in elements
ELEMENTS = {
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "mfrac", "msqrt", "mroot"),
    *("msub", "msup", "msubsup", "mover", "munder", "munderover", "mtable", "mtr", "mtd"),
}
ATTRIBUTES = {
    ("math", "display"),
    ("mi", "mathvariant"),
    *(("mo", name) for name in ("stretchy", "fence", "form", "minsize", "maxsize")),
    ("mspace", "width"),
    ("mstyle", "displaystyle"),
    ("mstyle", "scriptlevel"),
}
# Environments that the converter turns into tables. It takes any other name, too, and then writes
# rows and columns one after the other, which reads as another formula.
TABLES = {
    *("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix"),
    *("array", "cases", "split", "align*"),
}
BEGIN = re.compile(r"\\begin\s*\{([^{}]*)\}")
# Line breaks outside tables, and lines in tables: browsers do not show them.
LOST = {("mspace", "linebreak"), ("mtable", "columnlines"), ("mtable", "rowlines")}
SPACED = re.compile(r"\\\\\s*\[")  # a line break with a space below it: would become [2pt]
VALUE = re.compile(r"[a-z]{1,12}|-?\d{0,2}(?:\.\d{1,4})?(?:em|ex)?")  # no width beyond the page
# A macro may grow without end, and no page needs one.
MACRO = re.compile(r"\\(?:re)?newcommand|\\[gex]?def\b|\\let\b")


def mathml(tex: str, display: bool) -> str | None:
    r"""Return a formula as MathML, which browsers show without a program; None if it is none.

    Examples
    --------
    >>> mathml("x^2", display=False)
    '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> mathml(r"\frac{", display=False) is None
    True
    """
    from latex2mathml.converter import convert_to_element

    if len(tex) > LONGEST or MACRO.search(tex) or SPACED.search(tex):
        return None
    if not TABLES.issuperset(BEGIN.findall(tex)):
        return None
    try:
        made = convert_to_element(tex, display="block" if display else "inline")
        return ET.tostring(_clean(made, DEEPEST), encoding="unicode", short_empty_elements=False)
    except Exception:  # a text that is no formula, or one made to break the converter
        return None


def _clean(element: ET.Element, deepest: int) -> ET.Element:
    """Copy what is allowed; text is escaped when it is written.

    Raises
    ------
    ValueError
        If there is anything else, or something that the converter did not understand.
    """
    if element.tag not in ELEMENTS or deepest == 0:
        raise ValueError(f"{element.tag} is not shown")
    if _not_converted(element):
        raise ValueError(f"{element.text!r} is not converted")
    copy = ET.Element(element.tag)
    for name, value in element.attrib.items():
        if (element.tag, name) in ATTRIBUTES and VALUE.fullmatch(value):
            copy.set(name, value)
    copy.text = None if element.text is None else _characters(element.text)
    copy.extend([_clean(child, deepest - 1) for child in element])
    return copy


def _not_converted(element: ET.Element) -> bool:
    """Tell whether an element is TeX that stayed as it was, or loses its meaning."""
    text = element.text or ""
    left = element.tag == "mi" and (text == "&" or text.startswith("\\"))
    return left or any((element.tag, name) in LOST for name in element.attrib)


def _characters(text: str) -> str:
    """Return the characters for which the converter writes numbers."""
    found = re.sub(r"&#x([0-9A-Fa-f]{1,5});", lambda number: chr(int(number[1], 16)), text)
    return UNSEEN.sub("\ufffd", found)


class Formulas:
    """Takes the formulas out of a text while it is cleaned, and puts them back."""

    def __init__(self) -> None:
        self.made: list[str] = []
        # Stands for a formula until the page is clean. Nobody can know it and write it.
        self.mark = token_hex(8)

    def place(self, tex: str, display: bool) -> str:
        """Keep a formula; return what stands for it."""
        from markupsafe import escape

        mark = "$$" if display else "$"
        self.made.append(mathml(tex, display) or f"<code>{escape(mark + tex + mark)}</code>")
        return f"{self.mark}-{len(self.made) - 1}-"

    def put_back(self, clean: str) -> str:
        """Return harmless HTML with the formulas in it."""
        return re.sub(f"{self.mark}-([0-9]+)-", lambda found: self.made[int(found[1])], clean)
