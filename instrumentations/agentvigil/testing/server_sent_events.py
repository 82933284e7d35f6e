"""Server-sent events, which all the APIs stream by: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import json

from agentvigil.testing.api import Document


def server_sent_event(document: Document, name: str = "") -> str:
    """One event that carries ``document``; named, if the API names its events."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document)}\n\n"
