"""The real nbgrader reads our source, makes the same release, and gives the same marks."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from nst_edu.classroom.assignment import Assignment
from nst_edu.classroom.regions import STUB, TEXT_STUB
from nst_edu.classroom.source import read_assignment
from nst_edu.classroom.student_version import student_version
from tests import classroom_samples as samples

# What nbgrader and its own libraries warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

ANSWERS: dict[str, dict[str, str]] = {
    "ada": {},
    "bob": {
        "masked_mean": samples.HALF,  # a mistake with partial credit: 3 of 6 points
        "scaled": "def my_scaled(features, factor):\n    return features - factor",
        "sizes": 'my_sizes = {"height": 0}',
    },
}
MARKS = {
    "ada": {"masked_mean_test": 6.0, "scaled_test": 4.0, "sizes_test": 3.0},
    "bob": {"masked_mean_test": 3.0, "scaled_test": 0.0, "sizes_test": 0.0},
}


class Course:
    """A course folder with a database of its own."""

    def __init__(self, root: Path) -> None:
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config

        self.root, self.db_url = root, f"sqlite:///{root}/gradebook.db"
        config = Config()
        config.CourseDirectory.root = str(root)
        config.CourseDirectory.db_url = self.db_url
        config.ClearSolutions.code_stub = {"python": STUB}
        config.ClearSolutions.text_stub = TEXT_STUB
        config.ExecutePreprocessor.timeout = 300
        config.ExecutePreprocessor.startup_timeout = 300
        self.api = NbGraderAPI(config=config)

    def do(self, command: str, *arguments: str) -> None:
        """Run one of nbgrader's commands, and show its log if it fails."""
        found = getattr(self.api, command)(samples.NAME, *arguments)
        assert found["success"], f"{found.get('log')}\n{found.get('error')}"

    def released(self) -> NotebookNode:
        path = self.root / "release" / samples.NAME / f"{samples.NAME}.ipynb"
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        return notebook

    def hand_in(self, student: str) -> None:
        """Fill in nbgrader's own release as a student would."""
        notebook = self.released()
        written = {**samples.HONEST, "student": f'STUDENT = "{student}"', **ANSWERS[student]}
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = written.get(grade_id, cell.source)
        folder = self.root / "submitted" / student / samples.NAME
        samples.write(notebook, folder / f"{samples.NAME}.ipynb")

    def marks(self, student: str) -> dict[str, Any]:
        from nbgrader.api import Gradebook

        with Gradebook(self.db_url) as gradebook:
            found = gradebook.find_submission_notebook(samples.NAME, samples.NAME, student)
            return {grade.name: grade.auto_score for grade in found.grades}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    samples.write_source(root / "source")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            folder = root / name.lower()
            folder.mkdir()
            environment.setenv(name, str(folder))  # nobody's own kernels and settings
        environment.setenv("OMP_NUM_THREADS", "1")
        # nbgrader starts alembic by its name
        environment.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        course = Course(root)
        course.do("generate_assignment")
        for student in ANSWERS:
            course.hand_in(student)
            course.do("autograde", student)
    return course


@pytest.fixture(scope="module")
def assignment(course: Course) -> Assignment:
    return read_assignment(course.root / "source" / samples.NAME / f"{samples.NAME}.ipynb")


def our_marks(assignment: Assignment, student: str) -> dict[str, float]:
    """Execute a student's cells, and let each task mark what they define."""
    names: dict[str, Any] = {"__name__": "__main__"}
    marks = {}
    for cell in samples.submission(ANSWERS[student], student).cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.source, names)
    for one in assignment.tasks:
        with contextlib.redirect_stdout(io.StringIO()):
            marks[one.grade_id] = one.task.mark(names)
    return marks


def test_nbgrader_makes_the_same_release(course: Course, assignment: Assignment) -> None:
    """But for the stub, which ours leaves out below a line that students change."""
    ours, theirs = student_version(assignment), course.released()
    without_stub = []
    for one, other in zip(ours.cells, theirs.cells, strict=True):
        if one.source != other.source:
            assert f"{one.source}\n{STUB}" == other.source
            without_stub.append(other.metadata.nbgrader.grade_id)
            one.metadata.nbgrader.pop("checksum", None)
            other.metadata.nbgrader.pop("checksum", None)
        assert one.metadata == other.metadata  # checksums and locks included
    assert without_stub == ["student", "sizes"]


@pytest.mark.parametrize("student", ANSWERS)
def test_nbgrader_gives_the_same_marks(
    student: str, course: Course, assignment: Assignment
) -> None:
    marks = course.marks(student)
    assert marks.pop(samples.BY_HAND) is None  # for a person
    assert marks == our_marks(assignment, student) == MARKS[student]
