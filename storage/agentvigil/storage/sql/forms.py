"""Forms (``multipart/form-data``), in which clients send a query whose parameters are too long for a URL."""

from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

from agentvigil.storage.sql.errors import BAD_REQUEST_PARAMETER, QueryRefused


def is_form(content_type: str) -> bool:
    """Tell whether a body of this ``Content-Type`` is a form."""
    return content_type.lower().startswith("multipart/")


def form_fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the fields of a form by their names.

    Raises:
        QueryRefused: code 36 if it is none, names a field twice, or has a file in it, which would be an external table.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    try:
        form = BytesParser(policy=HTTP).parsebytes(head + body)
    except (MessageError, ValueError, LookupError) as exc:
        raise _refused("it can not be read") from exc
    if form.get_content_type() != "multipart/form-data" or not form.is_multipart() or form.defects:
        raise _refused("it can not be read")
    fields: dict[str, bytes] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str) or part.is_multipart() or part.defects:
            raise _refused("it can not be read")
        if part.get_filename() is not None:
            raise _refused("it has a file, and external tables are not taken")
        if name in fields:
            raise _refused(f"it names {name[:80]!r} twice")
        fields[name] = _content(part)
    return fields


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _refused(why: str) -> QueryRefused:
    return QueryRefused(
        BAD_REQUEST_PARAMETER,
        f"The form is not taken: {why}; send multipart/form-data with the query as 'query' and its parameters as "
        "'param_NAME', or the query as the body",
    )
