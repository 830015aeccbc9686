"""How fast a class is graded, against nbgrader on the same submissions in the same run.

``python -m benchmarks.classroom`` writes 200 submissions of the Gram assignment as honest students
would send them: right, partly wrong, with known mistakes, unfinished. It grades them twice with
``nst-edu classroom grade``, and a sample of them with ``nbgrader autograde``, and prints a table
and whether each bar is met.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil

from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.student_version import student_version

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "notebooks" / "assignments" / "gram" / "gram.ipynb"
SECONDS, RATIO, MEMORY = 360.0, 4.0, 1.5e9  # the bars, for 200 submissions on 2 cores
ALL = 200

# What students write besides the right answer, by the grade_id of the cell: mistakes that the tests
# know, mistakes that they do not, code that fails, and another style of the right answer.
VARIANTS: dict[str, list[str]] = {
    "masked_gram": [
        """def my_masked_gram(features, mask):
    return torch.einsum("nchw,ndhw->ncd", features * mask, features) / mask.sum(
        dim=(1, 2, 3)
    ).view(-1, 1, 1)""",
        """def my_masked_gram(features, mask):
    rows = features.flatten(2)
    return (mask.flatten(2) * rows) @ rows.mT / rows.shape[2]""",
        """def my_masked_gram(features, mask):
    rows = (features * mask).flatten(2)
    return rows @ rows.mT / mask.sum(dim=(2, 3))[..., None]""",
        """def my_masked_gram(features, mask):
    rows = features.flatten(2)
    return rows @ rows.T""",
        """def my_masked_gram(features, mask):
    total = 0
    for y in range(features.shape[2]):
        for x in range(features.shape[3]):
            column = features[:, :, y, x]
            total = total + mask[:, :, y, x, None] * column[:, :, None] * column[:, None, :]
    return total / mask.sum(dim=(2, 3))[..., None]""",
    ],
    "centred_gram": [
        """def my_centred_gram(features, mask):
    return my_masked_gram(features - features.mean(dim=(2, 3), keepdim=True), mask)""",
        """def my_centred_gram(features, mask):
    return my_masked_gram(features, mask)""",
        """def my_centred_gram(features, mask):
    print("features", features.shape)
    return my_masked_gram(features - features.mean(dim=1, keepdim=True), mask)""",
    ],
    "shifted_gram": [
        """def my_shifted_gram(features, down, right):
    there = features.roll((-down, -right), dims=(2, 3))
    return torch.einsum("nchw,ndhw->ncd", features, there) / features[0, 0].numel()""",
        """def my_shifted_gram(features, down, right):
    h, w = features.shape[2:]
    here = features[:, :, : h - down, : w - right].flatten(2)
    there = features[:, :, down:, right:].flatten(2)
    return there @ here.mT / here.shape[2]""",
        """def my_shifted_gram(features, down, right):
    h, w = features.shape[2:]
    here = features[:, :, :-down, :-right]
    there = features[:, :, down:, right:]
    return (here * there).mean(dim=(2, 3))""",
    ],
    "style_gradient": [
        """def my_style_gradient(features, mask, target):
    leaf = features.detach().clone().requires_grad_()
    loss = (my_masked_gram(leaf, mask) - target).square().mean()
    (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient""",
        """def my_style_gradient(features, mask, target):
    n, c = features.shape[:2]
    slope = 2 * (my_masked_gram(features, mask) - target) / (n * c**2)
    weights = mask.flatten(2) / mask.flatten(2).sum(dim=2, keepdim=True)
    return (weights * (slope @ features.flatten(2))).view_as(features)""",
    ],
    "notices": [
        """zero, one = my_maps.double()
my_notices = {
    "g01": (zero * one).sum().item(), "tiled": 9 * (zero * one).sum().item(),
    "doubled": 4 * zero.square().sum().item(), "raised": (zero * (one + 1)).sum().item(),
    "turned": (zero * one.flip(0, 1)).sum().item(),
}""",
    ],
}


@dataclass(frozen=True)
class Run:
    """What a command took: seconds by the clock, and bytes of the largest group of processes."""

    seconds: float
    memory: float = 0.0


def solutions(source: Path) -> dict[str, str]:
    """Return the right answer to each answer cell of the assignment, by its grade_id."""
    found = {}
    for cell in read_assignment(source).cells:
        noted = cell.metadata.get("nbgrader", {})
        if noted.get("solution") and cell.cell_type == "code" and not noted.get("grade"):
            text = re.sub(r"^\s*### (?:BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE)
            found[noted["grade_id"]] = text
    return found


def write_submissions(source: Path, folder: Path, count: int) -> list[str]:
    """Write `count` submissions in nbgrader's layout; return the students' ids."""
    assignment = read_assignment(source)
    right = solutions(source)
    released = student_version(assignment)
    draw = random.Random(0)
    students = [f"student{number:03}" for number in range(count)]
    for number, student in enumerate(students):
        answers = {**right, "student": f'STUDENT = "{student}"'}
        # A quarter is right; the others have one to three cells that differ.
        for name in draw.sample(sorted(VARIANTS), number % 4):
            if name in answers:
                answers[name] = draw.choice([*VARIANTS[name], ""])
        notebook = nbformat.from_dict(json.loads(json.dumps(released)))
        for cell in notebook.cells:
            answer = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
            if answer and cell.cell_type == "code":  # empty: left as it was handed out
                cell.source = answer
        path = folder / student / assignment.name / f"{assignment.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return students


def timed(command: Sequence[str], cwd: Path, *, watch: bool = False) -> Run:
    """Run a command, and see how long it takes and how much memory its sandboxes hold."""
    began = time.perf_counter()
    memory = 0.0
    # nbgrader calls alembic by its name.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with (cwd / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=log, stderr=log, env={**os.environ, "PATH": path}
        )
        while True:
            try:
                process.wait(timeout=1.0)
                break
            except subprocess.TimeoutExpired:
                memory = max(memory, largest_worker(process.pid)) if watch else 0.0
    seconds = time.perf_counter() - began
    if process.returncode not in (0, 1):
        tail = (cwd / "log.txt").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{tail}")
    return Run(seconds, memory)


def largest_worker(parent: int) -> float:
    """Return the bytes of the largest worker: a child with all its descendants.

    Pages that several of its processes share count once (the proportional set size).
    """
    sizes = [0.0]
    try:
        for child in psutil.Process(parent).children():
            family = [child, *child.children(recursive=True)]
            sizes.append(sum(proportional(process) for process in family))
    except psutil.Error:
        pass
    return max(sizes)


def proportional(process: psutil.Process) -> float:
    """Return the bytes of a process, shared pages by their part; 0 if it has ended."""
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


def our_command(source: Path, submissions: Path, marks: Path) -> list[str]:
    """Return the command that grades with this package."""
    options = ["--assignment", str(source), "--to", str(marks), "--jobs", str(os.cpu_count() or 1)]
    return [sys.executable, "-m", "nst_edu", "classroom", "grade", str(submissions), *options]


def our_marks(marks: Path) -> dict[str, dict[str, float]]:
    """Return for each student the points of each task, by its name."""
    found = {}
    for path in sorted(marks.glob("*/result.json")):
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found[data["student"]] = {mark["task"]: mark["points"] for mark in data["marks"]}
    return found


def with_nbgrader(source: Path, submissions: Path, students: Sequence[str], course: Path) -> Run:
    """Let nbgrader grade a sample; only ``autograde`` is timed."""
    name = source.stem
    (course / "source" / name).mkdir(parents=True)
    (course / "source" / name / f"{name}.ipynb").write_bytes(source.read_bytes())
    for student in students:
        place = course / "submitted" / student / name
        place.mkdir(parents=True)
        (place / f"{name}.ipynb").write_bytes(
            (submissions / student / name / f"{name}.ipynb").read_bytes()
        )
    nbgrader = [sys.executable, "-m", "nbgrader"]
    options = [f"--course-dir={course}", "--ExecutePreprocessor.timeout=120"]
    timed([*nbgrader, "generate_assignment", name, *options], course)
    return timed([*nbgrader, "autograde", name, *options], course)


def nbgraders_marks(course: Path, name: str) -> dict[str, dict[str, float]]:
    """Return for each student nbgrader's points of each test cell."""
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, float]] = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions(name):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    points = found.setdefault(submission.student.id, {})
                    points[grade.name] = float(grade.auto_score or 0)
    return found


