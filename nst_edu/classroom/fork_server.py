"""The process inside a sandbox of its own that has imported torch, and is copied for each run.

``python -m nst_edu.classroom.fork_server FILE MODULE …``: FILE is the descriptor of a socket to the
teacher's process. This process never executes a student's code. For each run it lets bubblewrap
build new walls, exactly those of a run without it, with only a gatekeeper inside; then it copies
itself, and the copy enters the gatekeeper's namespaces, gives up its rights and only then becomes
the student's process. So a run sees as little of another as if it had imported torch itself.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import socket
import sys
import traceback
import types
from importlib import import_module
from typing import Any, NoReturn

from nst_edu.classroom import gate, privileges, walls
from nst_edu.classroom.limits import Limits

LONGEST = 100_000  # bytes of a message
Message = dict[str, Any]


def main(file: int, modules: list[str]) -> None:
    """Import `modules`, and serve requests until the teacher's process hangs up."""
    control = socket.socket(fileno=file)
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that a copy's collector does not touch, and copy, what was there before
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    send(control, {"threads": threads})
    while True:
        data, files, _, _ = socket.recv_fds(control, LONGEST, 1)
        if not data:
            return
        try:
            serve(control, json.loads(data), files[0])
        except (gate.NotStartedError, OSError) as error:
            send(control, {"error": str(error)})
        finally:
            os.close(files[0])


def send(control: socket.socket, message: Message) -> None:
    """Send a message to the teacher's process."""
    control.send(json.dumps(message).encode())


def serve(control: socket.socket, request: Message, output: int) -> None:
    """Have the walls built, and put a copy of this process behind them."""
    limits = Limits(**request["limits"])
    shown = tuple((place, place) for place in request["shown"])
    with gate.filter_file() as filter_file:
        command = walls.command(request["given"], limits, filter_file, shown=shown)
        with gate.start([*command, "true"], os.environ, [filter_file], output) as process:
            first, keeper = gate.inside_of(process.pid)
            usher = os.fork()
            if usher == 0:
                _usher(control, request, (first, keeper), output)
            os.waitpid(usher, 0)


def _usher(
    control: socket.socket, request: Message, inside: tuple[int, int], output: int
) -> NoReturn:
    """Enter the walls, start the student's process there, and report how it ended."""
    code = 1
    try:
        privileges.die_with_parent()
        first, keeper = inside
        send(control, {"first": first, "keeper": keeper, "usher": os.getpid()})
        if control.recv(LONGEST):
            privileges.first_to_go()  # behind the walls, nobody can say so
            privileges.join(keeper)
            student = os.fork()
            if student == 0:
                control.detach()
                _student(request, output)
            code = os.waitstatus_to_exitcode(os.waitpid(student, 0)[1])
    except BaseException as error:
        os.write(output, f"{error}\n".encode())
    finally:
        send(control, {"code": code if code >= 0 else 128 - code})
        os._exit(0)


def _student(request: Message, output: int) -> NoReturn:
    """Lose everything that is the teacher's, and become the student's program."""
    code = 1
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir("/sandbox")
        privileges.give_up(Limits(**request["limits"]), request["user"])
        code = execute(request["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def execute(arguments: list[str]) -> int:
    """Do what ``python *arguments`` does, for ``-m MODULE …`` and ``-c CODE …``."""
    option, program, *rest = arguments
    try:
        if option == "-m":
            sys.argv = [program, *rest]
            sys.modules.pop(program, None)  # or runpy warns that it was imported before
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        elif option == "-c":
            sys.argv = ["-c", *rest]
            sys.modules["__main__"] = module = types.ModuleType("__main__")
            exec(compile(program, "<string>", "exec"), module.__dict__)
        else:
            raise ValueError(f"arguments must begin with -m or -c, not with {option!r}")
    except SystemExit as error:
        if isinstance(error.code, int | None):
            return (error.code or 0) & 255
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
