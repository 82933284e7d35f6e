"""The scenarios: what the model says to the first call, to the second, and so on."""

from collections.abc import Mapping
from typing import Final

from agentvigil.testing.answers import Answer, ToolCall, Usage

WEATHER: Final = ToolCall("get_weather", {"city": "Paris"})

HANDOFF: Final = ToolCall(
    "transfer_to_",
    {
        "input": "What is the weather in Paris?",
        "agent_name": "weather_specialist",
        "to_agent": "weather_specialist",
        "reason": "The specialist knows the weather.",
    },
)
"""Frameworks hand over by a tool each of its own; what it asks for is among these."""

SCENARIOS: Final[Mapping[str, tuple[Answer, ...]]] = {
    "chat": (Answer(Usage(21, 9), "Paris is the capital of France."),),
    "chat_stream": (Answer(Usage(34, 13), "Streams carry the answer in many small pieces."),),
    "chat_stream_no_usage": (Answer(Usage(55, 17), "Nobody is told what this stream did cost."),),
    "cached": (Answer(Usage(1200, 345, cache_read=1000, cache_write=100, reasoning=120), "Most of this was known."),),
    "anthropic_cached": (
        Answer(Usage(1150, 333, cache_read=950, cache_write=110, reasoning=110), "Most of this was known."),
    ),
    "cached_stream": (
        Answer(Usage(1300, 377, cache_read=1100, cache_write=90, reasoning=130), "Known, and told in pieces."),
    ),
    "tool": (
        Answer(Usage(89, 23), tool_calls=[WEATHER]),
        Answer(Usage(144, 31), "It is sunny in Paris, at 24 degrees."),
    ),
    "tool_error": (
        Answer(Usage(91, 27), tool_calls=[WEATHER]),
        Answer(Usage(153, 37), "The weather service did not answer."),
    ),
    "handoff": (
        Answer(Usage(101, 11), tool_calls=[HANDOFF]),
        Answer(Usage(203, 29), "The specialist says that it is sunny in Paris."),
        Answer(Usage(307, 41), "It is sunny in Paris, the specialist says."),
    ),
    "two_agents": (
        Answer(Usage(109, 19), "It is sunny in Paris."),
        Answer(Usage(211, 43), "Paris lies in the sun today."),
    ),
    "no_model": (),
    "rate_limited": (Answer(status=429),),
    "retrieval": (Answer(Usage(8, 0)), Answer(Usage(5, 0))),
    "embeddings": (Answer(Usage(8, 0)),),
    "rag": (
        Answer(Usage(18, 0)),
        Answer(Usage(7, 0)),
        Answer(Usage(61, 14), "Yes, within thirty days."),
    ),
    "index": (
        Answer(Usage(20, 0)),
        Answer(Usage(93, 19), tool_calls=[ToolCall("get_weather", {"input": "weather in Paris"})]),
        Answer(Usage(6, 0)),
        Answer(Usage(67, 13), "It is sunny in Paris."),
        Answer(Usage(151, 35), "It is sunny in Paris, at 24 degrees."),
    ),
    "support": (
        Answer(Usage(97, 21), tool_calls=[ToolCall("find_order", {"number": "A-1"})]),
        Answer(Usage(139, 22), tool_calls=[ToolCall("refund", {"number": "A-1"})]),
        Answer(Usage(171, 33), "The bank does not answer; we will pay you back tomorrow."),
    ),
    "responses": (Answer(Usage(1400, 410, cache_read=1150, cache_write=80, reasoning=140), "Most of this was known."),),
    "responses_stream": (
        Answer(Usage(1500, 440, cache_read=1250, cache_write=70, reasoning=150), "Known, and told in pieces."),
    ),
}