def agreement(
    ours: dict[str, dict[str, float]], theirs: dict[str, dict[str, float]], source: Path
) -> list[str]:
    """Return where the two graders differ, in words."""
    tests = {one.task.name: one.grade_id for one in read_assignment(source).tasks}
    return [
        f"{student}, {task}: {ours[student][task]:g} here, {points[tests[task]]:g} by nbgrader"
        for student, points in theirs.items()
        for task in tests
        if abs(ours[student][task] - points[tests[task]]) > 1e-6
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=ALL, help="submissions (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=16, help="of them graded by nbgrader")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the assignment")
    args = parser.parse_args(arguments)
    source = args.source.resolve()
    with tempfile.TemporaryDirectory(prefix="nst-edu-benchmark-") as folder:
        return measure(source, Path(folder), args.count, args.sample)


def measure(source: Path, folder: Path, count: int, sample: int) -> int:
    """Write, grade, compare and print."""
    submissions, course = folder / "submissions", folder / "course"
    students = write_submissions(source, submissions, count)
    first = timed(our_command(source, submissions, folder / "first"), folder, watch=True)
    timed(our_command(source, submissions, folder / "second"), folder)
    ours, again = our_marks(folder / "first"), our_marks(folder / "second")
    # Spread over the class, so that right and wrong answers are among them.
    chosen = students[:: max(1, count // sample)][:sample]
    course.mkdir()
    theirs = with_nbgrader(source, submissions, chosen, course)
    marks = nbgraders_marks(course, source.stem)
    if set(marks) != set(chosen):
        raise RuntimeError(f"nbgrader has graded {len(marks)} of {len(chosen)}: see its log")
    differing = agreement(ours, marks, source)
    ratio = (count / first.seconds) / (len(chosen) / theirs.seconds)
    limit = SECONDS * count / ALL
    totals = len({sum(marks.values()) for marks in ours.values()})
    each, nbgraders = first.seconds / count, theirs.seconds / len(chosen)
    rows = [
        (
            f"{count} submissions, s",
            f"{first.seconds:.0f}",
            f"≤ {limit:.0f}",
            first.seconds <= limit,
        ),
        ("each, s", f"{each:.2f}", "", True),
        (f"nbgrader autograde, each of {len(chosen)}, s", f"{nbgraders:.2f}", "", True),
        ("throughput, times nbgrader's", f"{ratio:.1f}", f"≥ {RATIO:g}", ratio >= RATIO),
        ("memory of a worker, GB", f"{first.memory / 1e9:.2f}", "≤ 1.5", first.memory <= MEMORY),
        ("submissions with marks", str(len(ours)), str(count), len(ours) == count),
        ("marks the same in a second run", str(ours == again), "True", ours == again),
        ("marks that differ from nbgrader's", str(len(differing)), "0", not differing),
        ("different totals in the class", str(totals), "", True),
    ]
    print("| | measured | bar | met |\n|---|---|---|---|")
    for name, value, bar, met in rows:
        print(f"| {name} | {value} | {bar} | {('yes' if met else 'NO') if bar else ''} |")
    for line in differing:
        print(f"- {line}")
    return int(not all(met for *_, met in rows))


if __name__ == "__main__":
    sys.exit(main())
