"""Who may send, and where what is sent goes."""

from datetime import UTC, datetime

import pytest

from agentvigil.receiver.errors import Forbidden, Unauthenticated
from agentvigil.receiver.keys import project_of_sender
from agentvigil.storage.access import Access, KeyBook, Scope
from agentvigil.storage.access.key_book import KeyRecord, StoredKey
from agentvigil.storage.access.keys import digest_of, make_key


class NoKeys(KeyBook):
    """A book without keys, over no store."""

    def __init__(self) -> None:
        self._watchers = []

    def stored(self) -> list[StoredKey]:
        return []


@pytest.mark.parametrize("header", [None, "", "Bearer whatever", "Basic eDp5"])
def test_without_a_key_everybody_may_send(header: str | None) -> None:
    """The default on one's own machine; a header that somebody sends anyway does no harm."""
    assert project_of_sender(Access(NoKeys()), header) == "default"


@pytest.mark.parametrize("header", ["Bearer s3cret", "bearer s3cret", "BEARER s3cret", "Bearer  s3cret "])
def test_the_static_key_lets_in(header: str) -> None:
    """The scheme's case is the sender's choice (RFC 7235), and gRPC clients write it in lower case."""
    assert project_of_sender(Access(NoKeys(), static_key="s3cret"), header) == "default"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "s3cret",
        "Bearer",
        "Bearer ",
        "Bearer s3cre",
        "Bearer s3cret2",
        "Bearer S3CRET",
        "Basic s3cret",
        "Bearer s3cret x",
        "Bearer s3crét",
        "Bearer \xff",
        "Bearer \ud800",
        "s3cret Bearer",
        f"Bearer vgl_{'a' * 10}_{'b' * 43}",
    ],
)
def test_anything_else_keeps_out_and_says_what_to_set(header: str | None) -> None:
    """Whoever reads the message is the owner of the sender, who has to find the variable."""
    with pytest.raises(Unauthenticated, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        project_of_sender(Access(NoKeys(), static_key="s3cret"), header)

    assert "s3cret" not in str(caught.value)


def test_a_key_sends_into_its_project_if_it_may_send() -> None:
    access = Access(NoKeys())
    bearers = {}
    for project, scopes in (("shop", [Scope.INGEST]), (None, [Scope.INGEST]), ("shop", [Scope.READ, Scope.ADMIN])):
        bearers[project, scopes[0]] = f"Bearer {_made(access, project, scopes)}"

    assert project_of_sender(access, bearers["shop", Scope.INGEST]) == "shop"
    assert project_of_sender(access, bearers[None, Scope.INGEST]) == "default"
    with pytest.raises(Forbidden, match="needs scope ingest and has admin, read"):
        project_of_sender(access, bearers["shop", Scope.READ])


def _made(access: Access, project: str | None, scopes: list[Scope]) -> str:
    """Have ``access`` know a key of ``project``, as if its book had made it; return its text."""
    key_id, text = make_key()
    record = KeyRecord(key_id, "", project, frozenset(scopes), datetime.now(UTC), None, None)
    access.learn(StoredKey(record, digest_of(text)))
    return text
