"""``nst-edu doctor``: what a teacher asks a student to paste.

Each check survives its own failure, and nobody's home folder is shown.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst_edu import doctor_checks as find

LIBRARIES = ("numpy", "pillow", "matplotlib", "jupyterlab", "ipywidgets")
DOWNLOADED = ("vgg16", "vgg19", "squeezenet1_1")

TORCH = "python -m pip install --force-reinstall torch torchvision"
AGAIN = "install nst-edu again, as its README says"


@dataclass(frozen=True)
class Check:
    """One line of the report: how to find its text, and what to do if that raises an error."""

    label: str
    find: Callable[[], str]
    remedy: str


def checks() -> Iterator[Check]:
    """List the checks, in the order in which they are printed."""
    yield Check("python", find.python, AGAIN)
    yield Check("nst-edu", find.package, AGAIN)
    yield Check("torch", find.torch_build, f"install torch again: {TORCH}")
    fit = f"it has to fit torch; install both together, from the same place: {TORCH}"
    yield Check("torchvision", find.torchvision_build, fit)
    for name in LIBRARIES:
        yield Check(name, partial(find.library, name), f"python -m pip install {name}")
    yield Check("devices", find.devices, "if NST_EDU_DEVICE is set, unset it or set it to cpu")
    yield Check("cpu", find.cpu, AGAIN)
    yield Check("memory", find.memory, AGAIN)
    yield Check("compact", find.compact, AGAIN)
    for name in DOWNLOADED:
        yield Check(name, partial(find.download, name), AGAIN)
    yield Check("environment", find.variables, "unset these variables, or correct them")
    yield Check("backbone", find.backbone, "unset NST_EDU_BACKBONE, or set it to one of the names")
    yield Check("self-test", find.self_test, "mend the rest first; if it stays, ask your teacher")


def doctor() -> int:
    """Print the report; return 0 if everything works, else 1."""
    broken: list[str] = []
    print("nst-edu doctor: paste everything below when you ask for help\n")
    for check in checks():
        text, notes, works = examine(check)
        print(hide_home(f"{check.label:<14} {text}"), flush=True)
        for note in notes:
            print(hide_home(f"{'':<14} warning: {note}"))
        if not works:
            broken.append(f"mend {check.label}: {check.remedy}")
    print()
    print("\n".join(broken) if broken else "everything works")
    return 1 if broken else 0


def examine(check: Check) -> tuple[str, list[str], bool]:
    """Return what a check finds, the warnings on the way, and whether it came through."""
    with warnings.catch_warnings(record=True) as caught:  # printed by Python they show paths
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)  # for developers
        try:
            text, works = check.find(), True
        except Exception as error:
            text, works = f"BROKEN: {type(error).__name__}: {error}", False
    return one_line(text), sorted({one_line(str(w.message)) for w in caught}), works


def one_line(text: str, longest: int = 300) -> str:
    """Put a message on one line, and cut off what is too long to paste."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[:longest] + " ..."


def hide_home(text: str) -> str:
    """Replace the home folder by ~: its name is often the student's own.

    Examples
    --------
    >>> hide_home(f"found {Path.home()}, and {Path.home()}-2")[:9]
    'found ~, '
    """
    home = Path.home()
    for name in {str(home), home.as_posix(), str(home.resolve())}:
        if len(name) > len(home.anchor):  # a home of "/" names nobody
            text = re.sub(re.escape(name) + r"(?![\w-])", "~", text, flags=re.IGNORECASE)
    return text
