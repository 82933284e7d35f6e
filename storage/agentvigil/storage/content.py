"""What projects let be stored of what people and models said: its texts as they were sent.

A text is stored as the hashes of its messages and what stands between them (``span_contents``), each message once
(``content_messages``). See ``docs/content.md``.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentvigil.semconv import names as n
from agentvigil.storage.errors import StorageError
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage", "content_queries.sql")


class ContentGone(StorageError):
    """A message of a span's text is not in the store any more."""

    def __init__(self, trace_id: str, span_id: str, key: str) -> None:
        super().__init__(
            f"the text of {key} of span {span_id} in trace {trace_id} is not whole: a message of it was deleted; "
            "the other keys can be read from the view span_content"
        )


def contents_of(store: Store, project: str, trace_id: str, span_id: str) -> Mapping[str, str]:
    """Return the texts of a span, exactly as they were sent, by their keys; none if its project kept none.

    A key of an event is ``events.1.name.key``, of a link ``links.1.key``, counted from 1, of a log record
    ``logs.time.name.key``, the time in nanoseconds since 1970. Ids are in lower case hex.

    Raises:
        ContentGone: if a message of them was deleted.
        QueryFailed: if the store does not answer.
    """
    parameters = {"project": project, "trace_id": trace_id, "span_id": span_id}
    texts = {}
    for key, text in store.rows(_QUERIES["contents_of_span"], parameters):
        if text is None:
            raise ContentGone(trace_id, span_id, key)
        texts[key] = text
    return texts


def conversation_of(store: Store, project: str, trace_id: str, span_id: str) -> list[Any]:
    """Return the messages of a span that says them as the conventions want: its input, then its output.

    Where the span itself does not say them, those of its last log record that does. Each is what the JSON says; an
    attribute that is no JSON list, as one that its sender cut off, adds nothing.
    Source: https://github.com/open-telemetry/semantic-conventions-genai (gen_ai.input.messages, gen_ai.output.messages)

    Raises:
        ContentGone: if a message was deleted.
        QueryFailed: if the store does not answer.
    """
    texts = contents_of(store, project, trace_id, span_id)
    said = (_said_of(texts, key) for key in (n.GEN_AI_INPUT_MESSAGES, n.GEN_AI_OUTPUT_MESSAGES))
    return [message for text in said for message in _elements(text)]


def delete_content(store: Store, project: str) -> None:
    """Delete all that is stored of what ``project`` said; the spans stay. Takes seconds, as rows are rewritten.

    What arrives meanwhile may stay: turn the project's content policy off before.

    Raises:
        QueryFailed: if the store does not answer.
    """
    for table in ("span_contents", "content_messages"):
        store.change(table, _QUERIES["delete_contents"], {"project": project})


def _said_of(texts: Mapping[str, str], key: str) -> str:
    if key in texts:
        return texts[key]
    logged = [said for said in texts if said.startswith("logs.") and said.endswith(f".{key}")]
    return texts[max(logged, key=lambda said: int(said.split(".", 2)[1]))] if logged else ""


def _elements(text: str) -> Iterator[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(found, list):
        yield from found
