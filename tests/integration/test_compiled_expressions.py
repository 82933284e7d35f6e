"""When the engine makes machine code of expressions, which pays for what is asked again and again only."""

from agentvigil.storage.embedded import EmbeddedStore


def functions_compiled(store: EmbeddedStore) -> int:
    """How many the engine of this process has compiled so far."""
    return sum(int(count) for (count,) in store.rows("SELECT value FROM system.events WHERE event = 'CompileFunction'"))


def test_machine_code_is_made_of_what_is_asked_often(store: EmbeddedStore) -> None:
    """A command asks some questions of its own and ends: it would wait for code that nobody uses."""
    question = "SELECT sum(number * 41 + 17), avg(number - 23) FROM numbers(1000) WHERE number * 19 + 3 > 4711"
    before = functions_compiled(store)

    for _ in range(10):
        store.rows(question)
    assert functions_compiled(store) == before

    for _ in range(60):
        store.rows(question)
    assert functions_compiled(store) > before
