"""Check a learner's *test*: it has to fail on versions with a bug, and to pass on right ones.

The test is called with several versions of one function, as `nst_edu.exercises.museum` has them.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check
from nst_edu.exercises.describing import code_line
from nst_edu.exercises.result import Result
from nst_edu.exercises.running import Outcome, run_all, undisturbed
from nst_edu.exercises.stubs import plain

Version: TypeAlias = Callable[..., Any]
SHOWN = 120  # characters of a learner's line, and of what it says
SEEDS = (1, 2)  # a test that passes by luck fails with one of these


# What a test did with the versions ----------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """What a learner's test did with each version.

    Attributes
    ----------
    test
        What the learner wrote.
    bugs, right
        The outcomes with the versions that have the bug, and with those that do not.
    """

    test: Any
    bugs: tuple[Outcome, ...]
    right: tuple[Outcome, ...]

    @property
    def missed(self) -> list[Version]:
        """The versions with the bug on which the test passes."""
        return [outcome.arguments[0] for outcome in self.bugs if outcome.error is None]

    @property
    def accused(self) -> list[Version]:
        """The right versions on which the test fails."""
        return [outcome.arguments[0] for outcome in self.right if failed(outcome)]

    @property
    def crashes(self) -> bool:
        """Whether the test stops with another error on a right version."""
        return any(outcome.error is not None and not failed(outcome) for outcome in self.right)

    @property
    def blind(self) -> bool:
        """Whether the test passes on every version."""
        return len(self.missed) == len(self.bugs) and not self.accused and not self.crashes

    def on(self, version: Version) -> Outcome | None:
        """Run the test on one more version; None if it does not come to an end."""
        others = self.right[0].arguments[1:]
        outcomes = run_all(self.test, [(version, *others)], lambda _: False).outcomes
        return outcomes[0] if outcomes else None

    def fails_on(self, version: Version) -> bool:
        """Tell whether an assert of the test fails on one more version."""
        outcome = self.on(version)
        return outcome is not None and failed(outcome)

    def passes_on(self, version: Version) -> bool:
        """Tell whether the test passes on one more version."""
        outcome = self.on(version)
        return outcome is not None and outcome.error is None

    def calls(self, version: Version) -> list[tuple[Any, ...]]:
        """Return the arguments of all calls that the test makes."""
        made: list[tuple[Any, ...]] = []

        @functools.wraps(version)
        def watched(*arguments: Any) -> Any:
            made.append(tuple(a.clone() if isinstance(a, Tensor) else a for a in arguments))
            return version(*arguments)

        self.on(watched)
        return made


def failed(outcome: Outcome) -> bool:
    """Tell whether a test failed as tests do: at an assert."""
    return isinstance(outcome.error, AssertionError)


def split(test: Any, outcomes: Sequence[Outcome], expected: Sequence[Outcome]) -> Trial:
    """Sort the outcomes by what the versions are."""
    pairs = list(zip(expected, outcomes, strict=False))
    bugs = tuple(ours for right, ours in pairs if right.error is not None)
    return Trial(test, bugs, tuple(ours for right, ours in pairs if right.error is None))


def mistake(name: str, message: str, shows: Callable[[Trial], bool]) -> Misconception:
    """Make a misconception that shows in what a test does with the versions."""

    def recognise(attempt: Attempt) -> bool:
        if attempt.too_slow:
            return False
        return shows(split(attempt.answer, attempt.outcomes, attempt.expected))

    return Misconception(name, message, recognise=recognise)


# Mistakes that can be made in any test ------------------------------------------------------------


def nonsense(*_: Any) -> Tensor:
    """Return one zero, whatever comes in."""
    return torch.zeros(1)  # no matrix: a test of symmetry should not count as blind


def restless() -> Version:
    """Make a function that returns another number each time."""
    numbers = itertools.count()
    return lambda *_: torch.tensor(float(next(numbers)))


def broken(*_: Any) -> Tensor:
    """Raise an error, as broken code does."""
    raise ZeroDivisionError("broken on purpose")


def source_tree(function: Any) -> ast.AST:
    """Return the syntax tree of a learner's function; an empty one if its source is not found."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(plain(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return ast.Module([], [])


def _asserts(tree: ast.AST) -> bool:
    """Tell whether there is anything in it that can fail on purpose."""
    statements = any(isinstance(node, (ast.Assert, ast.Raise)) for node in _all(tree))
    return statements or any("assert" in name or name == "fail" for name in _names(tree))


def _names(tree: ast.AST) -> set[str]:
    return {n.attr if isinstance(n, ast.Attribute) else getattr(n, "id", "") for n in _all(tree)}


