"""Compares clocks: spans are filed, cut off and deleted by the time their sender wrote into them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agentvigil.cli.doctor.findings import Finding, note, ok, trouble

SAMPLES: Final = 5
NOTE_FROM_S: Final = 1.0
TROUBLE_FROM_S: Final = 5.0

_ADVICE: Final = (
    "let both machines take their time from NTP, e.g. `timedatectl set-ntp true`, and look at `timedatectl`"
)


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the other clock is ahead of ours, in seconds, give or take ``uncertainty_s``."""

    offset_s: float
    uncertainty_s: float

    @property
    def certain_s(self) -> float:
        """The least that the two differ by, whichever way."""
        return max(0.0, abs(self.offset_s) - self.uncertainty_s)


def clock_offset(ask: Callable[[], float], now: Callable[[], float], samples: int = SAMPLES) -> ClockOffset:
    """Return by how much the clock that ``ask`` reads differs from ``now``; both give seconds since 1970.

    The other clock is taken to be read half way through the question, as NTP does, and of all samples the one with the
    shortest way counts: https://www.rfc-editor.org/rfc/rfc5905#section-8
    """
    best: ClockOffset | None = None
    for _ in range(samples):
        asked = now()
        there = ask()
        half_s = max(now() - asked, 0.0) / 2
        if best is None or half_s < best.uncertainty_s:
            best = ClockOffset(there - asked - half_s, half_s)
    if best is None:
        raise ValueError("a clock is compared by at least one sample")
    return best


def judge_clock(check: str, whose: str, found: ClockOffset) -> Finding:
    """Return what ``found`` means; only what is certain counts."""
    way = "ahead of" if found.offset_s >= 0 else "behind"
    text = f"{whose} is {abs(found.offset_s):.3f} s {way} this machine's clock, ±{found.uncertainty_s:.3f} s"
    if found.certain_s >= TROUBLE_FROM_S:
        return trouble(check, text, f"spans of other machines will not fit together in time; {_ADVICE}")
    if found.certain_s >= NOTE_FROM_S:
        return note(check, text, _ADVICE)
    return ok(check, text)
