"""The marks as JUnit XML, which every CI can show: a test case for each student and task."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from nst_edu.classroom.records import NOTHING, ByHand, Graded, TaskMark
from nst_edu.classroom.safe_html import plain, points

# XML 1.0 knows no control characters at all; `plain` leaves these two.
NO_XML = str.maketrans(dict.fromkeys("\ufffe\uffff", "\ufffd"))


def junit(results: Sequence[Graded]) -> str:
    """Return the XML text.

    Full marks pass, fewer are a failure, an answer that a person must look at is an error, and
    what is marked by hand, or was not handed in, is skipped.
    """
    root = ET.Element("testsuites")
    for graded in results:
        suite = ET.SubElement(root, "testsuite", name=_clean(graded.student))
        for mark in graded.marks:
            _add(suite, graded, mark)
        for part in graded.by_hand:
            _add_by_hand(suite, graded, part)
        if graded.status == NOTHING and not graded.marks:
            ET.SubElement(_case(suite, graded, "submission"), "skipped", message="no submission")
        if graded.notes:
            ET.SubElement(suite, "system-out").text = _clean("\n".join(graded.notes))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("tests", str(len(suite.findall("testcase"))))
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _case(suite: ET.Element, graded: Graded, task: str) -> ET.Element:
    names = {"classname": f"{graded.assignment}.{graded.student}", "name": task}
    return ET.SubElement(suite, "testcase", {key: _clean(name) for key, name in names.items()})


def _add(suite: ET.Element, graded: Graded, mark: TaskMark) -> None:
    """Add one task."""
    case = _case(suite, graded, mark.task)
    earned = f"{points(mark.points)} of {points(mark.out_of)} points"
    if graded.status == NOTHING:
        ET.SubElement(case, "skipped", message="no submission")
    elif mark.human:
        ET.SubElement(case, "error", message="needs a human").text = _clean(mark.message)
    elif mark.points < mark.out_of:
        name = f" ({mark.misconception})" if mark.misconception else ""
        failure = ET.SubElement(case, "failure", message=_clean(f"{earned}{name}"))
        failure.text = _clean(mark.message)
    ET.SubElement(case, "system-out").text = earned


def _add_by_hand(suite: ET.Element, graded: Graded, part: ByHand) -> None:
    """Add a part that a person marks."""
    case = _case(suite, graded, part.task)
    if part.points is None:
        ET.SubElement(case, "skipped", message=f"by hand: {points(part.out_of)} points")
        return
    earned = f"{points(part.points)} of {points(part.out_of)} points"
    if part.points < part.out_of:
        ET.SubElement(case, "failure", message=earned).text = _clean(part.comment)
    ET.SubElement(case, "system-out").text = earned


def _clean(text: str) -> str:
    return plain(text).translate(NO_XML)
