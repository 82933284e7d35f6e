"""LiteLLM: completions, responses and embeddings, plain or streamed, for whatever provider, also through its Router.

One span for a call, with the SDK that LiteLLM calls below; each try of a Router is a call. What LiteLLM says that it
costs is ``agentvigil.cost.usd``, where it knows a price. Where its own OpenTelemetry callback is on
(``litellm.callbacks = ["otel"]``), that one makes the spans.

Tested with litellm 1.75 to 1.110.
"""

from agentvigil.instrumentations.litellm.instrumentor import LiteLLMInstrumentor

__all__ = ["LiteLLMInstrumentor"]
