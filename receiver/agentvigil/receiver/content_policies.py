"""Which project lets what be stored of what people and models said; docs/privacy.md says what each policy does."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from agentvigil.semconv.privacy import ContentPolicy

_PROJECT: Final = re.compile(r"[A-Za-z0-9_.:/@-]{1,64}")


@dataclass(frozen=True, slots=True)
class ContentPolicies:
    """``by_project`` names those that allow more than nothing; every other project, known or not, is off."""

    by_project: Mapping[str, ContentPolicy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, project: str) -> ContentPolicy:
        """Return the policy of ``project``."""
        return self.by_project.get(project, ContentPolicy.OFF)

    def described(self) -> str:
        """Return what is in force as it would be given, empty where everything is off."""
        allowed = sorted((project, policy) for project, policy in self.by_project.items() if policy)
        return ",".join(f"{project}={policy.name.lower()}" for project, policy in allowed)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Return what ``texts`` say: ``PROJECT=off``, ``=masked`` or ``=full`` each, or ``off`` for all others.

        Raises:
            ValueError: for anything else, and for two policies of one project.
        """
        found: dict[str, ContentPolicy] = {}
        for text in texts:
            project, _, name = text.rpartition("=")
            if text == "off":
                continue
            if not _PROJECT.fullmatch(project) or name.upper() not in ContentPolicy.__members__:
                raise ValueError(f"{text!r} is neither off nor PROJECT=off, PROJECT=masked or PROJECT=full")
            if found.setdefault(project, ContentPolicy[name.upper()]) is not ContentPolicy[name.upper()]:
                raise ValueError(f"project {project} has two policies")
        return cls(MappingProxyType(found))
