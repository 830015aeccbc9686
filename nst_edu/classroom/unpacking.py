"""Turn what an enemy says is a value back into one: plain values and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nst_edu.classroom.packing import DEEPEST, LONGEST_TEXT, MOST_ENTRIES, MOST_FOREIGN
from nst_edu.classroom.strict import BadDataError, plain_text

FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Foreign:
    """Stands for a value that cannot cross: its class has the name of the value's class."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def foreign(name: str, iterates: bool = False) -> Foreign:
    """Return something of which messages can say what it was.

    Examples
    --------
    >>> foreign("MyClass")
    <MyClass>
    """
    known = name if name.isidentifier() and len(name) <= 60 else "object"
    body: dict[str, Any] = {"__next__": None} if iterates else {}
    made: Foreign = type(known, (Foreign,), body)()
    return made


class Unpacker:
    """Unpacks what a `Packer` packed, or what an enemy says that it packed."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = dict(tensors)
        self.entries = self.foreigners = 0

    def unpack(self, node: Any, depth: int = 0) -> Any:
        """Return the value; raise BadDataError if there is none like this."""
        self.entries += 1
        if self.entries > MOST_ENTRIES or depth > DEEPEST:
            raise BadDataError("a value has too many entries, or too many levels")
        if node is None or isinstance(node, (bool, int, float)):
            return node
        if isinstance(node, str):
            return plain_text(node, LONGEST_TEXT)
        if not isinstance(node, dict) or len(node) != 1:
            raise BadDataError("a value is of no known kind")
        ((kind, content),) = node.items()
        if kind in ("list", "tuple") and isinstance(content, list):
            items = [self.unpack(item, depth + 1) for item in content]
            return items if kind == "list" else tuple(items)
        if kind == "dict" and isinstance(content, list):
            return self._dictionary(content, depth + 1)
        if kind in ("tensor", "array"):
            return self.tensor(content) if kind == "tensor" else self._array(content)
        if kind == "float" and isinstance(content, str) and content in FLOATS:
            return FLOATS[content]
        if kind == "blank" and content is True:
            return ...
        if kind == "foreign":
            return self._foreign(content)
        raise BadDataError("a value is of no known kind")

    def tensor(self, name: Any) -> Tensor:
        """Return a tensor by name; each may be asked for once."""
        if not isinstance(name, str) or name not in self.tensors:
            raise BadDataError("a tensor is missing, or stands in two places")
        return self.tensors.pop(name)

    def done(self) -> None:
        """Raise BadDataError if tensors are left over."""
        if self.tensors:
            raise BadDataError("there are tensors that belong to nothing")

    def _array(self, name: Any) -> Any:
        tensor = self.tensor(name)
        if tensor.dtype == torch.bfloat16:
            raise BadDataError("NumPy has no bfloat16")
        return tensor.numpy()

    def _dictionary(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise BadDataError("a dictionary has something else than pairs")
            key = self.unpack(pair[0], depth)
            if not isinstance(key, (str, int)) or key in found:
                raise BadDataError("a dictionary has a key twice, or one of a wrong kind")
            found[key] = self.unpack(pair[1], depth)
        return found

    def _foreign(self, content: Any) -> Foreign:
        self.foreigners += 1
        if self.foreigners > MOST_FOREIGN or not isinstance(content, list) or len(content) != 2:
            raise BadDataError("too many things are neither numbers nor texts")
        name, iterates = content
        if not isinstance(name, str) or not isinstance(iterates, bool):
            raise BadDataError("a type has no name")
        return foreign(name, iterates)
