"""The file of alerts: destinations and rules that are kept with the rest of a server's configuration."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from agentvigil.analysis.alerts.destinations import DIRECTORY, NamedDestination, NamedMail, NamedWebhook
from agentvigil.analysis.alerts.quiet_hours import QuietHours
from agentvigil.analysis.alerts.rules import BudgetCondition, FindingCondition, MetricCondition, NamedRule

_SECRET: Final = frozenset({"url", "secret", "username", "password"})


class AlertsUnusable(Exception):
    """The file of alerts can not be read or says something that can not be; the message names file and places."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file says; without one there is nothing, and all comes by the API."""

    destinations: Sequence[NamedWebhook | NamedMail] = ()
    rules: Sequence[NamedRule] = ()
    base_url: str = ""
    """What is put before paths in notices, so that they can be followed: where people reach the API."""
    private_destinations: bool = False
    """Whether destinations made by the API may be in private networks and without TLS."""

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Return what the file at ``path`` says, or an empty one without a path.

        Raises:
            AlertsUnusable: if it can not be read, or something in it can not be; all such places are named.
        """
        if path is None:
            return cls()
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as exc:
            raise AlertsUnusable(f"can not read the file of alerts {path}: {exc.strerror}") from exc
        except ValueError as exc:
            raise AlertsUnusable(f"{path} is no TOML: {exc}") from exc
        try:
            file = _File.model_validate(values, context={DIRECTORY: path.absolute().parent})
        except ValidationError as exc:
            problems = [_problem(error, values) for error in exc.errors(include_url=False)]
            raise AlertsUnusable("\n".join(f"{path}: {problem}" for problem in problems)) from exc
        return cls(file.destinations, file.rules, file.base_url.rstrip("/"), file.private_destinations)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, StringConstraints(pattern=r"^(https?://[A-Za-z0-9.\[\]:/_-]+)?$", max_length=500)] = ""
    private_destinations: bool = False
    destinations: tuple[NamedDestination, ...] = Field((), max_length=100)
    rules: tuple[NamedRule, ...] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = [destination.name for destination in self.destinations]
        if doubled := _doubled(known):
            raise ValueError(f"several destinations are named {doubled}")
        if doubled := _doubled([(rule.project, rule.name) for rule in self.rules]):
            raise ValueError(f"several rules of project {doubled[0]} are named {doubled[1]}")
        for rule in self.rules:
            if unknown := sorted(set(rule.destinations) - set(known)):
                there = ", ".join(sorted(known)) or "none"
                raise ValueError(
                    f"rule {rule.name} goes to {', '.join(unknown)}; the destinations of this file are: {there}"
                )
        return self


def _doubled(names: Sequence[Any]) -> Any:
    return next((name for name, times in Counter(names).items() if times > 1), None)


_PLACES: Final[Mapping[tuple[str, ...], type[BaseModel]]] = {
    (): _File,
    ("destinations", "webhook"): NamedWebhook,
    ("destinations", "mail"): NamedMail,
    ("rules",): NamedRule,
    ("rules", "findings"): FindingCondition,
    ("rules", "metric"): MetricCondition,
    ("rules", "budget"): BudgetCondition,
    ("rules", "quiet_hours"): QuietHours,
}


def _problem(error: Any, values: Mapping[str, Any]) -> str:
    """Return where in the file something is wrong, what, and what is allowed; never what may be a secret."""
    loc = [part for part in error["loc"] if part not in ("webhook", "mail") or part not in _names_at(error["loc"])]
    place = ""
    found: Any = values
    for part in loc:
        place += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if place else str(part)
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            found = {}
        if isinstance(part, int) and isinstance(found, Mapping) and isinstance(found.get("name"), str):
            place += f" ({found['name'][:64]})"
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        model = _PLACES.get(tuple(part for part in error["loc"][:-1] if isinstance(part, str)))
        names = [field.alias or name for name, field in model.model_fields.items()] if model else []
        said = f"there is no such setting; there are {', '.join(names)}" if names else "there is no such setting"
    elif not _SECRET & {part for part in loc if isinstance(part, str)} and isinstance(
        error["input"], str | int | float | bool
    ):
        said += f", not {str(error['input'])[:100]!r}"
    return f"{place}: {said}" if place else said


def _names_at(loc: Sequence[Any]) -> frozenset[Any]:
    """Return the tags of unions that stand in ``loc`` without standing in the file."""
    return frozenset(loc[2:3]) if loc[:1] == ("destinations",) else frozenset()
