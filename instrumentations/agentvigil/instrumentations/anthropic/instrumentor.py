"""Where Anthropic's SDK is taken hold of."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import ModuleType
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.anthropic.messages import MessagesRoute
from agentvigil.instrumentations.fields import pick
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Hook, Patch, Wrapped
from agentvigil.instrumentations.stainless.calls import Call, Route
from agentvigil.instrumentations.stainless.wrapping import RequestWatch, async_parse, parse
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.current import detach

_MESSAGES: Final = MessagesRoute()

_is_told: ContextVar[bool] = ContextVar("agentvigil_anthropic_is_told", default=False)
"""Whether the call that is made now has a span of ours, of whoever is around it, or of another instrumentation."""


class AnthropicInstrumentor(FrameworkInstrumentor):
    """Instruments ``anthropic``."""

    name: ClassVar[str] = "anthropic"
    requires: ClassVar[str] = "anthropic >= 0.50, < 3"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        watch = RequestWatch(telemetry, _route_of, self.is_left_to_others)

        def request(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            token = _is_told.set(_is_message(args, kwargs))
            try:
                return watch.sync_request(wrapped, client, args, kwargs)
            finally:
                detach(token)

        async def async_request(
            wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            token = _is_told.set(_is_message(args, kwargs))
            try:
                return await watch.async_request(wrapped, client, args, kwargs)
            finally:
                detach(token)

        return (
            Wrapped("anthropic._base_client", "SyncAPIClient.request", request),
            Wrapped("anthropic._base_client", "AsyncAPIClient.request", async_request),
            Wrapped("anthropic._legacy_response", "LegacyAPIResponse.parse", parse),
            Wrapped("anthropic._response", "APIResponse.parse", parse),
            Wrapped("anthropic._response", "AsyncAPIResponse.parse", async_parse),
            Hook("anthropic._base_client", _silence),
        )


def _route_of(call: Call) -> Route | None:
    return _MESSAGES if _is_path_of_messages(call.path) and call.method == "post" else None


def _is_message(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    options = args[1] if len(args) > 1 else kwargs.get("options")
    return _is_path_of_messages(str(pick(options, "url") or ""))


def _is_path_of_messages(path: str) -> bool:
    return path.partition("?")[0] == "/v1/messages"


def _silence(module: ModuleType) -> Callable[[], object]:
    """Have a client without a tracer for the calls that are told here; that is how the SDK itself makes no spans."""
    base = module.BaseClient
    own = vars(base).get("_tracer")
    if not isinstance(own, property) or own.fget is None:
        return lambda: None
    get = own.fget
    base._tracer = property(lambda client: None if _is_told.get() else get(client))  # noqa: SLF001

    def restore() -> None:
        base._tracer = own  # noqa: SLF001

    return restore
