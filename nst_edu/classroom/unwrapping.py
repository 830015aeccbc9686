"""Open the archives that one student sent, each once, and not beyond what one student may take."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nst_edu.classroom.archives import LARGEST_INNER, Arrival, in_zip, open_zip, wanted
from nst_edu.classroom.reading import LARGEST, Problem, UnreadableError

MOST_BYTES = LARGEST_INNER + LARGEST  # the largest archive, and the largest notebook in it
MOST_ARCHIVES = 5
MOST_ENTRIES = 20_000
MOST_TOLD = 5  # faults of one archive
ENTRY = b"PK\x01\x02"  # begins each line of an archive's list


@dataclass
class Budget:
    """How many bytes of one student are still read."""

    left: int = field(default_factory=lambda: MOST_BYTES)

    def read(self, arrival: Arrival) -> bytes:
        """Return the content of a file.

        Raises
        ------
        UnreadableError
            If it cannot be read, or would be too much.
        """
        if arrival.size > self.left:
            text = f"With it, more than {MOST_BYTES / 1e6:g} MB of one student would be unpacked."
            raise UnreadableError("too-much", text)
        self.left -= arrival.size
        return arrival.read()


def unwrapped(
    arrivals: Sequence[Arrival], budget: Budget, problems: list[Problem]
) -> list[Arrival]:
    """Return the notebooks of one student, with those in archives."""
    found = [one for one in arrivals if wanted(one.origin) == ".ipynb"]
    parcels = [one for one in arrivals if wanted(one.origin) == ".zip"]
    if len(parcels) > MOST_ARCHIVES:
        text = f"{parcels[MOST_ARCHIVES].origin}: only {MOST_ARCHIVES} archives of one student"
        problems.append(Problem("too-many", f"{text} are opened; this one and others were not."))
    for parcel in parcels[:MOST_ARCHIVES]:
        faults: list[Problem] = []
        found += _inside(parcel, budget, faults)
        problems += faults[:MOST_TOLD]
        if len(faults) > MOST_TOLD:
            text = f"{parcel.origin}: {len(faults) - MOST_TOLD:,} more were refused."
            problems.append(Problem(faults[0].kind, text))
    return found


def _inside(parcel: Arrival, budget: Budget, problems: list[Problem]) -> list[Arrival]:
    """Return the notebooks in an archive; its folders and dates are the student's own words."""
    try:
        if parcel.size > LARGEST_INNER:
            text = f"It is larger than {LARGEST_INNER / 1e6:g} MB: it was not opened."
            raise UnreadableError("too-large", text)
        data = budget.read(parcel)
        if data.count(ENTRY) > MOST_ENTRIES:  # asked before millions of lines are read
            text = f"It has more than {MOST_ENTRIES:,} entries: it was not opened."
            raise UnreadableError("zip-bomb", text)
        archive = open_zip(io.BytesIO(data))
    except UnreadableError as error:
        problems.append(Problem(error.problem.kind, f"{parcel.origin}: {error}"))
        return []
    return [
        replace(one, modified=parcel.modified, claimed=min(one.modified, parcel.modified))
        for one in in_zip(archive, parcel.origin, problems, inner=True)
    ]
