"""The installation's own key, with which text that is withheld becomes a hash: the same text the same hash, and nobody
without the key can try which text it was.

It is made once, at random. The embedded home keeps it in its data directory, a server in a view of the database, so
that all receivers in front of it share it. Another key is no damage: hashes of one text then differ before and after.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.errors import StorageError
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.nested_selects import part
from agentvigil.storage.store import Store

KEY_BYTES: Final = 16
_QUERIES: Final = load_queries("agentvigil.storage", "queries.sql")
_FILE_NAME: Final = "hash.key"


def hash_key_of(store: Store, directory: DataDirectory | None) -> bytes:
    """Return the 16 bytes of ``store``, which has its data in ``directory`` if it is embedded; make them if need be.

    Raises:
        StorageError: if they can not be kept, or what is kept is no key.
    """
    key = _of_server(store) if directory is None else _of_directory(directory.path / _FILE_NAME)
    if len(key) != KEY_BYTES:
        place = "the view agentvigil_hash_key" if directory is None else str(directory.path / _FILE_NAME)
        raise StorageError(
            f"{place} holds {len(key)} bytes and should hold a key of {KEY_BYTES}; restore it, or drop it for a new one"
        )
    return key


def hash_key_statement() -> str:
    """Return the statement that makes a key in a server's database, unless it has one."""
    return part(_QUERIES["make_hash_key"]) % {"made": quote(secrets.token_hex(KEY_BYTES))}


def _of_directory(path: Path) -> bytes:
    try:
        if not path.exists():
            # Under another name first: a key must be there whole or not at all. The directory has one owner, us.
            unfinished = path.with_suffix(".new")
            unfinished.unlink(missing_ok=True)
            fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        return path.read_bytes()
    except OSError as exc:
        raise StorageError(f"can not keep the key for hashes in {path}: {exc.strerror}") from exc


def _of_server(store: Store) -> bytes:
    # Where it is, a receiver need not be allowed to make views.
    if not store.rows(_QUERIES["has_hash_key"]):
        store.command(hash_key_statement())
    try:
        return bytes.fromhex(str(store.rows(_QUERIES["hash_key"])[0][0]))
    except ValueError:
        return b""
