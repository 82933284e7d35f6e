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
) -> FastAPI:
    """The API over ``store``, open as it is without keys, or for those who have ``key`` or one of the store's."""
    access = Access(KeyBook(store), static_key=key)
    access.load()
    return api_app(list, CollectorRegistry(), access, routers_of(store, policies))


def document_app() -> FastAPI:
    """The API without a store, to look at its routes."""
    nowhere = cast("EmbeddedStore", None)
    return api_app(list, CollectorRegistry(), Access(KeyBook(nowhere)), routers_of(nowhere))


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return document_app().openapi()
