"""Opens an embedded store that nobody uses, in a process of its own: data that kills the engine must not kill us.

As a program, ``python -m agentvigil.cli.doctor.embedded_opening DIRECTORY DATABASE``, it prints its findings as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from agentvigil.cli.doctor.findings import Finding, Status, note, ok, trouble
from agentvigil.cli.doctor.store import look_at_schema, words
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError
from agentvigil.storage.named_queries import load_queries

_ANY_DATABASE: Final = "default"
_QUERIES: Final = load_queries("agentvigil.cli.doctor", "queries.sql")


def look_at_embedded(directory: Path, database: str, timeout_s: float) -> list[Finding]:
    """Return whether the store in ``directory``, which is there, opens and what schema it has."""
    command = [sys.executable, "-m", "agentvigil.cli.doctor.embedded_opening", str(directory), database]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        advice = "the data may be large or its disk slow: give --timeout more seconds, or start `agentvigil up`"
        return [trouble("store", f"{directory} did not open within {timeout_s:g} s", advice)]
    try:
        fields = json.loads(process.stdout)
    except ValueError:
        last = process.stderr.strip().splitlines()[-1:] or ["no word"]
        found = f"{directory} does not open: the engine ended with {process.returncode} ({last[0][:240]})"
        advice = "start `agentvigil up` to see it, restore the directory from a backup, or choose another with --data"
        return [trouble("store", found, advice)]
    return [Finding(Status(status), check, found, advice) for status, check, found, advice in fields]


def _open(directory: Path, database: str) -> list[Finding]:
    try:
        with DataDirectory(directory, purpose="agentvigil doctor") as owned:
            store = EmbeddedStore(owned, _ANY_DATABASE)
            try:
                findings = [ok("store", f"ClickHouse {store.version()} opens {directory}")]
                if not store.rows(_QUERIES["schema_exists"], {"database": database})[0][0]:
                    # To open it would make it.
                    found = f"there is no database {database} yet"
                    return [*findings, note("schema", found, "`agentvigil up` makes it")]
                if database == _ANY_DATABASE:
                    return [*findings, *look_at_schema(store, running=False)]
                other = EmbeddedStore(owned, database)
                try:
                    return [*findings, *look_at_schema(other, running=False)]
                finally:
                    other.close()
            finally:
                store.close()
    except StorageError as exc:
        return [trouble("store", words(exc), "restore the directory from a backup, or choose another with --data")]


if __name__ == "__main__":
    findings = _open(Path(sys.argv[1]), sys.argv[2])
    json.dump([[finding.status, finding.check, finding.found, finding.advice] for finding in findings], sys.stdout)
