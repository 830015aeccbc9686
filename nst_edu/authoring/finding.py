"""What a rule of the lint has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something in a notebook to be put right.

    Attributes
    ----------
    cell
        Its number, counted from 1; None: the notebook as a whole.
    problem, advice
        What is wrong, and what to do.
    notebook
        The file's name; the lint fills it in.
    """

    cell: int | None
    problem: str
    advice: str
    notebook: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        place = self.notebook if self.cell is None else f"{self.notebook}, cell {self.cell}"
        return f"{place}: {self.problem}. {self.advice}"
