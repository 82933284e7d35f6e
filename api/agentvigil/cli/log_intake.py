"""Hands log records that the API makes to the receiver, as if a client had sent them."""

from agentvigil.api.problems import ApiError, Invalid, Unavailable
from agentvigil.receiver.errors import ReceiverError
from agentvigil.receiver.ingest import Ingest


class ReceiverIntake:
    """The road of ``ingest``, which is that of logs."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def take(self, request: bytes, project: str) -> None:
        """Return when the records in ``request`` are stored.

        Raises:
            Unavailable: if the receiver can not take them now.
            Invalid: if it never will.
        """
        try:
            with self._ingest.slot():
                await self._ingest.export(request, project)
        except ReceiverError as exc:
            raise _meaning(exc) from exc


def _meaning(error: ReceiverError) -> ApiError:
    if error.status.retry_after_s is None:
        return Invalid(str(error))
    return Unavailable(str(error), "send it again", headers={"Retry-After": str(error.status.retry_after_s)})
