"""How many requests a key has in a minute, so that one program that polls too fast does not keep others waiting."""

import math
import time
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from agentvigil.api.problems import TooManyRequests, problem_response
from agentvigil.storage.access import Access, AccessError

_EVERYBODY: Final = "no key"


class RateLimits:
    """Turns requests under ``/v1`` away that are more than their key has; those without a valid key count together."""

    def __init__(self, app: ASGIApp, access: Access, requests_per_minute: int) -> None:
        self._app, self._access = app, access
        self._limit = RateLimitItemPerMinute(requests_per_minute) if requests_per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._limit is None or scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        key_id = self._key_id(Headers(scope=scope))
        if self._limiter.hit(self._limit, key_id):
            await self._app(scope, receive, send)
            return
        reset_s = self._limiter.get_window_stats(self._limit, key_id).reset_time - time.time()
        error = TooManyRequests(
            f"more than {self._limit.amount} requests in a minute with one key",
            "wait as Retry-After says, ask for larger pages, or raise --api-requests-per-minute",
            headers={"Retry-After": str(max(1, math.ceil(reset_s)))},
        )
        await problem_response(Request(scope), error)(scope, receive, send)

    def _key_id(self, headers: Headers) -> str:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        try:
            return (
                self._access.caller_of([credentials.strip()] if scheme.lower() == "bearer" else []).key_id or _EVERYBODY
            )
        except AccessError:
            return _EVERYBODY
