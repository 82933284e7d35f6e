"""A database with the tables of prices, and a table of spans with a list cost, as small as tests of prices need it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import all_migrations
from agentvigil.storage.prices.statements import STATEMENTS
from agentvigil.storage.rendering import render

COUNT_COLUMNS: Final = (
    "InputTokens",
    "OutputTokens",
    "CacheReadTokens",
    "CacheWriteTokens",
    "ReasoningTokens",
    "InputAudioTokens",
    "OutputAudioTokens",
    "CacheReadAudioTokens",
)

_SPANS: Final = f"""
CREATE TABLE otel_traces
(
    Project LowCardinality(String) DEFAULT 'default',
    Case UInt32,
    TraceId String DEFAULT toString(Case),
    Timestamp DateTime64(9),
    Billing LowCardinality(String) DEFAULT 'leaf',
    Provider LowCardinality(String),
    RequestModel LowCardinality(String),
    ResponseModel LowCardinality(String),
    ServiceTier LowCardinality(String),
    {", ".join(f"{name} Nullable(UInt64)" for name in COUNT_COLUMNS)},
    ListCostUSD Nullable(Decimal(18, 9)) DEFAULT if(Billing = 'leaf', {STATEMENTS["list_cost"]}, NULL)
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY Case
"""


@contextmanager
def priced_store(directory: DataDirectory, database: str) -> Iterator[EmbeddedStore]:
    """Yield a store over the new database ``database``, with no prices loaded."""
    store = EmbeddedStore(directory, database)
    for migration in all_migrations():
        if migration.name.startswith(("agentvigil_price", "agentvigil_recosted")):
            store.command(render(migration.sql))
    store.command(_SPANS)
    yield store
    store.command("DROP DATABASE {name:Identifier}", {"name": database})
    store.close()


def insert_calls(store: EmbeddedStore, calls: Sequence[dict[str, Any]]) -> None:
    """Insert a span for each of ``calls``, numbered in order; what a call does not say is not known."""
    names = (
        "Project",
        "Timestamp",
        "Billing",
        "Provider",
        "RequestModel",
        "ResponseModel",
        "ServiceTier",
        *COUNT_COLUMNS,
    )
    defaults = {
        "Project": "default",
        "Billing": "leaf",
        "Provider": "",
        "RequestModel": "",
        "ResponseModel": "",
        "ServiceTier": "",
    }
    store.insert_rows(
        "otel_traces",
        ("Case", *names),
        [(number, *({**defaults, **call}.get(name) for name in names)) for number, call in enumerate(calls)],
    )


def costs(store: EmbeddedStore) -> list[Any]:
    """Return the list costs of all spans, in order."""
    return [cost for (cost,) in store.rows("SELECT ListCostUSD FROM otel_traces ORDER BY Case")]
