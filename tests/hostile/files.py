"""Attacks in the file itself: what it is, and how it is named."""

from __future__ import annotations

import json
import os
import pickle

import nbformat

from tests import classroom_samples as samples
from tests.hostile.model import (
    NOTHING,
    UNREADABLE,
    ZEROS,
    Attack,
    Field,
    Make,
    path_of,
    raw,
)

FORMULA = '=HYPERLINK("http:evil.example","marks")&cmd|calc!A1'

LONG = "é" * 120  # 240 bytes: with the ending, as long as a file's name can be

TRICKY = "a..%2F..%2F\u202ecod\n<script>alert(1)<"

BYTES = os.fsdecode(b"not\xffutf8")


def _as_file(name: str) -> Make:
    def make(field: Field, student: str) -> None:
        named = {"student": f"STUDENT = {student!a}", "scaled": ZEROS}
        samples.write(samples.submission(named), field.submissions / name)

    return make


def _large(student: str) -> bytes:
    notebook = samples.submission({}, student)
    text = nbformat.v4.new_output("stream", text="x" * 50_000_000)
    samples.cell_of(notebook, "scaled").outputs = [text]
    return json.dumps(notebook).encode()


def _folder(field: Field, student: str) -> None:
    path_of(field, student).mkdir(parents=True)
    (path_of(field, student) / "inside.ipynb").write_text("{}")


def _link(field: Field, student: str) -> None:
    path_of(field, student).parent.mkdir(parents=True)
    path_of(field, student).symlink_to(path_of(field, field.victim))


def _link_to_folder(field: Field, student: str) -> None:
    (field.submissions / student).symlink_to(field.submissions / field.victim)


def _pipe(field: Field, student: str) -> None:
    path_of(field, student).parent.mkdir(parents=True)
    os.mkfifo(path_of(field, student))


def _two(field: Field, student: str) -> None:
    for name in ("good.ipynb", "better.ipynb"):
        samples.write(samples.submission({}, student), field.submissions / student / name)


def unread(student: str, tries: str, make: Make, *says: str) -> Attack:
    """Return an attack of which nothing is run."""
    return Attack(student, tries, make, NOTHING, says, (), UNREADABLE)


ATTACKS = [
    unread("cut-off", "malformed JSON", raw(b'{"cells": [{"cell_type": '), "not valid JSON"),
    unread("nested", "JSON in JSON in JSON", raw(b"[" * 1_000_000), "nests lists in lists"),
    unread("brackets", "millions of lists", raw(b"[" + b"[]," * 3_000_000 + b"[]]"), "millions of"),
    unread("binary", "bytes in place of a notebook", raw(bytes(range(256)) * 100), "JSON"),
    unread("pickle-file", "a pickle named .ipynb", raw(pickle.dumps({"cells": []})), "a pickle"),
    unread("number", "JSON that is no notebook", raw(b"1e999"), "not a notebook"),
    unread("large-outputs", "outputs of 50 MB in the file", raw(_large), "larger than 20 MB"),
    unread("folder", "a folder named .ipynb", _folder, "a folder"),
    unread("link", "a link to a neighbour's notebook", _link, "a link"),
    unread("link-to-folder", "a link to a neighbour's folder", _link_to_folder, "link"),
    unread("pipe", "a named pipe", _pipe, "a named pipe"),
    unread("two", "two notebooks, of which the better may count", _two, "2 notebooks"),
    Attack(FORMULA, "a formula as an id", _as_file(f"{FORMULA}.ipynb")),
    Attack(LONG, "an id as long as can be", _as_file(f"{LONG}.ipynb")),
    Attack(TRICKY, "a path, HTML and turned letters as an id", _as_file(f"{TRICKY}.ipynb")),
    Attack(BYTES, "an id that is no text", _as_file(f"{BYTES}.ipynb")),
]
