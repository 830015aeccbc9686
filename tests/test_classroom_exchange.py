"""What crosses the wall of the sandbox: everything honest arrives, nothing hostile does harm."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor

from nst_edu.classroom import exchange
from nst_edu.classroom.answering import answered
from nst_edu.classroom.executed import ExecutedCell, write_executed
from nst_edu.classroom.packing import MOST_ENTRIES, Packer, TooMuchError
from nst_edu.classroom.questions import Question
from nst_edu.classroom.strict import BadDataError, plain_text, read_json, read_tensors
from nst_edu.classroom.unpacking import Unpacker
from nst_edu.exercises.differences import named_type

DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool, torch.float16, torch.uint8)


# Values


def random_value(rng: random.Random, depth: int = 0) -> Any:
    """Return anything that may cross."""
    leaf = depth >= 4 or rng.random() < 0.5
    if not leaf:
        items = [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        if rng.random() < 0.4:
            return {rng.choice(["a", "ü", "a b", "\n"]) + str(k): v for k, v in enumerate(items)}
        return items if rng.random() < 0.5 else tuple(items)
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, 2**63, -(10**50), rng.randrange(1000)])
    if kind == 2:
        return rng.choice([0.0, -0.5, 1e300, 5e-324, math.inf, -math.inf, math.nan, rng.random()])
    if kind == 3:
        return rng.choice(["", "relu4_2", "∑ − ü\n\t", 'a"b\\', "x" * 1000])
    shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
    tensor = torch.rand(shape, generator=torch.Generator().manual_seed(rng.randrange(999)))
    if kind == 4:
        return tensor.numpy()
    tensor = (tensor * 3).to(rng.choice(DTYPES))
    return tensor.mT if kind == 5 and tensor.ndim >= 2 else tensor


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal in type, and in every bit that counts."""
    if isinstance(a, Tensor):
        fits = isinstance(b, Tensor) and a.dtype == b.dtype and a.shape == b.shape
        return fits and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or (a != a and b != b)


def crossed(value: Any) -> Any:
    """Send a value through JSON and safetensors."""
    packer = Packer()
    text = json.dumps(packer.pack(value), allow_nan=False)
    tensors = read_tensors(save(packer.tensors)) if packer.tensors else {}
    unpacker = Unpacker(tensors)
    found = unpacker.unpack(read_json(text.encode()))
    unpacker.done()
    return found


def test_values_cross_unchanged() -> None:
    rng = random.Random(5)
    for _ in range(300):
        value = random_value(rng)
        assert same(value, crossed(value)), value


def test_what_shares_memory_or_has_gradients_crosses_too() -> None:
    whole = torch.arange(6.0).reshape(2, 3).requires_grad_()
    value = [
        whole,
        whole,
        whole[0],
        torch.nn.Parameter(torch.ones(2)),
        np.float64(2.5),
        np.int32(3),
    ]
    found = crossed(value)
    assert same(found[:3], [whole.detach(), whole.detach(), whole.detach()[0]])
    assert same(found[3:], [torch.ones(2), 2.5, 3])


def test_of_other_things_the_name_crosses() -> None:
    class Painter:
        pass

    found = crossed([Painter(), {1, 2}, 1j, (n for n in "ab"), ..., {(1, 2): 3}, 10**100])
    names = [named_type(item) for item in found]
    assert names[:4] == ["a Painter", "a set", "a complex", "a generator"]
    assert hasattr(found[3], "__next__")
    assert found[4] is ...
    assert names[5:] == ["a dict_with_tuple_keys", "an int"]
    assert named_type(crossed(torch.ones(2, dtype=torch.complex64))) == "a complex64_tensor"


@pytest.mark.parametrize(
    "value", [[0] * (MOST_ENTRIES + 1), torch.zeros(9_000_000), [object()] * 60]
)
def test_too_much_is_refused_inside(value: Any) -> None:
    with pytest.raises(TooMuchError):
        Packer().pack(value)


def test_a_list_in_itself_has_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "list" in repr(crossed(endless))


# Inputs


