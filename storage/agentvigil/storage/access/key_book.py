"""Keys in the store: made, listed, revoked. What is asked at every request is answered by ``Access``, from memory."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from agentvigil.storage.access.callers import Scope
from agentvigil.storage.access.keys import digest_of, make_key
from agentvigil.storage.access.labels import check_label
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage.access", "queries.sql")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of one key; times in UTC. ``project`` None is every project.

    ``last_used_at`` is up to half a minute late, and None for a key that nobody used.
    """

    id: str
    name: str
    project: str | None
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Say whether it lets anybody in at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; ``text`` is the key itself, which is nowhere else."""

    record: KeyRecord
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the store has it; ``digest`` is the SHA-256 of its text, in hex."""

    record: KeyRecord
    digest: str = field(repr=False)


class KeyBook:
    """The keys of ``store``. All methods block and raise StorageError if the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watchers: list[Callable[[StoredKey], None]] = []

    def watch(self, changed: Callable[[StoredKey], None]) -> None:
        """Have ``changed`` called with every key that is made or revoked here from now on."""
        self._watchers.append(changed)

    def create(
        self,
        *,
        name: str = "",
        project: str | None,
        scopes: Collection[Scope],
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key for ``project``, None for every one, and return it with its text, which can not be had again.

        Raises:
            LabelInvalid: if ``name`` or ``project`` is no label; an empty name is none.
            ValueError: without any scope, or if it would have expired already.
        """
        if name:
            check_label("name", name)
        if project is not None:
            check_label("project", project)
        if not scopes:
            raise ValueError("a key needs at least one scope: ingest, read or admin")
        now = datetime.now(UTC)
        if expires_at is not None and expires_at <= now:
            raise ValueError(f"a key that expired at {expires_at.isoformat()} would be of no use; give a time to come")
        key_id, text = make_key()
        until = None if expires_at is None else _milliseconds(expires_at)
        record = KeyRecord(key_id, name, project, frozenset(scopes), _milliseconds(now), until, None)
        stored = StoredKey(record, digest_of(text))
        self._store.insert_rows(
            "agentvigil_keys",
            ("Id", "Digest", "Name", "Project", "Scopes", "CreatedAt", "ExpiresAt", "RevokedAt", "Version"),
            [(key_id, stored.digest, name, project or "", sorted(scopes), now, until, None, 1)],
        )
        self._tell(stored)
        return NewKey(record, text)

    def listed(self, project: str | None = None) -> list[KeyRecord]:
        """Return all keys, or those of ``project``, revoked ones too, oldest first."""
        return [stored.record for stored in self._stored(project=project)]

    def find(self, key_id: str) -> KeyRecord | None:
        """Return the key with this id, None if there is none."""
        found = self._stored(key_id=key_id)
        return found[0].record if found else None

    def revoke(self, key_id: str) -> KeyRecord | None:
        """Revoke the key with this id, for ever, and return it; None if there is none. A revoked one stays as it is."""
        self._store.command(_QUERIES["revoke"], {"id": key_id, "now": datetime.now(UTC)})
        found = self._stored(key_id=key_id)
        for stored in found:
            self._tell(stored)
        return found[0].record if found else None

    def stored(self) -> list[StoredKey]:
        """Return all keys with what is stored of their texts."""
        return self._stored()

    def record_uses(self, last_used_at: dict[str, datetime]) -> None:
        """Store when keys, by their ids, were last used."""
        self._store.insert_rows("agentvigil_key_uses", ("KeyId", "LastUsedAt"), list(last_used_at.items()))

    def _stored(self, *, project: str | None = None, key_id: str | None = None) -> list[StoredKey]:
        rows = self._store.rows(_QUERIES["keys"], {"project": project or "", "id": key_id or ""})
        return [
            StoredKey(
                KeyRecord(
                    id=found_id,
                    name=name,
                    project=of_project or None,
                    # A newer release may know more scopes; here they allow nothing.
                    scopes=frozenset(Scope(scope) for scope in scopes if scope in Scope.__members__.values()),
                    created_at=created_at,
                    expires_at=expires_at,
                    revoked_at=revoked_at,
                    last_used_at=last_used_at,
                ),
                digest,
            )
            for found_id, digest, name, of_project, scopes, created_at, expires_at, revoked_at, last_used_at in rows
        ]

    def _tell(self, stored: StoredKey) -> None:
        for changed in self._watchers:
            changed(stored)


def _milliseconds(at: datetime) -> datetime:
    """Return ``at`` as the store gives it back."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
