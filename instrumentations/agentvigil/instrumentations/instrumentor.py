"""What every instrumentor shares: versions, quiet absence, and safety.

``opentelemetry-instrument`` loads all entry points of the group ``opentelemetry_instrumentor``. It asks for
dependencies by distribution, so one distribution with many instrumentors has to look itself; and the first exception
ends the loading of all that follow, so none leaves :meth:`FrameworkInstrumentor.instrument`.
"""

import logging
from abc import abstractmethod
from collections.abc import Collection, Iterable
from importlib import metadata
from typing import Any, ClassVar, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from packaging.requirements import Requirement

from agentvigil.instrumentations.patches import Patch, Patches
from agentvigil.instrumentations.rivals import rival_of
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.guard import report
from agentvigil.instrumentations.telemetry.identity import install_identity

_LOG: Final = logging.getLogger("agentvigil.instrumentations")


class FrameworkInstrumentor(BaseInstrumentor):  # type: ignore[misc] # its types are switched off
    """Instruments one framework. Subclasses say which, in which versions, and by which patches.

    Use it as any instrumentor: ``OpenAIInstrumentor().instrument()``, with ``tracer_provider``, ``meter_provider`` and
    ``logger_provider`` if these are not the global ones; or leave it to ``opentelemetry-instrument``.
    """

    name: ClassVar[str]
    """Short name: that of the entry point is ``agentvigil_`` and this."""

    requires: ClassVar[str]
    """Distribution and the range of versions that are tested: ``openai >= 1.75, < 4``."""

    _patches: Patches | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        return (self.requires,)

    @abstractmethod
    def patches(self, telemetry: Telemetry, **options: Any) -> Iterable[Patch]:
        """Return what takes hold of the framework. Called once; must not import the framework."""

    def is_left_to_others(self, call: str = "") -> bool:
        """Say whether another instrumentation of the same framework is at work: then it alone makes spans.

        A ``call`` of a model that it is known to leave out is not left to it.
        """
        return rival_of(self.name, call) is not None

    def instrument(self, **kwargs: Any) -> None:
        """Instrument, if the framework is installed in a version that is known; else say so at debug level."""
        reason = self._reason_against()
        if reason:
            _LOG.debug("agentvigil_%s: %s", self.name, reason)
            return
        kwargs["skip_dep_check"] = True
        try:
            super().instrument(**kwargs)
        except Exception as exc:  # noqa: BLE001 - the next instrumentor has to have its turn
            report(f"agentvigil_{self.name}", exc)

    def _instrument(self, **kwargs: Any) -> None:
        providers = {name: kwargs.pop(name, None) for name in ("tracer_provider", "meter_provider", "logger_provider")}
        kwargs.pop("skip_dep_check", None)
        install_identity(providers["tracer_provider"])
        telemetry = Telemetry(f"agentvigil.instrumentations.{self.name}", **providers)
        self._patches = Patches(list(self.patches(telemetry, **kwargs)))

    def _uninstrument(self, **_options: Any) -> None:
        if self._patches is not None:
            self._patches.undo()
            self._patches = None

    def _reason_against(self) -> str:
        requirement = Requirement(self.requires)
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            return f"{requirement.name} is not installed"
        if not requirement.specifier.contains(version, prereleases=True):
            return f"{requirement.name} {version} is not among the versions it knows: {requirement.specifier}"
        return ""
