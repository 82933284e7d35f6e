"""OpenAI's SDK, and whatever speaks OpenAI's API through it: Azure, DeepSeek, Groq, local servers and so on.

Chat completions, responses, embeddings and the old completions get a span each, plain or streamed, in every way that
the SDK offers them: ``create``, ``parse``, ``stream``, ``with_raw_response``, ``with_streaming_response``, synchronous
and asynchronous. Fetching an earlier response is a ``fetch_response`` and never has tokens.

Tested with openai 1.75 to 3.57. A stream tells its tokens only if ``stream_options.include_usage`` was asked for. With
``AGENTVIGIL_STREAM_USAGE=true``, or ``OpenAIInstrumentor().instrument(stream_usage=True)``, it is asked for wherever
the application did not say, and the extra chunk that comes for it is kept from the application.
"""

from agentvigil.instrumentations.openai.instrumentor import OpenAIInstrumentor

__all__ = ["OpenAIInstrumentor"]
