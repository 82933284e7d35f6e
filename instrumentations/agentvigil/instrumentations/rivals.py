"""Other instrumentations of the same frameworks. Where one is at work, ours of that framework makes no spans.

They are looked for among the modules that are loaded, each time: with ``opentelemetry-instrument`` the order in which
instrumentors come is anybody's guess, and a program may switch one on later.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentvigil.semconv.enums import ProviderName

ANY_REQUEST: Final = "any request"
"""What an SDK sends without going through its functions for that, as LiteLLM has OpenAI's do."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another instrumentation: the class ``name`` in ``module``."""

    module: str
    name: str
    leaves: frozenset[str] = frozenset()
    """Calls of models that it does not tell of, by what they are called there: then ours tells."""


RIVALS: Final[Mapping[str, tuple[Rival, ...]]] = {
    "openai": (
        Rival(
            "opentelemetry.instrumentation.genai.openai",
            "OpenAIInstrumentor",
            leaves=frozenset({ANY_REQUEST, "/completions"}),
        ),
        Rival(
            "opentelemetry.instrumentation.openai_v2",
            "OpenAIInstrumentor",
            leaves=frozenset({ANY_REQUEST, "/responses", "/completions"}),
        ),
        Rival("opentelemetry.instrumentation.openai", "OpenAIInstrumentor", leaves=frozenset({ANY_REQUEST})),
        Rival("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    ),
    "anthropic": (
        Rival("opentelemetry.instrumentation.genai.anthropic", "AnthropicInstrumentor"),
        Rival("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor"),
        Rival("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
    ),
    "langchain": (
        Rival("opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"),
        Rival("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
        Rival("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ),
    "crewai": (
        Rival("opentelemetry.instrumentation.crewai", "CrewAIInstrumentor"),
        Rival("openinference.instrumentation.crewai", "CrewAIInstrumentor"),
    ),
    "openai_agents": (
        Rival("opentelemetry.instrumentation.genai.openai_agents", "OpenAIAgentsInstrumentor"),
        Rival("opentelemetry.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
        Rival("openinference.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ),
    "mcp": (Rival("opentelemetry.instrumentation.mcp", "McpInstrumentor"),),
    "litellm": (
        Rival(
            "openinference.instrumentation.litellm",
            "LiteLLMInstrumentor",
            leaves=frozenset({"text_completion", "atext_completion"}),
        ),
    ),
    "google_genai": (
        Rival("opentelemetry.instrumentation.google_genai", "GoogleGenAiSdkInstrumentor"),
        Rival(
            "opentelemetry.instrumentation.google_generativeai",
            "GoogleGenerativeAiInstrumentor",
            leaves=frozenset({"embed_content"}),
        ),
        Rival("openinference.instrumentation.google_genai", "GoogleGenAIInstrumentor"),
    ),
    "threads": (Rival("opentelemetry.instrumentation.threading", "ThreadingInstrumentor"),),
    "llama_index": (
        Rival(
            "opentelemetry.instrumentation.llamaindex",
            "LlamaIndexInstrumentor",
            leaves=frozenset({"chat", "embeddings"}),
        ),
        Rival("openinference.instrumentation.llama_index", "LlamaIndexInstrumentor"),
    ),
}

_SDKS: Final[Mapping[str, str]] = {
    ProviderName.OPENAI: "openai",
    ProviderName.AZURE_AI_OPENAI: "openai",
    ProviderName.DEEPSEEK: "openai",
    ProviderName.X_AI: "openai",
    ProviderName.ANTHROPIC: "anthropic",
    ProviderName.GCP_GEMINI: "google_genai",
}
"""Which framework is called below for a provider."""


def rival_of(name: str, call: str = "") -> Rival | None:
    """Return another instrumentation of the framework ``name`` that is at work, or None.

    Given a ``call`` of a model, such as ``/responses``, one that leaves it out does not count.
    """
    return next((rival for rival in RIVALS.get(name, ()) if call not in rival.leaves and _is_at_work(rival)), None)


def rival_below(provider: str) -> Rival | None:
    """Return the same for the SDK that a framework calls ``provider`` with: it tells of the framework's calls."""
    return rival_of(_SDKS.get(provider, ""))


def _is_at_work(rival: Rival) -> bool:
    instrumentor = getattr(sys.modules.get(rival.module), rival.name, None)
    instance = getattr(instrumentor, "_instance", None)
    return bool(getattr(instance, "_is_instrumented_by_opentelemetry", False))
