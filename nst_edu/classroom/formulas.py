"""Show formulas of notebooks in a page that runs nothing: TeX becomes MathML.

Whatever the TeX says, only the elements and attributes listed here come out of it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

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
VALUE = re.compile(r"-?[a-z0-9.]{1,12}")
# A macro may grow without end, and no page needs one.
MACRO = re.compile(r"\\(?:re)?newcommand|\\[gex]?def\b|\\let\b")
# Stands for a formula until the page is clean; taken out of what a student writes.
PLACE = "\ue000{}\ue001"
PLACES = re.compile(r"[\ue000\ue001]")


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

    if len(tex) > LONGEST or MACRO.search(tex):
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
        If there is anything else.
    """
    if element.tag not in ELEMENTS or deepest == 0:
        raise ValueError(f"{element.tag} is not shown")
    copy = ET.Element(element.tag)
    for name, value in element.attrib.items():
        if (element.tag, name) in ATTRIBUTES and VALUE.fullmatch(value):
            copy.set(name, value)
    copy.text = None if element.text is None else _characters(element.text)
    copy.extend([_clean(child, deepest - 1) for child in element])
    return copy


def _characters(text: str) -> str:
    """Return the characters for which the converter writes numbers."""
    found = re.sub(r"&#x([0-9A-Fa-f]{1,5});", lambda number: chr(int(number[1], 16)), text)
    return UNSEEN.sub("\ufffd", found)


class Formulas:
    """Takes the formulas out of a text while it is cleaned, and puts them back."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def place(self, tex: str, display: bool) -> str:
        """Keep a formula; return what stands for it."""
        from markupsafe import escape

        mark = "$$" if display else "$"
        self.made.append(mathml(tex, display) or f"<code>{escape(mark + tex + mark)}</code>")
        return PLACE.format(len(self.made) - 1)

    def put_back(self, clean: str) -> str:
        """Return harmless HTML with the formulas in it."""
        return re.sub(PLACE.format("([0-9]+)"), lambda found: self.made[int(found[1])], clean)
