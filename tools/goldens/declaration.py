"""The libraries that goldens are made of, as ``libraries.toml`` declares them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict

DIRECTORY: Final = Path(__file__).parent
ROOT: Final = DIRECTORY.parents[1]
GOLDENS: Final = ROOT / "tests" / "testdata" / "goldens"


class BadDeclaration(Exception):
    """``libraries.toml`` declares a library in a way that cannot be run."""


class Misreport(TypedDict):
    """A known falsehood."""

    reason: str
    reported: list[dict[str, str | int]]
    """What its leaf spans say: ``model``, ``input``, ``output``, ``cache_read``, ``cache_write``, ``reasoning``."""


@dataclass(frozen=True, slots=True)
class Library:
    """One library in one version, and how it is driven."""

    name: str
    dialect: str
    """Id of the dialect that its spans are to be recognised as."""
    distribution: str
    """The pinned package whose version the goldens are filed under."""
    pins: tuple[str, ...]
    """Every top-level package, as ``name==version``."""
    driver: str
    """File name in ``drivers/``."""
    scenarios: tuple[str, ...]
    """Functions of the driver, each of them a scenario of the fake provider too."""
    environment: Mapping[str, str] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    """Keys of measured times and random names, which are replaced; with a star for all that begin so. The file's own
    list comes first.
    """

    other_dialects: tuple[str, ...] = ()
    """Dialects of spans that its own dependencies send."""
    misreports: Mapping[str, Misreport] = field(default_factory=dict)
    """Scenario → where its spans say something else than what was spent. The tests hold it to that."""

    @property
    def versions(self) -> dict[str, str]:
        """Every pinned package, without its extras → its version."""
        pinned = (pin.partition("==") for pin in self.pins)
        return {package.partition("[")[0]: version for package, _, version in pinned}

    @property
    def version(self) -> str:
        """Version of ``distribution``."""
        return self.versions[self.distribution]

    @property
    def goldens(self) -> Path:
        """Where its payloads are."""
        return GOLDENS / self.dialect / f"{self.name}-{self.version}"


def libraries() -> tuple[Library, ...]:
    """All declared libraries, in the order of the file.

    Raises:
        BadDeclaration: if a library lacks a field, has an unknown one, or does not pin what it pins exactly.
    """
    document = tomllib.loads((DIRECTORY / "libraries.toml").read_text(encoding="utf-8"))
    declared = []
    for entry in document["library"]:
        name = entry.get("name", "without a name")
        lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
        try:
            library = Library(**(entry | lists | {"volatile": (*document["volatile"], *lists.get("volatile", ()))}))
        except TypeError as exc:
            raise BadDeclaration(f"library {name}: {exc}") from exc
        if loose := [pin for pin in library.pins if "==" not in pin]:
            raise BadDeclaration(f"library {name}: pin {', '.join(loose)} with ==")
        if library.distribution not in library.versions:
            raise BadDeclaration(f"library {name}: its distribution {library.distribution} is not among its pins")
        declared.append(library)
    return tuple(declared)
