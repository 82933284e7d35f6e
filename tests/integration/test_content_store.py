"""The content of projects that allow it: exact, each message once, no longer than its spans, and none of others'."""

import itertools
import json
import random
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from otlp_requests import a_record, logs_of
from own_receiver import Receiver
from trace_requests import DAY, NOW, S, a_request, a_span, admitted, attributes, take, writer_of

from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.receiver.ingest import IngestConfig
from agentvigil.receiver.otlp import LOGS
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.content import ContentGone, contents_of, conversation_of, delete_content
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.ledger import RequestLedger
from agentvigil.storage.request_writer import Outcome
from agentvigil.storage.signals import TRACES
from agentvigil.storage.sql.gateway import SqlGateway

pytestmark = pytest.mark.long

TRACE = "aa" * 15 + "01"
"""That of ``a_span``."""

TURNS = 50
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def contents(store: EmbeddedStore) -> EmbeddedStore:
    return store


def saying(texts: Mapping[str, str], number: int = 1, *, start: int = NOW - S, **how: Any) -> ExportRequest:
    """Return a request of one span that says ``texts``."""
    span = a_span(number, start_time_unix_nano=start, attributes=attributes(dict(texts)))
    return admitted(a_request(span), **how)


def of_span(store: EmbeddedStore, number: int = 1, project: str = "default") -> dict[str, str]:
    return dict(contents_of(store, project, TRACE, f"{number:016x}"))


def count(store: EmbeddedStore, table: str) -> int:
    final = "" if table == "otel_traces" else "FINAL"
    return int(store.rows(f"SELECT count() FROM {{table:Identifier}} {final}", {"table": table})[0][0])


def bodies(store: EmbeddedStore) -> list[str]:
    return [body for (body,) in store.rows("SELECT Body FROM content_messages FINAL ORDER BY Body")]


def a_message(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SPACES = st.text(" \n\t\r", max_size=3)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """A list as some writer of JSON might print it, with elements that come again, and at times cut off."""
    elements = draw(st.lists(st.dictionaries(st.text(max_size=8), JSON_VALUES, min_size=1, max_size=5), max_size=6))
    elements += draw(st.lists(st.sampled_from(elements), max_size=3)) if elements else []
    style: dict[str, Any] = draw(
        st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": "\t"}])
    )
    printed = [json.dumps(element, **style) for element in elements]
    gaps = draw(st.lists(SPACES, min_size=2, max_size=2))
    text = draw(SPACES) + "[" + draw(SPACES) + f"{gaps[0]},{gaps[1]}".join(printed) + draw(SPACES) + "]" + draw(SPACES)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 4)) == 0 else text


PIECES = st.lists(
    st.sampled_from(['{"a":', "}", ", ", ",", "{", "[", "]", '"', "\\", "\\\\", "\x01", "é", " "]), max_size=40
)


EXAMPLES = itertools.count(1)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(json_texts() | PIECES.map("".join) | st.text(max_size=200), min_size=20, max_size=60))
def test_texts_come_back_exactly_as_they_were_sent(contents: EmbeddedStore, texts: list[str]) -> None:
    sent = {f"llm.input_messages.{number}.message.content": text for number, text in enumerate(texts)}
    example = next(EXAMPLES)

    take(contents, saying(sent, example))

    assert of_span(contents, example) == sent


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" + ", ".join(['{"a": "%s"}' % ("x" * 40)] * 20_000) + "]", id="of the same element"),
        pytest.param("{" * 2**20, id="that opens and never closes"),
        pytest.param("},{" * 350_000, id="of nothing but gaps"),
        pytest.param('"},{' * 260_000, id="of quotes"),
        pytest.param("\\" * 2**20, id="of backslashes"),
        pytest.param("[{}" + " " * 2**19 + "," + " " * 2**19 + "{}]", id="with a gap of a megabyte"),
    ],
)
def test_a_text_of_a_megabyte(contents: EmbeddedStore, text: str) -> None:
    take(contents, saying({"input.value": text}))

    assert of_span(contents) == {"input.value": text}


