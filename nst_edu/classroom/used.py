"""Which words stand in a student's function, and in the student's own functions that it uses.

So one finds what a task forbids, and a wrong answer to another task that an answer builds upon.

No parser: this is used on what students send, and Python's own parser can be made to crash. Who
wants to hide a word can. It is for those who have not seen that a task asks to do without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nst_edu.classroom.records import TaskMark
from nst_edu.classroom.regions import names_defined

CAUSES = " It uses {}, which is not right yet: look there first."
TEXTS = re.compile(r'("""|\'\'\').*?(?:\1|\Z)|"[^"\n]*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)
IMPORT = re.compile(r"(?:from\s+\S+\s+)?import\s+(.*)")
WORD = re.compile(r"\w+")


def words_used(sources: Iterable[str], name: str, words: Sequence[str]) -> list[str]:
    r"""Return those of `words` that stand in the code of a name, or of what it uses.

    Parameters
    ----------
    sources
        The student's code cells. A name that is defined twice has both codes.
    name
        Of the function.
    words
        What is looked for: whole words, not in texts or comments.

    Examples
    --------
    >>> cell = "def my_f(x):\n    '''Without autograd.'''\n    return g(x)"
    >>> words_used([cell, "def g(x): x.backward()"], "my_f", ["autograd", "backward"])
    ['backward']
    """
    if not words:
        return []
    code = definitions(sources)
    used: set[str] = set()
    seen, waiting = {name}, [name]
    read: set[int] = set()  # a statement that defines many names is read once
    while waiting:
        for block in code.get(waiting.pop(), ()):
            if id(block) not in read:
                read.add(id(block))
                used |= block
                waiting += (block & code.keys()) - seen
                seen |= block
    return [word for word in words if word in used]


def with_causes(marks: Sequence[TaskMark], sources: Sequence[str]) -> list[TaskMark]:
    """Say where an answer that is not right uses another one that is not right either."""
    wrong = [mark.task for mark in marks if mark.points < mark.out_of and not mark.human]
    told = []
    for mark in marks:
        causes = []
        if mark.task in wrong and mark.attempted:
            others = [task for task in wrong if task != mark.task]
            causes = words_used(sources, mark.task, others)
        said = CAUSES.format(" and ".join(causes)) if causes else ""
        told.append(replace(mark, message=mark.message + said))
    return told


def definitions(sources: Iterable[str]) -> dict[str, list[frozenset[str]]]:
    """Return for each name that is defined at the top level the words of each code that it has."""
    found: dict[str, list[frozenset[str]]] = {}
    for source in sources:
        block: list[str] = []
        for line in [*TEXTS.sub('""', source).split("\n"), "end = 0"]:
            if line[:1].strip() and line[0] not in ")]}" and block:  # a new statement
                words = frozenset(WORD.findall("\n".join(block)))
                for name in set(_names(block[0])):
                    found.setdefault(name, []).append(words)
                block = []
            block.append(line)
    return found


def _names(line: str) -> list[str]:
    """Return what a statement's first line defines; an import, too, gives names to something."""
    imported = IMPORT.match(line)
    return WORD.findall(imported[1]) if imported else names_defined(line)
