"""A form carries a query and long parameters, byte by byte, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

from agentvigil.storage.sql.errors import BAD_REQUEST_PARAMETER, SYNTAX_ERROR, QueryRefused
from agentvigil.storage.sql.forms import form_fields
from agentvigil.storage.sql.request import Request

LIMIT = 2**20
names = st.from_regex(r"param_[a-z_][a-z0-9_]{0,20}", fullmatch=True) | st.just("query")
texts = st.text() | st.text(alphabet="\r\n-\t\0\x1aé\\'\"", max_size=30)


@given(st.dictionaries(names, texts, max_size=5))
def test_what_is_sent_as_a_form_arrives(fields: dict[str, str]) -> None:
    """Line ends, dashes and zero bytes included: a changed value is another query."""
    body, content_type = encode_multipart_formdata(fields)

    if fields:
        assert form_fields(content_type, body) == {name: text.encode() for name, text in fields.items()}


def read(body: bytes, content_type: str, **parameters: str) -> tuple[Request, str]:
    return Request("POST", "/", {"content-type": content_type}, parameters).with_body(body, LIMIT)


def test_fields_are_the_query_and_its_parameters() -> None:
    """Beside what the URL has."""
    body, content_type = encode_multipart_formdata({"query": "SELECT {a:String}, {b:UInt8}", "param_a": "x\n"})

    request, text = read(body, content_type, param_b="1", query="-- from the URL", max_threads="1")

    assert text == "-- from the URL\nSELECT {a:String}, {b:UInt8}"
    assert request.query_parameters == {"a": "x\n", "b": "1"}
    assert request.settings == {"max_threads": "1"}


FORM = "multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        (FORM, b"", BAD_REQUEST_PARAMETER),
        (FORM, b"x", BAD_REQUEST_PARAMETER),
        (FORM, FIELD, BAD_REQUEST_PARAMETER),
        ("multipart/form-data", FIELD + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        ("multipart/mixed; boundary=b", FIELD + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD + FIELD + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD.replace(b"query", b"allow_ddl") + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD.replace(b"query", b"database") + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD.replace(b'"query"', b'"t"; filename="t.csv"') + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD.replace(b'name="query"', b"") + b"--b--\r\n", BAD_REQUEST_PARAMETER),
        (FORM, FIELD.replace(b"SELECT 1", b"\xff") + b"--b--\r\n", SYNTAX_ERROR),
        (
            FORM,
            FIELD.replace(b"\r\n\r\n", b"\r\nContent-Type: multipart/form-data; boundary=c\r\n\r\n") + b"--b--\r\n",
            BAD_REQUEST_PARAMETER,
        ),
    ],
)
def test_other_forms_are_refused(content_type: str, body: bytes, code: int) -> None:
    """External tables above all: they would be written to the disk."""
    with pytest.raises(QueryRefused) as refused:
        read(body, content_type)

    assert refused.value.code == code


@given(
    st.binary(max_size=300), st.sampled_from([FORM, "multipart/form-data; boundary=", "multipart/;;=", "multipart/"])
)
def test_nothing_that_comes_as_a_form_is_a_surprise(body: bytes, content_type: str) -> None:
    """Everything is a form or refused."""
    try:
        form_fields(content_type, body + b"\r\n--b--\r\n")
    except QueryRefused:
        return
