"""The Model Context Protocol's SDK, of clients and servers.

Since 2.0 the SDK makes its own spans (scope ``mcp-python-sdk``), always; these stay as they are. For 1.x, requests of
clients and what servers do with them get spans here, and the trace goes along in the request's ``_meta``. A client's
call of a tool inside an ``execute_tool`` span of that tool, as agents make, gets no second span: that one is told of
MCP.

Tested with mcp 1.12 to 2.3.
"""

from agentvigil.instrumentations.mcp.instrumentor import MCPInstrumentor

__all__ = ["MCPInstrumentor"]
