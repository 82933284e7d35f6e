"""The API over a store of this process, asked as a client asks: by HTTP's words, without a socket."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from agentvigil.storage.embedded import EmbeddedStore
from served_api import app_over


@pytest.fixture
def client(store: EmbeddedStore) -> Iterator[TestClient]:
    """A client of the API over an empty store."""
    with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
        yield client