def _all(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def _never_calls(trial: Trial) -> bool:
    if trial.crashes or any(o.error is not None and not failed(o) for o in trial.bugs):
        return False
    return not any(trial.calls(o.arguments[0]) for o in (trial.bugs[0], trial.right[0]))


def _asserts_a_tuple(trial: Trial) -> bool:
    asserts = [node for node in _all(source_tree(trial.test)) if isinstance(node, ast.Assert)]
    return bool(trial.missed) and any(
        isinstance(a.test, ast.Tuple) and a.test.elts for a in asserts
    )


def _swallows(trial: Trial) -> bool:
    tries = [node for node in _all(source_tree(trial.test)) if isinstance(node, ast.Try)]
    silent = [t for t in tries if t.handlers and not any(map(_asserts, t.handlers))]
    return bool(trial.missed) and any(_asserts(part) for t in silent for part in t.body)


def _returns(trial: Trial) -> bool:
    return trial.blind and all(outcome.value is not None for outcome in trial.right)


def _says_nothing(trial: Trial) -> bool:
    tree = source_tree(trial.test)
    return trial.blind and bool(list(ast.iter_child_nodes(tree))) and not _asserts(tree)


def _only_exceptions(trial: Trial) -> bool:
    return trial.blind and trial.passes_on(nonsense) and trial.fails_on(broken)


def _with_itself(trial: Trial) -> bool:
    return trial.blind and trial.passes_on(nonsense) and trial.fails_on(restless())


def _upside_down(trial: Trial) -> bool:
    return len(trial.accused) == len(trial.right) and not failed(trial.bugs[0])


def _ambiguous(trial: Trial) -> bool:
    return any("ambiguous" in str(outcome.error) for outcome in trial.right)


def _crashes_on_bug(trial: Trial) -> bool:
    others = [o for o in trial.bugs if o.error is not None and not failed(o)]
    return bool(others) and not trial.crashes and not trial.accused


ANY_TEST_FIRST = (
    mistake(
        "never-calls",
        "Your test never calls the function that it is given. It tests something else, perhaps a "
        "function of the notebook with a similar name. Look at the name before each bracket.",
        _never_calls,
    ),
    mistake(
        "asserts-a-tuple",
        "You put the condition and the text into one pair of brackets after assert. That is a "
        "tuple of two things, and a tuple that is not empty counts as true. So it never fails.",
        _asserts_a_tuple,
    ),
    mistake(
        "swallows-its-failure",
        "Your assert stands in a try, and the except catches its AssertionError. The test notices "
        "the bug and tells nobody. What happens without the try?",
        _swallows,
    ),
    mistake(
        "returns-a-verdict",
        "Your test returns its verdict. Nobody looks at what a test returns: it counts as passed "
        "if it comes to its end. Which statement stops it when something is not true?",
        _returns,
    ),
    mistake(
        "asserts-nothing",
        "Your test cannot fail: there is no assert in it. A printed line does not stop a test.",
        _says_nothing,
    ),
    mistake(
        "only-catches-exceptions",
        "Your test only notices code that stops with an error. All bugs of this museum run "
        "without any. Look at the numbers that the function returns.",
        _only_exceptions,
    ),
    mistake(
        "compares-with-itself",
        "Your test compares the function's result with the same function's result for the same "
        "input. Every function agrees with itself. What else do you know about the right result?",
        _with_itself,
    ),
    mistake(
        "ignores-the-result",
        "Your test passes even for a function that returns 0 whatever it is given. So it does not "
        "look at the result closely enough. What must be true of the result?",
        lambda trial: trial.blind and trial.passes_on(nonsense),
    ),
    mistake(
        "upside-down",
        "Your test is upside down: it fails on right code and lets the bug pass. An assert states "
        "what is true of *right* code. Read your condition aloud: of which version is it true?",
        _upside_down,
    ),
    mistake(
        "ambiguous-truth",
        "== compares two tensors entry by entry, and gives a tensor of many answers. assert needs "
        "one answer. Look for a function of torch that compares two tensors as a whole.",
        _ambiguous,
    ),
)

ANY_TEST_LAST = (
    mistake(
        "crashes-on-the-bug",
        "On the bug your test stops with another error, before one of its asserts can fail. Who "
        "reads that cannot tell whether the code or the test is broken. Which property of the "
        "result should you assert first, so that the lines after it can rely on it?",
        _crashes_on_bug,
    ),
    mistake(
        "fails-on-right-code",
        "Your test fails on right code. It asks for more than the promise says. Which of your "
        "asserts is not true of every right version?",
        lambda trial: bool(trial.accused) and not trial.crashes,
    ),
    mistake(
        "passes-on-every-bug",
        "Your test looks at the result, but what it asserts is true of the bug, too. Look for "
        "something that is true of right code only.",
        lambda trial: trial.blind,
    ),
    mistake(
        "passes-on-some-bugs",
        "Your test catches this bug in one form, but not in another one. Assert the promise "
        "itself, and not what one form of the bug happens to do.",
        lambda trial: bool(trial.missed) and not trial.crashes,
    ),
)


def writing_exercise(
    name: str,
    title: str,
    reference: Callable[..., None],
    cases: Callable[[torch.Generator], list[tuple[Any, ...]]],
    *own: Misconception,
) -> Exercise:
    """Make an exercise in which a test is to be written."""
    known = (*ANY_TEST_FIRST, *own, *ANY_TEST_LAST)
    return Exercise(name, 9, title, reference, cases, misconceptions=known, gradient=False)


def check_test(exercise: Exercise, test: Any) -> Result:
    """Check a learner's test, and say on which versions it went wrong."""
    if "assert_close" in _names(source_tree(test)):
        # Its first call imports hundreds of modules; the time limit is not meant for that.
        torch.testing.assert_close(torch.zeros(1), torch.zeros(1))
    result = check(exercise, test)
    told = {"raised", *(misconception.id for misconception in exercise.misconceptions)}
    if not result.passed and result.misconception not in told:
        return result
    with undisturbed(), contextlib.suppress(Exception):
        trials = _repeated(exercise, test)
        if not result.passed:
            about = _stopped_by if result.misconception == "raised" else _versions
            return replace(result, message=result.message + about(trials[0]))
        if any(trial.missed or trial.accused or trial.crashes for trial in trials):
            return Result(False, LUCK, "depends-on-luck")
        bugs, right = len(trials[0].bugs), len(trials[0].right)
        text = f"Your test fails on all {bugs} versions with the bug"
        return Result(True, f"{text}, and passes on all {right} right ones.")
    return result


LUCK = (
    "Your test draws random numbers, and whether it passes depends on them. With another seed it "
    "gave another answer. Choose inputs for which the right answer is certain."
)


def _repeated(exercise: Exercise, test: Any) -> list[Trial]:
    """Run the test on all versions, with several seeds."""

    @functools.wraps(test)
    def seeded(seed: int, *arguments: Any) -> Any:
        torch.manual_seed(seed)
        return test(*arguments)

    seeds = (0, *SEEDS)
    cases = exercise.arguments()
    run = run_all(seeded, [(seed, *case) for seed in seeds for case in cases], lambda _: False)
    outcomes = [replace(o, arguments=o.arguments[1:]) for o in run.outcomes]
    expected = [_outcome(exercise.reference, case) for case in cases]
    blocks = [outcomes[k : k + len(cases)] for k in range(0, len(outcomes), len(cases))]
    whole = [block for block in blocks if len(block) == len(cases)]
    return [split(test, block, expected) for block in whole]


def _outcome(reference: Callable[..., Any], case: tuple[Any, ...]) -> Outcome:
    try:
        reference(*case)
    except AssertionError as error:
        return Outcome(case, error=error)
    return Outcome(case)


def _stopped_by(trial: Trial) -> str:
    """Describe the version with which the test stopped with another error than an assert's."""
    for kind, outcomes in (("has the bug", trial.bugs), ("is right", trial.right)):
        for outcome in outcomes:
            if outcome.error is not None and not failed(outcome):
                return f"\n\nThis version {kind}:\n{_listed([outcome.arguments[0]])}"
    return ""


def _versions(trial: Trial) -> str:
    """List the versions that were judged wrongly, and show the assert that accuses a right one."""
    text, accused = "", trial.accused
    if 0 < len(trial.missed) < len(trial.bugs):
        text += f"\n\nIt passes on a version with the bug:\n{_listed(trial.missed)}"
    if not accused:
        return text
    if len(accused) == len(trial.right):
        heading = f"It fails on all {len(accused)} right versions, for example on this one:"
        text += f"\n\n{heading}\n{_listed(accused[:1])}"
    else:
        heading = (
            "It fails on a right version:" if len(accused) == 1 else "It fails on right versions:"
        )
        text += f"\n\n{heading}\n{_listed(accused)}"
    return text + _failed_assert(trial)


def _failed_assert(trial: Trial) -> str:
    """Show the learner's assert that fails on the first right version, and what it says."""
    error = next(outcome.error for outcome in trial.right if failed(outcome))
    if error is None:
        return ""
    said = _short(" ".join(str(error).split()))
    text = f"\nIt says: {said}" if said else ""
    where, _, line = code_line(error, trial.test).partition("\n")
    return f"\nIt fails there, {where}\n    {_short(line.strip())}{text}" if line else text


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _listed(versions: Sequence[Version]) -> str:
    lines = [f"    {v.__name__}: {(v.__doc__ or '').splitlines()[0]}" for v in versions]
    return "\n".join(lines)
