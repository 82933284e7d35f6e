"""Token counts as the conventions want them: the input with what a cache gave and took, the output with reasoning.

1. Counts that are all 0 are unknown where the dialect is known to send that for want of a count.
2. The convention is the one declared for the source of the input, for the provider, or for the dialect.
3. A total that came along decides, where the dialect's totals are right, if only one reading adds up to it.
4. A part that is greater than its whole was not counted in it, whoever says so.
"""

from dataclasses import dataclass
from typing import Final

from agentvigil.semconv import attributes as a
from agentvigil.semconv.dialects.model import InputConvention, OutputConvention, Tokens
from agentvigil.semconv.reference.span import Evidence, TokenReading

TOTAL: Final = "agentvigil.usage.total_tokens"
"""The total as sent: read for rule 3 and then dropped, since the parts say it."""

_LARGEST: Final = 2**63 - 1
"""What OTLP can carry."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts under their targets, and how they were read."""

    counts: dict[str, int]
    reading: TokenReading


def read_tokens(counts: dict[str, int], tokens: Tokens, input_source: str, provider: str) -> Counted:
    """Convert ``counts``, as they were sent, by what is known of their dialect."""
    counts = dict(counts)
    total = counts.pop(TOTAL, None)
    if tokens.zero_usage == "unknown" and not any(counts.values()):
        return Counted({}, TokenReading())
    cached = counts.get(a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 0) + counts.get(
        a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, 0
    )
    reasoning = counts.get(a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, 0)
    sent_input = counts.get(a.GEN_AI_USAGE_INPUT_TOKENS)
    sent_output = counts.get(a.GEN_AI_USAGE_OUTPUT_TOKENS)

    declared_input = _declared_input(tokens, input_source, provider)
    fresh_only = declared_input == "excludes_cache"
    fresh_evidence: Evidence = "assumed" if declared_input == "unstated" else "declared"
    answer_only = tokens.output == "excludes_reasoning"
    answer_evidence: Evidence = "assumed" if tokens.output == "unstated" else "declared"

    if tokens.total_decides and total is not None and sent_input is not None and sent_output is not None:
        readings = [
            (adds_cache, adds_reasoning)
            for adds_cache in ((False, True) if cached else (fresh_only,))
            for adds_reasoning in ((False, True) if reasoning else (answer_only,))
            if sent_input + cached * adds_cache + sent_output + reasoning * adds_reasoning == total
        ]
        if len(readings) == 1:
            fresh_only, answer_only = readings[0]
            fresh_evidence = "total" if cached else fresh_evidence
            answer_evidence = "total" if reasoning else answer_evidence
    if sent_input is not None and cached > sent_input and not fresh_only:
        fresh_only, fresh_evidence = True, "contradiction"
    if sent_output is not None and reasoning > sent_output and not answer_only:
        answer_only, answer_evidence = True, "contradiction"

    if sent_input is not None and fresh_only:
        counts[a.GEN_AI_USAGE_INPUT_TOKENS] = min(sent_input + cached, _LARGEST)
    if sent_output is not None and answer_only:
        counts[a.GEN_AI_USAGE_OUTPUT_TOKENS] = min(sent_output + reasoning, _LARGEST)
    return Counted(
        counts,
        TokenReading(
            input="unstated" if sent_input is None or fresh_evidence == "assumed" else _input_name(fresh_only),
            input_evidence="" if sent_input is None else fresh_evidence,
            output="unstated" if sent_output is None or answer_evidence == "assumed" else _output_name(answer_only),
            output_evidence="" if sent_output is None else answer_evidence,
        ),
    )


def _declared_input(tokens: Tokens, input_source: str, provider: str) -> InputConvention:
    return tokens.by_source.get(input_source) or tokens.by_provider.get(provider) or tokens.input


def _input_name(fresh_only: bool) -> InputConvention:
    return "excludes_cache" if fresh_only else "includes_cache"


def _output_name(answer_only: bool) -> OutputConvention:
    return "excludes_reasoning" if answer_only else "includes_reasoning"
