"""Grade a class: what is new, several at a time, and keep each result as soon as it is there."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from nst_edu.classroom.feedback import CellShown, shown_cells
from nst_edu.classroom.files import locked, scratch_folder
from nst_edu.classroom.grade import COMMAND, Grading, digest_of, judge, prepare, unreadable
from nst_edu.classroom.layout import Found
from nst_edu.classroom.leftovers import clean
from nst_edu.classroom.notebooks import read_submission
from nst_edu.classroom.pool import in_threads_or_alone, kill_below
from nst_edu.classroom.records import NOTHING, Graded, Key
from nst_edu.classroom.store import Store

if TYPE_CHECKING:
    from nst_edu.classroom.notebooks import Submission
    from nst_edu.classroom.questions import Question
    from nst_edu.classroom.sandbox import Outcome


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes
    ----------
    jobs
        Sandboxes at a time on this machine.
    scheduler
        Address of a Dask cluster to be used in place of this machine.
    force
        Grade again what is graded already.
    quiet
        No progress bar.
    """

    jobs: int = 1
    scheduler: str | None = None
    force: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Job:
    """A submission that is ready for the sandbox."""

    submission: Submission
    questions: Sequence[Question]
    scratch: Path


@dataclass
class Done:
    """What a run has done so far.

    Attributes
    ----------
    students
        All whose submissions were found.
    graded, kept
        How many were graded now, and before.
    failed
        What went wrong on our side, by student; they are graded at the next run.
    """

    students: list[str] = field(default_factory=list)
    graded: int = 0
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Session:
    """One run of the grader over some submissions."""

    def __init__(self, grading: Grading, store: Store, options: Options) -> None:
        self.grading, self.store, self.options = grading, store, options
        self.done = Done()

    def run(self, found: Sequence[Found], missing: Sequence[str] = ()) -> Done:
        """Grade what is new in `found`; note who of the roster is `missing`.

        Whatever ends this, all that is graded by then is kept.
        """
        self.done.students = [one.student for one in found]
        with ExitStack() as stack:
            stack.enter_context(locked(self.store.folder))
            assignment = self.grading.assignment
            self.store.claim(assignment.name, assignment.digest, assignment.by_hand)
            for student in missing:
                self._nothing(student)
            root = stack.enter_context(scratch_folder(self.store.folder / ".scratch"))
            bar = stack.enter_context(progress_bar(len(found), quiet=self.options.quiet))
            runs = self._outcomes(self._jobs(found, root, bar), root, stack)
            # Closed before the folder goes: that ends the sandboxes which are still at work.
            for job, outcome in stack.enter_context(closing(runs)):
                with self._apart(job.submission.student):
                    self._finish(job, outcome)
                clean(job.scratch)
                bar.update()
        return self.done

    def _outcomes(
        self, jobs: Iterator[Job], root: Path, stack: ExitStack
    ) -> Generator[tuple[Job, Outcome | Exception]]:
        """Run the jobs here or on the cluster."""
        from nst_edu.classroom import sandbox
        from nst_edu.classroom.template import Template

        limits, unsafe = self.grading.limits, self.grading.unsafe
        if self.options.scheduler is not None:
            from nst_edu.classroom.cluster import connected, on_cluster

            client = stack.enter_context(connected(self.options.scheduler, unsafe=unsafe))
            return on_cluster(jobs, client, limits, unsafe=unsafe)

        jobs_at_a_time = self.options.jobs
        # One for each worker: torch is imported so many times, and not once for each submission.
        templates: SimpleQueue[Template] = SimpleQueue()
        for _ in range(jobs_at_a_time):
            templates.put(stack.enter_context(Template(root)))

        def work(job: Job) -> Outcome:
            clean(job.scratch / "out")  # what a first attempt has left
            template = templates.get()
            try:
                return sandbox.run(job.scratch, COMMAND, limits, unsafe=unsafe, template=template)
            finally:
                templates.put(template)

        # Marks must not depend on who is graded at the same time.
        return in_threads_or_alone(
            jobs, work, jobs_at_a_time, lambda: kill_below(root), lambda outcome: outcome.crowded
        )

    def _jobs(self, found: Sequence[Found], root: Path, bar: Any) -> Iterator[Job]:
        """Yield what has to be run; what has not is dealt with on the way."""
        for number, one in enumerate(found):
            job = None
            with self._apart(one.student):
                job = self._job(one, root / str(number))
            if job is None:
                bar.update()
            else:
                yield job

    @contextmanager
    def _apart(self, student: str) -> Iterator[None]:
        """Let nothing in one student's notebook keep the class from being graded."""
        try:
            yield
        except OSError:  # a full disk, for example: it would hit everybody
            raise
        except Exception as error:
            self.done.failed[student] = f"{type(error).__name__}: {error}"

    def _job(self, one: Found, scratch: Path) -> Job | None:
        """Read a submission; return None if it is graded already, or cannot be run."""
        reasons = wrong_number(one)
        digest = digest_of(reasons)
        submission = None
        if not reasons:
            submission = read_submission(one.paths[0], one.student, self.grading.assignment)
            reasons = [str(problem) for problem in submission.problems]
            digest = submission.digest or digest_of(reasons)
        if not self.options.force and self.store.is_current(one.student, self.grading.key(digest)):
            self.done.kept += 1
            return None
        if submission is None or not submission.readable:
            self._save(unreadable(self.grading, one.student, digest, reasons), [])
            return None
        scratch.mkdir()
        questions = prepare(self.grading, submission, scratch / "in")
        return Job(submission, questions, scratch)

    def _finish(self, job: Job, outcome: Outcome | Exception) -> None:
        """Judge and keep what came out of the sandbox; if none was started, it is not graded."""
        student = job.submission.student
        if isinstance(outcome, Exception):
            self.done.failed[student] = f"{type(outcome).__name__}: {outcome}"
        elif outcome.ended == "not started":
            self.done.failed[student] = f"the sandbox did not start: {outcome.tail}"
        else:
            out = job.scratch / "out"
            judged = judge(self.grading, job.submission, job.questions, outcome, out)
            cells = shown_cells(self.grading.assignment, job.submission, judged)
            self._save(judged.graded, cells, judged.log)

    def _save(self, graded: Graded, cells: Sequence[CellShown], log: str = "") -> None:
        self.store.save(graded, cells, log)
        self.done.graded += 1

    def _nothing(self, student: str) -> None:
        """Note that nothing was handed in; what was graded before stays."""
        if self.store.load(student) is None:
            name = self.grading.assignment.name
            key = Key("", self.grading.assignment.digest, "", "")
            graded = Graded(student, name, key, NOTHING, notes=("Nothing was handed in.",))
            self.store.save(graded)


def wrong_number(one: Found) -> list[str]:
    """Say so unless there is one notebook."""
    names = ", ".join(path.name for path in one.paths[:5])
    if not one.paths:
        return ["The student's folder has no notebook of this assignment."]
    if len(one.paths) > 1:
        return [f"There are {len(one.paths)} notebooks ({names}): leave the one that counts."]
    return []


def progress_bar(total: int, *, quiet: bool) -> Any:
    """Return a bar on stderr with the number of submissions done."""
    from tqdm import tqdm

    return tqdm(total=total, desc="graded", unit="", disable=quiet, file=sys.stderr)
