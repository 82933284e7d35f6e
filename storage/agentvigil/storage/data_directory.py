"""The directory an embedded ClickHouse lives in, and the lock that gives it one owner.

chDB allows one process per data path but reports a second one with an empty message, and it can not say who holds
the path. So the owner holds ``agentvigil.lock`` (released by the kernel however the process ends), and writes into
it who it is and where it listens; a second process reads that, to say it or to connect there.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from agentvigil.storage.errors import DataDirectoryHeld, StorageError


class DataDirectory:
    """A data directory that this process owns until :meth:`release`.

    Raises:
        DataDirectoryHeld: if another process owns it.
        StorageError: if it can not be made or written.
    """

    def __init__(self, path: Path, *, purpose: str) -> None:
        self.path = path.expanduser().absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_fd = os.open(self.path / "agentvigil.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise StorageError(
                f"can not use {self.path} as data directory: {exc.strerror}; choose another one with --data"
            ) from exc
        try:
            # Whatever mode it had: it may hold a token.
            os.fchmod(self._lock_fd, 0o600)
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(self._lock_fd)
            raise DataDirectoryHeld(str(self.path), describe(read_owner(self.path) or {})) from exc
        self._purpose = purpose
        self._owned = True
        self.announce({})

    @property
    def clickhouse(self) -> Path:
        """Where chDB keeps its files."""
        return self.path / "clickhouse"

    def announce(
        self, addresses: Mapping[str, str], *, certificate: str | None = None, token: str | None = None
    ) -> None:
        """Tell other processes who owns the directory and on which ``addresses`` (name → host:port) it listens.

        ``certificate`` is the file with which it proves there who it is, None if it speaks no TLS. ``token`` is a key
        to all that it offers: whoever may read this file may as well read the data.
        """
        owner = {
            "pid": os.getpid(),
            "purpose": self._purpose,
            "addresses": dict(addresses),
            "certificate": certificate,
            "token": token,
        }
        text = json.dumps(owner).encode()
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, text, 0)

    def release(self) -> None:
        """Give the directory up; safe to call twice."""
        if self._owned:
            self._owned = False
            os.ftruncate(self._lock_fd, 0)
            os.close(self._lock_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def directory_of(url: str | None, data: Path) -> Path:
    """Return the data directory of the embedded home: the path of a ``chdb://`` URL, else ``data``."""
    return Path(urlsplit(url).path) if url else data


def read_owner(path: Path) -> dict[str, Any] | None:
    """Return what the present owner of ``path`` announced, or None if nobody owns it."""
    try:
        fd = os.open(path.expanduser() / "agentvigil.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        text = os.pread(fd, 65536, 0)
    finally:
        os.close(fd)
    try:
        owner = json.loads(text)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def describe(owner: Mapping[str, Any]) -> str:
    """Return an announcement in words, without its token: ``pid 4711 (agentvigil up, otlp_grpc 127.0.0.1:4317)``."""
    if "pid" not in owner:
        return "another process"
    details = [str(owner.get("purpose", "agentvigil"))]
    details += [f"{name} {address}" for name, address in dict(owner.get("addresses", {})).items()]
    return f"pid {owner['pid']} ({', '.join(details)})"
