"""The scenarios with LangChain and LangGraph, whose models are OpenAI's."""

import openai
from driving import fails
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import tool as as_tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

MODEL = "gpt-5-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
CONFIG: dict = {"metadata": {"thread_id": "thread-1", "user_id": "user-1"}}
"""How an invocation is configured. A driver whose library comes as a callback adds it here."""


@as_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny, 24 degrees in {city}"


@as_tool("get_weather")
def get_no_weather(city: str) -> str:
    """The weather in a city."""
    raise TimeoutError(f"the weather service did not answer for {city}")


def model(**options: object) -> ChatOpenAI:
    """The model of all scenarios."""
    return ChatOpenAI(model=MODEL, max_retries=0, **options)  # type: ignore[arg-type]


def chat() -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "You answer in one sentence."), ("user", "{question}")])
    chain = prompt | model(temperature=0.5) | StrOutputParser()
    chain.invoke({"question": "What is the capital of France?"}, config=CONFIG)


def chat_stream() -> None:
    for _ in model(stream_usage=True).stream("What is a stream?", config=CONFIG):
        pass


def chat_stream_no_usage() -> None:
    for _ in model(stream_usage=False).stream("What does a stream cost?", config=CONFIG):
        pass


def cached() -> None:
    model(reasoning_effort="low").invoke("What was known?", config=CONFIG)


def tool() -> None:
    agent = create_agent(
        model(), tools=[get_weather], system_prompt="You answer in one sentence.", name="weather_agent"
    )
    agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, config=CONFIG)


def tool_error() -> None:
    agent = create_agent(model(), tools=[get_no_weather], name="weather_agent")
    with fails(TimeoutError):
        agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, config=CONFIG)


def handoff() -> None:
    specialist = create_agent(model(), tools=[], name="weather_specialist")

    @as_tool
    def transfer_to_weather_specialist(input: str) -> str:  # noqa: A002
        """Ask the weather specialist."""
        said = specialist.invoke({"messages": [("user", input)]})
        return str(said["messages"][-1].content)

    front = create_agent(model(), tools=[transfer_to_weather_specialist], name="front_desk")
    front.invoke({"messages": [("user", "What is the weather in Paris?")]}, config=CONFIG)


def rate_limited() -> None:
    with fails(openai.RateLimitError):
        model().invoke("Once more.", config=CONFIG)


class CityRetriever(BaseRetriever):
    """Finds the document whose embedding is nearest."""

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        embeddings = OpenAIEmbeddings(model=EMBEDDING_MODEL, check_embedding_ctx_length=False)
        documents = [Document("Paris is a city.", id="doc-1"), Document("Bread is food.", id="doc-2")]
        vectors = embeddings.embed_documents([document.page_content for document in documents])
        asked = embeddings.embed_query(query)
        distances = [sum((x - y) ** 2 for x, y in zip(vector, asked, strict=True)) for vector in vectors]
        return [document for _, document in sorted(zip(distances, documents, strict=True), key=lambda found: found[0])]


def retrieval() -> None:
    (CityRetriever() | RunnablePassthrough()).invoke("Which city?", config=CONFIG)


ALL = (chat, chat_stream, chat_stream_no_usage, cached, tool, tool_error, handoff, rate_limited, retrieval)
