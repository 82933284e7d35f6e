"""What can go wrong in detection that a caller would treat differently."""


class DetectionError(Exception):
    """Root of what detection raises."""


class HourOutOfOrder(DetectionError):
    """An hour before the last one was given: it was seen already, or its evidence can no longer be put in its place."""

    def __init__(self, hour: int, last_hour: int) -> None:
        super().__init__(
            f"hour {hour} comes before hour {last_hour}, the last one that was added; give hours in their order, or "
            "start from a state before it"
        )
        self.hour, self.last_hour = hour, last_hour


class ForeignState(DetectionError):
    """Bytes that are no state of this detector, or of another version of it."""
