"""What is read of a request in ClickHouse's HTTP dialect, and how its body becomes text."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from agentvigil.storage.sql.encodings import inflate
from agentvigil.storage.sql.errors import BAD_REQUEST_PARAMETER, SYNTAX_ERROR, QueryRefused
from agentvigil.storage.sql.forms import form_fields, is_form
from agentvigil.storage.sql.native_blocks import decode_blocks

TRANSPORT: Final = frozenset(
    {
        "add_http_cors_header",
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
    }
)
"""URL parameters that are about the request, not settings of the engine."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is used of an HTTP request. Header names are in lower case; of repeated ones the last counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    parameters: Mapping[str, str]

    @classmethod
    def from_scope(cls, scope: MutableMapping[str, Any]) -> "Request":
        """Read an ASGI scope."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True, errors="replace")
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if root and path.startswith(root):
            path = path.removeprefix(root)
        return cls(scope["method"], path or "/", headers, dict(pairs))

    def is_on(self, parameter: str) -> bool:
        """Tell whether a URL parameter switches something on, as ClickHouse spells it."""
        return self.parameters.get(parameter, "0").lower() in ("1", "true")

    @property
    def settings(self) -> dict[str, str]:
        """URL parameters that are settings of the query."""
        return {
            name: value
            for name, value in self.parameters.items()
            if name not in TRANSPORT and not name.startswith("param_")
        }

    @property
    def query_parameters(self) -> dict[str, str]:
        """Values of ``{name:Type}`` in the query."""
        return {
            name.removeprefix("param_"): value for name, value in self.parameters.items() if name.startswith("param_")
        }

    @property
    def database(self) -> str:
        """The database the client wants to be in; empty if it did not say."""
        return self.parameters.get("database") or self.headers.get("x-clickhouse-database", "")

    @property
    def default_format(self) -> str:
        """The format of an answer to a query without FORMAT."""
        return self.parameters.get("default_format") or self.headers.get("x-clickhouse-format", "") or "TabSeparated"

    def with_body(self, body: bytes, limit: int) -> tuple["Request", str]:
        """Return the query, the URL's part and the body's joined by a line break, and the request with its parameters.

        The body is inflated as ``Content-Encoding`` says, then as ``decompress=1`` says, to ``limit`` bytes at most. It
        is the query, or a form that has the query and its parameters as fields.

        Raises:
            QueryRefused: for a body that does not inflate, inflates too far or is not UTF-8, or a form of other things.
        """
        coding = self.headers.get("content-encoding", "").strip().lower()
        if body and coding not in ("", "identity"):
            body = inflate(coding, body, limit)
        if body and self.is_on("decompress"):
            body = decode_blocks(body, limit)
        request = self
        content_type = self.headers.get("content-type", "")
        if is_form(content_type):
            fields = form_fields(content_type, body)
            body = fields.pop("query", b"")
            if others := [name for name in fields if not name.startswith("param_")]:
                raise QueryRefused(
                    BAD_REQUEST_PARAMETER,
                    f"The form has a field {others[0][:80]!r}; only query and param_NAME are taken",
                )
            given = {name: _decoded(value, f"The field {name[:80]}") for name, value in fields.items()}
            request = replace(self, parameters={**self.parameters, **given})
        text = _decoded(body, "The query")
        return request, "\n".join(part for part in (self.parameters.get("query", ""), text) if part)


def _decoded(text: bytes, what: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as exc:
        raise QueryRefused(SYNTAX_ERROR, f"{what} is not UTF-8 at byte {exc.start}") from exc
