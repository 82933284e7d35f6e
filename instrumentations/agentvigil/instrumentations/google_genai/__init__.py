"""Google's GenAI SDK, for Gemini and for Vertex AI: generated content, plain or streamed, and embeddings.

Each request to a model is a span, those of automatic function calling too; the functions that are called in between are
``execute_tool`` spans. Chats come down to the same requests.

Tested with google-genai 1.20 to 3.6.
"""

from agentvigil.instrumentations.google_genai.instrumentor import GoogleGenAIInstrumentor

__all__ = ["GoogleGenAIInstrumentor"]
