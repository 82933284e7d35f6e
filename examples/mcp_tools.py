"""Tools of an MCP server, which is another process: client and server are one trace, and the whole is one run."""

import asyncio
import json
import os
import sys

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.server.mcpserver import MCPServer
from openai import AsyncOpenAI

from agentvigil import agent

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


@agent.run("weather-desk")
async def answer(question: str, tools: Client) -> str:
    offered = [
        {"type": "function", "function": {"name": tool.name, "parameters": tool.input_schema}}
        for tool in (await tools.list_tools()).tools
    ]
    client = AsyncOpenAI()
    messages = [{"role": "user", "content": question}]
    while True:
        asked = await client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=offered)
        said = asked.choices[0].message
        messages.append(said)
        if not said.tool_calls:
            return said.content or ""
        for call in said.tool_calls:
            result = await tools.call_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result.content[0].text})


async def main() -> None:
    itself = StdioServerParameters(
        command="opentelemetry-instrument",
        args=[sys.executable, __file__, "serve"],
        # Spans are sent after 100 ms. They would wait for the end, and a server that takes 2 s to end is killed.
        env={**os.environ, "OTEL_BSP_SCHEDULE_DELAY": "100"},
    )
    async with Client(stdio_client(itself)) as tools:
        print(await answer("What is the weather in Paris?", tools))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        server.run()
    else:
        asyncio.run(main())
