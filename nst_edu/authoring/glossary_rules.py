"""Rules for terms: each one in bold has an entry in the glossary, and each lesson links to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from nst_edu.authoring.finding import Finding
from nst_edu.authoring.markdown_rules import markdown_cells

GLOSSARY = "glossary.md"

# Bold type stands for two things: a term at its definition, or the label of a part of the lesson.
# These are the labels, without what follows them (":" or "."). All else in bold is a term.
LABELS = frozenset(
    {
        *("after this lesson you can", "time", "warm-up", "before you go on"),
        *("before you go on, decide", "predict", "predict, then run", "question"),
        *("worked example", "check yourself", "check by hand", "look at both"),
        *("look at the numbers", "look back", "one thing to try"),
        *("the symptom", "the cause", "the fix", "teachers", "photos"),
    }
)
SHORTEST_SENTENCE = 4  # words: a whole sentence in bold is stressed, it is no term

CODE_SPAN = re.compile(r"`[^`\n]+`")
BOLD = re.compile(r"\*\*(?=\S)((?:(?!\n\s*\n).)+?)(?<=\S)\*\*", re.DOTALL)
LINK = re.compile(rf"\]\((?:\./)?{re.escape(GLOSSARY)}(?:#([^)\s]*))?\)")
ROW = re.compile(
    r'^\| <a id="(?P<anchor>[^"]*)"></a>(?P<term>[^|(]+?)(?: \((?P<forms>[^|)]+)\))?'
    r" \| (?P<chinese>[^|]+?) \| (?P<meaning>[^|]+?) \| \[(?P<lesson>\w+)\]\((?P<file>[^)]+)\) \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Entry:
    """One row of the glossary.

    Attributes
    ----------
    term, forms
        The headword, and other words that lead to it.
    anchor
        What stands behind ``glossary.md#`` in a link.
    chinese, meaning
        The Chinese term, and the definition.
    lesson, file
        The number of the lesson that defines it, and its notebook.
    """

    term: str
    forms: tuple[str, ...]
    anchor: str
    chinese: str
    meaning: str
    lesson: str
    file: str

    @property
    def words(self) -> frozenset[str]:
        """Return the headword and its other forms, in lower case."""
        return frozenset(word.casefold() for word in (self.term, *self.forms))

    def names(self, term: str) -> bool:
        """Tell whether `term` is the headword or a form of it, perhaps in the plural."""
        term = term.casefold()
        return bool(self.words & {term, term.removesuffix("s"), term.removesuffix("es")})


def read_glossary(text: str) -> list[Entry]:
    """Return the entries of the glossary page, in their order.

    Examples
    --------
    >>> row = '| <a id="kernel"></a>kernel | 卷积核 | A block of numbers. | [1](01_a.ipynb) |'
    >>> [entry.term for entry in read_glossary(row)]
    ['kernel']
    """
    entries = []
    for found in ROW.finditer(text):
        parts = found.groupdict()
        forms = (parts.pop("forms") or "").split(", ")
        entries.append(Entry(forms=tuple(filter(None, forms)), **parts))
    return entries


def bold_terms(source: str) -> list[str]:
    """Return the terms in bold in a Markdown text, without labels and stressed sentences.

    Examples
    --------
    >>> bold_terms("**Predict:** a **kernel** slides. **It is turned by 180°.**")
    ['kernel']
    """
    terms = []
    for text in BOLD.findall(CODE_SPAN.sub("code", source)):
        words = " ".join(text.split())
        bare = words.rstrip(":.!?…")
        sentence = words.endswith((".", "!", "?")) and len(words.split()) >= SHORTEST_SENTENCE
        if bare.casefold() not in LABELS and not sentence:
            terms.append(bare)
    return terms


def terms_have_entries(notebook: NotebookNode, folder: Path) -> Iterator[Finding]:
    """Explain each term that stands in bold in the glossary."""
    entries = _entries(folder)
    for number, source in markdown_cells(notebook) if entries else ():
        for term in bold_terms(source):
            if not any(entry.names(term) for entry in entries):
                advice = f"Add it to {GLOSSARY}; if it is no term, write it in *italics*"
                yield Finding(number, f"{term!r} stands in bold, but not in the glossary", advice)


def glossary_is_linked(notebook: NotebookNode, folder: Path) -> Iterator[Finding]:
    """Lead from each lesson to the glossary, and to entries that exist."""
    entries = _entries(folder)
    if not entries:
        return
    anchors = {entry.anchor for entry in entries}
    linked = False
    for number, source in markdown_cells(notebook):
        for anchor in LINK.findall(source):
            linked = True
            if anchor and anchor not in anchors:
                problem = f"the glossary has no entry '#{anchor}'"
                yield Finding(number, problem, f"Take the id of a row of {GLOSSARY}")
    if not linked:
        advice = f"Put '[glossary]({GLOSSARY})' into the header"
        yield Finding(None, "it has no link to the glossary", advice)


def _entries(folder: Path) -> list[Entry]:
    """Return the glossary beside the notebooks; a folder without one has no entries."""
    path = folder / GLOSSARY
    return read_glossary(path.read_text(encoding="utf-8")) if path.exists() else []


GLOSSARY_RULES = (terms_have_entries, glossary_is_linked)
