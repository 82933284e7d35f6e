"""Takes the current trace along into threads and thread pools, which Python before 3.14 does not.

OpenTelemetry has an instrumentation of its own for this, ``opentelemetry-instrumentation-threading``. Where that is at
work this one does nothing. It is no dependency, since each of its versions asks for exactly one version of all others,
and a library must not decide that for the programs it is installed in.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from opentelemetry.context import Context, get_current

from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry
from agentvigil.instrumentations.telemetry.current import Active
from agentvigil.instrumentations.telemetry.guard import guard


class ThreadsInstrumentor(FrameworkInstrumentor):
    """Instruments ``threading.Thread`` and ``concurrent.futures.ThreadPoolExecutor``."""

    name: ClassVar[str] = "threads"
    requires: ClassVar[str] = "opentelemetry-api >= 1"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:  # noqa: ARG002 - it tells nothing
        return (
            Wrapped("threading", "Thread.start", self._start),
            Wrapped("concurrent.futures.thread", "ThreadPoolExecutor.submit", self._submit),
        )

    def _start(self, wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        context = get_current()
        # Once started it runs only once; without a trace there is nothing to take along.
        if context and instance.ident is None and not self.is_left_to_others():
            with guard("start of a thread"):
                instance.run = functools.partial(_inside, context, instance.run)
        return wrapped(*args, **kwargs)

    def _submit(
        self, wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        context = get_current()
        if context and args and not self.is_left_to_others():
            args = (functools.partial(_inside, context, args[0]), *args[1:])
        return wrapped(*args, **kwargs)


def _inside(context: Context, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with Active(context):
        return function(*args, **kwargs)
