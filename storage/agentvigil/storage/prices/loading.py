"""Brings the prices into the store: a new generation beside the one in use, then at once in its place.

Rates and schedules are known by numbers made of their content, so a name never finds rates that are not its own: old
names find them in the old generation until the new names are there, whatever is loaded in between.
"""

import hashlib
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from agentvigil.storage.migrations import all_migrations
from agentvigil.storage.prices.catalog import Catalog, Listed, build_catalog, package_source
from agentvigil.storage.prices.matching import Rule
from agentvigil.storage.prices.overrides import PRICE_FIELDS, Override
from agentvigil.storage.prices.schedules import COUNTS, levels
from agentvigil.storage.prices.statements import STATEMENTS
from agentvigil.storage.rendering import render
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.storage")
_TABLES: Final = (
    "agentvigil_price_rates",
    "agentvigil_price_schedules",
    "agentvigil_prices",
    "agentvigil_price_rules",
)
_DICTIONARIES: Final = ("agentvigil_price_names", "agentvigil_price_times", "agentvigil_price_sizes")
_FORMAT: Final = 1
"""Of what is made of the same inputs; raised when this code makes something else of them."""

_MOST: Final = 2**64 - 1

ALWAYS: Final = date(1900, 1, 1)
"""Stands in the overrides' table for no first day."""


def load_prices(store: Store) -> bool:
    """Bring the installed package's prices and the user's own into ``store``, if it has others; return whether it had.

    Safe to call at every start and from several processes. The prices in use stay in use if it fails.

    Raises:
        PriceError: if a price can not be told to ClickHouse.
        StorageError: if the store does not answer.
    """
    if not store.is_embedded:
        _renew_access(store)
    overrides = stored_overrides(store)
    inputs = _inputs(overrides)
    in_use = store.rows(STATEMENTS["stored_inputs"])
    if in_use and in_use[0][1] == inputs:
        return False
    catalog = build_catalog(overrides)
    # Later than any other, also where a clock went back.
    generation = max(time.time_ns() // 1_000_000, in_use[0][0] + 1 if in_use else 0)
    _write(store, catalog, generation, inputs)
    for table in _TABLES:
        for (older,) in store.rows(STATEMENTS["older_generations"], {"table": table, "generation": generation}):
            store.command(STATEMENTS["drop_generation"], {"table": table, "generation": str(older)})
    _LOG.info("list prices are those of %s and %d of the user's own", package_source(), len(overrides))
    return True


def _renew_access(store: Store) -> None:
    """Have the dictionaries read their tables as the user that we are now: the password may be another one."""
    for migration in all_migrations():
        if migration.name in _DICTIONARIES:
            renewed = migration.sql.replace("CREATE DICTIONARY IF NOT EXISTS", "CREATE OR REPLACE DICTIONARY")
            store.command(render(renewed, store.dictionary_access))


def stored_overrides(store: Store) -> list[Override]:
    """Return the user's own prices in ``store``.

    Raises:
        StorageError: if the store does not answer.
    """
    return [
        Override(provider, model, dict(prices), tier, None if since == ALWAYS else since, input_from)
        for provider, model, tier, since, input_from, prices in store.rows(STATEMENTS["overrides"])
    ]


def _inputs(overrides: Sequence[Override]) -> str:
    told = repr(
        [(o.key, sorted((name, f"{price.normalize():f}") for name, price in o.prices.items())) for o in overrides]
    )
    return f"{_FORMAT} {package_source()} {hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _write(store: Store, catalog: Catalog, generation: int, inputs: str) -> None:
    spans = [(number, span) for number, schedule in catalog.schedules.items() for span in schedule.spans]
    tables = {span.rates.id: span.rates for _, span in spans}
    store.insert_rows(
        "agentvigil_price_rates",
        ("Generation", "Rates", "InputFrom", "InputUpTo", *COUNTS),
        [
            (generation, number, start, end - 1, *rates)
            for number, table in tables.items()
            for (start, rates), end in zip(
                table.levels, [*(start for start, _ in table.levels[1:]), _MOST + 1], strict=True
            )
        ],
    )
    store.insert_rows(
        "agentvigil_price_schedules",
        ("Generation", "Schedule", "Since", "Until", "Rates"),
        [(generation, number + span.variant, span.since, span.until, span.rates.id) for number, span in spans],
    )
    store.insert_rows(
        "agentvigil_prices",
        ("Generation", *LISTED_COLUMNS),
        [(generation, *row) for listed in catalog.listed for row in listed_rows(listed)],
    )
    store.command(STATEMENTS["reload_sizes"])
    store.command(STATEMENTS["reload_times"])
    store.insert_rows(
        "agentvigil_price_rules",
        ("Generation", "Inputs", "id", "parent_id", "regexp", "keys", "values"),
        [(generation, inputs, *row) for row in _numbered(catalog.rules)],
    )
    store.command(STATEMENTS["reload_names"])


LISTED_COLUMNS: Final = (
    "Source",
    "Provider",
    "Model",
    "ServiceTier",
    "Since",
    "Until",
    "DayFrom",
    "DayUntil",
    "InputFrom",
    *(f"{''.join(word.title() for word in name.split('_'))}Price" for name in PRICE_FIELDS),
    "OtherPrices",
)
"""The columns of ``agentvigil_prices`` but the generation, in the order of :func:`listed_rows`."""


def listed_rows(listed: Listed) -> Iterable[tuple[Any, ...]]:
    """Yield the rows of ``agentvigil_prices`` for ``listed``, one for each size of call."""
    period = listed.period
    for above, prices in reversed(levels(period.prices)):
        others = sorted(prices.keys() - set(PRICE_FIELDS.values()))
        shown: list[Decimal | None] = [prices.get(name) for name in PRICE_FIELDS.values()]
        yield (
            listed.source,
            listed.provider,
            listed.model,
            period.service_tier,
            period.since,
            period.until,
            period.day_from,
            period.day_until,
            above + 1,
            *shown,
            others,
        )


def _numbered(rules: Iterable[Rule]) -> list[tuple[int, int, str, list[str], list[str]]]:
    """Return rules as nodes: number, number of the parent or 0, pattern, names and values of attributes."""
    nodes: list[tuple[int, int, str, list[str], list[str]]] = []

    def add(rules: Iterable[Rule], parent: int) -> None:
        for rule in rules:
            number = len(nodes) + 1
            values = dict(rule.outcome.values)
            nodes.append((number, parent, rule.pattern, list(values.keys()), list(values.values())))
            add(rule.outcome.rules, number)

    add(rules, 0)
    return nodes
