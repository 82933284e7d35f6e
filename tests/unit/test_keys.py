"""Who may send."""

import pytest

from agentvigil.receiver.errors import Unauthenticated
from agentvigil.receiver.keys import check_key


@pytest.mark.parametrize("header", [None, "", "Bearer whatever", "Basic eDp5"])
def test_without_a_key_everybody_may_send(header: str | None) -> None:
    """The default on one's own machine; a header that somebody sends anyway does no harm."""
    check_key(header, None)


@pytest.mark.parametrize("header", ["Bearer s3cret", "bearer s3cret", "BEARER s3cret", "Bearer  s3cret "])
def test_the_key_lets_in(header: str) -> None:
    """The scheme's case is the sender's choice (RFC 7235), and gRPC clients write it in lower case."""
    check_key(header, "s3cret")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "s3cret",
        "Bearer",
        "Bearer ",
        "Bearer s3cre",
        "Bearer s3cret2",
        "Bearer S3CRET",
        "Basic s3cret",
        "Bearer s3cret x",
        "Bearer s3crét",
        "Bearer \xff",
        "s3cret Bearer",
    ],
)
def test_anything_else_keeps_out_and_says_what_to_set(header: str | None) -> None:
    """Whoever reads the message is the owner of the sender, who has to find the variable."""
    with pytest.raises(Unauthenticated, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        check_key(header, "s3cret")

    assert "s3cret" not in str(caught.value)
