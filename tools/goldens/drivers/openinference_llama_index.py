"""OpenInference on LlamaIndex, whose models are OpenAI's."""

import openai
from driving import PROVIDER, drive, fails
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

MODEL = OpenAI(model="gpt-5-mini", api_base=f"{PROVIDER}/v1", api_key="none", max_retries=0)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


def agent(name: str = "assistant", **options: object) -> FunctionAgent:
    """An agent on the model of all scenarios."""
    return FunctionAgent(
        name=name,
        description="Knows the weather.",
        system_prompt="You answer in one sentence.",
        llm=MODEL,
        streaming=False,
        **options,
    )


def chat() -> None:
    MODEL.chat([ChatMessage(role="user", content="What is the capital of France?")])


def chat_stream_no_usage() -> None:
    for _ in MODEL.stream_chat([ChatMessage(role="user", content="What does a stream cost?")]):
        pass


def cached() -> None:
    MODEL.chat([ChatMessage(role="user", content="What was known?")])


async def tool() -> None:
    await agent("weather_agent", tools=[get_weather]).run("What is the weather in Paris?")


async def handoff() -> None:
    front = agent("front_desk", can_handoff_to=["weather_specialist"])
    team = AgentWorkflow(agents=[front, agent("weather_specialist")], root_agent="front_desk")
    await team.run("What is the weather in Paris?")


def rate_limited() -> None:
    with fails(openai.RateLimitError):
        MODEL.chat([ChatMessage(role="user", content="Once more.")])


def retrieval() -> None:
    documents = [Document(text="Paris is a city.", id_="doc-1"), Document(text="Bread is food.", id_="doc-2")]
    index = VectorStoreIndex.from_documents(
        documents,
        embed_model=OpenAIEmbedding(model="text-embedding-3-small", api_base=f"{PROVIDER}/v1", api_key="none"),
    )
    index.as_retriever(similarity_top_k=2).retrieve("Which city?")


drive(
    lambda telemetry: LlamaIndexInstrumentor().instrument(tracer_provider=telemetry.tracer_provider),
    chat,
    chat_stream_no_usage,
    cached,
    tool,
    handoff,
    rate_limited,
    retrieval,
)
