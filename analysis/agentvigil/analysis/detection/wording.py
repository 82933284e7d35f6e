"""How shifts are said in a sentence."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from agentvigil.analysis.detection.streams import Stream, StreamKind
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import cost, duration
from agentvigil.analysis.features.cells import time_of
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, FEATURES, ZERO_BIN, Unit

_SHARES: Final[Mapping[str, str]] = {
    "status": "{share} of runs end in {key}",
    "failure": "{share} of runs fail by {key}",
    "tool": "{key} is used in {share} of runs",
    "tool_order": "{key} comes in {share} of runs",
    "finish_reason": "models stop for {key} in {share} of runs",
    "response_model": "{key} answers in {share} of runs",
    "retrieval": "searches find nothing in {share} of runs",
    "retry": "there are retries in {share} of runs",
    "tool_error": "a tool fails in {share} of runs",
    "tool_switch": "a failed tool is followed by another in {share} of runs",
    "unfounded": "{share} of runs succeed on nothing found",
    "confident": "{share} of runs are confident and judged bad",
}
_KEYS: Final[Mapping[str, str]] = {
    "status": "ending",
    "failure": "failure",
    "tool": "tool",
    "tool_order": "order of tools",
    "finish_reason": "finish reason",
    "response_model": "model",
}
_VALUES: Final[Mapping[str, str]] = {
    "duration": "duration",
    "time_to_first_chunk": "time to the first chunk",
    "cost": "cost",
    "input_tokens": "number of input tokens",
    "output_tokens": "number of output tokens",
    "steps": "number of steps",
    "sequential_share": "share of time lost by tools that run one after another",
}


def stream_name(stream: Stream) -> str:
    """Return a short name that tells a stream from the others of its feature."""
    if stream.kind is StreamKind.KEY:
        return stream.key
    if stream.kind is StreamKind.ABOVE:
        return f"above {value_words(stream.feature, edge_of(stream))}"
    return {StreamKind.OTHER: "rare", StreamKind.NEW: "new", StreamKind.MEAN: "typical"}[stream.kind]


def edge_of(stream: Stream) -> float:
    """Return the lower edge of a threshold, in the unit of its feature; 0 where any value above 0 is over it."""
    return 0.0 if stream.edge_bin <= ZERO_BIN + 1 else float(2 ** (stream.edge_bin / BINS_PER_OCTAVE))


def shift_words(stream: Stream, window: float, baseline: float, low: float, high: float, new_key: str = "") -> str:
    """Return ``refund is used in 31 % of runs instead of 22 % (28-34 %)``, or what fits the stream."""
    feature = stream.feature
    if stream.kind is StreamKind.MEAN:
        now, was, least, most = (value_words(feature, value) for value in (window, baseline, low, high))
        return f"the typical {_VALUES[feature]} is {now} instead of {was} ({least} to {most})"
    now, was = share_words(window), share_words(baseline)
    interval = f"({_percent(low)} to {_percent(high)} %)"
    if stream.kind is StreamKind.ABOVE:
        edge = value_words(feature, edge_of(stream))
        return f"the {_VALUES[feature]} is above {edge} in {now} of runs instead of {was} {interval}"
    what = _KEYS.get(feature, "key")
    key = {
        StreamKind.KEY: quoted(stream.key),
        StreamKind.OTHER: f"a rare {what}",
        StreamKind.NEW: f"{quoted(new_key)}, a {what} never seen before," if new_key else f"a {what} never seen before",
    }[stream.kind]
    return f"{_SHARES[feature].format(key=key, share=now)} instead of {was} {interval}"


def share_words(share: float) -> str:
    """Return ``22 %``, ``1.3 %`` or ``0.04 %``: two digits that count."""
    return f"{_percent(share)} %"


def value_words(feature: str, value: float) -> str:
    """Return a value in the unit of its feature."""
    unit = FEATURES[feature].unit
    if unit is Unit.SECONDS:
        return duration(round(value * 1e9))
    if unit is Unit.USD:
        return cost(Decimal(repr(value)))
    if unit is Unit.SHARE:
        return share_words(value)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def time_words(hour: int) -> str:
    """Return ``27 November 14:00``, in UTC."""
    time = time_of(hour)
    return f"{time.day} {_MONTHS[time.month - 1]} {time:%H:%M}"


def about_words(first_hour: int, hour: int, last_hour: int) -> str:
    """Return how sure a time is: ``±3 h``, or ``±2 days``."""
    hours = max(hour - first_hour, last_hour - hour, 1)
    return f"±{hours} h" if hours <= _MANY_HOURS else f"±{round(hours / 24)} days"


_MANY_HOURS: Final = 48
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _percent(share: float) -> str:
    percent = 100 * share
    if percent == 0 or percent >= 9.95:
        return f"{percent:.0f}"
    return f"{percent:.1f}" if percent >= 0.95 else f"{percent:.1g}"
