"""What people do with findings: each act by whoever asks, and what the API says where it can not be."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.errors import FindingUnknown, NotInState
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Resolution, State
from agentvigil.api.access import Asker
from agentvigil.api.findings.models import IncidentDetail, ToldFinding
from agentvigil.api.findings.reading import NO_KEY, FindingsReading
from agentvigil.api.problems import Conflict, NotFound

_HINT: Final = "GET /v1/findings lists findings"
_MUTES_HINT: Final = "GET /v1/findings/mutes lists mutes"


class FindingActs:
    """What is done with the findings of ``book``, and told as ``reading`` tells it."""

    def __init__(self, book: FindingsBook, reading: FindingsReading) -> None:
        self._book, self._reading = book, reading

    def acknowledge(self, asker: Asker, finding_id: str) -> ToldFinding:
        """Say that somebody looks after it.

        Raises:
            NotFound: if there is none; so do the other acts.
            Conflict: if it is resolved.
        """
        return self._done(asker, lambda key: self._book.acknowledge(asker.project, finding_id, key, datetime.now(UTC)))

    def resolve(self, asker: Asker, finding_id: str, resolution: Resolution) -> ToldFinding:
        """Say what it was, and that it is over."""
        return self._done(
            asker, lambda key: self._book.resolve(asker.project, finding_id, resolution, key, datetime.now(UTC))
        )

    def acknowledge_incident(self, asker: Asker, incident_id: str) -> IncidentDetail:
        """Say that somebody looks after all of its findings that are not resolved.

        Raises:
            NotFound: if there is no such incident; so does the next act.
        """
        return self._each(asker, incident_id, lambda finding_id: self.acknowledge(asker, finding_id))

    def resolve_incident(self, asker: Asker, incident_id: str, resolution: Resolution) -> IncidentDetail:
        """Say what all of its findings were that are not resolved, and that they are over."""
        return self._each(asker, incident_id, lambda finding_id: self.resolve(asker, finding_id, resolution))

    def reopen(self, asker: Asker, finding_id: str) -> ToldFinding:
        """Say that it was resolved too early.

        Raises:
            Conflict: if the same was found again meanwhile.
        """
        return self._done(asker, lambda key: self._book.reopen(asker.project, finding_id, key, datetime.now(UTC)))

    def mute(self, asker: Asker, finding_id: str, until: datetime | None) -> ToldFinding:
        """Let nobody hear of the same up to ``until``, None for ever."""
        return self._done(asker, lambda key: self._book.mute(asker.project, finding_id, until, key, datetime.now(UTC)))

    def unmute(self, asker: Asker, finding_id: str) -> ToldFinding:
        """Let it be heard of again."""
        return self._done(asker, lambda key: self._book.unmute(asker.project, finding_id, key, datetime.now(UTC)))

    def remove_mute(self, asker: Asker, stable_key: str) -> None:
        """Take a mute back, whether or not its finding is still there.

        Raises:
            NotFound: if there is none.
        """
        if not self._book.remove_mute(asker.project, stable_key):
            raise NotFound(f"project {asker.project} has no mute of {stable_key[:64]!r}", _MUTES_HINT)

    def _each(self, asker: Asker, incident_id: str, act: Callable[[str], ToldFinding]) -> IncidentDetail:
        for finding in self._reading.incident(asker.project, incident_id).items:
            if finding.state is not State.RESOLVED:
                # What somebody else resolved in between, or what went with its retention, needs nothing any more.
                with suppress(NotFound, Conflict):
                    act(finding.id)
        return self._reading.incident(asker.project, incident_id)

    def _done(self, asker: Asker, act: Callable[[str], Finding]) -> ToldFinding:
        try:
            finding = act(asker.caller.key_id or NO_KEY)
        except FindingUnknown as exc:
            raise NotFound(str(exc), _HINT) from exc
        except NotInState as exc:
            raise Conflict(str(exc)) from exc
        return ToldFinding.of(finding, self._reading.mutes_of(asker.project, [finding]).get(finding.stable_key))
