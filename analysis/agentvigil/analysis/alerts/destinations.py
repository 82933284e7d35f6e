"""Destinations: where notices go. What is secret of them is read here, and told to nobody."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from agentvigil.analysis.alerts.texts import Name

_MOST_SECRET: Final = 4096
_WHSEC: Final = "whsec_"
_LEAST_SECRET_BYTES: Final = 24
DIRECTORY: Final = "directory"
"""Key of the validation context: where a file stands that may refer to variables and to other files."""


def _referred(value: object, info: ValidationInfo) -> object:
    """Return the secret that ``value`` is, or that it refers to: ``{ env = "NAME" }`` or ``{ file = "/path" }``."""
    if not isinstance(value, Mapping):
        return value
    if not (info.context and DIRECTORY in info.context):
        raise ValueError("only the file of alerts may refer to variables and files: send the text itself")
    if set(value) == {"env"} and isinstance(value["env"], str):
        found = os.environ.get(value["env"])
        if not found:
            raise ValueError(f"the variable {value['env'][:100]} is not set")
        return found
    if set(value) == {"file"} and isinstance(value["file"], str):
        path = Path(info.context[DIRECTORY]) / value["file"]
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"can not read {path}: {getattr(exc, 'strerror', None) or 'not UTF-8'}") from exc
    raise ValueError('a secret is a text, { env = "NAME" } or { file = "/path" }')


Secret = Annotated[SecretStr, BeforeValidator(_referred), Field(min_length=1, max_length=_MOST_SECRET)]
"""A text that is never told again."""


class Format(StrEnum):
    """What a webhook is sent."""

    JSON = "json"
    SLACK = "slack"


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout_s: float = Field(10.0, ge=1, le=30, description="for a whole attempt")


class Webhook(_Said):
    """A URL that notices are posted to."""

    type: Literal["webhook"] = "webhook"
    url: Secret = Field(
        examples=["https://hooks.example.org/services/T0/B0/xyz"], description="write-only: it may hold a token"
    )
    format: Format = Field(Format.JSON, description="`json`, or `slack` for Slack and what understands its webhooks")
    secret: Secret | None = Field(
        None,
        description="signs what is sent (Standard Webhooks): `whsec_` and at least 24 bytes in base64; write-only",
    )

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not re.fullmatch(r"[!-~]+", text):
            raise ValueError("a URL is made of printable ASCII characters without spaces")
        wanted = "write the URL as https://host/path"
        try:
            parts = urlsplit(text)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError as exc:
            raise ValueError(wanted) from exc
        if not is_url or parts.fragment:
            raise ValueError(wanted)
        if parts.username is not None or parts.password is not None:
            raise ValueError("a URL has no user and password here: sign what is sent with `secret` instead")
        return value

    @field_validator("secret")
    @classmethod
    def _is_a_signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            signing_key(value)
        return value

    @property
    def place(self) -> str:
        """Where it goes, without what may be secret."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.scheme}://{parts.netloc}"


def signing_key(secret: SecretStr) -> bytes:
    """Return the key that ``secret`` says.

    Raises:
        ValueError: if it says none.
    """
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(_WHSEC), validate=True) if text.startswith(_WHSEC) else b""
    except binascii.Error:
        key = b""
    if len(key) < _LEAST_SECRET_BYTES:
        raise ValueError(
            f"a signing secret is {_WHSEC} and at least {_LEAST_SECRET_BYTES} random bytes in base64: "
            'echo "whsec_$(openssl rand -base64 32)"'
        )
    return key


Address = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"),
]
"""An address of mail, and nothing else that could stand in a header."""


class Security(StrEnum):
    """How mail is kept from others on its way to the server."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


class Mail(_Said):
    """A server that notices are handed to as mail, by SMTP."""

    type: Literal["mail"] = "mail"
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$")] = Field(
        examples=["smtp.example.org"]
    )
    port: int = Field(0, ge=0, le=65535, description="0: 587 for starttls, 465 for tls, 25 for none")
    security: Security = Field(
        Security.STARTTLS, description="`none` is for servers on this machine and in private networks alone"
    )
    username: Secret | None = Field(None, description="with password, where the server wants to know; write-only")
    password: Secret | None = Field(None, description="write-only")
    sender: Address = Field(examples=["vigil@example.org"])
    recipients: tuple[Address, ...] = Field(min_length=1, max_length=20, examples=[["ops@example.org"]])

    @model_validator(mode="after")
    def _knows_both_or_none(self) -> "Mail":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: say both, or none")
        if self.password is not None and self.security is Security.NONE:
            raise ValueError("a password is not sent without TLS: set security to starttls or tls")
        return self

    @property
    def real_port(self) -> int:
        """The port that is called."""
        return self.port or _PORTS[self.security]

    @property
    def place(self) -> str:
        """Where it goes."""
        return f"{', '.join(self.recipients)} by {self.host}:{self.real_port}"


Destination = Annotated[Webhook | Mail, Field(discriminator="type")]
"""Where notices go."""


class NamedWebhook(Webhook):
    """A webhook as it stands in a file."""

    name: Name


class NamedMail(Mail):
    """A mail server as it stands in a file."""

    name: Name


NamedDestination = Annotated[NamedWebhook | NamedMail, Field(discriminator="type")]


def stored(destination: Webhook | Mail) -> dict[str, Any]:
    """Return all that a destination is, secrets in the clear, for the store that keeps it."""
    told = destination.model_dump(mode="json", exclude={"name"})
    for field in ("url", "secret", "username", "password"):
        value = getattr(destination, field, None)
        if isinstance(value, SecretStr):
            told[field] = value.get_secret_value()
    return told
