"""Writes docs/instrumentations/frameworks.md from what each instrumentor's package says of itself.

    python tools/instrumentations/generate_docs.py

The docstrings are for whoever changes an instrumentor; the page is the same for whoever uses it.
"""

import inspect
import re
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "instrumentations" / "frameworks.md"
_ENTRY_POINTS: Final = "opentelemetry_instrumentor"
_OURS: Final = "agentvigil_"
_EXAMPLES: Final = {
    "agent_framework": ("agent_framework_agent",),
    "anthropic": ("anthropic_messages",),
    "crewai": ("crewai_crew",),
    "google_adk": ("google_adk_agent",),
    "google_genai": ("google_genai_content",),
    "langchain": ("langgraph_agent", "rag_agent"),
    "litellm": ("litellm_completion",),
    "llama_index": ("llama_index_agent",),
    "mcp": ("mcp_tools",),
    "openai": ("openai_chat", "support_agent"),
    "openai_agents": ("openai_agents",),
    "pydantic_ai": ("pydantic_ai_agent",),
    "strands": ("strands_agent",),
}
_BEGINNING: Final = """# Frameworks, one by one

*Made by `tools/instrumentations/generate_docs.py` from the docstrings of the instrumentors.*

What runs, and which span it becomes. What all of them have in common, how to switch them on and off, and the versions
they are tested with: [README.md](README.md). Names in capitals are the framework's or your own.
"""


def document() -> str:
    """Return the page."""
    found = [entry for entry in metadata.entry_points(group=_ENTRY_POINTS) if entry.name.startswith(_OURS)]
    sections = [_section(entry.name, entry.value) for entry in sorted(found, key=lambda entry: entry.name)]
    return "\n".join([_BEGINNING, *sections])


def _section(entry_point: str, value: str) -> str:
    module = import_module(value.partition(":")[0])
    said = inspect.getdoc(module) or ""
    heading = entry_point.removeprefix(_OURS)
    links = ", ".join(f"[{name}.py](../../examples/{name}.py)" for name in _EXAMPLES.get(heading, ()))
    facts = f"Entry point `{entry_point}`." + (f" Example: {links}." if links else "")
    return f"## {heading}\n\n{facts}\n\n{_markdown(said)}\n"


def _markdown(said: str) -> str:
    said = re.sub(r":(?:mod|class|func|meth):`[~.]*([^`]+)`", r"`\1`", said)
    return said.replace("``", "`")


def main() -> int:
    """The command line: no arguments."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(DOCUMENT.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
