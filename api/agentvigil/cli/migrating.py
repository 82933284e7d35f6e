"""``agentvigil migrate``."""

import sys
from typing import Any

import click

from agentvigil.cli.exit_codes import told
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import STORE_OPTIONS, load_settings, settings_options
from agentvigil.storage.cluster import ClusterSchema
from agentvigil.storage.hash_key import hash_key_of
from agentvigil.storage.migrations import migrate as apply_migrations
from agentvigil.storage.migrations import pending_migrations
from agentvigil.storage.opening import open_store
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.server import dictionary_access


@click.command()
@settings_options(STORE_OPTIONS)
@click.option(
    "--cluster", help="Only with --print: the cluster, as the servers' configuration calls it in remote_servers."
)
@click.option(
    "--print", "prints", is_flag=True, help="Print the statements that make the schema on a cluster, and ask no server."
)
@click.option(
    "--after", type=click.IntRange(min=0), default=0, help="Only with --print: migrations above this number alone."
)
@click.option("--dry-run", is_flag=True, help="Say what would be applied; exit with 1 if anything would be.")
def migrate(cluster: str | None, prints: bool, after: int, dry_run: bool, **flags: Any) -> None:
    """Bring the database to this release's schema, and the list prices into it. `up` does it by itself.

    On a ClickHouse server the dictionaries of prices and contents read their tables as the user in the URL. For a
    cluster --print prints what clickhouse-client then runs on one of its nodes, with the password of the URL in it.

    \b
    agentvigil migrate
    agentvigil migrate --clickhouse http://agentvigil_admin:secret@clickhouse:8123/agentvigil
    agentvigil migrate --clickhouse http://agentvigil_admin:secret@clickhouse:8123/agentvigil --cluster main --print
    """
    settings = load_settings(flags)
    configure_logging(settings)
    if prints != (cluster is not None) or (after and not prints):
        raise click.UsageError("--cluster NAME and --print go together, and --after goes with them")
    if cluster is not None:
        access = dictionary_access(settings.clickhouse) if settings.clickhouse else ""
        for statement in ClusterSchema(cluster, settings.database, access).statements(after):
            click.echo(f"{statement};\n")
        return
    where = (settings.clickhouse, settings.data, settings.database)
    with told(), open_store(*where, purpose="agentvigil migrate") as (store, _):
        store.version()
        if dry_run:
            migrations = pending_migrations(store)
        else:
            migrations = apply_migrations(store)
            load_prices(store)
            if not store.is_embedded:
                hash_key_of(store, None)  # receivers may not be allowed to make it
    for migration in migrations:
        click.echo(f"{'pending' if dry_run else 'applied'}  {migration.version:03}  {migration.name}")
    if not migrations:
        click.echo("the schema is up to date", err=True)
    elif dry_run:
        sys.exit(1)
