"""Where Google's SDK is taken hold of: at the methods that make one request each, below its loops."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from agentvigil.instrumentations.functions import around, async_around
from agentvigil.instrumentations.google_genai.operations import ContentReader, Operations
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Inference, Telemetry
from agentvigil.instrumentations.telemetry.guard import guard
from agentvigil.instrumentations.telemetry.streams import ObservedAsyncIterator, ObservedIterator, Reading
from agentvigil.semconv import names


class GoogleGenAIInstrumentor(FrameworkInstrumentor):
    """Instruments ``google-genai``."""

    name: ClassVar[str] = "google_genai"
    requires: ClassVar[str] = "google-genai >= 1.20, < 4"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        told = Operations(telemetry, self.is_left_to_others)

        def stream(wrapped: Callable[..., Any], models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            operation = _started(told, models, args, kwargs)
            if operation is None:
                return wrapped(*args, **kwargs)
            reader = ContentReader(operation)
            # A generator: nothing is asked before it is read, and that is when errors come.
            return ObservedIterator(iter(wrapped(*args, **kwargs)), Reading(operation, reader.item, reader.end))

        async def async_stream(
            wrapped: Callable[..., Any], models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            operation = _started(told, models, args, kwargs)
            if operation is None:
                return await wrapped(*args, **kwargs)
            reader = ContentReader(operation)
            with operation.running():
                iterator = await wrapped(*args, **kwargs)
            return ObservedAsyncIterator(aiter(iterator), Reading(operation, reader.item, reader.end))

        models, extra = "google.genai.models", "google.genai._extra_utils"
        tool, async_tool = around(told.tool, told.tool_answered), async_around(told.tool, told.tool_answered)
        return (
            Wrapped(models, "Models._generate_content", around(told.content, told.answered)),
            Wrapped(models, "AsyncModels._generate_content", async_around(told.content, told.answered)),
            Wrapped(models, "Models._generate_content_stream", stream),
            Wrapped(models, "AsyncModels._generate_content_stream", async_stream),
            Wrapped(models, "Models.embed_content", around(told.embedding, told.embedded)),
            Wrapped(models, "AsyncModels.embed_content", async_around(told.embedding, told.embedded)),
            Wrapped(extra, "invoke_function_from_dict_args", tool),
            Wrapped(extra, "invoke_function_from_dict_args_async", async_tool),
        )


def _started(told: Operations, models: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inference | None:
    with guard("start of a stream"):
        operation = told.content(models, args, kwargs)
        if operation is not None:
            operation.set(names.GEN_AI_REQUEST_STREAM, True)
        return operation
    return None
