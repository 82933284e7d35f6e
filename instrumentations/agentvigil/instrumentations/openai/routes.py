"""Which path of OpenAI's API is about what."""

from typing import Final

from agentvigil.instrumentations.openai.chat import ChatRoute
from agentvigil.instrumentations.openai.completions import CompletionsRoute
from agentvigil.instrumentations.openai.embeddings import EmbeddingsRoute
from agentvigil.instrumentations.openai.responses import FetchRoute, ResponsesRoute
from agentvigil.instrumentations.stainless.calls import Call, Route

_CHAT: Final = ChatRoute()
_FETCH: Final = FetchRoute()
_ROUTES: Final[dict[str, Route]] = {
    "/chat/completions": _CHAT,
    "/responses": ResponsesRoute(),
    "/embeddings": EmbeddingsRoute(),
    "/completions": CompletionsRoute(),
}


def route_of(call: Call) -> Route | None:
    """Return what the call is about, or None for one that is no operation of a model."""
    if call.method == "get":
        is_response = call.path.startswith("/responses/") and call.path.count("/") == 2
        return _FETCH if is_response else None
    return _ROUTES.get(call.path)


def asks_for_usage(call: Call) -> bool:
    """Say whether the call is a stream of a chat whose caller did not say if it wants to know its usage."""
    return call.streams and call.path == "/chat/completions" and call.body.get("stream_options") is None
