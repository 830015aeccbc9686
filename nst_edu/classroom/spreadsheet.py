"""Read tables as spreadsheets write them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

DELIMITERS = ",;\t"


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the lines of a table, each by the names of the columns.

    Between the columns may stand a comma, a semicolon or a tab.
    """
    return [row for _, row in numbered_rows(path)]


def numbered_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the same as `read_rows`, each with the number of its line in the file, from 1."""
    found = _reader(path)
    return [
        (found.line_num, {k: v for k, v in row.items() if isinstance(v, str) and k})
        for row in found
    ]


def read_columns(path: Path) -> list[str]:
    """Return the names in the first line; empty if there is none."""
    return [name.strip() for name in _reader(path).fieldnames or () if name]


def _reader(path: Path) -> csv.DictReader[str]:
    text = read_text(path)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), restkey="")


def read_text(path: Path) -> str:
    """Return the text of a table, in any of the encodings that Excel writes."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return path.read_text(encoding="cp1252", errors="replace")  # Excel in Europe


def delimiter_of(text: str) -> str:
    """Return what stands between the columns.

    Examples
    --------
    >>> delimiter_of("id;name")
    ';'
    """
    head = text.split("\n", 1)[0]
    return max(DELIMITERS, key=head.count)
