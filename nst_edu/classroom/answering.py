"""Ask a student's functions, inside the sandbox: call them, and write down what happens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nst_edu.classroom.exchange import write_answer
from nst_edu.classroom.forking import Board, in_child, time_limit
from nst_edu.classroom.outcomes import packed_run
from nst_edu.classroom.packing import Packer, TooMuchError
from nst_edu.classroom.questions import FUNCTION, MISSING, UNREADABLE, VALUE, Question
from nst_edu.exercises.describing import call_problem
from nst_edu.exercises.differences import named_type
from nst_edu.exercises.limits import TimeIsUp, quiet
from nst_edu.exercises.running import Run, call, undisturbed
from nst_edu.exercises.stubs import blanks

# s more for a value: there is next to nothing to do, so it is the machine that stands still.
PATIENCE = 20.0


def ask(question: Question, namespace: Mapping[str, Any], folder: Path, seconds: float) -> None:
    """Ask one question in a child process, and see to it that there is an answer."""

    def work() -> None:
        board.tell(0, limit)
        packer = Packer()
        answer = answered(question, namespace, packer, seconds)
        write_answer(folder, question.name, answer, packer)

    limit = seconds + PATIENCE * (question.kind == VALUE)
    board = Board()
    board.reset()
    ended = in_child(work, board)
    if ended == "stopped" and question.kind == FUNCTION:
        run = packed_run(Run(too_slow=True), None, Packer())
        write_answer(folder, question.name, run, Packer())
    elif ended != "done":
        refuse(question, folder, f"the program ended while it was asked ({ended})")
    elif not (folder / f"{question.name}.json").exists():
        refuse(question, folder, "it ended the whole program (os._exit, or the like)")


def refuse(question: Question, folder: Path, note: str) -> None:
    """Write down that there is no answer, and why."""
    write_answer(folder, question.name, {"kind": UNREADABLE, "note": note}, Packer())


def miss(question: Question, folder: Path, note: str = "") -> None:
    """Write down that the notebook has no such name."""
    write_answer(folder, question.name, {"kind": MISSING, "note": note}, Packer())


def answered(
    question: Question, namespace: Mapping[str, Any], packer: Packer, seconds: float
) -> dict[str, Any]:
    """Return the answer to a question as data."""
    found = namespace[question.name]
    try:
        if question.kind == VALUE:
            return {"kind": VALUE, "value": packer.pack(found)}
        problem = _problem(found, question)
        if problem is not None:
            return {"kind": FUNCTION, "problem": problem[0], "note": problem[1]}
        return packed_run(calls(question, found, seconds), found, packer)
    except TooMuchError as error:
        packer.tensors.clear()
        return {"kind": UNREADABLE, "note": f"the result is too large: {error}"}


def is_blank(found: Any) -> bool:
    """Tell whether something is as it was released."""
    return found is ... or (callable(found) and bool(blanks(found)))


def _problem(function: Any, question: Question) -> tuple[str, str] | None:
    """Say why a function need not be called, as `checking.examine` does."""
    if function is ...:
        return "blank", ""
    if not callable(function):
        return "not a function", named_type(function)
    left = blanks(function)
    if left:
        return "blank", "\n".join(left)
    found = call_problem(function, question.cases[0])
    return None if found is None else ("wrong arguments", found)


def calls(question: Question, function: Any, seconds: float) -> Run:
    """Call a function on each case, within the time for all of them."""
    run = Run()
    with undisturbed(), quiet() as printed:
        try:
            with time_limit(seconds):
                for arguments in question.cases:
                    run.outcomes.append(call(function, arguments, question.takes_gradient))
        except TimeIsUp:
            run.too_slow = True
    run.printed, run.lines = printed.summary(), printed.lines
    return run
