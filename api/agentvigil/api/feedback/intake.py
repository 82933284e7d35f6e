"""The one thing the API knows of intake: log records can be handed to it, and they are stored when it returns."""

from typing import Protocol


class LogIntake(Protocol):
    """The road that telemetry takes, for log records of ours: screened, stored once, acknowledged."""

    async def take(self, request: bytes, project: str) -> None:
        """Return when the log records in ``request``, a serialised ExportLogsServiceRequest, are stored in ``project``.

        Raises:
            ApiError: if they were not.
        """
        ...
