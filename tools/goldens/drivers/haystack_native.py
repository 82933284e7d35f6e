"""Haystack's own spans, over OpenAI's chat completions."""

from typing import Annotated

import openai
from driving import Telemetry, drive, fails
from haystack import Document, Pipeline, tracing
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.embedders import OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tools import tool as as_tool
from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer


@as_tool
def get_weather(city: Annotated[str, "a city"]) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


def model(**options: object) -> OpenAIChatGenerator:
    """The model of all scenarios."""
    return OpenAIChatGenerator(model="gpt-5-mini", max_retries=0, **options)


def asked(question: str, **options: object) -> None:
    """A pipeline that puts one question to the model."""
    pipeline = Pipeline()
    template = [ChatMessage.from_system("You answer in one sentence."), ChatMessage.from_user("{{question}}")]
    pipeline.add_component("prompt", ChatPromptBuilder(template=template, required_variables="*"))
    pipeline.add_component("llm", model(**options))
    pipeline.connect("prompt.prompt", "llm.messages")
    pipeline.run({"prompt": {"question": question}})


def chat() -> None:
    asked("What is the capital of France?", generation_kwargs={"temperature": 0.5})


def chat_stream_no_usage() -> None:
    asked("What does a stream cost?", streaming_callback=lambda _: None)


def cached() -> None:
    asked("What was known?")


def tool() -> None:
    agent = Agent(chat_generator=model(), tools=[get_weather], system_prompt="You answer in one sentence.")
    agent.run(messages=[ChatMessage.from_user("What is the weather in Paris?")])


def rate_limited() -> None:
    with fails(openai.RateLimitError, Exception):
        asked("Once more.")


def retrieval() -> None:
    store = InMemoryDocumentStore()
    vectors = {"Paris is a city.": [0.2, 0.3, 0.2, 0.3], "Bread is food.": [0.4, 0.2, 0.2, 0.2]}
    store.write_documents([Document(id=text, content=text, embedding=vector) for text, vector in vectors.items()])
    pipeline = Pipeline()
    pipeline.add_component("embedder", OpenAITextEmbedder(model="text-embedding-3-small"))
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store, top_k=2))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")
    pipeline.run({"embedder": {"text": "Which city?"}})


def instrument(telemetry: Telemetry) -> None:
    """A tracer is switched on by hand."""
    tracing.enable_tracing(OpenTelemetryTracer(telemetry.tracer_provider.get_tracer("haystack")))


drive(instrument, chat, chat_stream_no_usage, cached, tool, rate_limited, retrieval)
