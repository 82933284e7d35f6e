"""Who may send, and into which project: what a sender's key says."""

from typing import Final

from agentvigil.receiver.errors import Forbidden, Unauthenticated
from agentvigil.storage.access import Access, KeyMissing, KeyRefused, Scope, ScopeMissing

_ADVICE: Final = (
    "set OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer YOUR_KEY' at the sender, with a key that "
    "`agentvigil keys create` made or the value of AGENTVIGIL_INGEST_KEY at the receiver"
)


def project_of_sender(access: Access, authorization: str | None) -> str:
    """Return the project in which the sender of this ``Authorization`` header stores; never waits.

    Raises:
        Unauthenticated: if a key is needed and the header carries none that is valid.
        Forbidden: if its key may not send.
    """
    scheme, _, given = (authorization or "").partition(" ")
    try:
        caller = access.caller_of([given.strip()] if scheme.lower() == "bearer" else [])
        caller.check(Scope.INGEST)
    except KeyMissing as exc:
        raise Unauthenticated(f"this receiver needs a key: {_ADVICE}") from exc
    except KeyRefused as exc:
        raise Unauthenticated(f"this key is unknown here, was revoked or has expired: {_ADVICE}") from exc
    except ScopeMissing as exc:
        raise Forbidden(str(exc)) from exc
    return caller.ingest_project
