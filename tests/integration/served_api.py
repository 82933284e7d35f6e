"""The API over a store of this process, as the server puts it together."""

from typing import Any, cast

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from agentvigil.api.app import api_app
from agentvigil.api.routers import routers_of
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.embedded import EmbeddedStore


def app_over(
    store: EmbeddedStore,
    *,
    key: str | None = None,
    policies: ContentPolicies = ContentPolicies(),  # noqa: B008 - frozen
    **options: Any,
) -> FastAPI:
    """The API over ``store``, open as it is without keys, or for those who have ``key`` or one of the store's.

    ``options`` are those of ``api_app``.
    """
    keys = KeyBook(store)
    access = Access(keys, static_key=key)
    access.load()
    return api_app(list, CollectorRegistry(), access, routers_of(store, keys, policies), **options)


def document_app() -> FastAPI:
    """The API without a store, to look at its routes."""
    nowhere = cast("EmbeddedStore", None)
    keys = KeyBook(nowhere)
    return api_app(list, CollectorRegistry(), Access(keys), routers_of(nowhere, keys))


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return document_app().openapi()
