"""Turn values into JSON and tensors, and back: nothing else crosses the wall of the sandbox.

None, truth values, numbers, texts and tensors cross, and lists, tuples and dictionaries of them.
Of anything else the name of its type crosses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst_edu.classroom.strict import (
    DIGITS,
    DTYPES,
    LARGEST_TENSORS,
    MOST_TENSORS,
    plain_text,
)

DEEPEST = 12  # levels of lists in lists
MOST_ENTRIES = 100_000
MOST_FOREIGN = 50
LONGEST_TEXT = 50_000


class TooMuchError(ValueError):
    """A value is too large to be handed out."""


class Packer:
    """Packs values; their tensors are collected in `tensors`.

    Parameters
    ----------
    strict
        Whether a value that cannot cross is an error (TypeError) rather than a `Foreign`.
    """

    def __init__(self, strict: bool = False) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.strict = strict
        self.entries = self.foreigners = self.bytes = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        """Return what can be written as JSON; raise TooMuchError if it is too large."""
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            raise TooMuchError(f"it has more than {MOST_ENTRIES:,} entries")
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if abs(value) < 10 ** (DIGITS - 1) else self._foreign("int")
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, (Tensor, np.ndarray)):
            return self._array(value)
        if isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
            return self._container(value, depth + 1)
        if value is ... and not self.strict:
            return {"blank": True}
        return self._foreign(type(value).__name__, hasattr(value, "__next__"))

    def _text(self, value: str) -> str:
        shown = plain_text(value, LONGEST_TEXT)
        if self.strict and shown != value:
            raise TypeError(f"the text {shown[:40]!r} … has control characters, or is too long")
        return shown

    def _container(self, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.pack(item, depth) for item in value]}
        for key in value:
            if not isinstance(key, (str, int)):
                return self._foreign(f"dict_with_{type(key).__name__}_keys")
        return {"dict": [[self.pack(k), self.pack(item, depth)] for k, item in value.items()]}

    def _array(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            kind, tensor = "tensor", value.detach()
            if tensor.layout != torch.strided or tensor.dtype not in DTYPES.values():
                return self._foreign(f"{str(tensor.dtype).removeprefix('torch.')}_tensor")
        else:
            kind = "array"
            try:
                tensor = torch.from_numpy(np.array(value, order="C"))
            except (TypeError, ValueError):
                return self._foreign("ndarray")
        self.bytes += tensor.numel() * tensor.element_size()
        if self.bytes > LARGEST_TENSORS // 2 or len(self.tensors) >= MOST_TENSORS:
            raise TooMuchError(f"its tensors have more than {LARGEST_TENSORS // 2:,} bytes")
        name = str(len(self.tensors))
        self.tensors[name] = tensor.cpu().clone(memory_format=torch.contiguous_format)
        return {kind: name}

    def _foreign(self, name: str, iterates: bool = False) -> Any:
        self.foreigners += 1
        if self.strict:
            raise TypeError(
                f"a value of type {name} cannot be sent to the sandbox: expected None, truth "
                "values, numbers, texts, tensors, and lists, tuples or dictionaries of them"
            )
        if self.foreigners > MOST_FOREIGN:
            raise TooMuchError("it holds too many things that are neither numbers nor texts")
        return {"foreign": [plain_text(name, 60), iterates]}