def test_inputs_arrive_as_they_were_sent(tmp_path: Path) -> None:
    cases = ((torch.randn(2, 3), 2.5, "relu4_2", {"a": [torch.ones(1)]}), (torch.zeros(0), 1))
    asked = (
        Question("my_f", "function", cases, True, (1,), "cell-3"),
        Question("my_value", "value"),
    )
    cells = [("a", "x = 1\n"), ("b", "print('ü')"), ("c", "'\ud800\x00'")]
    exchange.write_inputs(tmp_path / "in", cells, asked, cell_seconds=3, task_seconds=4)
    found = exchange.read_inputs(tmp_path / "in")
    assert (found.cells, found.cell_seconds, found.task_seconds) == (tuple(cells), 3, 4)
    assert same(found.questions[0].cases, cases)
    for before, after in zip(asked, found.questions, strict=True):
        assert before.__dict__ | {"cases": 0} == after.__dict__ | {"cases": 0}


@pytest.mark.parametrize("argument", [len, torch.Generator(), "\x1b[31m", 1j, ...])
def test_inputs_that_cannot_cross_are_a_teachers_mistake(tmp_path: Path, argument: Any) -> None:
    with pytest.raises(TypeError, match=r"cannot be sent|control characters"):
        exchange.write_inputs(tmp_path, [], [Question("my_f", cases=((argument,),))])


@pytest.mark.parametrize("names", [("a", "a"), ("../a",), ("",)])
def test_names_of_questions_are_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="questions: expected different names"):
        exchange.write_inputs(tmp_path, [], [Question(name, "value") for name in names])


# Answers: a good one, and what an enemy may make of it

X = torch.tensor([1.0, -2.0, 3.0])
FUNCTION = Question("my_f", "function", ((X,), (2 * X,)))
NEIGHBOUR = Question("my_value", "value")
QUESTIONS = (FUNCTION, NEIGHBOUR)


def my_f(x: Tensor) -> dict[str, Any]:
    return {"square": x * x, "sign": [x > 0, "∓"], "nan": math.nan}


def write_good(folder: Path, function: Any = my_f, question: Question = FUNCTION) -> None:
    packer = Packer()
    answer = answered(question, {question.name: function}, packer, 10)
    exchange.write_answer(folder / "answers", question.name, answer, packer)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder ``out`` of a sandbox with two good answers."""
    folder = tmp_path / "out"
    write_good(folder)
    write_good(folder, [1, 2], NEIGHBOUR)
    return folder


def read(out: Path) -> exchange.Answer:
    """Read the answers; that of the neighbour must be what it was."""
    answers = exchange.read_answers(out, QUESTIONS)
    assert answers["my_value"] == exchange.Answer("value", value=[1, 2])
    return answers["my_f"]


def test_good_answers_arrive(out: Path) -> None:
    answer = read(out)
    assert answer.kind == "function"
    assert answer.run is not None
    first, second = answer.run.outcomes
    assert same(first.value, {"square": X * X, "sign": [X > 0, "∓"], "nan": math.nan})
    assert second.attached
    assert second.sources == (0,)
    assert second.gradients is not None
    assert second.gradients[0] is not None
    assert second.gradients[0].shape == X.shape
    assert torch.equal(second.arguments[0], 2 * X)


def test_errors_and_changed_arguments_arrive(out: Path) -> None:
    def spoils(x: Tensor) -> Tensor:
        x += 1
        if x[0] > 2:
            raise KeyError("\x1b[31mred")
        return x

    write_good(out, spoils)
    run = read(out).run
    assert run is not None
    assert run.outcomes[0].changed == (0,)
    assert torch.equal(run.outcomes[0].left[0], X + 1)
    error = run.outcomes[1].error
    assert isinstance(error, exchange.RemoteError)
    assert error.type_name == "KeyError"
    assert "LookupError" in error.kinds
    assert str(error) == r"'\x1b[31mred'"
    assert 'raise KeyError("' in error.line


def test_the_reasons_why_nothing_was_called_arrive(out: Path) -> None:
    def blank(x: Tensor) -> Any:
        return ...

    for found, problem, note in (
        (blank, "blank", "return ..."),
        (..., "blank", ""),
        ([1], "not a function", "a list"),
        (lambda: 1, "wrong arguments", "too many positional arguments"),
    ):
        write_good(out, found)
        answer = read(out)
        assert (answer.problem, answer.note, answer.run) == (problem, note, None)


def edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Return an attack that changes the good answer's JSON."""

    def attack(answers: Path) -> None:
        file = answers / "my_f.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        changed = change(content)
        file.write_text(json.dumps(content if changed is None else changed), encoding="utf-8")

    return attack


