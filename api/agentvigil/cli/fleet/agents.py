"""The cast of the fleet: providers, models, and which version of which agent is deployed where.

All of it is invented but for the names of providers and models. Speeds and error codes are of the size and spelling
that the providers' own clients show.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Provider:
    """A model provider, with the error codes its API answers."""

    name: str
    address: str
    rate_limited: str
    overloaded: str
    context_exceeded: str
    writes_cache: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its name as asked for and as answered, and how fast it talks."""

    provider: Provider
    request: str
    response: str
    first_token_s: float
    tokens_per_s: float
    reasons: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of one agent in one environment: one process in real life, one tracer provider here.

    ``weight`` is its share of the fleet's runs. ``captures_content`` says that its instrumentation records messages,
    ``converses`` that people come back to it: its runs belong to conversations and users.
    """

    service: str
    version: str
    environment: str
    weight: float
    captures_content: bool = False
    converses: bool = True


OPENAI: Final = Provider("openai", "api.openai.com", "rate_limit_exceeded", "server_error", "context_length_exceeded")
ANTHROPIC: Final = Provider(
    "anthropic",
    "api.anthropic.com",
    "rate_limit_error",
    "overloaded_error",
    "invalid_request_error",
    writes_cache=True,
)
GEMINI: Final = Provider(
    "gcp.gemini", "generativelanguage.googleapis.com", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INVALID_ARGUMENT"
)
BEDROCK: Final = Provider(
    "aws.bedrock",
    "bedrock-runtime.eu-central-1.amazonaws.com",
    "ThrottlingException",
    "ServiceUnavailableException",
    "ValidationException",
)
MISTRAL: Final = Provider("mistral_ai", "api.mistral.ai", "429", "503", "400")

GPT_4_1: Final = Model(OPENAI, "gpt-4.1", "gpt-4.1-2025-04-14", 0.55, 75)
GPT_4_1_MINI: Final = Model(OPENAI, "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 0.4, 110)
O4_MINI: Final = Model(OPENAI, "o4-mini", "o4-mini-2025-04-16", 1.6, 130, reasons=True)
CLAUDE_SONNET: Final = Model(ANTHROPIC, "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 1.1, 65)
CLAUDE_HAIKU: Final = Model(ANTHROPIC, "claude-haiku-4-5", "claude-haiku-4-5-20251001", 0.5, 140)
GEMINI_FLASH: Final = Model(GEMINI, "gemini-2.5-flash", "gemini-2.5-flash", 0.45, 190, reasons=True)
NOVA_PRO: Final = Model(BEDROCK, "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0", 0.6, 85)
MISTRAL_SMALL: Final = Model(MISTRAL, "mistral-small-latest", "mistral-small-2506", 0.3, 150)
EMBEDDING_SMALL: Final = Model(OPENAI, "text-embedding-3-small", "text-embedding-3-small", 0.09, 0)

SUPPORT: Final = "support-agent"
RESEARCH: Final = "research-agent"
CODING: Final = "coding-agent"
ANALYST: Final = "data-analyst"
TRIAGE: Final = "ticket-triage"

FLEET: Final[tuple[Deployment, ...]] = (
    Deployment(SUPPORT, "1.3", "production", 24, captures_content=True),
    Deployment(SUPPORT, "1.4", "production", 16, captures_content=True),
    Deployment(RESEARCH, "2.0", "production", 14, captures_content=True),
    Deployment(CODING, "0.9", "production", 10),
    Deployment(CODING, "0.9", "staging", 4),
    Deployment(ANALYST, "1.1", "production", 16),
    Deployment(TRIAGE, "3.2", "production", 16, converses=False),
)
