"""Which way is worse. More of a tool, or of another model, is neither: it is a change, for people to judge."""

from typing import Final

from agentvigil.analysis.features.names import Counting, Feature

_TROUBLE: Final = frozenset(
    {"failure", "retrieval", "retry", "tool_error", "tool_switch", "unfounded", "confident", "context", "cascade"}
)
"""Features all keys of which stand for something that went wrong."""

_KEYS_OF_TROUBLE: Final = {
    "status": frozenset({"failure", "partial"}),
    "finish_reason": frozenset({"length", "content_filter", "error"}),
}


def is_worse_upwards(feature: Feature, key: str) -> bool:
    """Say whether more of it is worse, and less of it better: trouble, time, money, tokens, steps."""
    if feature.counting is Counting.VALUES or feature.name in _TROUBLE:
        return True
    return key in _KEYS_OF_TROUBLE.get(feature.name, ())
