"""Langfuse's handler for LangChain, exported by the SDK's own exporter."""

from calls import langchain_agents
from driving import CAPTURE, run
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler

client = Langfuse(base_url=CAPTURE)
langchain_agents.CONFIG = {
    "callbacks": [CallbackHandler()],
    "metadata": {"langfuse_session_id": "thread-1", "langfuse_user_id": "user-1"},
}
run(*langchain_agents.ALL)
client.shutdown()
