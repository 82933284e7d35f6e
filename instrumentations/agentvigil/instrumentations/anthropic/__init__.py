"""Anthropic's SDK: messages, plain or streamed, in every way that the SDK offers them, on all its platforms.

Since 1.14 the SDK makes spans itself (scope ``com.anthropic.sdk.python``). They are good, but they cannot be completed:
a span has ended before anybody else sees the answer, there are no metrics, and a call inside a framework's call is a
second span of the same thing. So for the calls that are watched here the SDK's own span is left out, and one of ours
has all of it. All other calls (batches, files, counting of tokens) keep the SDK's spans. ``AnthropicInstrumentor`` can
be left out with ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=agentvigil_anthropic``: then the SDK's spans are there as
ever, and the server reads them too. Beside another instrumentation of this SDK, that one alone makes the spans.

``gen_ai.usage.input_tokens`` is the total: Anthropic's own count leaves out what the cache gave and took.

Tested with anthropic 0.50 to 2.14.
"""

from agentvigil.instrumentations.anthropic.instrumentor import AnthropicInstrumentor

__all__ = ["AnthropicInstrumentor"]
