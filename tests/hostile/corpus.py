"""All attacks, and the honest neighbours among which they are handed in."""

from __future__ import annotations

from tests import classroom_samples as samples
from tests.hostile import (
    cells,
    files,
    forging,
    leaving,
    patching,
    resources,
    searching,
    spying,
    waiting,
)
from tests.hostile.model import Attack, Field, path_of

MODULES = (cells, files, forging, leaving, patching, resources, searching, spying, waiting)
ATTACKS: list[Attack] = [attack for module in MODULES for attack in module.ATTACKS]
CANARY = "canary of a neighbour"
# One is graded first, one in the middle and one last; each earns something else.
NEIGHBOURS: dict[str, tuple[float, float, float]] = {
    "0-ada": (6, 4, 3),
    "m-bo": (3, 4, 3),
    "zoe": (6, 1, 3),
}
ANSWERS = {
    "0-ada": {},
    "m-bo": {"masked_mean": samples.HALF},
    "zoe": {"scaled": "def my_scaled(features, factor):\n    return features + factor"},
}


def write_neighbours(field: Field) -> None:
    """Hand in three honest notebooks."""
    for student in NEIGHBOURS:
        answers = {**ANSWERS[student], samples.BY_HAND: f"Style, says the {CANARY}."}
        samples.write(samples.submission(answers, student), path_of(field, student))


def write_corpus(field: Field) -> None:
    """Hand in every attack."""
    for attack in ATTACKS:
        attack.make(field, attack.student)
