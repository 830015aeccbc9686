"""Answers as a submission may write them itself: of the right form, with contents of any kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

DEEP: Any = 1
for _ in range(12):
    DEEP = {"list": [DEEP]}
VALUES: dict[str, Any] = {
    "none": None,
    "true": True,
    "long": 10**98,
    "large": 1e308,
    "nan": {"float": "nan"},
    "text": "\u202e4 of 4 points" * 3000,
    "list": {"list": [1.5] * 90_000},
    "deep": DEEP,
    "keys": {"dict": [[str(number), number] for number in range(30_000)]},
    "numbers": {"dict": [["height", 10**98], ["width", {"float": "inf"}]]},
    "foreign": {"foreign": ["Tensor", True]},
    "keyword": {"foreign": ["None", False]},
    "blank": {"blank": True},
    "unknown": {"points": 4},
    "half": {"tensor": "half"},
    "empty": {"tensor": "empty"},
    "axes": {"array": "axes"},
    "truths": {"tensor": "truths"},
    "nans": {"tensor": "nans"},
}
TENSORS: dict[str, Tensor] = {
    "half": torch.full((3, 5), 6e4, dtype=torch.bfloat16),
    "empty": torch.zeros((2**20, 0)),
    "axes": torch.ones((1,) * 16, dtype=torch.int8),
    "truths": torch.ones(1_000_000, dtype=torch.bool),
    "nans": torch.full((3, 5), float("nan")),
}


def write_forged(out: Path, name: str, kind: str, value: Any) -> None:
    """Write an answer with this value into the folder ``out`` of a sandbox."""
    folder = out / "answers"
    folder.mkdir(parents=True)
    answer: dict[str, Any] = {"kind": kind, "value": value, "points": 6, "passed": True}
    outcome = {"value": value, "left": [], "gradients": [None], "attached": True}
    other = {"error": {"type": "Exit", "message": "x", "line": "", "kinds": ["BaseException"]}}
    if kind == "function":
        answer |= {"outcomes": [outcome, other], "too_slow": False, "printed": "", "lines": 0}
    (folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
    if isinstance(value, dict) and {*value} & {"tensor", "array"}:
        found = next(iter(value.values()))
        save_file({found: TENSORS[found]}, folder / f"{name}.safetensors")
