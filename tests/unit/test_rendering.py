"""The schema's placeholders: what is filled in where."""

import re

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
