"""What crosses the wall of the sandbox: inputs go in, answers come out, as JSON and safetensors.

`write_inputs` and `read_answers` are for the trusted side, `read_inputs` and `write_answer` for the
runner inside. Whatever an enemy leaves in the folder ``out``, `read_answers` returns an answer for
each question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nst_edu.classroom.executed import ExecutedCell, read_executed
from nst_edu.classroom.outcomes import read_run
from nst_edu.classroom.packing import Packer
from nst_edu.classroom.questions import (
    CELL_SECONDS,
    MISSING,
    PROBLEMS,
    TASK_SECONDS,
    UNREADABLE,
    VALUE,
    Answer,
    Inputs,
    Question,
)
from nst_edu.classroom.strict import (
    LARGEST_JSON,
    LARGEST_TENSORS,
    BadDataError,
    NotThereError,
    opened_folder,
    plain_text,
    read_bytes,
    read_json,
    read_tensors,
)
from nst_edu.classroom.unpacking import Unpacker
from nst_edu.exercises.remote import RemoteError

__all__ = [
    "Answer",
    "ExecutedCell",
    "Inputs",
    "Question",
    "RemoteError",
    "read_answers",
    "read_executed",
    "write_inputs",
]

INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit)


def write_inputs(
    folder: Path,
    cells: Sequence[tuple[str, str]],
    questions: Sequence[Question],
    *,
    cell_seconds: float = CELL_SECONDS,
    task_seconds: float = TASK_SECONDS,
) -> None:
    """Write what the runner needs into the folder ``in`` of a sandbox.

    Raises
    ------
    ValueError
        If two questions have the same name, or one that is no name.
    TypeError
        If arguments cannot cross: functions, for instance.
    """
    names = [question.name for question in questions]
    if len({*names}) != len(names) or not all(name.isidentifier() for name in names):
        raise ValueError(f"questions: expected different names of variables, got {names}")
    folder.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": [{"id": name, "source": source} for name, source in cells]}
    _write_json(folder / "notebook.json", notebook)
    listed = [_packed_question(folder, question) for question in questions]
    seconds = {"cell_seconds": cell_seconds, "task_seconds": task_seconds}
    _write_json(folder / "tasks.json", {"tasks": listed, **seconds})


def _packed_question(folder: Path, question: Question) -> dict[str, Any]:
    packer = Packer(strict=True)
    packed = {
        "name": question.name,
        "kind": question.kind,
        "cases": packer.pack(tuple(question.cases)),
        "gradient": question.gradient,
        "no_gradient": list(question.no_gradient),
        "after": question.after,
    }
    _write_tensors(folder / f"{question.name}.safetensors", packer.tensors)
    return packed


def read_inputs(folder: Path) -> Inputs:
    """Read what `write_inputs` wrote."""
    cells = json.loads((folder / "notebook.json").read_bytes())["cells"]
    tasks = json.loads((folder / "tasks.json").read_bytes())
    questions = []
    for packed in tasks["tasks"]:
        file = folder / f"{packed['name']}.safetensors"
        tensors = read_tensors(file.read_bytes()) if file.exists() else {}
        packed["cases"] = Unpacker(tensors).unpack(packed["cases"])
        questions.append(Question(**{**packed, "no_gradient": tuple(packed["no_gradient"])}))
    code = tuple((cell["id"], cell["source"]) for cell in cells)
    return Inputs(code, tuple(questions), tasks["cell_seconds"], tasks["task_seconds"])


def write_answer(folder: Path, name: str, answer: Mapping[str, Any], packer: Packer) -> None:
    """Write an answer: the tensors first, so that one with JSON is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_tensors(folder / f"{name}.safetensors", packer.tensors)
    _write_json(folder / f"{name}.json", answer)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, allow_nan=False), encoding="ascii")  # any text can be so


def _write_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    if tensors:
        save_file(dict(tensors), path)
    else:
        path.unlink(missing_ok=True)


def read_answers(folder: Path, questions: Sequence[Question]) -> dict[str, Answer]:
    """Read the folder ``out`` of a sandbox that has ended; never raise for what is in it.

    Returns
    -------
    dict
        An answer for each question. One that breaks any rule is ``"unreadable"``.
    """
    try:
        with opened_folder(folder) as out, opened_folder("answers", within=out) as answers:
            return {question.name: _read(answers, question) for question in questions}
    except NotThereError:
        lost = Answer(MISSING, note="the notebook ended before anything was asked")
    except BadDataError as error:
        lost = Answer(UNREADABLE, note=str(error))
    return {question.name: lost for question in questions}


def _read(folder: int, question: Question) -> Answer:
    try:
        return _answer(folder, question)
    except NotThereError:
        return Answer(MISSING, note="the notebook ended before this was asked")
    except BadDataError as error:
        return Answer(UNREADABLE, note=plain_text(str(error), 300))
    except INTERRUPTS:
        raise
    except BaseException as error:  # a panic of the tensor reader is no Exception
        return Answer(UNREADABLE, note=f"what was written cannot be read ({type(error).__name__})")


def _answer(folder: int, question: Question) -> Answer:
    packed = read_json(read_bytes(folder, f"{question.name}.json", LARGEST_JSON))
    if not isinstance(packed, dict):
        raise BadDataError("the answer is of no known kind")
    kind, note, problem = (packed.get(key, "") for key in ("kind", "note", "problem"))
    if not isinstance(note, str) or problem not in PROBLEMS:
        raise BadDataError("the answer has a note of no known kind")
    note = plain_text(note, 500)
    if kind in (MISSING, UNREADABLE):
        return Answer(kind, note=note)
    if kind != question.kind:
        raise BadDataError("the answer is of another kind than the question")
    if problem:
        return Answer(kind, problem=problem, note=note)
    unpacker = Unpacker(_tensors(folder, f"{question.name}.safetensors"))
    if kind == VALUE:
        answer = Answer(kind, value=unpacker.unpack(packed.get("value")))
    else:
        answer = Answer(kind, run=read_run(packed, question, unpacker))
    unpacker.done()
    return answer


def _tensors(folder: int, name: str) -> dict[str, Any]:
    try:
        data = read_bytes(folder, name, LARGEST_TENSORS)
    except NotThereError:
        return {}
    return read_tensors(data)
