"""Write the table of lessons on the start page: ``python -m nst_edu.authoring.start_page``.

Titles, minutes and measured costs come from the headers of the notebooks. The rest of the page,
``notebooks/README.md``, is written by people. With ``--check`` nothing is written: it says whether
the table is up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from nst_edu.authoring.execute import Cost
from nst_edu.authoring.texts import COST_LINE, NOTEBOOKS, find_texts, notebook_path, read_text

PAGE = "README.md"
BEGIN = "<!-- The table is written by: python -m nst_edu.authoring.start_page -->"
END = "<!-- End of the table -->"
TITLE = re.compile(r"^# Lesson (\w+): (.+)$", re.MULTILINE)
MINUTES = re.compile(r"\*\*Time:\*\* (\d+) minutes")
NOT_MEASURED = "not measured"

# What a learner has built at the end of each lesson.
BUILDS = {
    "0": "a first painting, and a test of what changes while it is made",
    "1": "a convolution layer, and a program that finds a hidden kernel",
    "2": "output sizes, four kinds of padding, and a map of what a unit can see",
    "3": "pooling, a dense layer, and two networks that learn to name shapes",
    "4": "gradient descent, and a small autograd that agrees with torch",
    "5": "a plan of VGG's layers by name, and a reader of feature maps",
    "5b": "nothing; it tells how the network of this course was trained",
    "6": "the content loss, and photos rebuilt from what one layer kept",
    "7": "the Gram matrix, the style loss, and textures from noise",
    "8": "the whole of style transfer: the objective and the loop that paints",
    "9": "tests that find classic bugs of style transfer",
}


@dataclass(frozen=True)
class Row:
    """What the header of a lesson says; `cost` is None if it was not built yet."""

    number: str
    title: str
    minutes: int
    cost: Cost | None
    file: str

    def __str__(self) -> str:
        title = f"[{self.title}]({self.file})" if self.cost else self.title
        builds = BUILDS[self.number]
        return f"| {self.number} | {title} | {builds} | {self.minutes} | {_say(self.cost)} |"


def read_header(text: Path) -> Row:
    """Read a lesson's header: from its notebook, or from its text if there is none yet.

    Parameters
    ----------
    text
        ``notebooks/text/NAME.py``.

    Raises
    ------
    ValueError
        If the header lacks the title or the minutes, or `BUILDS` lacks the lesson.
    """
    path = notebook_path(text)
    notebook = nbformat.read(path, as_version=4) if path.exists() else read_text(text)
    header = notebook.cells[0].source
    title, minutes, cost = (found.search(header) for found in (TITLE, MINUTES, COST_LINE))
    if not title or not minutes:
        raise ValueError(
            f"{text.name}: its first cell needs '# Lesson N: …' and '**Time:** N minutes'"
        )
    if title[1] not in BUILDS:
        raise ValueError(f"{text.name}: say in BUILDS what lesson {title[1]} builds")
    measured = Cost(int(cost[1]), float(cost[2])) if cost else None
    return Row(title[1], title[2], int(minutes[1]), measured, path.name)


def table(folder: Path = NOTEBOOKS) -> str:
    """Return the table of all lessons, with the sums of lessons 0 to 9."""
    rows = [read_header(text) for text in find_texts(folder)]
    lines = ["| | lesson | what you build | minutes | measured cost |", "|---|---|---|---|---|"]
    lines += map(str, rows)
    core = [row for row in rows if row.number in map(str, range(10))]
    costs = [row.cost for row in core if row.cost]
    complete = len(costs) == len(core) > 0
    largest = Cost(sum(c.seconds for c in costs), max((c.gigabytes for c in costs), default=0))
    total = _say(largest if complete else None)
    lines.append(f"| | lessons 0 to 9 | | {sum(row.minutes for row in core)} | {total} |")
    return "\n".join(lines)


def _say(cost: Cost | None) -> str:
    return f"{cost.seconds} s, {cost.gigabytes:.1f} GB" if cost else NOT_MEASURED


def page(folder: Path = NOTEBOOKS) -> str:
    """Return the start page as it should be.

    Raises
    ------
    ValueError
        If the page lacks the two comments between which the table stands.
    """
    text = (folder / PAGE).read_text(encoding="utf-8")
    before, found_begin, rest = text.partition(BEGIN)
    _old, found_end, after = rest.partition(END)
    if not found_begin or not found_end:
        raise ValueError(f"{PAGE} needs the lines {BEGIN!r} and {END!r}: the table goes between")
    return f"{before}{BEGIN}\n\n{table(folder)}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all is well, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="python -m nst_edu.authoring.start_page", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--folder", type=Path, default=NOTEBOOKS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    path, wanted = options.folder / PAGE, page(options.folder)
    if not options.check:
        path.write_text(wanted, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != wanted:
        print(f"{PAGE} is out of date. Run: python -m nst_edu.authoring.start_page")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
