"""The command ``nst-edu``: what it understands, and how it says what went wrong.

Nothing heavy is imported up here: ``nst-edu --help`` has to answer at once.
"""

from __future__ import annotations

import argparse
import io
import sys
import textwrap
import traceback
import warnings
from collections.abc import Sequence
from typing import NoReturn, TextIO

import nst_edu
from nst_edu import cli_options
from nst_edu.classroom.cli import add_classroom, run_classroom
from nst_edu.signals import StopSignals

DESCRIPTION = """\
Paint a photo in the manner of another picture (neural style transfer).
The first picture, from a photo and a style that come with the course:

  nst-edu stylize chelsea swirl -o picture.png

'nst-edu stylize --help' explains every option, with more examples.
"""

WRONG_INPUT = 2  # exit code; argparse uses it too


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the way to the explanations."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end the program."""
        self.exit(WRONG_INPUT, f"nst-edu: error: {message}. See: {self.prog} --help\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser for everything that ``nst-edu`` understands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog="nst-edu", description=DESCRIPTION, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"nst-edu {nst_edu.__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    stylize = commands.add_parser(
        "stylize",
        help="paint a photo in the manner of a style",
        usage="nst-edu stylize CONTENT STYLE [STYLE ...] -o OUT [options]",
        description=cli_options.DESCRIPTION,
        epilog=cli_options.EXAMPLES,
        formatter_class=raw,
    )
    cli_options.add_stylize_options(stylize)
    text = "name the bundled pictures, and the backbones with their layers"
    commands.add_parser("list", help=text, description=text.capitalize() + ".")
    text = "show what is installed and whether it works, to paste when you ask for help"
    commands.add_parser("doctor", help=text, description=text.capitalize() + ".")
    add_classroom(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    arguments
        What stands behind ``nst-edu``; None: what this process was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every sign
    parser = make_parser()
    args = parser.parse_args(arguments)
    if args.command is None:  # nst-edu alone: a question
        parser.print_help()
        return WRONG_INPUT
    try:
        # Without arguments of its own this is the whole program: nothing comes after it.
        return _run(args, StopSignals(restore=arguments is not None))
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if not is_users(error):
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        print(f"nst-edu: error: {said}", file=sys.stderr)
        return WRONG_INPUT


def _run(args: argparse.Namespace, signals: StopSignals) -> int:
    """Run one command; each imports what it needs."""
    with signals as stop, warnings.catch_warnings():
        warnings.showwarning = show_warning
        try:
            if args.command == "list":
                return list_names()
            if args.command == "doctor":
                from nst_edu.doctor import doctor

                return doctor()
            if args.command == "classroom":
                return run_classroom(args, stop)
            from nst_edu.stylize import stylize

            return stylize(args, stop)
        except KeyboardInterrupt:
            print("stopped: nothing was painted yet, and nothing was written", file=sys.stderr)
            return stop.exit_code


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line; Python would add the place in the program."""
    print(f"nst-edu: warning: {' '.join(str(message).split())}", file=sys.stderr)


def is_users(error: BaseException) -> bool:
    """Tell whether an error is for the user to mend, and not a mistake in the program.

    A ValueError or TypeError counts if this package raised it itself, a missing file, a full disk
    or too little memory in any case. Everything else deserves its traceback.
    """
    if isinstance(error, (OSError, MemoryError)):
        return True
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("nst_edu.")


def list_names() -> int:
    """Print the names that ``nst-edu stylize`` understands."""
    import torch

    from nst_edu.features import BACKBONES, SQUEEZENET_LAYERS, VGG_CONVOLUTIONS, vgg_stages
    from nst_edu.images import KINDS, picture_names

    found = {kind: picture_names(kind) for kind in KINDS}
    backbones: dict[tuple[str, ...], list[str]] = {}
    with torch.device("meta"):  # names alone: no memory is taken for the weights
        for name in BACKBONES:
            layout = "vgg19" if name == "random" else name
            vgg = layout in VGG_CONVOLUTIONS
            layers = tuple(vgg_stages(layout)) if vgg else SQUEEZENET_LAYERS
            backbones.setdefault(layers, []).append(name)
    for layers, same in backbones.items():
        found[f"layers of the backbone {' and '.join(same)}"] = layers
    for title, names in found.items():
        print(f"{title}:")
        print(textwrap.fill(" ".join(names), 80, initial_indent="  ", subsequent_indent="  "))
    return 0
