"""``agentvigil projects``: which there are, and users of a ClickHouse server who see one of them."""

import os
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

import click

from agentvigil.cli.api_access import Api
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.exit_codes import told
from agentvigil.cli.keys import print_table
from agentvigil.cli.options import load_settings, settings_options
from agentvigil.storage.access.server_users import user_statements
from agentvigil.storage.migrations import migrate
from agentvigil.storage.opening import open_store

_STORE: Final = ("data", "clickhouse", "database")
_PASSWORD: Final = "AGENTVIGIL_SQL_PASSWORD"  # noqa: S105 - the name of a variable


@click.group()
def projects() -> None:
    """Projects: whose telemetry is kept apart by whose key sent it.

    None has to be made: one is there as soon as it has a key or data. Works on a server that runs, by its API, else on
    the data.

    \b
    agentvigil projects list
    agentvigil projects create shop --description web-shop
    agentvigil projects grant shop --user shop_grafana --clickhouse http://admin:secret@clickhouse:8123 --apply
    """


@projects.command("list")
@asks_the_api()
@JSON_OPTION
def list_projects(api: Api, *, as_json: bool) -> None:
    """List projects that were made, have keys, or have had data lately.

    \b
    agentvigil projects list
    """
    found = api.get("/v1/projects")["items"]
    if as_json:
        print_json(found)
        return
    print_table(
        ("PROJECT", "DESCRIPTION", "KEYS", "LAST DATA"),
        [
            (
                project["name"],
                project["description"] or "-",
                str(project["usable_keys"]),
                (project["last_data_at"] or "none lately")[:19].replace("T", " "),
            )
            for project in found
        ],
    )


@projects.command("create")
@asks_the_api(migrate)
@click.argument("name")
@click.option("--description", default="", help="A label that says what it is.")
@JSON_OPTION
def create_project(api: Api, name: str, *, description: str, as_json: bool) -> None:
    """Make a project by name, or give one another description.

    \b
    agentvigil projects create shop --description web-shop
    """
    made = api.call("POST", "/v1/projects", body={"name": name, "description": description})
    if as_json:
        print_json(made)
    click.echo(
        f"project {made['name']}; `agentvigil keys create --project {made['name']}` makes a key for it", err=True
    )


@projects.command("grant")
@settings_options(_STORE)
@click.argument("project")
@click.option("--user", required=True, help="User of the ClickHouse server, made if it is not there.")
@click.option("--apply", "applies", is_flag=True, help="Run the statements on the server, instead of printing them.")
@told()
def grant_project(project: str, user: str, applies: bool, **flags: Any) -> None:
    """Let a user of a ClickHouse server see one project: print the statements that do it, or run them.

    The password of a new user is that in AGENTVIGIL_SQL_PASSWORD, else one made here and shown once; the statements
    have its SHA-256 alone. An existing user keeps its own. Run it again after an upgrade that brought new tables.

    \b
    agentvigil projects grant shop --user shop_grafana --clickhouse http://admin:secret@clickhouse:8123 > grant.sql
    agentvigil projects grant shop --user shop_grafana --clickhouse http://admin:secret@clickhouse:8123 --apply
    """
    settings = load_settings(flags)
    if urlsplit(settings.clickhouse or "").scheme not in ("http", "https"):
        raise click.UsageError(
            "an embedded store has no users, name a ClickHouse server with --clickhouse; who has a key of a project "
            f"sees that one alone by SQL too: agentvigil keys create --project {project} --scope read"
        )
    given = os.environ.get(_PASSWORD)
    password = given or secrets.token_urlsafe(24)
    with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil projects") as (store, _):
        statements = user_statements(store, project, user, password)
        is_new = not store.rows("SELECT 1 FROM system.users WHERE name = {user:String}", {"user": user})
        if applies:
            for statement in statements:
                store.command(statement)
    if not applies:
        click.echo(";\n".join(statements) + ";")
    elif is_new and given is None:
        click.echo(password)
    words = [f"user {user} {'sees' if applies else 'would see'} project {project}, in database {settings.database}"]
    if not is_new:
        words.append("the user is there already and keeps its password, and whatever else it may do")
    elif given is not None:
        words.append(f"its password is that in {_PASSWORD}")
    elif applies:
        words.append("its password is shown this once")
    else:
        words.append(f"its password, shown this once, is {password}")
    click.echo("\n".join(words), err=True)
