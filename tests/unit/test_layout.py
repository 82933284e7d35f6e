"""How the distribution is put together: what applications load stays small, what databases hold stays true."""

import subprocess
import sys
from pathlib import Path

import pytest

from agentvigil.cli.settings import Settings
from agentvigil.storage import migrations
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import MigrationChanged, QueryFailed, SchemaTooNew
from agentvigil.storage.migrations import Migration, all_migrations, migrate, pending_migrations
from agentvigil.storage.rendering import render

ROOT = Path(__file__).parents[2]
PORTIONS = sorted(path.parent for path in ROOT.glob("*/agentvigil/*/__init__.py"))

SERVER_ONLY = {
    "agentvigil.analysis",
    "agentvigil.api",
    "agentvigil.cli",
    "agentvigil.receiver",
    "agentvigil.storage",
    "chdb",
    "click",
    "clickhouse_connect",
    "fastapi",
    "grpc",
    "httptools",
    "numpy",
    "opentelemetry.proto",
    "prometheus_client",
    "pydantic",
    "starlette",
    "uvicorn",
}


def test_the_namespace_belongs_to_nobody() -> None:
    """An ``agentvigil/__init__.py`` in one root would hide the portions of all others."""
    assert {path.parts[len(ROOT.parts)] for path in PORTIONS} == {
        "analysis",
        "api",
        "instrumentations",
        "receiver",
        "semconv",
        "storage",
    }
    assert list(ROOT.glob("*/agentvigil/__init__.py")) == []


@pytest.mark.parametrize("portion", PORTIONS, ids=lambda path: path.name)
def test_each_portion_says_that_it_is_typed(portion: Path) -> None:
    """The marker counts per portion of a namespace, not for the distribution (PEP 561)."""
    assert (portion / "py.typed").is_file()


def test_an_instrumented_application_loads_nothing_of_the_server() -> None:
    """chDB alone is half a gigabyte, and an application that has none of it must start."""
    program = """
import sys
import agentvigil.semconv.attributes, agentvigil.semconv.content, agentvigil.semconv.normalization
import agentvigil.semconv.check, agentvigil.semconv.dialects.loading, agentvigil.semconv.enums
import agentvigil.semconv.names, agentvigil.semconv.reference, agentvigil.semconv.registry, agentvigil.semconv.spans
import agentvigil.instrumentations, agentvigil.agent
print(*sys.modules, sep="\\n")
"""
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    loaded = set(output.split())
    assert "agentvigil.agent" in loaded
    assert loaded & SERVER_ONLY == set()


ASKING = (
    *("runs", "run", "sessions", "agents", "export", "keys", "sql", "findings", "alerts", "compare", "baseline"),
    "spending",
)


