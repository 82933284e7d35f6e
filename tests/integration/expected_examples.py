"""What SQL has to find of each example, run by run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CHAT: Final = "chat gpt-5-mini"
CLAUDE: Final = "chat claude-sonnet-5"
GEMINI: Final = "generate_content gemini-2.5-flash"
EMBEDDINGS: Final = "embeddings text-embedding-3-small"


@dataclass(frozen=True)
class Run:
    """A run: its steps as "type name", and after that which try it was, and how it failed, if so."""

    steps: list[str]
    tools: int = 1
    """Calls of tools."""
    agent: str = ""
    session: str | None = ""
    """None for one that the framework makes up."""
    status: str = "success"
    cause: str = ""
    """Of the status, as "type code"."""


@dataclass(frozen=True)
class Expected:
    """What an example leaves behind."""

    runs: list[Run]
    scenario: str = "tool"
    provider: str = "openai"
    latency_s: float = 0.0
    """How long the model takes for each answer."""
    has_own_environment: bool = False
    """Whether its framework does not install beside those that the tests are developed with."""


EXPECTED: Final[Mapping[str, Expected]] = {
    "agent_framework_agent": Expected(
        [Run([f"plan {CHAT}", "tool get_weather", f"respond {CHAT}"], agent="weather-agent", session=None)]
    ),
    "anthropic_messages": Expected(
        # Without an agent each call is a run of its own.
        [Run([f"plan {CLAUDE}"], tools=0), Run([f"respond {CLAUDE}"], tools=0)],
        provider="anthropic",
    ),
    "crewai_crew": Expected(
        [
            Run(
                [
                    *("other forecast", "other Forecaster", f"plan {CHAT}", "tool get_weather", f"respond {CHAT}"),
                    *("other write", "other Writer", f"respond {CHAT}"),
                ],
                agent="Forecaster",
            )
        ],
        has_own_environment=True,
    ),
    "front_door": Expected(
        [
            Run(
                ["plan choose a tool", f"plan {CHAT}", "tool get_weather", "respond write", f"respond {CHAT}"],
                agent="weather-desk",
                session="example-session",
            )
        ]
    ),
    "google_adk_agent": Expected(
        [
            Run(
                ["other weather_agent", f"plan {GEMINI}", "tool get_weather", f"respond {GEMINI}"],
                agent="weather_agent",
                session=None,
            )
        ],
        provider="google",
        has_own_environment=True,
    ),
    "google_genai_content": Expected(
        [Run([f"plan {GEMINI}"], tools=0), Run(["tool get_weather"]), Run([f"respond {GEMINI}"], tools=0)],
        provider="google",
    ),
    "langgraph_agent": Expected(
        [
            Run(
                [
                    *("other model", f"plan {CHAT}"),
                    *("other tools", "tool get_weather"),
                    *("other model", f"respond {CHAT}"),
                ],
                agent="weather-agent",
                session="example-thread",
            )
        ]
    ),
    "litellm_completion": Expected([Run([f"respond {CHAT}"], tools=0)], scenario="chat"),
    "llama_index_agent": Expected(
        [
            Run([f"retrieve {EMBEDDINGS}"], tools=0),
            Run(
                [
                    *(f"plan {CHAT}", "tool get_weather", "other RetrieverQueryEngine"),
                    *("retrieve retrieval VectorIndexRetriever", f"retrieve {EMBEDDINGS}", f"respond {CHAT}"),
                    f"respond {CHAT}",
                ],
                agent="weather-agent",
            ),
        ],
        scenario="index",
        has_own_environment=True,
    ),
    "mcp_tools": Expected(
        [
            Run(
                # What the client asks for and what the server does is one call of a tool, in two steps.
                [f"plan {CHAT}", "tool MCP send tools/call get_weather", "tool get_weather", f"respond {CHAT}"],
                agent="weather-desk",
            )
        ],
        # Spans of MCP's server are sent while the model thinks: its client waits no longer than 2 s for it to end.
        latency_s=1.0,
    ),
    "openai_agents": Expected(
        [
            Run(
                [
                    "other weather-agent",
                    *("other turn", f"plan {CHAT}", "tool get_weather"),
                    *("other turn", f"respond {CHAT}"),
                ],
                agent="weather-agent",
            )
        ]
    ),
    "openai_chat": Expected([Run([f"plan {CHAT}"], tools=0), Run([f"respond {CHAT}"], tools=0)]),
    "pydantic_ai_agent": Expected(
        [Run([f"plan {CHAT}", "tool get_weather", f"respond {CHAT}"], agent="weather-agent", session=None)]
    ),
    "rag_agent": Expected(
        [
            Run([f"retrieve {EMBEDDINGS}"], tools=0),
            Run(["retrieve retrieval VectorStoreRetriever", f"retrieve {EMBEDDINGS}", f"respond {CHAT}"], tools=0),
        ],
        scenario="rag",
    ),
    "strands_agent": Expected(
        [
            Run(
                [
                    *("other execute_event_loop_cycle", "plan chat", "tool get_weather"),
                    *("other execute_event_loop_cycle", "respond chat"),
                ],
                agent="weather-agent",
            )
        ],
        has_own_environment=True,
    ),
    "support_agent": Expected(
        [
            Run(
                [
                    *(f"plan {CHAT}", "tool find_order", f"plan {CHAT}"),
                    *("tool refund, timeout", "tool refund, try 2, timeout", "tool refund, try 3, timeout"),
                    f"respond {CHAT}",
                ],
                tools=4,
                agent="support-desk",
                session="example-ticket",
                status="failure",
                cause="tool timeout",
            )
        ],
        scenario="support",
    ),
}
