"""The spans of the MCP SDK: a client and its server, each in a process of its own. No model is called."""

import os
import sys

from driving import drive
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    if city == "Nowhere":
        raise TimeoutError("the weather service did not answer")
    return f"sunny, 24 degrees in {city}"


@server.resource("weather://cities")
def cities() -> str:
    """All cities."""
    return "Paris, Rome"


@server.prompt()
def ask(city: str) -> str:
    """How to ask for a city's weather."""
    return f"What is the weather in {city}?"


async def no_model() -> None:
    parameters = StdioServerParameters(command=sys.executable, args=[__file__, "serve"], env=dict(os.environ))
    async with Client(parameters) as client:
        await client.list_tools()
        await client.call_tool("get_weather", {"city": "Paris"})
        await client.call_tool("get_weather", {"city": "Nowhere"})
        await client.read_resource("weather://cities")
        await client.get_prompt("ask", {"city": "Paris"})


def serve() -> None:
    """The server's side, in a process of its own."""
    server.run("stdio")


drive(lambda _: None, no_model, serve)
