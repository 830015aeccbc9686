"""What can be seen inside the sandbox.

There are the system's programs (``/usr``), Python (``/python``), its packages (``/packages``), this
package (``/course``), and ``/sandbox/in``, all read-only; ``/sandbox/out``, ``/tmp`` and
``/dev/shm`` are in memory, of limited size. Nothing of the teacher's has the path that it has
outside, so the path of an editable install leads nowhere.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SYSTEM = Path("/usr")
PICTURES = ("photos", "styles", "alt.json")
OUT, TEMPORARY, SHARED = "/sandbox/out", "/tmp", "/dev/shm"

Places = tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def places() -> Places:
    """Return what is shown inside: pairs of a path outside and its path inside."""
    base = Path(sys.base_prefix).resolve()
    found = [] if base.is_relative_to(SYSTEM) else [(base, "/python")]
    folders = [Path(entry).resolve() for entry in sys.path]
    for folder in dict.fromkeys(folders):
        known = folder.is_relative_to(base) or folder.is_relative_to(SYSTEM)
        if folder.name in ("site-packages", "dist-packages") and folder.is_dir() and not known:
            found.append((folder, f"/packages/{len(found)}"))
    found.append((PACKAGE, "/course/nst_edu"))
    if not (PACKAGE / "pictures").is_dir():  # a clone: they lie beside the package
        images = PACKAGE.parent / "images"
        found += [(images / name, f"/course/images/{name}") for name in PICTURES]
    return tuple((str(source), target) for source, target in found if source.exists())


def python() -> str:
    """Return the path that this Python has inside."""
    base = Path(sys.base_prefix).resolve()
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if base.is_relative_to(SYSTEM) or not executable.is_relative_to(base):
        return str(executable)
    return str("/python" / executable.relative_to(base))


def environment() -> dict[str, str]:
    """Return all environment variables inside; none comes from the teacher but the fast mode."""
    packages = [target for _, target in places() if target.startswith("/packages")]
    threads = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    variables = {
        **{f"{library}_NUM_THREADS": "1" for library in threads},
        "CUDA_VISIBLE_DEVICES": "",
        "HOME": TEMPORARY,
        "IPYTHONDIR": f"{TEMPORARY}/ipython",
        "LANG": "C.UTF-8",
        "LOGNAME": "student",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": f"{TEMPORARY}/matplotlib",
        "NST_EDU_DEVICE": "cpu",
        "NST_EDU_FAST": os.environ.get("NST_EDU_FAST", "0"),
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": ":".join(["/course", *packages]),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "USER": "student",
    }
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and python().startswith("/python"):
        variables["LD_LIBRARY_PATH"] = "/python/lib"
    return variables
