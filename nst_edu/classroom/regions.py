"""The regions of nbgrader's format: what stands between two comments, and is taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SOLUTION, HIDDEN_TESTS, MARK_SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
KINDS = (SOLUTION, HIDDEN_TESTS, MARK_SCHEME)
STUB = "...  # your answer"  # what students find in the place of a solution
TEXT_STUB = "YOUR ANSWER HERE"

DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+(\w+)")
ANNOTATED = re.compile(r"(\w+)[ \t]*:[^=]*")
TARGETS = re.compile(r"[\w \t,()*]+")
NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Region:
    """Lines `first` to `last` of a cell, counted from 0; they hold the two comments."""

    kind: str
    first: int
    last: int


def find_regions(source: str, kind: str) -> list[Region]:
    r"""Return the regions of a kind.

    Raises
    ------
    ValueError
        If a region does not end, or begins or ends twice.

    Examples
    --------
    >>> find_regions("a\n### BEGIN SOLUTION\nb\n### END SOLUTION", "SOLUTION")
    [Region(kind='SOLUTION', first=1, last=3)]
    """
    found: list[Region] = []
    first: int | None = None
    for number, line in enumerate(source.split("\n")):
        if f"BEGIN {kind}" in line:
            if first is not None:
                raise ValueError(f"has a second BEGIN {kind} before END {kind}")
            first = number
        elif f"END {kind}" in line:
            if first is None:
                raise ValueError(f"has an END {kind} without BEGIN {kind}")
            found.append(Region(kind, first, number))
            first = None
    if first is not None:
        raise ValueError(f"has BEGIN {kind} without END {kind}")
    return found


def inside(source: str, region: Region) -> str:
    """Return what stands between the two comments of a region."""
    return "\n".join(source.split("\n")[region.first + 1 : region.last])


def without(source: str, kind: str, stub: str | None = None) -> str:
    r"""Return a cell with the regions of a kind cut out, and `stub` in their place.

    The same as nbgrader's ClearSolutions, ClearHiddenTests and ClearMarkScheme, but for one thing:
    there is no stub where the student changes the line above.

    Examples
    --------
    >>> without("a = ''\n### BEGIN SOLUTION\na = 'b'\n### END SOLUTION", "SOLUTION", "...")
    "a = ''"
    """
    lines = source.split("\n")
    for region in reversed(find_regions(source, kind)):
        begin = lines[region.first]
        indent = begin[: len(begin) - len(begin.lstrip())]
        above = "\n".join(lines[: region.first])
        needless = not indent and _defined_before(above, inside(source, region), kind)
        place = [] if stub is None or needless else [indent + stub]
        lines[region.first : region.last + 1] = place
    return "\n".join(lines)


def _defined_before(above: str, solution: str, kind: str) -> bool:
    """Tell whether all that a solution defines has a value to be changed above it."""
    names = names_defined(solution)
    return bool(names) and set(names) <= set(names_defined(without(above, kind)))


def tidied(source: str) -> str:
    """Return a cell's text without empty lines around it and space at the ends of lines."""
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def names_defined(source: str) -> list[str]:
    r"""Return the names that the top level of some code defines, found line by line.

    No parser: this is used on what students send, and Python's own parser can be made to crash.
    What stands in brackets over several lines may be missed, and nothing depends on it.

    Examples
    --------
    >>> names_defined("def my_sum(x):\n    y = 1\nmy_a, my_b = 1, 2\nmy_c: int = 3\nprint(x=1)")
    ['my_sum', 'my_a', 'my_b', 'my_c']
    """
    return [name for line in source.split("\n") for name in _names_in(line)]


def _names_in(line: str) -> Iterator[str]:
    """Yield what one line at the top level defines."""
    if (found := DEFINITION.match(line)) is not None:
        yield found[1]
        return
    left, equals, right = line.partition("=")
    if not equals or right.startswith("=") or line[0] in " \t#":
        return
    if (found := ANNOTATED.fullmatch(left)) is not None:
        yield found[1]
    elif TARGETS.fullmatch(left) and left.count("(") == left.count(")"):
        yield from NAME.findall(left)
