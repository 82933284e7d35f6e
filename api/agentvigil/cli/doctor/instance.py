"""Which running server is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from agentvigil.cli.calling import Trust, announced_trust, callable_address
from agentvigil.cli.settings import Endpoint, Settings
from agentvigil.storage.data_directory import directory_of, read_owner

INTERFACES: Final = ("otlp_grpc", "otlp_http", "clickhouse_http", "api")


@dataclass(frozen=True, slots=True)
class Instance:
    """A server that runs, or should: where it is called, and how it is known.

    ``speaks_tls`` is what it ought to speak, None if nobody said; ``owner`` is what it announced in its data
    directory, None if it was not found there.
    """

    found_by: str
    addresses: Mapping[str, str]
    trust: Trust
    speaks_tls: bool | None
    owner: Mapping[str, Any] | None = None


def is_clickhouse_server(settings: Settings) -> bool:
    """Say whether the store is a ClickHouse server, not embedded."""
    return bool(settings.clickhouse) and urlsplit(settings.clickhouse or "").scheme in ("http", "https")


def is_known_store(settings: Settings) -> bool:
    """Say whether the settings name a store of a kind that there is."""
    return not settings.clickhouse or urlsplit(settings.clickhouse).scheme in ("http", "https", "chdb")


def home_of(settings: Settings) -> Path:
    """Return the data directory; beside a ClickHouse server it holds the spool."""
    if is_clickhouse_server(settings) or not is_known_store(settings):
        return settings.data
    return directory_of(settings.clickhouse, settings.data)


def keeps_data_here(settings: Settings, instance: Instance | None) -> bool:
    """Say whether the data directory of the settings matters; that of an instance elsewhere can not be seen."""
    return instance is None or instance.owner is not None or is_clickhouse_server(settings)


def find_instance(settings: Settings, trust: Trust) -> Instance | None:
    """Return the instance that the settings mean: one at addresses that were given, else the owner of the data
    directory, else, with a ClickHouse server as store, what is at the default addresses. None if there is none.

    ``trust`` is what the user gave; an owner's announced certificate wins over its ``ca``.
    """
    on_server = is_clickhouse_server(settings)
    names = [name for name in INTERFACES if not (on_server and name == "clickhouse_http")]
    given = {name: str(getattr(settings, name)) for name in names if name in settings.model_fields_set}
    owner = None if on_server else read_owner(home_of(settings))
    announced = {name: str(address) for name, address in dict((owner or {}).get("addresses") or {}).items()}
    if owner and announced and all(_is_same(address, announced.get(name, "")) for name, address in given.items()):
        own = announced_trust(owner)
        return Instance(
            "the owner of the data directory",
            {name: callable_address(announced[name]) for name in names if name in announced},
            Trust(own.certificate, trust.ca, trust.client_certificate, trust.client_key),
            own.certificate is not None,
            owner,
        )
    expected = True if trust.ca or trust.client_certificate or settings.tls_cert else None
    called = {name: address for name, address in given.items() if Endpoint.parse(address).port}
    if called:
        return Instance("the addresses given", _completed(called, names, settings), trust, expected)
    if on_server:
        addresses = {name: callable_address(str(getattr(settings, name))) for name in names}
        return Instance("the default addresses", addresses, trust, expected)
    return None


def _is_same(given: str, announced: str) -> bool:
    """Say whether a server told to listen on ``given`` may have come to listen on ``announced``."""
    if not announced:
        return False
    wanted, there = Endpoint.parse(callable_address(given)), Endpoint.parse(callable_address(announced))
    return wanted.port in (0, there.port) and (wanted.host == there.host or (wanted.is_loopback and there.is_loopback))


def _completed(called: Mapping[str, str], names: list[str], settings: Settings) -> dict[str, str]:
    """Return addresses for all ``names``: those not given are on the host of the others, if that is one host."""
    hosts = {Endpoint.parse(address).host for address in called.values()}
    addresses = {}
    for name in names:
        address = called.get(name) or str(getattr(settings, name))
        if name not in called and len(hosts) == 1:
            address = Endpoint(next(iter(hosts)), 0).with_port(Endpoint.parse(address).port)
        addresses[name] = callable_address(address)
    return addresses
