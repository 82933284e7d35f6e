"""The installation's key: made once, kept where only its owner reads it, the same for all who share a store."""

from pathlib import Path

import pytest

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError
from agentvigil.storage.hash_key import KEY_BYTES, hash_key_of


def test_a_directory_keeps_its_key_to_its_owner(store: EmbeddedStore, tmp_path: Path) -> None:
    """Another directory has another one."""
    with DataDirectory(tmp_path / "a", purpose="test") as directory:
        key = hash_key_of(store, directory)
        assert hash_key_of(store, directory) == key
    assert len(key) == KEY_BYTES
    assert (tmp_path / "a" / "hash.key").stat().st_mode & 0o777 == 0o600
    with DataDirectory(tmp_path / "b", purpose="test") as directory:
        assert hash_key_of(store, directory) != key


def test_a_damaged_key_is_told(store: EmbeddedStore, tmp_path: Path) -> None:
    """Hashing with half a key would be guessable, and silently so."""
    with DataDirectory(tmp_path, purpose="test") as directory:
        (tmp_path / "hash.key").write_bytes(b"short")
        with pytest.raises(StorageError, match="holds 5 bytes and should hold a key of 16"):
            hash_key_of(store, directory)


def test_receivers_of_one_server_share_its_key(empty_store: EmbeddedStore) -> None:
    """The first to come makes it; a store without a directory is a server's."""
    first = hash_key_of(empty_store, None)

    assert hash_key_of(empty_store, None) == first
    assert len(first) == KEY_BYTES
