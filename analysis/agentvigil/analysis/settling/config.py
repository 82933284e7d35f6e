"""How settling is tuned."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettlingConfig:
    """Times in seconds.

    A trace is settled when nothing came in for it for ``quiet_s``, and in between while it goes on for long. What is
    missing of it is waited for ``give_up_s``. ``batch_spans`` bounds the memory that one batch takes. ``pause_s`` is
    the shortest pause between two looks at what came in.
    """

    quiet_s: float = 5.0
    give_up_s: float = 600.0
    batch_spans: int = 100_000
    pause_s: float = 2.0
