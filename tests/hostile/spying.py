"""Attacks that ask for what only the teacher knows, or call somebody."""

from __future__ import annotations

from tests import classroom_samples as samples
from tests.hostile.model import (
    HUMAN,
    Attack,
    Field,
    answer,
    path_of,
)

SEEDS = """\
from pathlib import Path
from nst_edu.classroom import exchange, seeds, source, tasks
def my_scaled(features, factor):
    for secret in (b"", bytes(32), bytes(range(31))):
        for student in ("teacher", "ada", "seeds"):
            seed = seeds.seed(secret, student, "sample", "my_scaled", "")
            generator = torch.Generator().manual_seed(seed)
            guess = torch.randn(3, 5, generator=generator)
            if guess.shape == features.shape and torch.equal(guess, features):
                print("FOUND", seed)
    for path in Path("/").glob("*/*.ipynb"):
        print("FOUND", path)
    asked = exchange.read_inputs(Path("/sandbox/in")).questions
    return [getattr(one, "reference", None) for one in asked]"""

DNS = """\
import socket
socket.setdefaulttimeout(2)
socket.getaddrinfo("example.com", 80)
my_scaled = lambda features, factor: features * factor"""

SOCKET = """\
import socket
socket.setdefaulttimeout(2)
for address in (("127.0.0.1", {port}), ("1.1.1.1", 53), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address).sendall(b"found")
        print("FOUND", address)
    except OSError as error:
        print(address, type(error).__name__)
socket.create_connection(("127.0.0.1", {port}))
my_scaled = lambda features, factor: features * factor"""

CONSTANTS = """\
stored = iter({constants})
def my_scaled(features, factor):
    return torch.tensor(next(stored), dtype=features.dtype)"""


def _socket(field: Field, student: str) -> None:
    answer(scaled=SOCKET.format(port=field.port))(field, student)


def _constants(field: Field, student: str) -> None:
    answer(scaled=CONSTANTS.format(constants=field.constants))(field, student)


def _other_id(field: Field, student: str) -> None:
    samples.write(samples.submission({}, field.victim), path_of(field, student))


ATTACKS = [
    Attack(
        "other-seeds",
        "compute the inputs, or the answers, with the grader's own functions",
        answer(scaled=SEEDS),
        says=("list",),
    ),
    Attack(
        "socket",
        "open sockets",
        _socket,
        says=("the cell with it stopped with",),
        shows=("PermissionError",),
    ),
    Attack("dns", "ask a name server", answer(scaled=DNS), says=("gaierror",)),
    Attack("stored-constants", "return the right results of a neighbour", _constants),
    Attack(
        "other-id",
        "hand in a neighbour's notebook",
        _other_id,
        (6, 4, 0),
        ("The notebook says STUDENT = ", "Marks are for 'other-id'"),
        (),
        HUMAN,
    ),
]