@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_messages_are_the_elements_as_they_stand(contents: EmbeddedStore, style: dict[str, Any]) -> None:
    """Also where one says what stands between two, and has lists and brackets of its own; the same inside an object."""
    messages = [
        a_message("user", 'what is "}, {" in [{"a": 1}, {"b": 2}] and ]} at Café?'),
        {"role": "assistant", "parts": [{"type": "text", "content": "1"}, {"type": "text", "content": "x" * 50}]},
        a_message("user", "thanks"),
    ]
    text = json.dumps(messages, **style)
    sent = {
        "input.value": text,
        "gen_ai.prompt": f'{{"messages": {text}, "model": "m"}}',
        "llm.prompts": f'{{"model": "m", "messages":{text}}}',
    }

    take(contents, saying(sent))

    assert of_span(contents) == sent
    assert sorted(map(json.loads, bodies(contents)), key=repr) == sorted(messages, key=repr)
    assert all(body in text for body in bodies(contents))


def test_events_and_links_are_told_by_their_places(contents: EmbeddedStore) -> None:
    span = a_span(1, attributes=attributes({"input.value": "asked"}))
    span.events.add(name="first")
    said = span.events.add(name="gen_ai.user.message")
    said.attributes.extend(attributes({"gen_ai.event.content": "told"}))
    span.links.add(trace_id=bytes(15) + b"\x01").attributes.extend(attributes({"output.value": "linked"}))

    take(contents, admitted(a_request(span)))

    assert of_span(contents) == {
        "input.value": "asked",
        "events.2.gen_ai.user.message.gen_ai.event.content": "told",
        "links.1.output.value": "linked",
    }


def test_a_project_that_is_off_stores_nothing(contents: EmbeddedStore) -> None:
    take(contents, saying({"input.value": "secret"}, policy=ContentPolicy.OFF))

    assert count(contents, "otel_traces") == 1
    assert (count(contents, "span_contents"), count(contents, "content_messages")) == (0, 0)


def test_what_is_masked_is_stored_masked(contents: EmbeddedStore) -> None:
    take(contents, saying({"input.value": "mail anna@example.org"}, policy=ContentPolicy.MASKED))

    assert of_span(contents) == {"input.value": "mail [mail]"}


def test_projects_have_messages_of_their_own(contents: EmbeddedStore) -> None:
    """Deleting one project's content leaves the same words of another."""
    for project in ("it's", "other"):
        take(contents, saying({"input.value": "said by both"}, project=project))
    assert count(contents, "content_messages") == 2

    delete_content(contents, "it's")

    assert of_span(contents, project="it's") == {}
    assert of_span(contents, project="other") == {"input.value": "said by both"}
    assert bodies(contents) == ["said by both"]
    assert count(contents, "otel_traces") == 2


def test_hashes_are_under_the_installations_key(contents: EmbeddedStore) -> None:
    """Whoever knows a text can not tell from a hash that it was said."""
    for number, key in enumerate((b"k" * 16, b"another key too."), start=1):
        take(contents, replace(saying({"input.value": "guess me"}, number), hash_key=key))

    assert count(contents, "content_messages") == 2


def test_a_history_that_repeats_costs_its_distinct_messages(contents: EmbeddedStore) -> None:
    """As one attribute and flattened, beside a table that has each copy, while parts are merged and after it."""
    contents.command(
        "CREATE TABLE IF NOT EXISTS copies (Time DateTime64(9), Attributes Map(LowCardinality(String), String) "
        "CODEC(ZSTD(1))) ENGINE = MergeTree ORDER BY Time"
    )
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(5_000)]
    conversations: list[list[dict[str, Any]]] = [[] for _ in range(4)]
    copied = 0
    copies = []
    for turn in range(TURNS):
        spans = []
        for place, conversation in enumerate(conversations):
            conversation += [a_message(role, " ".join(chance.choices(words, k=250))) for role in ("user", "assistant")]
            texts = _flattened(conversation) if place % 2 else {"gen_ai.input.messages": json.dumps(conversation)}
            copied += sum(map(len, texts.values()))
            number = 10 * turn + place + 1
            spans.append(a_span(number, attributes=attributes(texts)))
            copies.append([NOW + number, texts])
        take(contents, admitted(a_request(*spans), limits=Limits(attributes=1_000)))
    contents.insert_rows("copies", ["Time", "Attributes"], copies)
    distinct = sum(len(message["parts"][0]["content"]) for conversation in conversations for message in conversation)

    assert count(contents, "content_messages") == 4 * 2 * TURNS
    assert _bytes_on_disk(contents, "span_contents", "content_messages") < min(distinct, copied / 20)
    for table in ("copies", "span_contents", "content_messages"):
        contents.command("OPTIMIZE TABLE {table:Identifier} FINAL", {"table": table})
    stored = _bytes_on_disk(contents, "span_contents", "content_messages")
    assert stored < min(distinct, _bytes_on_disk(contents, "copies") / 10)
    last = of_span(contents, 10 * (TURNS - 1) + 1)
    assert json.loads(last["gen_ai.input.messages"]) == conversations[0]
    assert of_span(contents, 10 * (TURNS - 1) + 2) == _flattened(conversations[1])


