"""Who may send: one static key, until keys are managed per project."""

import hmac

from agentvigil.receiver.errors import Unauthenticated


def check_key(authorization: str | None, key: str | None) -> None:
    """Compare an ``Authorization`` header with the key; None as ``key`` lets everybody in.

    Raises:
        Unauthenticated: if the header does not carry the key.
    """
    if key is None:
        return
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
        raise Unauthenticated(
            "this receiver needs a key: set OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer YOUR_KEY', "
            "with the value of AGENTVIGIL_INGEST_KEY at the receiver"
        )