def first(**changes: Any) -> Callable[[Path], None]:
    """Return an attack that changes the first outcome."""
    return edited(lambda content: content["outcomes"][0].update(changes))


def _overwrite(file: Path, data: bytes) -> None:
    file.write_bytes(data)


def text(content: str | bytes) -> Callable[[Path], None]:
    """Return an attack that writes something else in place of the JSON."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda answers: _overwrite(answers / "my_f.json", data)


def tensors(content: bytes) -> Callable[[Path], None]:
    """Return an attack that writes something else in place of the tensors."""
    return lambda answers: _overwrite(answers / "my_f.safetensors", content)


def header(data: bytes, *entries: dict[str, Any], size: int | None = None) -> bytes:
    """Return a safetensors file by hand; its tensors are called 0, 1, and so on."""
    described = json.dumps({str(n): found for n, found in enumerate(entries)}).encode()
    return struct.pack("<Q", len(described) if size is None else size) + described + data


def entry(dtype: str, shape: list[Any], *offsets: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


def replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return an attack that puts something that is no file in place of one."""

    def attack(answers: Path) -> None:
        (answers / name).rename(answers / f"other-{name}")
        make(answers / name)

    return attack


def enormous(name: str) -> Callable[[Path], None]:
    return lambda answers: os.truncate(answers / name, 10**11)


def pickled() -> bytes:
    buffer = io.BytesIO()
    torch.save({"0": torch.ones(2)}, buffer)
    return buffer.getvalue()


