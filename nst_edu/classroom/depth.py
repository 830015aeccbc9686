"""How many folders at the top of an export are the platform's, and nobody's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nst_edu.classroom.senders import login_of, readings_of

NBGRADER = "submitted"


def common_depth(
    paths: Sequence[Sequence[str]], assignment: str, known: Callable[[str], bool]
) -> int:
    """Return how many folders all have in common that are above the students' own.

    Parameters
    ----------
    paths
        The folders and the name of each file.
    assignment
        Its name.
    known
        Tells whether a folder is that of somebody in the class list.

    Examples
    --------
    >>> both = [("Export", "ada", "gram.ipynb"), ("Export", "bob", "gram.ipynb")]
    >>> common_depth(both, "gram", lambda folder: False)
    1
    >>> common_depth(both, "gram", lambda folder: folder == "Export")
    0
    """
    depth = 0
    while paths and all(len(path) > depth + 1 for path in paths):
        top = paths[0][depth]
        if any(path[depth] != top for path in paths):
            break
        if not _is_above(top, [path[depth + 1 :] for path in paths], assignment) or known(top):
            break
        depth += 1
    return depth


def _is_above(folder: str, inside: Sequence[Sequence[str]], assignment: str) -> bool:
    """Tell whether a folder is above those of the students."""
    if readings_of(folder, is_file=False) or login_of(folder, assignment):
        return False
    name = folder.casefold()
    if name in (assignment.casefold(), NBGRADER) or name.endswith("-submissions"):
        return True
    names = {path[0] for path in inside}
    deep = all(len(path) > 1 or path[0].lower().endswith(".zip") for path in inside)
    labelled = all(readings_of(path[0], is_file=len(path) == 1) for path in inside)
    return len(names) > 1 and (deep or labelled)
