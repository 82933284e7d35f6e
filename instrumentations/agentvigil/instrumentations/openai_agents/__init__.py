"""OpenAI's Agents SDK, by a tracing processor of its own: the SDK's other processors and exporters stay as they are.

| the SDK's span | ours |
|---|---|
| trace | ``invoke_workflow NAME``; its group is the conversation |
| agent | ``invoke_agent NAME`` |
| turn, handoff, guardrail, list of MCP tools, custom | a step |
| function | ``execute_tool NAME`` |
| generation, response | ``chat MODEL``, one span with OpenAI's SDK below |

Where an exception ends a run, every span that it went through is an error, the outermost too. The SDK does not say
which model a response was asked of, only which one answered; OpenAI's instrumentor adds that. Nothing is seen of runs
for which the application switches tracing off: ``OPENAI_AGENTS_DISABLE_TRACING``, ``RunConfig(tracing_disabled=True)``.

Tested with openai-agents 0.6 to 0.24.
"""

from agentvigil.instrumentations.openai_agents.instrumentor import OpenAIAgentsInstrumentor

__all__ = ["OpenAIAgentsInstrumentor"]
