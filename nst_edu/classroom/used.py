"""Which words stand in a student's function, and in the student's own functions that it uses.

No parser: this is used on what students send, and Python's own parser can be made to crash. Who
wants to hide a word can. It is for those who have not seen that a task asks to do without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nst_edu.classroom.regions import names_defined

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
    code = definitions(sources)
    seen: set[str] = set()
    waiting = {name}
    while waiting:
        seen |= waiting
        found = {word for one in waiting for word in code.get(one, ())}
        waiting = (found & code.keys()) - seen
    used = {word for one in seen for word in code.get(one, ())}
    return [word for word in words if word in used]


def definitions(sources: Iterable[str]) -> dict[str, set[str]]:
    """Return for each name that is defined at the top level the words in its code."""
    found: dict[str, set[str]] = {}
    for source in sources:
        block: list[str] = []
        for line in [*TEXTS.sub('""', source).split("\n"), "end = 0"]:
            if line[:1].strip() and line[0] not in ")]}" and block:  # a new statement
                for name in _names(block[0]):
                    found.setdefault(name, set()).update(WORD.findall("\n".join(block)))
                block = []
            block.append(line)
    return found


def _names(line: str) -> list[str]:
    """Return what a statement's first line defines; an import, too, gives names to something."""
    imported = IMPORT.match(line)
    return WORD.findall(imported[1]) if imported else names_defined(line)