def _flattened(conversation: list[dict[str, Any]]) -> dict[str, str]:
    return {
        f"llm.input_messages.{number}.message.content": message["parts"][0]["content"]
        for number, message in enumerate(conversation)
    }


def _bytes_on_disk(store: EmbeddedStore, *tables: str) -> int:
    return int(
        store.rows(
            "SELECT sum(bytes_on_disk) FROM system.parts "
            "WHERE active AND database = currentDatabase() AND has({tables:Array(String)}, table)",
            {"tables": list(tables)},
        )[0][0]
    )


def test_a_message_that_is_there_is_not_written_again(contents: EmbeddedStore) -> None:
    """Nothing is left for merging to clean up."""
    for number in range(1, 4):
        take(contents, saying({"input.value": "again"}, number))

    assert contents.rows("SELECT Body FROM content_messages") == [("again",)]
    assert [of_span(contents, number) for number in range(1, 4)] == [{"input.value": "again"}] * 3


def test_a_message_lives_as_long_as_the_last_span_that_says_it(contents: EmbeddedStore) -> None:
    long_ago = NOW - 20 * DAY
    take(contents, saying({"input.value": "old", "output.value": "both"}, 1, start=long_ago, keep_days=30))
    take(contents, saying({"input.value": "both"}, 2, keep_days=30))
    take(
        contents,
        saying({"input.value": "both", "output.value": "old"}, 3, start=long_ago, keep_days=7, received_at_ns=long_ago),
    )
    ends = contents.rows("SELECT Body, toUnixTimestamp(Expires) FROM content_messages FINAL ORDER BY Body")
    days = {body: end - NOW // 10**9 // 86_400 * 86_400 for body, end in ends}

    assert days == {"both": 31 * 86_400, "old": 11 * 86_400}

    for table in ("content_messages", "span_contents"):
        contents.command("OPTIMIZE TABLE {table:Identifier} FINAL", {"table": table})
    assert of_span(contents, 2) == {"input.value": "both"}
    assert of_span(contents, 3) == {}


def test_a_request_that_is_deleted_and_sent_again_is_there_once(contents: EmbeddedStore) -> None:
    request = saying({"input.value": json.dumps([a_message("user", "x" * 40), a_message("user", "y" * 40)])})
    take(contents, request)
    before = of_span(contents)

    RequestLedger(contents, TRACES).delete([request.request_hash], BEGINNING)
    take(contents, request)

    assert of_span(contents) == before
    assert (count(contents, "otel_traces"), count(contents, "span_contents")) == (1, 1)
    assert count(contents, "content_messages") == 2


@pytest.mark.parametrize("table", ["content_messages", "span_contents"])
def test_no_span_is_there_whose_content_failed(contents: EmbeddedStore, table: str) -> None:
    """Whoever dies or fails in the middle leaves content without a span, which nobody sees, and not the reverse."""
    contents.command(f"ALTER TABLE {table} ADD CONSTRAINT failing CHECK Project = 'nobody''s'")
    contents.end_inserts()
    request = saying({"input.value": "said"})

    assert writer_of(contents).write([request]) != [Outcome.STORED]

    assert count(contents, "otel_traces") == 0
    contents.command(f"ALTER TABLE {table} DROP CONSTRAINT failing")
    contents.end_inserts()
    take(contents, request)
    assert of_span(contents) == {"input.value": "said"}
    assert count(contents, "otel_traces") == 1


def test_a_span_that_comes_again_takes_the_place_of_the_first(contents: EmbeddedStore) -> None:
    take(contents, saying({"input.value": "asked", "output.value": ""}))
    take(contents, saying({"input.value": "asked", "output.value": "answered"}, received_at_ns=NOW + S))

    assert of_span(contents) == {"input.value": "asked", "output.value": "answered"}


def test_the_conversation_of_a_span(contents: EmbeddedStore) -> None:
    history = [a_message("user", "what?" * 20), a_message("assistant", "that" * 20)]
    take(
        contents,
        saying(
            {
                "gen_ai.input.messages": json.dumps(history),
                "gen_ai.output.messages": json.dumps([a_message("assistant", "é")]),
            }
        ),
        saying({"gen_ai.input.messages": json.dumps(history)[:-5]}, 2),
    )

    assert conversation_of(contents, "default", TRACE, f"{1:016x}") == [*history, a_message("assistant", "é")]
    assert conversation_of(contents, "default", TRACE, f"{2:016x}") == []
    assert conversation_of(contents, "default", TRACE, f"{3:016x}") == []


def test_log_records_of_a_span_say_what_it_said(contents: EmbeddedStore) -> None:
    """The conventions' event about a call has its messages; records of no span, and other attributes, stay out."""
    history, answer = json.dumps([a_message("user", "what?" * 20)]), json.dumps([a_message("assistant", "é" * 40)])
    name = "gen_ai.client.inference.operation.details"
    ids = {"trace_id": bytes.fromhex(TRACE), "span_id": (1).to_bytes(8, "big"), "event_name": name}
    records = [
        a_record(pairs={"gen_ai.input.messages": "[]"}, time_unix_nano=NOW - 2 * S, **ids),
        a_record(
            pairs={"gen_ai.input.messages": history, "gen_ai.output.messages": answer, "gen_ai.system": "openai"},
            time_unix_nano=NOW - S,
            **ids,
        ),
        a_record(pairs={"gen_ai.input.messages": "of nobody"}, time_unix_nano=NOW - S, event_name=name),
    ]
    take(contents, admitted(logs_of(*records).SerializeToString(), otlp=LOGS), otlp=LOGS)

    assert of_span(contents) == {
        f"logs.{NOW - 2 * S}.{name}.gen_ai.input.messages": "[]",
        f"logs.{NOW - S}.{name}.gen_ai.input.messages": history,
        f"logs.{NOW - S}.{name}.gen_ai.output.messages": answer,
    }
    said = [*json.loads(history), *json.loads(answer)]
    assert conversation_of(contents, "default", TRACE, f"{1:016x}") == said
    assert contents.rows(
        "SELECT countIf(arrayExists(k -> k LIKE '%messages', mapKeys(LogAttributes))) FROM otel_logs"
    ) == [(0,)]


def test_a_text_that_is_not_whole_is_not_made_up(contents: EmbeddedStore) -> None:
    take(contents, saying({"input.value": json.dumps([a_message("user", "x" * 40), a_message("user", "gone" * 20)])}))
    contents.command("ALTER TABLE content_messages DELETE WHERE Body LIKE '%gone%' SETTINGS mutations_sync = 2")

    with pytest.raises(ContentGone, match=r"input\.value of span 0000000000000001"):
        of_span(contents)
    assert contents.rows("SELECT Key, Text FROM span_content") == [("input.value", None)]


def test_readers_of_sql_see_content(contents: EmbeddedStore) -> None:
    take(contents, saying({"input.value": "for readers"}))
    gateway = SqlGateway(contents.open_handle, database=contents.database, allowed_tables=contents.readable_tables)

    assert gateway.execute("SELECT Key, Text FROM span_content").body == b"input.value\tfor readers\n"
    assert gateway.execute("SELECT Body FROM content_messages").body == b"for readers\n"


def test_content_comes_through_the_receiver(contents: EmbeddedStore) -> None:
    """As the policy of the project says, and hashed with the key that the receiver was given."""
    config = IngestConfig(content_policies=ContentPolicies.parse(["default=full"]), hash_key=b"k" * 16)
    with Receiver(writer_of(contents), config=config) as receiver:
        request = urllib.request.Request(
            f"http://127.0.0.1:{receiver.http_port}/v1/traces",
            data=a_request(a_span(1, attributes=attributes({"input.value": "sent"}))),
            headers={"Content-Type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200

    assert of_span(contents) == {"input.value": "sent"}
