"""A baseline as bytes, to be kept: fitting a fleet takes minutes, reading it back does not."""

from dataclasses import asdict
from typing import Any, Final

from agentvigil.analysis.detection import arrays
from agentvigil.analysis.detection.baseline import ARRAYS, Baseline
from agentvigil.analysis.detection.errors import ForeignState
from agentvigil.analysis.detection.planning import TooFewRuns
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Subject

_KIND: Final = "baseline of the drift detector"
_VERSION: Final = 1


def baseline_to_bytes(baseline: Baseline) -> bytes:
    """Return all of ``baseline``."""
    plan = baseline.plan
    texts: dict[str, Any] = {
        "subject": list(plan.subject),
        "classes": list(plan.classes),
        "streams": [asdict(stream) for stream in plan.streams],
        "rare_keys": {name: list(keys) for name, keys in plan.rare_keys.items()},
        "clipped_bins": {name: list(bins) for name, bins in plan.clipped_bins.items()},
        "first_hour": baseline.first_hour,
        "end_hour": baseline.end_hour,
        "runs": baseline.runs,
        "too_few": {name: asdict(few) for name, few in baseline.too_few.items()},
        "raised": dict(baseline.raised),
    }
    return arrays.to_bytes(_KIND, _VERSION, texts, {name: getattr(baseline, name) for name in ARRAYS})


def baseline_from_bytes(data: bytes) -> Baseline:
    """Return the baseline that :func:`baseline_to_bytes` wrote; its fingerprint is the same.

    Raises:
        ForeignState: if the bytes are something else, or damaged.
    """
    texts, stored = arrays.from_bytes(_KIND, _VERSION, data)
    try:
        streams = [Stream(**{**stream, "kind": StreamKind(stream["kind"])}) for stream in texts["streams"]]
        plan = Plan(
            Subject(*texts["subject"]),
            tuple(texts["classes"]),
            tuple(streams),
            {name: tuple(keys) for name, keys in texts["rare_keys"].items()},
            {name: (int(low), int(high)) for name, (low, high) in texts["clipped_bins"].items()},
        )
        return Baseline(
            plan,
            int(texts["first_hour"]),
            int(texts["end_hour"]),
            int(texts["runs"]),
            **{name: stored[name] for name in ARRAYS},
            too_few={name: TooFewRuns(**few) for name, few in texts["too_few"].items()},
            raised={name: float(factor) for name, factor in texts["raised"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ForeignState(f"the {_KIND} misses a part; throw it away and start anew: {exc}") from exc
