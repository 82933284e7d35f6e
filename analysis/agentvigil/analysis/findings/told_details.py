"""What detectors say in the details of an observation, in one form for whoever tells it.

Each detector knows something else of a shift. Whatever is not of these forms is left out here, and no error: it stays
in the details as it is.

- **parts**, how much of a shift each part carries: ``{dimension: [{name, mix, within, ...}]}``, where what each carries
  of all is computed, or ``[{dimension, key, share, ...}]``; ``factor`` or ``stream`` is dimension and key in one.
- **changes**, what else changed then: ``[{what, name or value, at, runs}]``.
- **series**: ``[{at, value, expected, n or runs}]``.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from agentvigil.analysis.findings.model import Observation, SubjectType

_MODEL: Final = ("model", "response_model")
_CARRIES: Final = 0.5
"""From such a share on a model is one that carries the shift."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part carries of a shift."""

    dimension: str
    """model, version, tool, ..., or what else shifts are taken apart by."""
    key: str
    share: float | None
    """Of the whole shift; less than 0 where it goes against it, None where nobody says."""
    mix: float | None = None
    """What comes from more or fewer runs of this part, in the unit of the value."""
    within: float | None = None
    """What comes from runs of this part being different."""
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class ChangeThen:
    """Something else that changed when a shift began."""

    what: str
    name: str
    at: datetime | None
    runs: int | None


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """A value at a time, of ``n`` runs, and the value that was expected."""

    at: datetime
    value: float
    expected: float | None
    n: float | None


def parts_of(details: Mapping[str, Any]) -> list[Part]:
    """Return what the parts of a shift carry, those of one dimension together."""
    said = details.get("parts")
    if isinstance(said, Mapping):
        return [part for name, parts in said.items() for part in _parts_of_dimension(str(name), _objects(parts))]
    return [part for one in _objects(said) if (part := _part(one)) is not None]


def changes_of(details: Mapping[str, Any]) -> list[ChangeThen]:
    """Return what else changed then."""
    return [
        ChangeThen(_text(one["what"]), _text(one.get("name") or one.get("value")), _time(one.get("at")), _count(one))
        for one in _objects(details.get("changes"))
        if one.get("what")
    ]


def series_of(details: Mapping[str, Any]) -> list[SeriesPoint]:
    """Return the points of a plot in the order of time."""
    points = [
        SeriesPoint(at, value, _number(one.get("expected")), _number(one.get("n", one.get("runs"))))
        for one in _objects(details.get("series"))
        if (at := _time(one.get("at"))) is not None and (value := _number(one.get("value"))) is not None
    ]
    return sorted(points, key=lambda point: point.at)


def next_actions_of(details: Mapping[str, Any]) -> list[str]:
    """Return what to do about it."""
    said = details.get("next_actions")
    return [one for one in said if isinstance(one, str)] if isinstance(said, list | tuple) else []


def rest_of(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a detector says, as it says it."""
    return {
        name: value for name, value in details.items() if name not in ("parts", "changes", "series", "next_actions")
    }


def models_of(observation: Observation) -> frozenset[str]:
    """Return the models that an observation is about, or that carry what it saw."""
    if observation.subject_type is SubjectType.MODEL:
        return frozenset({observation.subject})
    details = observation.details
    said = details.get("models")
    named = [str(model) for model in said] if isinstance(said, list | tuple) else []
    new = [change.name for change in changes_of(details) if change.what in _MODEL]
    carrying = [
        part.key
        for part in parts_of(details)
        if part.dimension in _MODEL and part.share is not None and part.share >= _CARRIES
    ]
    return frozenset(filter(None, (*named, *new, *carrying)))


def _parts_of_dimension(dimension: str, parts: list[Mapping[str, Any]]) -> Iterator[Part]:
    carried = [(_number(one.get("mix")) or 0.0) + (_number(one.get("within")) or 0.0) for one in parts]
    shift = math.fsum(carried)
    for one, amount in zip(parts, carried, strict=True):
        yield Part(
            dimension,
            _text(one.get("name") or one.get("key")),
            amount / shift if shift else None,
            _number(one.get("mix")),
            _number(one.get("within")),
            _number(one.get("value_before")),
            _number(one.get("value_after")),
        )


def _part(one: Mapping[str, Any]) -> Part | None:
    for dimension in ("dimension", "factor", "stream"):
        if said := one.get(dimension):
            is_named = dimension == "dimension"
            return Part(
                _text(said) if is_named else dimension,
                _text(one.get("key")) if is_named else _text(said),
                _number(one.get("share")),
                _number(one.get("mix")),
                _number(one.get("within")),
                _number(one.get("before")),
                _number(one.get("after")),
            )
    return None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _count(one: Mapping[str, Any]) -> int | None:
    number = _number(one.get("runs"))
    return None if number is None else round(number)


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
