"""Freed memory is used again, in place of being given back and cleared: a fifth of the time."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# mallopt's names for what it sets, and the values that glibc starts with (malloc.h).
TRIM_THRESHOLD, MMAP_MAX = -1, -4
DEFAULTS = {TRIM_THRESHOLD: 128 * 1024, MMAP_MAX: 65536}
KEEP_ALL = {TRIM_THRESHOLD: 2**31 - 1, MMAP_MAX: 0}


@contextmanager
def reused_memory() -> Iterator[None]:
    """Let freed memory be used again inside the block, and give it back at its end (Linux).

    glibc returns every large tensor to the system when it is freed, and the system clears every
    page that it hands out again. At 512 px that is a fifth of the time of an evaluation.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    for option, value in KEEP_ALL.items():
        libc.mallopt(option, value)
    try:
        yield
    finally:
        for option, value in DEFAULTS.items():
            libc.mallopt(option, value)
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return the C library if it is the GNU one; others have no mallopt or another."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
        _ = libc.mallopt, libc.malloc_trim, libc.gnu_get_libc_version
    except (OSError, AttributeError):
        return None
    return libc
