"""Rules and destinations in force: those of the file of alerts, and those that were made by the API."""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from agentvigil.analysis.alerts.configuration import Configuration
from agentvigil.analysis.alerts.connecting import Reach
from agentvigil.analysis.alerts.destinations import Destination, Mail, Webhook, stored
from agentvigil.analysis.alerts.rules import NamedRule, Rule
from agentvigil.storage.errors import StorageError
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_STATEMENTS: Final = load_queries("agentvigil.analysis.alerts", "book.sql")
_DESTINATION: Final[TypeAdapter[Webhook | Mail]] = TypeAdapter(Destination)
MOST_RULES: Final = 200
MOST_DESTINATIONS: Final = 50
"""Of one project, made by the API."""


class AlertBookError(Exception):
    """Root of what can be wrong; the message says what, and what to do."""


class NotThere(AlertBookError):
    """There is no such rule or destination."""


class NotPossible(AlertBookError):
    """It stands in the file, is used, or there are too many."""


class UnknownDestinations(AlertBookError):
    """A rule names destinations that there are not."""


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule in force; times are None for one of the file."""

    project: str
    name: str
    rule: Rule
    created_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def is_of_file(self) -> bool:
        """Whether the file says it, and the API can not change it."""
        return self.created_at is None


@dataclass(frozen=True, slots=True)
class KeptDestination:
    """A destination in force, and which addresses it may be at; times are None for one of the file."""

    name: str
    destination: Webhook | Mail
    reach: Reach
    created_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def is_of_file(self) -> bool:
        """Whether the file says it; then rules of every project may go there."""
        return self.created_at is None


class AlertBook:
    """Rules and destinations of ``store`` and ``configuration``; a name in the file hides the same one in the store.

    Any thread may call it. Every method raises StorageError if the store does not answer.
    """

    def __init__(self, store: Store, configuration: Configuration) -> None:
        self._store, self._configuration = store, configuration
        self._changing = threading.Lock()
        self._unreadable: set[tuple[str, str]] = set()

    @property
    def base_url(self) -> str:
        """What is put before paths in notices."""
        return self._configuration.base_url

    def rules(self, project: str = "") -> list[KeptRule]:
        """Return the rules of ``project``, or of all, by project and name."""
        rules = {
            (rule.project, rule.name): KeptRule(rule.project, rule.name, _bare(rule))
            for rule in self._configuration.rules
            if project in ("", rule.project)
        }
        for record in self._store.records(_STATEMENTS["rules"], {"project": project}):
            key = record["project"], record["name"]
            rule = self._read(Rule.model_validate_json, record, "rule")
            if rule is not None and key not in rules:
                rules[key] = KeptRule(*key, rule, record["created_at"], record["changed_at"])
        return [rules[key] for key in sorted(rules)]

    def rule(self, project: str, name: str) -> KeptRule:
        """Return one rule.

        Raises:
            NotThere: if there is none.
        """
        found = next((kept for kept in self.rules(project) if kept.name == name), None)
        if found is None:
            raise NotThere(f"project {project} has no rule for alerts called {name}")
        return found

    def put_rule(self, project: str, name: str, rule: Rule) -> KeptRule:
        """Keep ``rule``, in the place of one that has its name.

        Raises:
            NotPossible: if the file has one of that name, or there are too many.
            UnknownDestinations: if it goes to some that there are not.
        """
        with self._changing:
            known = {kept.name: kept for kept in self.rules(project)}
            if name in known and known[name].is_of_file:
                raise NotPossible(f"rule {name} stands in the file of alerts: change it there, or take another name")
            if name not in known and sum(not kept.is_of_file for kept in known.values()) >= MOST_RULES:
                raise NotPossible(f"project {project} has {MOST_RULES} rules for alerts, and no project has more")
            there = {kept.name for kept in self.destinations(project)}
            if unknown := sorted(set(rule.destinations) - there):
                shown = ", ".join(sorted(there)) or "none"
                raise UnknownDestinations(
                    f"project {project} has no destination {', '.join(unknown)}; those there are: {shown}"
                )
            self._store.command(
                _STATEMENTS["put_rule"], {"project": project, "name": name, "said": json.dumps(rule.told())}
            )
        return self.rule(project, name)

    def remove_rule(self, project: str, name: str) -> None:
        """Take a rule away.

        Raises:
            NotThere: if there is none.
            NotPossible: if the file says it.
        """
        with self._changing:
            if self.rule(project, name).is_of_file:
                raise NotPossible(f"rule {name} stands in the file of alerts: take it away there")
            self._store.command(_STATEMENTS["remove_rule"], {"project": project, "name": name})

    def destinations(self, project: str) -> list[KeptDestination]:
        """Return the destinations that rules of ``project`` may go to, by their names."""
        return [kept for (_, kept) in sorted(self._destinations(project).get(project, {}).items())]

    def destinations_by_project(self, projects: set[str]) -> Mapping[str, Mapping[str, KeptDestination]]:
        """Return the destinations of ``projects`` by their names."""
        found = self._destinations("")
        of_file = self._of_file()
        return {project: found.get(project, of_file) for project in projects}

    def destination(self, project: str, name: str) -> KeptDestination:
        """Return one destination.

        Raises:
            NotThere: if there is none.
        """
        found = next((kept for kept in self.destinations(project) if kept.name == name), None)
        if found is None:
            raise NotThere(f"project {project} has no destination for alerts called {name}")
        return found

    def put_destination(self, project: str, name: str, destination: Webhook | Mail) -> KeptDestination:
        """Keep ``destination``, in the place of one that has its name.

        Raises:
            NotPossible: if the file has one of that name, there are too many, or it may not be where it is.
        """
        with self._changing:
            known = {kept.name: kept for kept in self.destinations(project)}
            if name in known and known[name].is_of_file:
                raise NotPossible(
                    f"destination {name} stands in the file of alerts: change it there, or take another name"
                )
            if name not in known and sum(not kept.is_of_file for kept in known.values()) >= MOST_DESTINATIONS:
                raise NotPossible(f"project {project} has {MOST_DESTINATIONS} destinations, and no project has more")
            said = json.dumps(stored(destination))
            self._store.command(_STATEMENTS["put_destination"], {"project": project, "name": name, "said": said})
            self._forget()
        return self.destination(project, name)

    def remove_destination(self, project: str, name: str) -> None:
        """Take a destination away.

        Raises:
            NotThere: if there is none.
            NotPossible: if the file says it, or a rule goes there.
        """
        with self._changing:
            if self.destination(project, name).is_of_file:
                raise NotPossible(f"destination {name} stands in the file of alerts: take it away there")
            users = [kept.name for kept in self.rules(project) if name in kept.rule.destinations]
            if users:
                raise NotPossible(f"rules go to destination {name}: {', '.join(users[:10])}; change these first")
            self._store.command(_STATEMENTS["remove_destination"], {"project": project, "name": name})
            self._forget()

    def _destinations(self, project: str) -> dict[str, dict[str, KeptDestination]]:
        reach = Reach(may_be_private=self._configuration.private_destinations)
        found: dict[str, dict[str, KeptDestination]] = {project: self._of_file()} if project else {}
        for record in self._store.records(_STATEMENTS["destinations"], {"project": project}):
            destination = self._read(_DESTINATION.validate_json, record, "destination")
            of_project = found.setdefault(record["project"], self._of_file())
            if destination is not None and record["name"] not in of_project:
                of_project[record["name"]] = KeptDestination(
                    record["name"], destination, reach, record["created_at"], record["changed_at"]
                )
        return found

    def _of_file(self) -> dict[str, KeptDestination]:
        reach = Reach(may_be_private=True)
        return {kept.name: KeptDestination(kept.name, kept, reach) for kept in self._configuration.destinations}

    def _read(self, parse: Any, record: Mapping[str, Any], what: str) -> Any:
        """Return what a row says, None where this release can not read it, which is logged once."""
        try:
            return parse(record["said"])
        except ValidationError:
            key = record["project"], record["name"]
            if key not in self._unreadable:
                self._unreadable.add(key)
                _LOG.warning("the %s for alerts %s of project %s can not be read: make it anew", what, key[1], key[0])
            return None

    def _forget(self) -> None:
        try:
            self._store.command(_STATEMENTS["forget_destination"])
        except StorageError as exc:
            _LOG.warning("older versions of a destination for alerts stay until ClickHouse merges them: %s", exc)


def _bare(rule: NamedRule) -> Rule:
    return Rule.model_construct(**{name: getattr(rule, name) for name in Rule.model_fields})
