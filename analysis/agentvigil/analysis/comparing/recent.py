"""Counts hours that nobody has counted yet, so that a comparison right after a test run has its runs.

The job counts an hour when it is over. Counting one that goes on does no harm: its runs change again, so that what was
counted is void as soon as there is more, by the same rule as everywhere (:mod:`agentvigil.analysis.rollups`).
"""

from typing import Final

from agentvigil.analysis.features.cells import SECONDS_PER_HOUR
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.rollups import Hours
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.analysis.comparing", "recent.sql")
MOST_HOURS: Final = 3
"""Of one retention class each: the job counts what waits for longer, and an hour may take a second."""


def count_recent(store: Store, project: str, first_hour: int, end_hour: int) -> int:
    """Count the newest hours of ``project`` from ``first_hour`` to before ``end_hour`` whose runs changed since they
    were counted, and return how many such hours are left.

    Raises:
        StorageError: if the store does not answer.
    """
    said = {
        "project": project,
        "first_hour_s": first_hour * SECONDS_PER_HOUR,
        "end_hour_s": end_hour * SECONDS_PER_HOUR,
    }
    waiting = store.records(_STATEMENTS["not_counted"], said)
    for record in waiting[:MOST_HOURS]:
        FEATURE_HOURS.sum(store, Hours(project, record["keep_days"], {record["hour_s"]: record["changes"]}))
    return max(0, len(waiting) - MOST_HOURS)
