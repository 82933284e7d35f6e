"""The text of a key, ``vgl_ID_SECRET``: 10 characters by which it is found, 43 that nobody guesses."""

import hashlib
import hmac
import re
import secrets
import string
from typing import Final

_ID_CHARACTERS: Final = string.ascii_lowercase + string.digits
_KEY: Final = re.compile(r"vgl_([a-z0-9]{10})_[A-Za-z0-9_-]{43}")
_SECRET_BYTES: Final = 32


def make_key() -> tuple[str, str]:
    """Return a new key, as its id and its whole text."""
    key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(10))
    return key_id, f"vgl_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def id_of(text: str) -> str | None:
    """Return the id in ``text``, or None if that is not written like a key."""
    match = _KEY.fullmatch(text)
    return match[1] if match else None


def digest_of(text: str) -> str:
    """Return what is stored of the key ``text``: its SHA-256 in hex.

    A slow hash would protect what people choose; 256 random bits need none, and ingest could not pay for it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(digest: str, other: str) -> bool:
    """Compare two digests in a time that says nothing about where they differ."""
    return hmac.compare_digest(digest, other)
