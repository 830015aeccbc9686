"""Copy arguments and results, so that no function can spoil what another one is given."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

DEEPEST = 12  # levels of lists in lists


def copied(value: Any, leaves: list[Tensor] | None = None, depth: int = 0) -> Any:
    """Return a copy of an argument that shares nothing with it.

    Parameters
    ----------
    leaves
        If given, floating-point tensors take gradients, and the tensors for
        `torch.autograd.grad` are appended here.
    """
    if isinstance(value, Tensor):
        twin = value.detach().clone()
        if leaves is None or not twin.is_floating_point():
            return twin.requires_grad_(value.requires_grad)
        leaves.append(twin.requires_grad_())
        return twin.clone()  # may be changed in place: the check wants to see that
    if isinstance(value, torch.Generator):
        return torch.Generator(value.device).set_state(value.get_state())
    if isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
        return _rebuilt(value, lambda item: copied(item, leaves, depth + 1))
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def detached(value: Any, depth: int = 0) -> Any:
    """Return a copy whose tensors are detached; anything else than containers stays itself."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
        return _rebuilt(value, lambda item: detached(item, depth + 1))
    return value


def _rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a container of the same type with each item changed."""
    if isinstance(value, dict):
        return {key: change(item) for key, item in value.items()}
    items = [change(item) for item in value]
    if hasattr(value, "_fields"):  # a named tuple
        return type(value)(*items)
    return items if isinstance(value, list) else tuple(items)


def tensors_in(value: Any, depth: int = 0) -> Iterator[Tensor]:
    """Yield the tensors of nested lists, tuples and dictionaries; of these in order of the keys."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
        in_order = [value[k] for k in sorted(value, key=str)] if isinstance(value, dict) else value
        for item in in_order:
            yield from tensors_in(item, depth + 1)


def comparable(value: Any, depth: int = 0) -> Any:
    """Return what can be compared: of a network its weights, of other objects nothing."""
    if isinstance(value, torch.nn.Module):
        return dict(value.state_dict())
    if isinstance(value, (list, tuple, dict)) and depth < DEEPEST:
        return _rebuilt(value, lambda item: comparable(item, depth + 1))
    known = (Tensor, np.ndarray, str, int, float, bool)
    return value if isinstance(value, known) else None
