"""The class's secret, and the inputs' seeds that follow from it.

Whoever knows the secret can compute the inputs that a student's functions will be tried on. It
stays in the teacher's folder, and no submission ever sees it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from pathlib import Path

NAME = "secret"
HEX = re.compile(r"[0-9a-f]{64}")


def class_secret(folder: Path) -> bytes:
    """Return the secret kept in `folder`; make it if there is none.

    Raises
    ------
    ValueError
        If the file is not one that this function made.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        _make(path)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError(f"{path} must be a file; it is a link or a folder. Move it away")
    path.chmod(0o600)  # a copied folder may have lost it
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not HEX.fullmatch(text):
        raise ValueError(
            f"{path} is damaged: expected 64 hexadecimal digits. Restore it from a backup, or "
            "delete it: then a new one is made, and everybody is graded again on other inputs"
        )
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Write a new secret; it appears whole or not at all, and never in place of another one."""
    part = path.with_name(f".{NAME}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # somebody else was quicker: theirs counts
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def seed(secret: bytes, student: str, assignment: str, task: str, digest: str) -> int:
    """Return the seed of the inputs for one task of one submission, 0 … 2⁶³ - 1.

    Parameters
    ----------
    digest
        Of the submitted file.

    Examples
    --------
    >>> one = ("amina", "gram", "my_gram", "0f3a")
    >>> seed(b"x", *one) == seed(b"x", *one)
    True
    >>> seed(b"x", *one) == seed(b"x", "bo", *one[1:])
    False
    """
    message = json.dumps([student, assignment, task, digest]).encode()
    return int.from_bytes(hmac.digest(secret, message, "sha256")[:8], "big") >> 1


def seed_id(secret: bytes) -> str:
    """Return a name for the secret that does not give it away."""
    return hashlib.sha256(b"nst-edu classroom\0" + secret).hexdigest()[:16]
