"""The API over a store of this process, asked as a client asks: by HTTP's words, without a socket."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from agentvigil.api.app import api_app
from agentvigil.api.routers import routers_of
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.embedded import EmbeddedStore


def app_over(store: EmbeddedStore) -> FastAPI:
    """The API over ``store``, open as it is without keys."""
    access = Access(KeyBook(store))
    access.load()
    return api_app(list, CollectorRegistry(), access, routers_of(store))


@pytest.fixture
def client(store: EmbeddedStore) -> Iterator[TestClient]:
    """A client of the API over an empty store."""
    with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
        yield client