@pytest.fixture(scope="module")
def loaded_by(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What each command has loaded when it shows its help, in a process of its own behind what all of them load."""
    folder = tmp_path_factory.mktemp("loaded")
    program = """
import os, sys
from agentvigil.cli.commands import agentvigil
folder, *commands = sys.argv[1:]
for command in commands:
    if os.fork() == 0:
        try:
            agentvigil([command, "--help"], standalone_mode=False)
        finally:
            with open(os.path.join(folder, command), "w") as file:
                print(*sys.modules, sep="\\n", file=file)
            os._exit(0)
    os.wait()
"""
    subprocess.run([sys.executable, "-c", program, str(folder), *ASKING], check=True, capture_output=True)
    return {path.name: set(path.read_text().split()) for path in folder.iterdir()}


@pytest.mark.parametrize("command", ASKING)
def test_a_command_that_asks_a_server_loads_no_server(command: str, loaded_by: dict[str, set[str]]) -> None:
    """The engine and the API take a second to load, which would be most of what such a command takes."""
    assert "agentvigil.cli.commands" in loaded_by[command]
    assert not {"chdb", "fastapi", "grpc", "pyarrow", "numpy"} & loaded_by[command]


@pytest.mark.parametrize("field", Settings.model_fields)
def test_each_setting_is_documented(field: str) -> None:
    """A setting that nobody can find is a default that nobody can change."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    variable = f"AGENTVIGIL_{field.upper()}"

    assert any(variable in document.read_text(encoding="utf-8") for document in documents)


# Migrations


def test_each_migration_has_a_number_of_its_own() -> None:
    """Two branches that both add the next one must meet here and not in somebody's database."""
    migrations = all_migrations()

    assert len({migration.version for migration in migrations}) == len(migrations)
    files = [path.name for path in ROOT.glob("storage/agentvigil/storage/schema/*") if path.is_file()]
    assert len(files) == len(migrations)


@pytest.fixture(params=["embedded", "server"])
def home_store(empty_store: EmbeddedStore, request: pytest.FixtureRequest) -> EmbeddedStore:
    """A store that is taken for one of each kind; what a server runs, the engine runs as well."""
    empty_store.is_embedded = request.param == "embedded"
    return empty_store


def migrations_for(store: EmbeddedStore) -> list[Migration]:
    return [migration for migration in all_migrations() if migration.is_for(store)]


@pytest.mark.long
def test_each_migration_may_be_applied_twice(home_store: EmbeddedStore) -> None:
    """Two processes may start at once, and one may die between the statement and its record."""
    for migration in migrations_for(home_store):
        for _ in range(2):
            home_store.command(render(migration.sql))

    # None is recorded, so that all come once more, on a schema that has what the later ones made.
    assert pending_migrations(home_store) == migrations_for(home_store)
    assert migrate(home_store) == migrations_for(home_store)


def test_migrating_is_done_once(home_store: EmbeddedStore) -> None:
    """Every start of the server asks; only the first has something to do."""
    assert pending_migrations(home_store) == migrations_for(home_store)

    assert migrate(home_store) == migrations_for(home_store)

    assert pending_migrations(home_store) == []
    assert migrate(home_store) == []
    assert home_store.rows("SELECT Version, Name, Checksum FROM agentvigil_migrations ORDER BY Version") == [
        (migration.version, migration.name, migration.checksum) for migration in migrations_for(home_store)
    ]


def test_a_migration_that_was_cut_short_is_finished(empty_store: EmbeddedStore) -> None:
    """A release that adds one finds the others recorded."""
    migrate(empty_store)
    empty_store.command("ALTER TABLE agentvigil_migrations DELETE WHERE Version > 4 SETTINGS mutations_sync = 1")

    assert migrate(empty_store) == migrations_for(empty_store)[4:]
    assert pending_migrations(empty_store) == []


def test_what_was_applied_before_one_failed_is_known(
    empty_store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks for the cause must see which one it is, and the next attempt begins with it."""
    known = all_migrations()
    broken = [
        *known[:3],
        Migration(4, "broken", None, "CREATE TABLE no_engine_has_this_name (x UInt8) ENGINE = Nothing"),
    ]
    monkeypatch.setattr(migrations, "all_migrations", lambda: broken)

    with pytest.raises(QueryFailed):
        migrate(empty_store)

    assert [migration.version for migration in pending_migrations(empty_store)] == [4]


def test_a_newer_database_is_left_alone(store: EmbeddedStore) -> None:
    """An older release would write rows that miss what the newer one relies on."""
    store.command("INSERT INTO agentvigil_migrations (Version, Name, Checksum, AppliedBy) VALUES (999, 'x', 'x', '9')")

    with pytest.raises(SchemaTooNew, match="version 999") as caught:
        migrate(store)

    assert (caught.value.found, caught.value.supported) == (
        999,
        max(migration.version for migration in all_migrations()),
    )


def test_a_changed_migration_is_noticed(store: EmbeddedStore) -> None:
    """The file on disk no longer says what the database looks like."""
    store.command("TRUNCATE TABLE agentvigil_migrations")
    store.command("INSERT INTO agentvigil_migrations (Version, Name, Checksum) VALUES (11, 'otel_traces', 'another')")

    with pytest.raises(MigrationChanged, match="011_otel_traces"):
        migrate(store)
