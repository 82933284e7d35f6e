"""Keys and projects in a real store, and who is calling by them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agentvigil.storage.access import (
    ALL_SCOPES,
    Access,
    Caller,
    GrantRefused,
    KeyBook,
    KeyMissing,
    KeyRefused,
    LabelInvalid,
    ProjectBook,
    Scope,
    ScopeMissing,
)
from agentvigil.storage.access import access as access_module
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed


@pytest.fixture
def book(store: EmbeddedStore) -> KeyBook:
    return KeyBook(store)


def loaded(book: KeyBook, **how: object) -> Access:
    access = Access(book, **how)  # type: ignore[arg-type] # of a test's choice
    access.load()
    return access


def everything_stored(store: EmbeddedStore) -> str:
    return str(store.rows("SELECT * FROM agentvigil_keys") + store.rows("SELECT * FROM agentvigil_key_uses"))


def test_a_key_is_shown_once_and_stored_as_a_digest(store: EmbeddedStore, book: KeyBook) -> None:
    new = book.create(name="ci", project="shop", scopes=[Scope.READ, Scope.INGEST])

    head, key_id, secret = new.text.split("_", 2)
    assert (head, key_id, len(secret)) == ("vgl", new.record.id, 43)
    stored = everything_stored(store)
    assert key_id in stored
    assert secret not in stored
    assert secret not in repr(new)
    assert secret not in repr(book.listed())
    assert book.listed() == [new.record] == book.listed(project="shop")
    assert book.listed(project="other") == []
    assert loaded(book).caller_of([new.text]) == Caller("shop", frozenset({Scope.READ, Scope.INGEST}), key_id)


def test_keys_are_all_different(book: KeyBook) -> None:
    made = [book.create(project=None, scopes=[Scope.READ]) for _ in range(5)]

    assert (
        len({new.text.partition("_")[2].partition("_")[2] for new in made}) == len({new.record.id for new in made}) == 5
    )


@pytest.mark.parametrize("change", ["secret", "id", "case", "short", "long", "empty", "other"])
def test_only_the_whole_key_is_the_key(book: KeyBook, change: str) -> None:
    text = book.create(project=None, scopes=[Scope.READ]).text
    other = book.create(project=None, scopes=[Scope.READ]).text
    wrong = {
        "secret": text[:-1] + ("a" if text[-1] != "a" else "b"),
        "id": text[:4] + other[4:14] + text[14:],
        "case": text.swapcase(),
        "short": text[:-1],
        "long": text + "x",
        "empty": text[:15],
        "other": "hunter2",
    }[change]

    with pytest.raises(KeyRefused):
        loaded(book).caller_of([wrong])


def test_unknown_revoked_and_expired_are_told_alike(book: KeyBook) -> None:
    """Who tries keys must not learn which of them once were good."""
    access = loaded(book)
    revoked = book.create(project="shop", scopes=[Scope.READ])
    book.revoke(revoked.record.id)
    soon = datetime.now(UTC) + timedelta(milliseconds=30)
    expired = book.create(project="shop", scopes=[Scope.READ], expires_at=soon)
    threading.Event().wait(0.05)
    said = set()
    for text in (revoked.text, expired.text, f"vgl_{'0' * 10}_{'0' * 43}", "guess"):
        with pytest.raises(KeyRefused) as caught:
            access.caller_of([text])
        said.add(str(caught.value))

    assert len(said) == 1


def test_what_is_made_or_revoked_here_counts_at_once(book: KeyBook) -> None:
    access = loaded(book)
    new = book.create(project="shop", scopes=[Scope.READ])
    assert access.caller_of([new.text]).project == "shop"

    revoked = book.revoke(new.record.id)

    assert revoked is not None
    assert revoked.revoked_at is not None
    with pytest.raises(KeyRefused):
        access.caller_of([new.text])
    assert book.revoke(new.record.id) == revoked, "the time of the first revocation stays"
    assert book.revoke("0" * 10) is None
    access.load()
    with pytest.raises(KeyRefused):
        access.caller_of([new.text])


def test_what_another_process_makes_or_revokes_counts_soon(
    store: EmbeddedStore, book: KeyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "_RELOAD_EVERY_S", 0.02)
    monkeypatch.setattr(access_module, "_RELOAD_AGAIN_S", 0.01)
    access = loaded(KeyBook(store))
    access.start()
    try:
        new = book.create(project="shop", scopes=[Scope.READ])
        until(lambda: callable_by(access, new.text))
        book.revoke(new.record.id)
        until(lambda: not callable_by(access, new.text))
    finally:
        access.stop()
        access.stop()


def test_an_unknown_key_has_the_keys_read_again(
    store: EmbeddedStore, book: KeyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a new key of another process is not refused until the next round."""
    monkeypatch.setattr(access_module, "_RELOAD_EVERY_S", 3600)
    access = loaded(KeyBook(store))
    access.start()
    try:
        book.create(project="shop", scopes=[Scope.READ])
        new = book.create(project="shop", scopes=[Scope.READ])
        access.load()
        later = book.create(project="shop", scopes=[Scope.READ])
        assert callable_by(access, new.text)
        until(lambda: callable_by(access, later.text))
    finally:
        access.stop()


