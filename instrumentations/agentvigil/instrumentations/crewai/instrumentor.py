"""Where CrewAI is taken hold of."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from agentvigil.instrumentations.crewai.operations import Operations
from agentvigil.instrumentations.functions import around, async_around
from agentvigil.instrumentations.instrumentor import FrameworkInstrumentor
from agentvigil.instrumentations.patches import Patch, Wrapped
from agentvigil.instrumentations.telemetry import Telemetry

_PROVIDERS: Final = (
    ("crewai.llm", "LLM", "litellm"),
    ("crewai.llms.providers.openai.completion", "OpenAICompletion", "openai"),
    ("crewai.llms.providers.anthropic.completion", "AnthropicCompletion", "anthropic"),
    ("crewai.llms.providers.gemini.completion", "GeminiCompletion", "google_genai"),
    ("crewai.llms.providers.azure.completion", "AzureCompletion", ""),
    ("crewai.llms.providers.bedrock.completion", "BedrockCompletion", ""),
)
"""Classes that call models, and the instrumentor for the SDK that they do it with, if there is one."""


class CrewAIInstrumentor(FrameworkInstrumentor):
    """Instruments ``crewai``."""

    name: ClassVar[str] = "crewai"
    requires: ClassVar[str] = "crewai >= 1.9, < 2"

    def patches(self, telemetry: Telemetry, **_options: Any) -> Iterable[Patch]:
        told = Operations(telemetry, self.is_left_to_others)
        yield Wrapped("crewai.crew", "Crew.kickoff", around(told.crew, told.answered))
        yield Wrapped("crewai.crew", "Crew.akickoff", async_around(told.crew, told.answered))
        yield Wrapped("crewai.task", "Task._execute_core", around(told.task))
        yield Wrapped("crewai.task", "Task._aexecute_core", async_around(told.task))
        agent, async_agent = around(told.agent, told.answered), async_around(told.agent, told.answered)
        for module in ("crewai.agent.core", "crewai.agent"):
            yield Wrapped(module, "Agent.execute_task", agent)
            yield Wrapped(module, "Agent.aexecute_task", async_agent)
            yield Wrapped(module, "Agent.kickoff", agent)
            yield Wrapped(module, "Agent.akickoff", async_agent)
        yield Wrapped("crewai.lite_agent", "LiteAgent.kickoff", agent)
        tools = "crewai.tools.base_tool"
        yield Wrapped(tools, "BaseTool.run", around(told.tool, told.tool_answered))
        yield Wrapped(tools, "Tool.run", around(told.tool, told.tool_answered))
        structured = "crewai.tools.structured_tool"
        yield Wrapped(structured, "CrewStructuredTool.invoke", around(told.tool, told.tool_answered))
        yield Wrapped(structured, "CrewStructuredTool.ainvoke", async_around(told.tool, told.tool_answered))
        flow, method = async_around(told.flow), async_around(told.method)
        for module in ("crewai.flow.runtime", "crewai.flow.flow"):
            yield Wrapped(module, "Flow.kickoff_async", flow)
            yield Wrapped(module, "Flow._execute_method", method)
        yield Wrapped("crewai.memory.unified_memory", "Memory.recall", around(told.memory, told.found))
        yield Wrapped("crewai.knowledge.knowledge", "Knowledge.query", around(told.knowledge, told.found))
        for module, name, sdk in _PROVIDERS:
            model = told.model_by(sdk)
            yield Wrapped(module, f"{name}.call", around(model, told.model_answered))
            yield Wrapped(module, f"{name}.acall", async_around(model, told.model_answered))
        yield Wrapped("crewai.llms.base_llm", "BaseLLM._track_token_usage_internal", told.usage)
