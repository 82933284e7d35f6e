"""A store used by many threads keeps nothing of those that are gone."""

import threading

from agentvigil.storage.embedded import EmbeddedStore


def test_a_thread_that_ends_takes_its_client_with_it(store: EmbeddedStore) -> None:
    """Web servers let idle threads go and make new ones, for as long as they run."""

    def ask() -> None:
        assert store.rows("SELECT 1") == [(1,)]

    ask()
    known = len(store._clients)
    for _ in range(30):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    assert len(store._clients) == known
    ask()
