"""What can go wrong with findings beside the store."""


class FindingsError(Exception):
    """Root of these errors; the message says what happened and what to do."""


class FindingUnknown(FindingsError):
    """The project has no such finding."""

    def __init__(self, project: str, finding_id: str) -> None:
        super().__init__(f"project {project} has no finding {finding_id[:100]!r}")
        self.project, self.finding_id = project, finding_id


class NotInState(FindingsError):
    """What should be done with a finding is not done with one in its state."""
