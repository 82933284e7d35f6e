"""Who answers: OpenAI's SDK is used for many who speak its API."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from agentvigil.instrumentations.stainless.calls import Call
from agentvigil.semconv import names
from agentvigil.semconv.enums import ProviderName

_BY_HOST: Final[Mapping[str, str]] = {
    "api.openai.com": ProviderName.OPENAI,
    "openai.azure.com": ProviderName.AZURE_AI_OPENAI,
    "services.ai.azure.com": ProviderName.AZURE_AI_INFERENCE,
    "api.deepseek.com": ProviderName.DEEPSEEK,
    "api.groq.com": ProviderName.GROQ,
    "api.mistral.ai": ProviderName.MISTRAL_AI,
    "api.moonshot.ai": ProviderName.MOONSHOT_AI,
    "api.moonshot.cn": ProviderName.MOONSHOT_AI,
    "api.perplexity.ai": ProviderName.PERPLEXITY,
    "api.x.ai": ProviderName.X_AI,
    "api.cohere.ai": ProviderName.COHERE,
    "generativelanguage.googleapis.com": ProviderName.GCP_GEMINI,
    "aiplatform.googleapis.com": ProviderName.GCP_VERTEX_AI,
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together_ai",
    "api.fireworks.ai": "fireworks_ai",
    "api.cerebras.ai": "cerebras",
}
"""Ends of host names. Names beyond the conventions' are those that price lists know."""


def provider_of(call: Call) -> str:
    """Return ``gen_ai.provider.name``: by the client's class, by the host, or else OpenAI, whose API it is."""
    if "Azure" in type(call.client).__name__:
        return ProviderName.AZURE_AI_OPENAI
    return _provider_at(str(call.server().get(names.SERVER_ADDRESS) or ""))


@lru_cache(maxsize=256)
def _provider_at(host: str) -> str:
    for end, provider in _BY_HOST.items():
        if host == end or host.endswith(f".{end}"):
            return provider
    return ProviderName.OPENAI


def model_of(call: Call) -> Any:
    """Return the model that is asked for; Azure's clients may name it as a deployment instead."""
    return call.body.get("model") or getattr(call.client, "_azure_deployment", None)
