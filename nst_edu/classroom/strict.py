"""Read files that an enemy may have written: sizes, kinds and numbers are all checked.

Nothing is ever unpickled, no link is followed, and a file's size is known before it is read.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LARGEST_JSON = 2_000_000  # bytes of one answer
LARGEST_TENSORS = 16_000_000
LARGEST_HEADER = 500_000
MOST_TENSORS, MOST_AXES, LARGEST_SHAPE = 1000, 16, 2**40
DIGITS = 100  # of a whole number

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


class BadDataError(ValueError):
    """What came out of the sandbox is not what was asked for."""


class NotThereError(BadDataError):
    """There is no such file."""


def plain_text(text: str, longest: int = 2000, keep: str = "\n\t\u00a0") -> str:
    r"""Return a text that can be shown and stored anywhere: no control characters, not too long.

    Examples
    --------
    >>> plain_text("a\x1b[31mb\ud800\n", 5)
    'a�[31…'
    """
    shown = "".join(c if c.isprintable() or c in keep else "�" for c in text[: longest + 1])
    return shown if len(text) <= longest else f"{shown[:longest]}…"


@contextlib.contextmanager
def opened_folder(path: Path | str, within: int | None = None) -> Iterator[int]:
    """Open a folder that is no link; its number is for `read_bytes`."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder = os.open(path, flags, dir_fd=within)
    except FileNotFoundError:
        raise NotThereError(f"there is no folder {Path(path).name}") from None
    except OSError as error:
        raise BadDataError(f"{Path(path).name} is no folder ({error.strerror})") from None
    try:
        yield folder
    finally:
        os.close(folder)


def read_bytes(folder: int, name: str, largest: int) -> bytes:
    """Read a regular file of at most `largest` bytes; links, pipes and the like are refused."""
    try:
        # Opening a pipe or a device could wait, or do something: look first, and look again.
        _refuse_irregular(os.stat(name, dir_fd=folder, follow_symlinks=False), name, largest)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(name, flags, dir_fd=folder), "rb") as file:  # noqa: PTH123
            _refuse_irregular(os.fstat(file.fileno()), name, largest)
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise NotThereError(f"there is no file {name}") from None
    except OSError as error:
        raise BadDataError(f"{name} cannot be read ({error.strerror})") from None
    if len(data) > largest:
        raise BadDataError(f"{name} has more than {largest:,} bytes")
    return data


def _refuse_irregular(status: os.stat_result, name: str, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadDataError(f"{name} is no regular file")
    if status.st_nlink != 1:
        raise BadDataError(f"{name} has more than one name (a hard link)")
    if status.st_size > largest:
        raise BadDataError(f"{name} has {status.st_size:,} bytes; {largest:,} is the most")


def read_json(data: bytes) -> Any:
    """Read JSON: UTF-8, finite numbers, no key twice, not too deep."""
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_int=_whole,
            parse_constant=_finite,
        )
    except BadDataError:
        raise
    except RecursionError:
        raise BadDataError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise BadDataError(f"this is no JSON ({plain_text(str(error), 100)})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadDataError("a key stands twice in the JSON")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadDataError("a number in the JSON is not finite")
    return value


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise BadDataError(f"a number in the JSON has more than {DIGITS} digits")
    return int(text)


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """Read the bytes of a safetensors file: its own reader checks the header against the data."""
    from safetensors import SafetensorError, deserialize

    if len(data) < 8 or int.from_bytes(data[:8], "little") > LARGEST_HEADER:
        raise BadDataError("the tensors have no header, or one that is too long")
    try:
        found = deserialize(data)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError, MemoryError) as error:
        raise BadDataError(f"the tensors cannot be read ({plain_text(str(error), 100)})") from None
    if len(found) > MOST_TENSORS:
        raise BadDataError(f"there are {len(found):,} tensors; {MOST_TENSORS:,} is the most")
    return {name: _tensor(view["dtype"], view["shape"], view["data"]) for name, view in found}


def _tensor(dtype: str, shape: list[int], data: bytes) -> Tensor:
    if dtype not in DTYPES:
        raise BadDataError(f"a tensor has the type {plain_text(dtype, 20)}, which no task uses")
    # Without numbers in it, a tensor of any shape is a file of no size.
    if len(shape) > MOST_AXES or math.prod(max(1, length) for length in shape) > LARGEST_SHAPE:
        raise BadDataError("a tensor has too many axes, or one that is too long")
    kind = DTYPES[dtype]
    if math.prod(shape) * kind.itemsize != len(data):
        raise BadDataError("a tensor's shape does not fit its data")
    if not data:
        return torch.zeros(shape, dtype=kind)
    flat = torch.frombuffer(bytearray(data), dtype=kind)
    if kind is torch.bool and bool((flat.view(torch.uint8) > 1).any()):
        raise BadDataError("a tensor of truth values holds something else")
    return flat.reshape(shape)
