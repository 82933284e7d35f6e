"""LangChain and LangGraph.

| what runs | span |
|---|---|
| an agent (``create_agent``, LangGraph's prebuilt one) | ``invoke_agent NAME`` |
| another graph, a chain at the root | ``invoke_workflow NAME``; a class's name is no name |
| a node of a graph | a step with the node's name |
| a model | ``chat MODEL``, one span whichever SDK is called below |
| a tool | ``execute_tool NAME`` |
| a retriever | ``retrieval`` |

What else is a Runnable inside these makes no spans; what happens in it hangs from the nearest one. Inside nodes and
tools their span is the current one, so that what the application does there nests. Interrupts are no failures. The
conversation is LangGraph's ``thread_id`` where the application gives one.

Tested with langchain-core 0.3.60 to 1.8 and langgraph 0.4 to 1.2.
"""

from agentvigil.instrumentations.langchain.instrumentor import LangChainInstrumentor

__all__ = ["LangChainInstrumentor"]
