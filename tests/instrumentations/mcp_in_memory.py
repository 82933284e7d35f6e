"""A client and a server of MCP in one process, over streams in memory."""

import asyncio
from importlib import metadata
from typing import Any

import pytest

mcp = pytest.importorskip("mcp")
IS_NATIVE = not metadata.version("mcp").startswith("1.")
"""Since 2.0 the SDK has spans of its own."""
if IS_NATIVE:
    from mcp.client import Client
    from mcp.server.mcpserver import MCPServer as Server
else:
    from mcp.server.fastmcp import FastMCP as Server
    from mcp.shared.memory import create_connected_server_and_client_session


def a_server() -> Any:
    server = Server("weather")

    @server.tool()
    def get_weather(city: str) -> str:
        if city == "nowhere":
            raise ValueError("canary-error")
        return f"canary-result {city}"

    return server


def ask(*calls: str) -> None:
    async def main() -> None:
        server = a_server()
        if IS_NATIVE:
            async with Client(server) as client:
                for city in calls:
                    await client.call_tool("get_weather", {"city": city})
        else:
            async with create_connected_server_and_client_session(server._mcp_server) as client:
                for city in calls:
                    await client.call_tool("get_weather", {"city": city})

    asyncio.run(main())
