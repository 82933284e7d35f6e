"""A look: which hours are judged, by which hours before them, and how sure a failure mode must be to speak.

**How often it is wrong.** Looks are taken once a day, and each goes over days that the last one has seen, so their
errors are not independent of each other. They need not be: a look is wrong with a chance of at most 1 in :data:`LOOKS`
for each failure mode, and chances of any events add up. So a mode of an agent that nothing happens to is wrong at most
once in 1,500 days, and the five that chance can make speak at most once in 300, as often as the one detector of drift
may be (7,200 hours). The other two speak of what came to stay, a tool or a model, and only then. In truth it is a third
of that, since most of what is looked at was there the day before (docs/failure-modes.md has it measured).
A mode that tries several things in one look divides its chance among them. This holds as far as days are as different
from each other as they were in the days looked at; that a change must also be large enough to matter makes errors
rarer still.

**What is compared.** The last 3, 7, 14, 21 and 28 days of the window, each with all days before them: the baseline, and
the days of the window that came before, unless somebody chose the baseline. Three days show soon what is large, and
weeks, in which a weekend is no change, what is small or happens to few runs. The chance of an error in a look is
divided among them by their lengths: in a month there are many more ends of three days that differ from each other than
of 28, so each length is wrong about as often, and most of the chance goes to where evidence has gathered.

Who looks more often than once a day gets errors as much more often, at most.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells, Subject, time_of

HOURS_PER_DAY: Final = 24
WINDOW_DAYS: Final = 28
BASELINE_DAYS: Final = 28
LEAST_BASELINE_DAYS: Final = 14
"""From its first run to its end; a shorter baseline has not seen each day of the week twice, and is none."""

LOOKS: Final = 1_500
"""In so many looks at an agent that nothing happens to, a mode is wrong once at most."""
EVIDENCE_LEVEL_HOURS: Final = float(LOOKS * HOURS_PER_DAY)
_SPANS_DAYS: Final = (3, 7, 14, 21, 28)


class Period(NamedTuple):
    """Hours since 1970 (UTC): from the first to before the end."""

    first_hour: int
    end_hour: int

    @property
    def days(self) -> int:
        """Days that it touches, counted back from its end."""
        return -(-(self.end_hour - self.first_hour) // HOURS_PER_DAY)

    @property
    def start_time(self) -> datetime:
        return time_of(self.first_hour)

    @property
    def end_time(self) -> datetime:
        return time_of(self.end_hour)

    def last(self, days: int) -> "Period":
        """Return its last ``days`` days."""
        return Period(max(self.first_hour, self.end_hour - days * HOURS_PER_DAY), self.end_hour)

    def day_of(self, hours: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the place of the day of each hour, 0 for the first day. Days end where the period ends."""
        return self.days - 1 - (self.end_hour - 1 - hours.astype(np.int64)) // HOURS_PER_DAY

    def start_of(self, day: int) -> int:
        """Return the first hour of a day."""
        return max(self.first_hour, self.end_hour - (self.days - day) * HOURS_PER_DAY)


@dataclass(frozen=True, slots=True)
class Look:
    """What is judged: the runs of ``subject`` in ``window``, by those in ``baseline``, which ends before or with it."""

    subject: Subject
    baseline: Period
    """Of no hours where there is none."""
    window: Period
    is_pinned: bool = False
    """Whether somebody chose the baseline, so that it does not follow the present."""
    known_models: frozenset[str] = frozenset()
    """Response models that were seen before the window, outside of the baseline."""

    def spans_days(self) -> tuple[int, ...]:
        """Return the lengths of the ends of the window that are compared, in days."""
        days = self.window.days
        return tuple(sorted({min(days, span) for span in _SPANS_DAYS}))

    def before_last(self, days: int) -> Period:
        """Return what the last ``days`` days are compared with."""
        if self.is_pinned:
            return self.baseline
        return Period(self.baseline.first_hour, self.window.last(days).first_hour)


def chance_of(days: int, spans_days: Collection[int], chance: float) -> float:
    """Return the part of a chance of an error that the last ``days`` days have, of ends of several lengths."""
    return chance * days / sum(spans_days)


def look_back(
    history: Cells,
    subject: Subject,
    end_hour: int,
    pinned: Period | None = None,
    known_models: Collection[str] = (),
) -> tuple[Look, Cells, Cells]:
    """Return a look at the days before ``end_hour``, the cells of its baseline, and those of its window.

    The window is the last 28 days. The baseline is what is ``pinned``, else the 28 days before the window; for an agent
    that is younger than 42 days the window is shorter, so that 14 days remain for the baseline.
    """
    history = history.between(-(2**31), end_hour)
    first_hour = int(history.hour[0]) if len(history) else end_hour
    known_days = Period(first_hour, end_hour).days
    if pinned is None:
        window_days = min(WINDOW_DAYS, max(1, known_days - LEAST_BASELINE_DAYS))
        window = Period(end_hour - window_days * HOURS_PER_DAY, end_hour)
        baseline = Period(
            min(window.first_hour, max(first_hour, window.first_hour - BASELINE_DAYS * HOURS_PER_DAY)),
            window.first_hour,
        )
    else:
        since = max(pinned.end_hour, end_hour - WINDOW_DAYS * HOURS_PER_DAY)
        window = Period(min(since, end_hour), end_hour)
        baseline = pinned
    older = history.between(-(2**31), window.first_hour).of("response_model")
    seen = frozenset(history.words[int(key)] for key in np.unique(older.key) if key)
    look = Look(subject, baseline, window, pinned is not None, seen | frozenset(known_models))
    return look, history.between(*baseline), history.between(*window)
