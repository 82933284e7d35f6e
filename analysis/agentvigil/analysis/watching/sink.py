"""Where detectors put what they see."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Observation


def recording(book: FindingsBook) -> Callable[[Sequence[Observation]], None]:
    """Return what takes observations into ``book`` as they come."""

    def record(observations: Sequence[Observation]) -> None:
        book.record(observations, datetime.now(UTC))

    return record
