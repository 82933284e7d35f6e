"""Which hours are looked at, where looking at all steps would take too long.

Rows of runs and steps lie by their minute, so an hour costs what is in it, and runs picked one by one cost as much as
all. Hours are picked by a hash of their number: any day and hour of the day is as likely, and the same question gives
the same answer.
"""

import zlib
from collections.abc import Mapping


def sampled_hours(runs_by_hour: Mapping[int, int], most_runs: int, most_hours: int) -> list[int]:
    """Return hours with ``most_runs`` runs in them, or a little more, and no more than ``most_hours``; all if they fit.

    Hours are any numbers that tell them apart, each with how many runs began in it.
    """
    picked: list[int] = []
    runs = 0
    for hour in sorted(runs_by_hour, key=lambda hour: (zlib.crc32(str(hour).encode()), hour)):
        if runs >= most_runs or len(picked) == most_hours:
            break
        picked.append(hour)
        runs += runs_by_hour[hour]
    return sorted(picked)
