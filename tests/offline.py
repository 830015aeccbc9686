"""Keep the process that executes this file off the network: only this machine can be reached.

The lessons' kernels execute it as IPython's settings file (see conftest.py at the top), before any
cell. An audit hook cannot be removed again, so no cell can undo it.
"""

import ipaddress
import sys


def refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    """Raise OSError where a socket or a name look-up would leave this machine."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(f"lessons have no network in tests: {address[0]}")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and not is_here(arguments[0]):
        raise OSError(f"lessons have no network in tests: {arguments[0]!r}")


def is_here(host: object) -> bool:
    """Tell whether `host` is this machine."""
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback  # type: ignore[arg-type]
    except ValueError:
        return False


sys.addaudithook(refuse_other_machines)
