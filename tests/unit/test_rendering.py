"""The schema's placeholders: what is filled in where."""

import os
import re
import subprocess
import sys

import pytest

from agentvigil.storage.migrations import all_migrations
from agentvigil.storage.rendering import render


def test_every_placeholder_of_every_migration_is_known() -> None:
    """A migration with a hole in it would fail at a user's."""
    assert not [migration.name for migration in all_migrations() if re.search(r"\{\{|\}\}", render(migration.sql))]


def test_an_unknown_placeholder_is_an_error() -> None:
    """A misspelt one must not become empty SQL."""
    with pytest.raises(KeyError, match="misspelt"):
        render("SELECT {{misspelt}}")


_ALL_SQL = """
from agentvigil.storage.migrations import all_migrations
from agentvigil.storage.pipeline import PIPELINES, ways_of
from agentvigil.storage.rendering import render

print(*(way.selected() for arrival in PIPELINES for way in ways_of(arrival)), sep="\\n")
print(*(render(migration.sql) for migration in all_migrations()), sep="\\n")
"""


def test_every_process_renders_the_same() -> None:
    """A set's order is another one in each: what is remembered of a SELECT would be forgotten, views would differ."""
    rendered = {
        subprocess.run(
            [sys.executable, "-c", _ALL_SQL],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    (sql,) = rendered
    assert len(sql) > 100_000
