"""CrewAI.

| what runs | span |
|---|---|
| a crew, a flow | ``invoke_workflow NAME`` |
| a task, a method of a flow | a step: the task's name if it has one, never its description |
| an agent | ``invoke_agent ROLE`` |
| a tool | ``execute_tool NAME`` |
| a model | ``chat MODEL``, one span with the SDK that is called below |
| a search in memory or knowledge | ``retrieval`` |

The functions themselves are wrapped. CrewAI's event bus tells more, but its handlers run in other threads and later, so
that nothing could nest below what they tell; and they are not told of models that the application brings itself.

CrewAI's own telemetry goes where it always did. Threads that it starts are taken along by ``agentvigil_threads``.

Tested with crewai 1.9 to 1.15.
"""

from agentvigil.instrumentations.crewai.instrumentor import CrewAIInstrumentor

__all__ = ["CrewAIInstrumentor"]
