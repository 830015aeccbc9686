"""Make what learning platforms export, and look at what was collected of it."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nst_edu.classroom.placing import Report

NOON = 1_700_000_000.0
DATE = (2023, 11, 13, 12, 0, 0)  # before NOON, anywhere


def put(path: Path, text: str = "x", when: float = NOON) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (when, when))
    return path


def zipped(path: Path, entries: Mapping[Any, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(entries))
    os.utime(path, (NOON, NOON))
    return path


def zip_bytes(entries: Mapping[Any, str | bytes]) -> bytes:
    """Return an archive; an entry's key is its name, or a ZipInfo."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(dated(name) if isinstance(name, str) else name, data)
    return buffer.getvalue()


def dated(name: str, date: tuple[int, int, int, int, int, int] = DATE) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def collected(to: Path) -> dict[str, str]:
    return {
        str(path.relative_to(to)): path.read_text(encoding="utf-8")
        for path in sorted(to.rglob("*"))
        if path.is_file()
    }


def states(report: Report) -> dict[str, str]:
    return {row.student: row.state for row in report.rows}


def kinds(report: Report) -> set[str]:
    return {problem.kind for problem in report.problems}
