"""What the calls of a student's function led to, as data: written in the sandbox, read outside."""

from __future__ import annotations

from typing import Any

from nst_edu.classroom.packing import Packer
from nst_edu.classroom.questions import Question
from nst_edu.classroom.strict import BadDataError, plain_text
from nst_edu.classroom.unpacking import Unpacker
from nst_edu.exercises.copying import copied
from nst_edu.exercises.describing import code_line
from nst_edu.exercises.remote import RemoteError
from nst_edu.exercises.running import Outcome, Run

MOST_LINES = 10**12


def packed_run(run: Run, function: Any, packer: Packer) -> dict[str, Any]:
    """Return a run as data."""
    return {
        "kind": "function",
        "outcomes": [_packed(outcome, function, packer) for outcome in run.outcomes],
        "too_slow": run.too_slow,
        "printed": run.printed,
        "lines": run.lines,
    }


def _packed(outcome: Outcome, function: Any, packer: Packer) -> dict[str, Any]:
    if outcome.error is not None:
        return {"error": packed_error(outcome.error, function)}
    gradients = None
    if outcome.gradients is not None:
        packed = [None if g is None else packer.pack(g) for g in outcome.gradients]
        gradients = [None if g is None else g.get("tensor") for g in packed]
    failed = outcome.backward_error
    return {
        "value": packer.pack(outcome.value),
        "left": [[position, packer.pack(outcome.left[position])] for position in outcome.changed],
        "gradients": gradients,
        "attached": outcome.attached,
        "backward_error": None if failed is None else packed_error(failed, function),
    }


def packed_error(error: BaseException, function: Any) -> dict[str, Any]:
    """Return what can be said of an error; it may be of a class that cannot be printed."""
    try:
        message = str(error)
    except Exception:
        message = ""
    return {
        "type": plain_text(type(error).__name__, 60),
        "message": plain_text(message, 500),
        "line": plain_text(code_line(error, function), 300),
        "kinds": [plain_text(kind.__name__, 60) for kind in type(error).__mro__[1:-1]][:10],
    }


def read_run(packed: dict[str, Any], question: Question, unpacker: Unpacker) -> Run:
    """Rebuild a run; raise BadDataError unless it fits the question in every way."""
    outcomes, too_slow = packed.get("outcomes"), packed.get("too_slow")
    printed, lines = packed.get("printed"), packed.get("lines")
    if not isinstance(outcomes, list) or not isinstance(too_slow, bool):
        raise BadDataError("the answer does not say what the calls led to")
    if not isinstance(printed, str) or type(lines) is not int or not 0 <= lines <= MOST_LINES:
        raise BadDataError("the answer does not say what was printed")
    count = len(question.cases)
    if len(outcomes) > count or (len(outcomes) < count and not too_slow):
        raise BadDataError(f"there are {len(outcomes)} outcomes of {count} calls")
    pairs = zip(outcomes, question.cases, strict=False)
    read = [_outcome(outcome, case, question, unpacker) for outcome, case in pairs]
    return Run(read, too_slow, plain_text(printed, 4000), lines)


def _outcome(
    packed: Any, arguments: tuple[Any, ...], question: Question, unpacker: Unpacker
) -> Outcome:
    if not isinstance(packed, dict):
        raise BadDataError("an outcome is of no known kind")
    if "error" in packed:
        return Outcome(arguments, error=_error(packed["error"]))
    sources = sources_of_gradients(arguments, question)
    left, changed = _left(packed.get("left"), arguments, unpacker)
    attached, failed = packed.get("attached"), packed.get("backward_error")
    if not isinstance(attached, bool):
        raise BadDataError("an outcome does not say whether it is attached")
    return Outcome(
        arguments,
        value=unpacker.unpack(packed.get("value")),
        left=left,
        changed=changed,
        gradients=_gradients(packed.get("gradients"), len(sources), unpacker),
        sources=sources,
        backward_error=None if failed is None else _error(failed),
        attached=attached,
    )


def sources_of_gradients(arguments: tuple[Any, ...], question: Question) -> tuple[int, ...]:
    """Return the position of the argument to which each gradient belongs, as `running.call`."""
    sources: list[int] = []
    for position, argument in enumerate(arguments):
        leaves: list[Any] = []
        copied(argument, leaves if question.takes_gradient(position) else None)
        sources += [position] * len(leaves)
    return tuple(sources)


def _left(
    packed: Any, arguments: tuple[Any, ...], unpacker: Unpacker
) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Return the arguments after a call, and the positions of those that it changed."""
    left, changed = list(arguments), []
    if not isinstance(packed, list):
        raise BadDataError("an outcome does not say what was changed")
    for pair in packed:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:
            raise BadDataError("an outcome does not say what was changed")
        position = pair[0]
        if not 0 <= position < len(arguments) or position in changed:
            raise BadDataError("an argument was changed that there is not")
        left[position] = unpacker.unpack(pair[1])
        changed.append(position)
    return tuple(left), tuple(changed)


def _gradients(packed: Any, count: int, unpacker: Unpacker) -> tuple[Any, ...] | None:
    if count == 0:
        if packed is not None:
            raise BadDataError("there are gradients that nobody asked for")
        return None
    if not isinstance(packed, list) or len(packed) != count:
        raise BadDataError("there is not one gradient for each tensor")
    return tuple(None if name is None else unpacker.tensor(name) for name in packed)


def _error(packed: Any) -> RemoteError:
    if not isinstance(packed, dict) or {*packed} != {"type", "message", "line", "kinds"}:
        raise BadDataError("an error is of no known kind")
    kinds = packed["kinds"]
    if not isinstance(kinds, list) or len(kinds) > 20:
        raise BadDataError("an error is of no known kind")
    texts = [packed["type"], packed["message"], packed["line"], *kinds]
    if not all(isinstance(text, str) for text in texts):
        raise BadDataError("an error has something else than texts")
    name, message, line, *kinds = (plain_text(text, 500) for text in texts)
    return RemoteError(name, message, line, tuple(kinds))
