"""Execute a submission: ``python -m nst_edu.classroom.runner FOLDER``, inside the sandbox.

It reads ``FOLDER/in`` (see `exchange.write_inputs`), executes the code cells one by one, asks the
student's functions the questions, and writes ``FOLDER/out``. It works in the enemy's hands: a
submission that spoils it spoils its own answers only, because whoever reads them trusts nothing.

Three processes: this one waits; a worker executes the cells; a child of the worker's answers each
question. If the worker dies or hangs in a cell, another one does all the rest without that cell.
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch

from nst_edu.classroom import answering
from nst_edu.classroom.clocks import WALL
from nst_edu.classroom.exchange import read_inputs
from nst_edu.classroom.executed import ExecutedCell, write_executed
from nst_edu.classroom.forking import GRACE, Board, in_child
from nst_edu.classroom.questions import Inputs, Question
from nst_edu.classroom.shell import Shell, new_shell, run_cell

WORKERS = 4  # one, and three more if cells end the program
BETWEEN = 20.0  # s for what the worker itself does between two steps


class Worker:
    """Executes the cells and asks the questions, in a process of its own.

    Parameters
    ----------
    inputs, out
        What to do, and where to write.
    board
        Tells the waiting process which step is being done: the cells first, then the questions.
    skipped
        The steps that ended a worker, and how.
    """

    def __init__(self, inputs: Inputs, out: Path, board: Board, skipped: dict[int, str]) -> None:
        self.inputs, self.out, self.board, self.skipped = inputs, out, board, skipped
        self.cells = [ExecutedCell(name) for name, _ in inputs.cells]
        self.shell: Shell

    def run(self, home: Path) -> None:
        """Do it all."""
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        self.shell = new_shell(home)
        for number, (name, source) in enumerate(self.inputs.cells):
            self._cell(number, name, source)
            for question in self.inputs.questions:
                if question.after == name:
                    self._ask(question)
        for question in self.inputs.questions:
            self._ask(question, last_time=True)
        self._miss_the_rest()
        self.board.tell(-1, BETWEEN, finished=True)

    def _cell(self, number: int, name: str, source: str) -> None:
        if number in self.skipped:
            self.cells[number] = _ended_all(name, self.skipped[number])
        else:
            seconds = self.inputs.cell_seconds
            self.board.tell(number, seconds)
            self.cells[number] = run_cell(self.shell, name, source, seconds)
        self.board.tell(-1, BETWEEN)
        write_executed(self.out, self.cells)

    def _ask(self, question: Question, last_time: bool = False) -> None:
        """Ask, unless it was asked before; of a blank only at the end: it may be filled below."""
        answers, names = self.out / "answers", self.shell.user_ns
        if (answers / f"{question.name}.json").exists() or question.name not in names:
            return
        place = len(self.cells) + self.inputs.questions.index(question)
        if place in self.skipped:
            answering.refuse(question, answers, f"the program ended: {self.skipped[place]}")
            return
        seconds = self.inputs.task_seconds
        # It only waits for its own child, and has to be there when that is stopped.
        self.board.tell(place, WALL * (seconds + answering.PATIENCE + GRACE) + BETWEEN)
        if last_time or not answering.is_blank(names[question.name]):
            answering.ask(question, names, answers, seconds)
        self.board.tell(-1, BETWEEN)

    def _miss_the_rest(self) -> None:
        answers = self.out / "answers"
        for question in self.inputs.questions:
            if not (answers / f"{question.name}.json").exists():
                answering.miss(question, answers, self._why_missing(question.name))

    def _why_missing(self, name: str) -> str:
        """Name the cell that should have defined something, if it failed."""
        for (_, source), cell in zip(self.inputs.cells, self.cells, strict=True):
            if cell.ended in ("ok", "not run") or not re.search(rf"\b{re.escape(name)}\b", source):
                continue
            errors = [o for o in cell.outputs if o["output_type"] == "error"]
            said = f"{errors[-1]['ename']}: {errors[-1]['evalue']}" if errors else cell.ended
            return f"the cell with it stopped with {said}"
        return ""


def _ended_all(name: str, how: str) -> ExecutedCell:
    """Return what is shown of a cell that ended the whole program."""
    ended = "timeout" if how == "stopped" else "crashed"
    text = "it did not end in time" if how == "stopped" else f"the program ended here: {how}"
    error = {"output_type": "error", "ename": "Stopped", "evalue": text, "traceback": [text]}
    return ExecutedCell(name, ended, (error,))


def execute(folder: Path) -> bool:
    """Execute what is in ``folder/in``; tell whether it came to its end."""
    inputs, out = read_inputs(folder / "in"), folder / "out"
    (out / "answers").mkdir(parents=True, exist_ok=True)
    board, skipped = Board(), dict[int, str]()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for _ in range(WORKERS):
            worker = Worker(inputs, out, board, skipped)
            board.reset()
            os.chdir(home)
            ended = in_child(partial(worker.run, Path(home)), board)
            if board.finished:
                return True
            if board.place in skipped or board.place < 0:
                return False  # a thread, a child or a signal from elsewhere: no cell to leave out
            skipped[board.place] = "exit status 0" if ended == "done" else ended
    return False


def main(arguments: list[str]) -> int:
    """Execute a submission; return the exit code: 0 if it came to its end."""
    if len(arguments) != 1:
        print("usage: python -m nst_edu.classroom.runner FOLDER", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    sys.argv = ["notebook"]
    return 0 if execute(Path(arguments[0]).resolve()) else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
