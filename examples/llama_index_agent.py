"""LlamaIndex: an agent that asks an index, a query engine as its tool, before it answers."""

import asyncio
import os

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import QueryEngineTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

# The SDK's own variable, which LlamaIndex does not read.
PLACE = os.environ.get("OPENAI_BASE_URL")
DOCUMENTS = ["In Paris the weather is sunny, at 24 degrees.", "In Oslo it rains."]


async def main() -> None:
    model = OpenAI(model="gpt-5-mini", api_base=PLACE)
    embedding = OpenAIEmbedding(model="text-embedding-3-small", api_base=PLACE)
    index = VectorStoreIndex.from_documents([Document(text=text) for text in DOCUMENTS], embed_model=embedding)
    tool = QueryEngineTool.from_defaults(
        index.as_query_engine(llm=model, similarity_top_k=1), name="get_weather", description="Knows the weather."
    )
    agent = FunctionAgent(name="weather-agent", tools=[tool], llm=model, streaming=False)
    print(await agent.run("What is the weather in Paris?"))


if __name__ == "__main__":
    asyncio.run(main())
