"""``agentvigil sql``: finds who can answer, asks, and prints what comes."""

import codecs
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import click
import urllib3

from agentvigil.cli.calling import (
    HttpCaller,
    NoAnswer,
    Trust,
    TrustUnusable,
    announced_trust,
    announced_url,
    bearer,
    clickhouse_call,
    key_for,
)
from agentvigil.cli.exit_codes import told
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import STORE_OPTIONS, load_settings, settings_options
from agentvigil.cli.printable import printable
from agentvigil.cli.settings import Settings
from agentvigil.storage.data_directory import directory_of, read_owner
from agentvigil.storage.sql.errors import UNKNOWN_TABLE, SqlError

_TERMINAL_FORMAT: Final = "PrettyCompact"
_PIPE_FORMAT: Final = "TabSeparatedWithNames"
_CHUNK_BYTES: Final = 2**16


class SqlFailed(Exception):
    """The store refused or failed the query; the message is ClickHouse's."""


@click.command()
@settings_options(STORE_OPTIONS)
@click.argument("query", required=False)
@click.option(
    "--format", "output_format", metavar="FORMAT", help="Any ClickHouse format, e.g. CSVWithNames, JSONEachRow."
)
@click.option(
    "--param", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Value of {NAME:Type} in the query."
)
def sql(query: str | None, output_format: str | None, parameters: tuple[str, ...], **flags: Any) -> None:
    """Ask the store. Reads the query from stdin if it is not given.

    Asks the running server if there is one on the data, else opens the data itself. A table on a terminal, tabs and
    a line of names elsewhere.

    \b
    agentvigil sql "SELECT AgentName, count() FROM otel_traces GROUP BY 1"
    agentvigil sql --format JSONEachRow "SELECT * FROM otel_traces LIMIT 1"
    agentvigil sql -p agent=support "SELECT count() FROM otel_traces WHERE AgentName = {agent:String}"
    """
    if query is None and sys.stdin.isatty():
        raise click.UsageError('give a query: agentvigil sql "SELECT count() FROM otel_traces"')
    text = sys.stdin.read() if query is None else query
    settings = load_settings(flags)
    configure_logging(settings)
    pairs = [parameter.partition("=") for parameter in parameters]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise click.UsageError(f"--param wants NAME=VALUE, not {bad[0]!r}")
    try:
        with told():
            run_sql(settings, text, output_format, {name: value for name, _, value in pairs})
    except SqlFailed as exc:
        raise click.ClickException(str(exc)) from exc


def run_sql(settings: Settings, query: str, output_format: str | None, parameters: Mapping[str, str]) -> None:
    """Run ``query`` and write its answer to stdout.

    Raises:
        SqlFailed: if the query is refused or fails, or a server does not answer.
        StorageError: if the data can not be opened.
    """
    terminal = sys.stdout.isatty()
    default_format = output_format or (_TERMINAL_FORMAT if terminal else _PIPE_FORMAT)
    chunks = answer(settings, query, default_format, parameters)
    for chunk in _printable(chunks) if terminal else chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.flush()


def _printable(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield ``chunks`` with control characters made visible: what a span carries must not drive a terminal."""
    # A chunk may end inside a character.
    for text in codecs.iterdecode(chunks, "utf-8", errors="replace"):
        yield printable(text, kept="\n\t").encode()


def answer(settings: Settings, query: str, default_format: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the answer to ``query``, from whoever can give it.

    Raises:
        SqlFailed: if the query is refused or fails, or a server does not answer.
        StorageError: if the data can not be opened.
    """
    if settings.clickhouse and urlsplit(settings.clickhouse).scheme in ("http", "https"):
        url, headers = clickhouse_call(settings.clickhouse)
        return _ask_server(url, Trust(), headers, settings.database, query, default_format, parameters)
    owner = read_owner(directory_of(settings.clickhouse, settings.data)) or {}
    own_url = announced_url(owner, "clickhouse_http")
    if own_url:
        trust, headers = announced_trust(owner), bearer(key_for(settings, owner))
        return _ask_server(own_url, trust, headers, settings.database, query, default_format, parameters)
    return _ask_embedded(settings, query, default_format, parameters)


def _ask_server(
    url: str,
    trust: Trust,
    headers: Mapping[str, str],
    database: str,
    query: str,
    default_format: str,
    parameters: Mapping[str, str],
) -> Iterator[bytes]:
    fields = {"database": database, "default_format": default_format}
    fields |= {f"param_{name}": value for name, value in parameters.items()}
    try:
        caller = HttpCaller(url, trust, timeout_s=None)
        response = caller.open("POST", f"/?{urlencode(fields)}", headers, query.encode())
        if response.status != 200:
            raise SqlFailed(response.read(2**16).decode("utf-8", errors="replace").strip())
        yield from response.stream(_CHUNK_BYTES)
    except TrustUnusable as exc:
        raise SqlFailed(str(exc)) from exc
    except (NoAnswer, urllib3.exceptions.HTTPError) as exc:
        raise SqlFailed(f"no answer from {url}: {exc}") from exc


def _ask_embedded(
    settings: Settings, query: str, default_format: str, parameters: Mapping[str, str]
) -> Iterator[bytes]:
    # The engine takes half a second to load, which asking a server does not need.
    from agentvigil.storage.embedded import EmbeddedStore
    from agentvigil.storage.opening import open_store
    from agentvigil.storage.sql.gateway import SqlGateway

    with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil sql") as (store, _):
        assert isinstance(store, EmbeddedStore)
        gateway = SqlGateway(store.open_handle, database=store.database, allowed_tables=store.readable_tables)
        try:
            yield gateway.execute(query, parameters=parameters, default_format=default_format).body
        except SqlError as exc:
            if exc.code == UNKNOWN_TABLE and not store.readable_tables():
                raise SqlFailed(f"{exc}\n{_nothing_in(directory_of(settings.clickhouse, settings.data))}") from exc
            raise SqlFailed(str(exc)) from exc


def _nothing_in(home: Path) -> str:
    """Return what to do if ``home`` holds no tables, so that what was asked for is surely elsewhere."""
    if (read_owner(home / "demo") or {}).get("addresses"):
        return f"{home} holds no telemetry; a demo runs, ask it with --data {home / 'demo'}"
    return (
        f"{home} holds no telemetry: no server has run on it yet. Name the directory of one that runs, or ran, with "
        "--data, or start one here with `agentvigil up`"
    )
