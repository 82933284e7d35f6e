"""The conventions' words, for telemetry that is made here: the same as the store makes of what others send."""

import subprocess
import sys

import pytest

from agentvigil.semconv import names
from agentvigil.semconv.dialects import load
from agentvigil.semconv.words import finish_reasons, provider_name


@pytest.mark.parametrize(
    ("said", "provider"),
    [
        ("openai", "openai"),
        ("amazon_bedrock", "aws.bedrock"),
        ("bedrock_converse", "aws.bedrock"),
        ("azure", "azure.ai.openai"),
        ("azure_ai", "azure.ai.inference"),
        ("google_genai", "gcp.gemini"),
        ("vertex_ai_beta", "gcp.vertex_ai"),
        ("ibm", "ibm.watsonx.ai"),
        ("text-completion-openai", "openai"),
        ("Acme", "Acme"),
    ],
)
def test_a_provider_has_one_name(said: str, provider: str) -> None:
    """Prices are found by it."""
    assert provider_name(said) == provider


def test_reasons_to_stop_are_said_in_the_conventions_words() -> None:
    """Anthropic's, Google's, OpenAI's, and one that nobody knows. What is no text is no reason."""
    said = ["end_turn", "MAX_TOKENS", "tool_calls", "PROHIBITED_CONTENT", "model_context_window_exceeded", None, "Moon"]

    assert finish_reasons(said) == ["stop", "length", "tool_call", "content_filter", "length", "Moon"]


def test_every_word_is_read_as_the_store_reads_it() -> None:
    """One table, two readers: the instrumented application does not load the dialects."""
    values = load().values

    assert {word: provider_name(word) for word in values[names.GEN_AI_PROVIDER_NAME]} == values[
        names.GEN_AI_PROVIDER_NAME
    ]
    reasons = values[names.GEN_AI_RESPONSE_FINISH_REASONS]
    assert finish_reasons(reasons) == list(reasons.values())


def test_an_application_does_not_load_the_dialects() -> None:
    """They take longer to read than everything else that an instrumentor does at the start."""
    program = (
        "import sys; from agentvigil.semconv.words import provider_name; provider_name('azure');"
        "assert not [name for name in sys.modules if name.startswith('agentvigil.semconv.dialects')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
