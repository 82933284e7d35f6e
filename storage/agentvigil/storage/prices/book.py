"""What people do with prices: look at them, set their own, find models without one, and give stored spans new costs.

Everything goes in and comes out as plain values (texts, numbers, lists and dicts of them), so that it is the same
over HTTP; prices and costs are texts, in USD.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from agentvigil.storage.prices.catalog import build_catalog, package_prices, package_source, provider_id
from agentvigil.storage.prices.loading import ALWAYS, load_prices, stored_overrides
from agentvigil.storage.prices.overrides import PRICE_FIELDS, Override, as_entry, parse_entry, parse_key
from agentvigil.storage.prices.statements import STATEMENTS
from agentvigil.storage.store import Store

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_MOST_UNPRICED: Final = 1000


@dataclass(frozen=True, slots=True)
class Recost:
    """Which spans to give new costs: those of a time, ``since`` included and ``until`` not, all or some model's."""

    since: datetime | None = None
    until: datetime | None = None
    provider: str = ""
    model: str = ""

    def parameters(self) -> dict[str, Any]:
        return {
            "since_ns": _nanoseconds(self.since or _EARLIEST),
            "until_ns": _nanoseconds(self.until or _LATEST),
            "provider": self.provider,
            "model": self.model,
        }


class PriceBook:
    """The prices of ``store``. All methods block; changes are made one at a time.

    Every method raises StorageError if the store does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changing = threading.Lock()

    def listed(self, provider: str = "", model: str = "", source: str = "") -> list[dict[str, Any]]:
        """Return the prices in use whose provider and model contain these texts; ``source`` is user or genai-prices."""
        rows = self._store.rows(STATEMENTS["listed"], {"provider": provider, "model": model, "source": source})
        return [_listed_entry(row) for row in rows]

    def set(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Set the user's own prices, all or none, and return them as they were taken.

        Raises:
            OverrideInvalid: if one can not be, by itself or with those that are set.
        """
        overrides = [_canonical(parse_entry(entry)) for entry in entries]
        with self._changing:
            kept = {override.key: override for override in stored_overrides(self._store)}
            kept |= {override.key: override for override in overrides}
            build_catalog(list(kept.values()))
            self._store_overrides(overrides, removed=False)
        return [as_entry(override) for override in overrides]

    def unset(self, entries: Sequence[Mapping[str, Any]]) -> int:
        """Take the user's own prices of these names back; return how many there were.

        An entry that says only provider and model means all of them: of every tier, day and size.

        Raises:
            OverrideInvalid: if an entry names nothing.
        """
        with self._changing:
            gone = []
            for entry in entries:
                wanted = _canonical(Override(**parse_key(entry)))
                said = {name for name in ("service_tier", "since", "input_from") if entry.get(name)}
                gone += [
                    override
                    for override in stored_overrides(self._store)
                    if (override.provider, override.model) == (wanted.provider, wanted.model)
                    and all(getattr(override, name) == getattr(wanted, name) for name in said)
                ]
            left = {override.key: override for override in stored_overrides(self._store)}
            for override in gone:
                left.pop(override.key, None)
            build_catalog(list(left.values()))
            self._store_overrides(gone, removed=True)
        return len(gone)

    def diff(self) -> list[dict[str, Any]]:
        """Return every one of the user's own prices beside the installed package's for the same name and day."""
        today = datetime.now(UTC).date()
        found = []
        for override in stored_overrides(self._store):
            package = next((p for above, p in package_prices(override, today) if above < override.input_from), {})
            name = {key: value for key, value in as_entry(override).items() if key not in PRICE_FIELDS}
            found += [
                {
                    **name,
                    "price": ours,
                    "user": _text(override.prices[theirs]) if theirs in override.prices else None,
                    "package": _text(package[theirs]) if theirs in package else None,
                    "source": package_source(),
                }
                for ours, theirs in PRICE_FIELDS.items()
                if override.prices.get(theirs) != package.get(theirs)
            ]
        return found

    def unpriced(self, since: datetime | None = None, project: str = "") -> list[dict[str, Any]]:
        """Return the models of paid calls that have no price, most calls first; of every project if none is named."""
        parameters = {"project": project, "since": since or _EARLIEST, "limit": _MOST_UNPRICED}
        rows = self._store.rows(STATEMENTS["unpriced"], parameters)
        return [
            {
                "provider": provider,
                "model": model,
                "calls": calls,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "first_seen": first.isoformat(),
                "last_seen": last.isoformat(),
            }
            for provider, model, calls, input_tokens, output_tokens, first, last in rows
        ]

    def recost(self, wanted: Recost) -> Iterator[dict[str, Any]]:
        """Give stored spans the list costs of the prices in use, partition by partition; yield what was done in each.

        A trace is written to ``agentvigil_recosted_traces`` before its spans change. It may be stopped and run again:
        what has its cost already is left alone.
        """
        parameters = wanted.parameters()
        with self._changing:
            for partition, spans, traces, before, after in self._store.rows(
                STATEMENTS["changed_partitions"], parameters
            ):
                one = {**parameters, "partition": partition}
                self._store.command(STATEMENTS["mark_traces"], one)
                self._store.change("otel_traces", STATEMENTS["recost_partition"], one)
                yield {
                    "partition": partition,
                    "spans": spans,
                    "traces": traces,
                    "before_usd": _text(before),
                    "after_usd": _text(after),
                }

    def changed_traces(self, since: datetime) -> list[tuple[str, datetime]]:
        """Return the traces in which a list cost was changed at or after ``since``, and when it last was."""
        return [(trace, at) for trace, at in self._store.rows(STATEMENTS["changed_traces"], {"since": since})]

    def _store_overrides(self, overrides: Sequence[Override], *, removed: bool) -> None:
        if not overrides:
            return
        self._store.insert_rows(
            "agentvigil_price_overrides",
            ("Provider", "Model", "ServiceTier", "Since", "InputFrom", "Prices", "Removed"),
            [
                (o.provider, o.model, o.service_tier, o.since or ALWAYS, o.input_from, dict(o.prices), removed)
                for o in overrides
            ],
        )
        load_prices(self._store)


def _nanoseconds(at: datetime) -> int:
    return (at - _EARLIEST) // timedelta(microseconds=1) * 1000


def _canonical(override: Override) -> Override:
    return replace(override, provider=provider_id(override.provider))


def _listed_entry(row: Sequence[Any]) -> dict[str, Any]:
    source, provider, model, tier, since, until, day_from, day_until, input_from, *prices, others = row
    return {
        "source": source,
        "provider": provider,
        "model": model,
        "service_tier": tier,
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "day_from_s": day_from,
        "day_until_s": day_until,
        "input_from": input_from,
        **{name: None if price is None else _text(price) for name, price in zip(PRICE_FIELDS, prices, strict=True)},
        "others": list(others),
    }


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
