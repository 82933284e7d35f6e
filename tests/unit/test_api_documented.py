"""docs/api.md lists every request of the API, with what the API says of it itself."""

import os
from pathlib import Path

from fastapi.routing import APIRoute

from agentvigil.api.access import needs_of
from served_api import document_app

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- all requests -->\n", "<!-- end of all requests -->"
REGENERATE = "AGENTVIGIL_REGENERATE"
"""Set this variable to write the table anew; then read the difference."""


def table() -> str:
    """The requests in the order of their paths."""
    lines = ["| request | scope | what it does |", "|---|---|---|"]
    routes: list[APIRoute] = document_app().state.guarded_routes
    for route in sorted(routes, key=lambda route: (route.path.replace(":text", ""), min(route.methods))):
        needs = needs_of(route)
        assert needs is not None
        scope = f"{needs.scope}, every project" if needs.every_project else str(needs.scope)
        path = route.path_format.replace(":text", "").replace(":path", "")
        told = " ".join(route.description.split("\n\n")[0].split())
        lines.append(f"| `{min(route.methods)} {path}` | {scope} | {told} |")
    return "\n".join(lines) + "\n"


def test_every_request_is_listed() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    listed, after = rest.split(END)
    if os.environ.get(REGENERATE):
        DOCUMENT.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    else:
        assert listed == table(), f"run it once with {REGENERATE}=1"
