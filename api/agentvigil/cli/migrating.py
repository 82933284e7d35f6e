"""``agentvigil migrate``."""

import sys
from typing import Any

import click

from agentvigil.cli.exit_codes import told
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import STORE_OPTIONS, load_settings, settings_options
from agentvigil.storage.migrations import migrate as apply_migrations
from agentvigil.storage.migrations import pending_migrations
from agentvigil.storage.opening import open_store


@click.command()
@settings_options(STORE_OPTIONS)
@click.option("--dry-run", is_flag=True, help="Say what would be applied; exit with 1 if anything would be.")
def migrate(dry_run: bool, **flags: Any) -> None:
    """Bring the database to this release's schema. `up` does it by itself.

    \b
    agentvigil migrate
    agentvigil migrate --clickhouse http://default:secret@clickhouse:8123 --database telemetry
    """
    settings = load_settings(flags)
    configure_logging(settings)
    where = (settings.clickhouse, settings.data, settings.database)
    with told(), open_store(*where, purpose="agentvigil migrate") as (store, _):
        store.version()
        migrations = pending_migrations(store) if dry_run else apply_migrations(store)
    for migration in migrations:
        click.echo(f"{'pending' if dry_run else 'applied'}  {migration.version:03}  {migration.name}")
    if not migrations:
        click.echo("the schema is up to date", err=True)
    elif dry_run:
        sys.exit(1)
