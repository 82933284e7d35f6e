"""How counts, durations, money and failures are written in an explanation."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from agentvigil.analysis.explaining.labels import quoted
from agentvigil.semconv.enums import FailureCode

_WORDS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip

_SHORT: Final[Mapping[str, str]] = {
    FailureCode.CANCELLED: "cancelled",
    FailureCode.CONTEXT_LENGTH_EXCEEDED: "input too long",
    FailureCode.CONTENT_FILTERED: "filtered",
    FailureCode.RATE_LIMITED: "rate limited",
    FailureCode.TIMEOUT: "timeout",
    FailureCode.AUTH: "access denied",
    FailureCode.MAX_STEPS_EXCEEDED: "out of steps",
    FailureCode.SCHEMA_INVALID: "schema mismatch",
    FailureCode.NOT_FOUND: "not found",
    FailureCode.UNAVAILABLE: "unavailable",
    FailureCode.INVALID_REQUEST: "request refused",
    FailureCode.TOOL_ERROR: "error",
    FailureCode.TRUNCATED: "cut off",
    FailureCode.EMPTY_RETRIEVAL: "found nothing",
    FailureCode.OTHER: "failed",
}

_PREDICATES: Final[Mapping[str, str]] = {
    FailureCode.CANCELLED: "was cancelled",
    FailureCode.CONTEXT_LENGTH_EXCEEDED: "got more input than the model takes",
    FailureCode.CONTENT_FILTERED: "was stopped by a content filter",
    FailureCode.RATE_LIMITED: "was rate limited",
    FailureCode.TIMEOUT: "timed out",
    FailureCode.AUTH: "was denied access",
    FailureCode.MAX_STEPS_EXCEEDED: "ran out of steps",
    FailureCode.SCHEMA_INVALID: "did not keep to the schema",
    FailureCode.NOT_FOUND: "did not find what was asked for",
    FailureCode.UNAVAILABLE: "was unavailable",
    FailureCode.INVALID_REQUEST: "got its request refused as wrong",
    FailureCode.TOOL_ERROR: "reported an error",
    FailureCode.TRUNCATED: "was cut off at the limit of output tokens",
    FailureCode.EMPTY_RETRIEVAL: "found nothing",
    FailureCode.OTHER: "failed",
}


def number(count: int) -> str:
    """Return ``count`` in words up to twelve, in digits beyond."""
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def times(count: int) -> str:
    """Return how often: nothing for once, ``twice``, ``three times``, ``13 times``."""
    return {1: "", 2: "twice"}.get(count, f"{number(count)} times")


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 call`` or ``3 calls``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def failure_word(code: str) -> str:
    """Return a failure in a word or two, for parentheses; a code that somebody made up stands for itself."""
    return _SHORT.get(code) or quoted(code) or "failed"


def failure_predicate(code: str) -> str:
    """Return what happened to a subject: ``timed out``."""
    return _PREDICATES.get(code) or (f"failed ({quoted(code)})" if quoted(code) else "failed")


def duration(nanoseconds: int) -> str:
    """Return ``<1 ms``, ``350 ms``, ``4.2 s``, ``41 s``, ``2 min 3 s``, ``1 h 5 min`` or ``2 d 3 h``."""
    milliseconds = (nanoseconds + 500_000) // 1_000_000
    seconds = (milliseconds + 500) // 1_000
    if nanoseconds < 1_000_000:
        return "0 ms" if nanoseconds == 0 else "<1 ms"
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 9_950:
        return f"{Decimal(milliseconds).scaleb(-3).quantize(Decimal('0.1'), ROUND_HALF_UP).normalize():f} s"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return _two(seconds // 60, "min", seconds % 60, "s")
    minutes = (seconds + 30) // 60
    if minutes < 24 * 60:
        return _two(minutes // 60, "h", minutes % 60, "min")
    hours = (minutes + 30) // 60
    return _two(hours // 24, "d", hours % 24, "h")


def cost(usd: Decimal) -> str:
    """Return ``$0``, ``<$0.0001``, ``$0.012`` (two digits that count), ``$1.23`` or ``$1,234``."""
    if usd <= 0:
        return "$0"
    if usd < Decimal("0.0001"):
        return "<$0.0001"
    if usd < Decimal("0.995"):
        rounded = usd.quantize(Decimal(1).scaleb(usd.adjusted() - 1), ROUND_HALF_UP)
        return f"${rounded.normalize():f}" if rounded < Decimal("0.1") else f"${rounded:.2f}"
    return f"${usd.quantize(Decimal('0.01'), ROUND_HALF_UP):,}" if usd < 100 else f"${usd:,.0f}"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {unit} {small} {small_unit}" if small else f"{large:,} {unit}"