class Bomb:
    """Does harm when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("somebody unpickles",)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"list": [value]}
    return value


GOOD_ERROR = {"type": "E", "message": "m", "line": "", "kinds": []}
LONG = "x" * 10_000_000

ATTACKS: dict[str, Callable[[Path], None]] = {
    "json link": replaced("my_f.json", lambda p: p.symlink_to("other-my_f.json")),
    "json hard link": replaced(
        "my_f.json", lambda p: p.hardlink_to(p.with_name(f"other-{p.name}"))
    ),
    "json loop": replaced("my_f.json", lambda p: p.symlink_to("my_f.json")),
    "json fifo": replaced("my_f.json", os.mkfifo),
    "json folder": replaced("my_f.json", Path.mkdir),
    "json device": replaced("my_f.json", lambda p: p.symlink_to("/dev/zero")),
    "json enormous": enormous("my_f.json"),
    "json empty": text(""),
    "json cut": text('{"kind": "function", "outcomes": ['),
    "json not UTF-8": text(b'{"kind": "\xff\xfe"}'),
    "json deep": text("[" * 10**6),
    "json deep and right": text("[" * 10**5 + "]" * 10**5),
    "json deep objects": text('{"a":' * 10**5 + "1" + "}" * 10**5),
    "json long text": text(json.dumps({"kind": "function", "note": LONG})),
    "json twice": text('{"kind": "missing", "kind": "function"}'),
    "json NaN": text('{"kind": "function", "lines": NaN}'),
    "json 1e999": text('{"kind": "function", "lines": 1e999}'),
    "json many digits": text('{"kind": "function", "lines": ' + "9" * 100_000 + "}"),
    "json number": text("7"),
    "json list": text("[]"),
    "json null": text("null"),
    "pickle": text(pickle.dumps(Bomb())),
    "kind unknown": edited(lambda c: c.update(kind="right")),
    "kind unhashable": edited(lambda c: c.update(kind=[["x"]])),
    "kind of another": edited(lambda c: c.update(kind="value", value=1)),
    "problem unknown": edited(lambda c: c.update(problem="none, all is right")),
    "problem unhashable": edited(lambda c: c.update(problem={})),
    "note no text": edited(lambda c: c.update(note=1)),
    "no outcomes": edited(lambda c: c.pop("outcomes") and None),
    "outcomes empty": edited(lambda c: c.update(outcomes=[])),
    "outcomes fewer": edited(lambda c: c["outcomes"].pop() and None),
    "outcomes more": edited(lambda c: c["outcomes"].append(c["outcomes"][0])),
    "outcomes no list": edited(lambda c: c.update(outcomes={"0": 1})),
    "outcomes of null": edited(lambda c: c.update(outcomes=[None, None])),
    "too slow no bool": edited(lambda c: c.update(too_slow="no")),
    "lines negative": edited(lambda c: c.update(lines=-1)),
    "lines many": edited(lambda c: c.update(lines=10**13)),
    "lines bool": edited(lambda c: c.update(lines=True)),
    "printed null": edited(lambda c: c.update(printed=None)),
    "no gradients": first(gradients=None),
    "gradients empty": first(gradients=[]),
    "gradients too many": first(gradients=[None, None]),
    "gradients no names": first(gradients=[[]]),
    "attached no bool": first(attached=1),
    "left null": first(left=None),
    "left far": first(left=[[7, None]]),
    "left negative": first(left=[[-1, None]]),
    "left bool": first(left=[[False, None]]),
    "left twice": first(left=[[0, None], [0, None]]),
    "error null": first(error=None),
    "error lacks": first(error={"type": "ValueError"}),
    "error more": first(error={**GOOD_ERROR, "more": 1}),
    "error no texts": first(error={**GOOD_ERROR, "kinds": [1]}),
    "error of all kinds": first(error={**GOOD_ERROR, "kinds": ["Error"] * 1000}),
    "backward error wrong": first(backward_error="none"),
    "value raw list": first(value=[1, 2]),
    "value two kinds": first(value={"list": [], "tuple": []}),
    "value no kind": first(value={}),
    "value unknown": first(value={"object": 1}),
    "value deep": first(value=nested(14)),
    "value very deep": first(value=nested(150)),
    "value broad": first(value={"list": [0] * (MOST_ENTRIES + 1)}),
    "value foreign": first(value={"list": [{"foreign": ["A", False]}] * 1000}),
    "value foreign wrong": first(value={"foreign": ["A"]}),
    "value float": first(value={"float": "1e5"}),
    "value blank": first(value={"blank": 1}),
    "dict no pairs": first(value={"dict": [1]}),
    "dict twice": first(value={"dict": [["a", 1], ["a", 2]]}),
    "dict key list": first(value={"dict": [[{"list": []}, 1]]}),
    "tensor twice": first(value={"tensor": "5"}),
    "tensor missing": first(value={"tensor": "99"}),
    "tensor no name": first(value={"tensor": ["0"]}),
    "tensors left over": first(value=None),
    "tensors gone": lambda answers: (answers / "my_f.safetensors").unlink(),
    "tensors link": replaced("my_f.safetensors", lambda p: p.symlink_to(f"other-{p.name}")),
    "tensors fifo": replaced("my_f.safetensors", os.mkfifo),
    "tensors folder": replaced("my_f.safetensors", Path.mkdir),
    "tensors enormous": enormous("my_f.safetensors"),
    "tensors of another": lambda answers: save_file({"0": X}, answers / "my_f.safetensors"),
    "tensors empty": tensors(b""),
    "tensors short": tensors(b"\x02"),
    "tensors pickled": tensors(pickled()),
    "tensors cut": lambda answers: os.truncate(answers / "my_f.safetensors", 200),
    "header enormous": tensors(header(b"", size=2**63)),
    "header too long": tensors(header(b"", size=10**6)),
    "header no JSON": tensors(struct.pack("<Q", 4) + b"abcd"),
    "header deep": tensors(struct.pack("<Q", 10**5) + b"[" * 10**5),
    "shape negative": tensors(header(b"1234", entry("F32", [-1], 0, 4))),
    "shape lies": tensors(header(b"1234", entry("F32", [5], 0, 4))),
    "shape of nothing": tensors(header(b"", entry("F32", [0, 2**40, 2**40], 0, 0))),
    "shape overflows": tensors(header(b"", entry("F32", [2**32, 2**32], 0, 0))),
    "axes": tensors(header(b"1234", entry("F32", [1] * 100, 0, 4))),
    "offsets overlap": tensors(header(b"1234", entry("F32", [1], 0, 4), entry("F32", [1], 0, 4))),
    "offsets behind the end": tensors(header(b"1234", entry("F32", [1], 4, 8))),
    "offsets turned": tensors(header(b"1234", entry("F32", [1], 4, 0))),
    "dtype unknown": tensors(header(b"1234", entry("O", [1], 0, 4))),
    "dtype unused": tensors(header(b"1", entry("F8_E4M3", [1], 0, 1))),
    "truth of 7": tensors(header(b"\x07", entry("BOOL", [1], 0, 1))),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_breaks_a_rule_is_unreadable(out: Path, attack: Callable[[Path], None]) -> None:
    attack(out / "answers")
    answer = read(out)
    assert answer.kind == "unreadable"
    assert answer.run is None
    assert answer.value is None
    assert 0 < len(answer.note) < 400


def test_a_missing_answer_is_missing(out: Path) -> None:
    (out / "answers" / "my_f.json").unlink()
    answer = read(out)
    assert (answer.kind, answer.note) == ("missing", "the notebook ended before this was asked")


def test_the_folders_themselves_may_be_anything(out: Path, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("nothing", "file", "link", "empty", "inner")}
    places["file"].touch()
    places["link"].symlink_to(out)
    places["empty"].mkdir()
    places["inner"].mkdir()
    (places["inner"] / "answers").symlink_to(out / "answers")
    kinds = {}
    for name, place in places.items():
        answers = exchange.read_answers(place, QUESTIONS)
        assert list(answers) == ["my_f", "my_value"]
        kinds[name] = {answer.kind for answer in answers.values()}
    lost, bad = {"missing"}, {"unreadable"}
    assert kinds == {"nothing": lost, "file": bad, "link": bad, "empty": lost, "inner": bad}


def test_texts_that_spoil_a_terminal_or_a_file_are_cleaned(out: Path) -> None:
    nasty = "\x1b[2J\ud800\u202e\x00<b>"
    edited(lambda c: c.update(printed=nasty))(out / "answers")
    first(error={**GOOD_ERROR, "message": nasty, "type": nasty})(out / "answers")
    edited(lambda c: c["outcomes"].__setitem__(1, {"error": GOOD_ERROR}))(out / "answers")
    (out / "answers" / "my_f.safetensors").unlink()
    run = read(out).run
    assert run is not None
    shown = f"{run.printed}{run.outcomes[0].error}{run.outcomes[0].error!r}"
    assert "\x1b" not in shown
    assert shown.encode()
    assert "<b>" in shown  # cleaning that is for whoever makes HTML of it


@pytest.mark.parametrize("content", [b"\xff", b"[1e400]", b"-Infinity", b'{"a":1,"a":1}', b"nul"])
def test_json_is_strict(content: bytes) -> None:
    with pytest.raises(BadDataError):
        read_json(content)


def test_plain_text_keeps_what_people_write() -> None:
    assert plain_text("∑ − ü “a” ✓\n\tx") == "∑ − ü “a” ✓\n\tx"
    assert plain_text("a" * 30, 10) == "aaaaaaaaaa…"


# Outputs of cells


def test_outputs_arrive(tmp_path: Path) -> None:
    cells = [
        ExecutedCell("a", "ok", ({"output_type": "stream", "name": "stdout", "text": "ü\n"},), 0.5),
        ExecutedCell(
            "b",
            "error",
            (
                {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mx"]},
                {
                    "output_type": "display_data",
                    "data": {"text/plain": "<Figure>", "image/png": "aGk=\n"},
                    "metadata": {"image/png": {"alt": "a line"}},
                },
            ),
        ),
        ExecutedCell("c"),
    ]
    write_executed(tmp_path, cells)
    assert exchange.read_executed(tmp_path) == cells


def test_outputs_of_no_known_kind_are_left_out(tmp_path: Path) -> None:
    shown = {"output_type": "display_data", "metadata": {}}
    outputs: list[Any] = [
        *(None, 7, [], {}, {"output_type": "update_display_data", "data": {}}),
        {"output_type": "stream", "name": "stdin", "text": "x"},
        {"output_type": "error", "traceback": "x"},
        {**shown, "data": None},
        {**shown, "data": {"application/javascript": "alert(1)", "text/plain": ["x"]}},
        {**shown, "data": {"image/png": '"><script>'}, "metadata": {"image/png": 5}},
    ]
    cells = [
        *(None, 5, {}, {"id": 5}, {"id": "a", "ended": "fine", "outputs": []}),
        {"id": "\x00b", "ended": "ok", "outputs": outputs, "seconds": "long"},
    ]
    (tmp_path / "executed.json").write_text(json.dumps({"cells": cells}))
    (cell,) = exchange.read_executed(tmp_path)
    assert (cell.id, cell.ended, cell.seconds) == ("�b", "ok", 0.0)
    assert [output["data"] for output in cell.outputs] == [{}, {}]


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 1}', "[" * 10**6, '{"cells": [NaN]}'])
def test_outputs_that_cannot_be_read_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "executed.json").write_text(content)
    assert exchange.read_executed(tmp_path) == []
    assert exchange.read_executed(tmp_path / "nothing") == []
