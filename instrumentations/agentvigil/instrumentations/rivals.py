"""Other instrumentations of the same frameworks. Where one is at work, ours of that framework makes no spans.

They are looked for among the modules that are loaded, each time: with ``opentelemetry-instrument`` the order in which
instrumentors come is anybody's guess, and a program may switch one on later.
"""

import sys
from collections.abc import Mapping
from typing import Final

from agentvigil.semconv.enums import ProviderName

_RIVALS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "openai": (
        ("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
        ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor"),
        ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
        ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    ),
    "anthropic": (
        ("opentelemetry.instrumentation.genai.anthropic", "AnthropicInstrumentor"),
        ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor"),
        ("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
    ),
    "langchain": (
        ("opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"),
        ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
        ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ),
    "crewai": (
        ("opentelemetry.instrumentation.crewai", "CrewAIInstrumentor"),
        ("openinference.instrumentation.crewai", "CrewAIInstrumentor"),
    ),
    "openai_agents": (
        ("opentelemetry.instrumentation.genai.openai_agents", "OpenAIAgentsInstrumentor"),
        ("opentelemetry.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
        ("openinference.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ),
    "mcp": (("opentelemetry.instrumentation.mcp", "McpInstrumentor"),),
    "litellm": (("openinference.instrumentation.litellm", "LiteLLMInstrumentor"),),
    "google_genai": (
        ("opentelemetry.instrumentation.google_genai", "GoogleGenAiSdkInstrumentor"),
        ("opentelemetry.instrumentation.google_generativeai", "GoogleGenerativeAiInstrumentor"),
        ("openinference.instrumentation.google_genai", "GoogleGenAIInstrumentor"),
    ),
    "threads": (("opentelemetry.instrumentation.threading", "ThreadingInstrumentor"),),
    "llama_index": (
        ("opentelemetry.instrumentation.llamaindex", "LlamaIndexInstrumentor"),
        ("openinference.instrumentation.llama_index", "LlamaIndexInstrumentor"),
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


def rival_of(name: str) -> str | None:
    """Return the module of another instrumentation of the framework ``name`` that is at work, or None."""
    for module_name, class_name in _RIVALS.get(name, ()):
        module = sys.modules.get(module_name)
        if module is None:
            continue
        instrumentor = getattr(module, class_name, None)
        instance = getattr(instrumentor, "_instance", None)
        if instance is not None and getattr(instance, "_is_instrumented_by_opentelemetry", False):
            return module_name
    return None


def rival_below(provider: str) -> str | None:
    """Return the same for the SDK that a framework calls ``provider`` with: it tells of the framework's calls."""
    return rival_of(_SDKS.get(provider, ""))