def test_the_last_known_keys_count_while_the_store_is_away(
    store: EmbeddedStore, book: KeyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = book.create(project="shop", scopes=[Scope.READ])
    access = loaded(book)
    store.command("RENAME TABLE agentvigil_keys TO kept")
    try:
        with pytest.raises(QueryFailed):
            access.load()
        assert access.caller_of([new.text]).project == "shop"
        assert not access.is_open
    finally:
        store.command("RENAME TABLE kept TO agentvigil_keys")


def test_without_any_key_everybody_may_do_all(book: KeyBook) -> None:
    access = loaded(book, token="t" * 40)

    assert access.is_open
    assert access.caller_of([]) == access.caller_of(["whatever"]) == Caller(None, ALL_SCOPES, "")


def test_a_place_that_had_keys_is_never_open_again(book: KeyBook) -> None:
    """To revoke the last key shuts the place; it would be worse than no keys if it opened it."""
    access = loaded(book)
    new = book.create(project=None, scopes=[Scope.READ])
    book.revoke(new.record.id)
    access.load()

    assert not access.is_open
    assert access.usable_keys == 0
    with pytest.raises(KeyMissing):
        access.caller_of([""])


def test_static_key_and_token_do_all(book: KeyBook) -> None:
    access = loaded(book, static_key="s3cret", token="of-this-start")

    assert not access.is_open
    assert access.usable_keys == 1
    assert access.caller_of(["wrong", "s3cret"]) == Caller(None, ALL_SCOPES, "static")
    assert access.caller_of(["of-this-start"]) == Caller(None, ALL_SCOPES, "local")
    with pytest.raises(KeyRefused):
        access.caller_of(["wrong"])


def test_where_keys_are_required_it_is_never_open(book: KeyBook) -> None:
    access = loaded(book, required=True)

    assert not access.is_open
    with pytest.raises(KeyMissing):
        access.caller_of([])


def test_uses_are_collected_and_stored(book: KeyBook) -> None:
    access = loaded(book)
    used, unused = (book.create(project=None, scopes=[Scope.READ]) for _ in range(2))
    before = datetime.now(UTC)
    access.caller_of([used.text])
    access.start()

    access.stop()

    found = {record.id: record.last_used_at for record in book.listed()}
    assert found[unused.record.id] is None
    last_used = found[used.record.id]
    assert last_used is not None
    assert before - timedelta(milliseconds=1) <= last_used <= datetime.now(UTC)


def test_names_are_labels_and_keys_are_of_use(book: KeyBook) -> None:
    for name, project in (("two words", "shop"), ("<b>", "shop"), ("x" * 65, "shop"), ("", ""), ("", "a'b"), ("", "ä")):
        with pytest.raises(LabelInvalid, match="is not a label"):
            book.create(name=name, project=project, scopes=[Scope.READ])
    with pytest.raises(ValueError, match="at least one scope"):
        book.create(project=None, scopes=[])
    with pytest.raises(ValueError, match="of no use"):
        book.create(project=None, scopes=[Scope.READ], expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert book.listed() == []


def test_nobody_grants_what_it_does_not_have() -> None:
    bound = Caller("shop", frozenset({Scope.ADMIN, Scope.READ}), "k")

    bound.check_grant("shop", {Scope.READ})
    for project, scopes in ((None, {Scope.READ}), ("other", {Scope.READ}), ("shop", {Scope.INGEST})):
        with pytest.raises(GrantRefused):
            bound.check_grant(project, scopes)
    with pytest.raises(ScopeMissing):
        Caller(None, frozenset({Scope.READ}), "k").check_grant("shop", {Scope.READ})
    Caller(None, ALL_SCOPES, "k").check_grant(None, ALL_SCOPES)


def test_projects_are_those_made_those_with_keys_and_those_with_data(store: EmbeddedStore, book: KeyBook) -> None:
    projects = ProjectBook(store)
    projects.create("made", "of-the-shop")
    book.create(project="keyed", scopes=[Scope.READ])
    book.revoke(book.create(project="keyed", scopes=[Scope.READ]).record.id)
    for table, project, day in (("otel_traces", "spans", 0), ("agent_runs", "runs", 20), ("agent_runs", "old", 40)):
        store.command(
            "INSERT INTO {table:Identifier} (Project, Timestamp) "
            "SELECT {project:String}, now() - toIntervalDay({day:UInt8})",
            {"table": table, "project": project, "day": day},
        )

    found = {project.name: project for project in projects.listed()}

    assert list(found) == ["default", "keyed", "made", "runs", "spans"]
    assert found["keyed"].usable_keys == 1
    assert found["made"].description == "of-the-shop"
    assert found["made"].created_at is not None
    assert found["default"].created_at is found["default"].last_data_at is None
    last = found["runs"].last_data_at
    assert last is not None
    assert timedelta(days=19) < datetime.now(UTC) - last < timedelta(days=21)
    assert [project.name for project in projects.listed(only="keyed")] == ["keyed"]
    assert projects.listed(only="nowhere") == []


def test_making_a_project_again_changes_its_description_alone(store: EmbeddedStore) -> None:
    projects = ProjectBook(store)
    first = projects.create("shop")

    second = projects.create("shop", "for-sale")

    assert (second.created_at, second.description) == (first.created_at, "for-sale")
    for name, description in (("no good", ""), ("shop", "a <b>"), ("", "")):
        with pytest.raises(LabelInvalid):
            projects.create(name, description)


def callable_by(access: Access, text: str) -> bool:
    try:
        access.caller_of([text])
    except KeyRefused:
        return False
    return True


def until(happened: Callable[[], bool]) -> None:
    for _ in range(2000):
        if happened():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")
