"""LlamaIndex.

| what runs | span |
|---|---|
| an agent (``FunctionAgent``, ``ReActAgent``, ...) | ``invoke_agent NAME`` |
| several agents (``AgentWorkflow``) | ``invoke_workflow``, and in it ``invoke_agent NAME`` from handoff to handoff |
| another workflow | ``invoke_workflow CLASS``, and in it a step for each of its steps |
| a query engine, a chat engine | ``invoke_workflow CLASS``; inside of something else, a step |
| a model | ``chat MODEL``, one span with the SDK that is called below |
| embeddings | ``embeddings MODEL`` |
| a retriever | ``retrieval CLASS`` |
| a postprocessor, such as a reranker | a step |
| a tool | ``execute_tool NAME`` |

LlamaIndex's own dispatcher tells of all this: its handlers are called in the task or thread of the call itself, so that
what happens inside nests. Streams go on after the call; they end when LlamaIndex says so, when they are closed, or when
nobody holds them any more.

Tested with llama-index-core 0.14.0 to 0.14.25.
"""

from agentvigil.instrumentations.llama_index.instrumentor import LlamaIndexInstrumentor

__all__ = ["LlamaIndexInstrumentor"]
