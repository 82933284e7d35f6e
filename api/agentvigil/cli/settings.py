"""Every setting of the server: one frozen object per process, built once and passed down.

A flag wins over its environment variable, that over the file named by ``--config``, that over the default. The flags
are made from the fields below, so name, default, help and variable stand in one place.
"""

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

import platformdirs
from pydantic import Field, SecretStr, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agentvigil.receiver.content_policies import ContentPolicies

KeepDays = Literal[7, 30, 90, 365, 3650]
"""Retention classes; few, since each makes partitions of its own."""

Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):\d{1,5}$")]


class Settings(BaseSettings):
    """Settings of the server; the variable of ``some_field`` is ``AGENTVIGIL_SOME_FIELD``."""

    model_config = SettingsConfigDict(env_prefix="AGENTVIGIL_", frozen=True, extra="forbid")

    data: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("agentvigil", appauthor=False)),
        description="Directory of the embedded store.",
    )
    clickhouse: str | None = Field(
        None, description="Store on a ClickHouse server instead: http(s)://user:password@host:8123/database."
    )
    database: str = Field(
        "default", min_length=1, max_length=100, description="ClickHouse database; the URL may name it as well."
    )
    otlp_grpc: Address = Field(
        "127.0.0.1:4317", description="Where OTLP over gRPC is taken, HOST:PORT; port 0 is any free."
    )
    otlp_http: Address = Field("127.0.0.1:4318", description="Where OTLP over HTTP is taken, HOST:PORT.")
    clickhouse_http: Address = Field(
        "127.0.0.1:8123",
        description="Where SQL is answered in ClickHouse's HTTP dialect, HOST:PORT; embedded store only.",
    )
    api: Address = Field("127.0.0.1:8787", description="Where the API, /health and /metrics are answered, HOST:PORT.")
    api_requests_per_minute: int = Field(
        3000, ge=0, le=10**6, description="Requests to the API that one key has in a minute; 0 is any number."
    )
    cors_origins: str = Field(
        "",
        description="Web pages that may ask the API from a browser, as https://host; again or after a comma for more.",
        json_schema_extra={"repeatable": True},
    )
    ingest_key: SecretStr | None = Field(
        None, description="A key to everything, beside those of `agentvigil keys create`; senders and readers show it."
    )
    key: SecretStr | None = Field(None, description="Key that commands show to a server; else the one of ingest_key.")
    tls_cert: Path | None = Field(
        None, description="Certificate chain in PEM: all interfaces then speak TLS. Needs --tls-key."
    )
    tls_key: Path | None = Field(None, description="Private key of --tls-cert, in PEM.")
    tls_client_ca: Path | None = Field(
        None, description="Certificates in PEM that senders' certificates must be signed by (mutual TLS for OTLP)."
    )
    max_connection_age_s: int = Field(
        3600, ge=0, le=10**6, description="Seconds after which a gRPC connection is closed politely; 0 is never."
    )
    grpc_reflection: bool = Field(False, description="Let grpcurl and the like ask what is served over gRPC.")
    keep_days: KeepDays = Field(90, description="Retention in days: 7, 30, 90, 365 or 3650.")
    max_request_bytes: int = Field(16 * 2**20, ge=1024, le=2**30, description="Largest export request, decompressed.")
    max_queued_bytes: int = Field(64 * 2**20, ge=2**20, description="Bytes that may wait to be stored, of each signal.")
    max_span_attributes: int = Field(
        128, ge=1, le=100_000, description="Attributes kept of one span, log record or data point."
    )
    max_span_events: int = Field(128, ge=1, le=100_000, description="Events kept of one span.")
    max_span_links: int = Field(128, ge=1, le=100_000, description="Links kept of one span.")
    content_policy: str = Field(
        "off",
        description="Projects that let content be stored: PROJECT=masked or PROJECT=full; again or after a comma for "
        "more. All others are off: no prompts, answers, tool arguments, documents.",
        json_schema_extra={"repeatable": True},
    )
    hash_key: SecretStr | None = Field(
        None,
        description="Key of 32 hex digits that withheld text is hashed with; without one the store makes its own.",
    )
    min_free_disk_bytes: int = Field(2**30, ge=0, description="Free disk below which nothing more is taken.")
    spool_max_bytes: int = Field(
        0,
        ge=0,
        description="Disk under --data for what arrives while the ClickHouse server is away; 0 turns senders away.",
    )
    settling: bool = Field(
        True,
        description="Make runs and steps of what is stored. Of several servers on one ClickHouse one does it; a "
        "receiver that must never be busy with it leaves it to the others.",
    )
    analysis: bool = Field(
        True,
        description="Look for drift, regressions, anomalies and failure modes, and send alerts. Of several servers on "
        "one ClickHouse one does it.",
    )
    sensitivity: Literal["eager", "standard", "calm"] = Field(
        "standard",
        description="How soon drift is told: an agent that nothing happens to is called drifting once in 30 days, 300 "
        "days or 8 years, at most.",
    )
    alerts: Path | None = Field(
        None, description="TOML file with rules for alerts and where they go, beside those made by the API."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged to stderr.")
    log_format: Literal["text", "json"] = Field(
        "text", description="How it is logged: for people, or one JSON object a line."
    )
    own_traces_endpoint: str | None = Field(
        None,
        description="URL that spans about the server itself are sent to by OTLP: grpc://host:4317, http://host:4318.",
    )

    @model_validator(mode="before")
    @classmethod
    def _url_names_the_database(cls, values: dict[str, Any]) -> dict[str, Any]:
        named = _database_in(values.get("clickhouse"))
        return {"database": named, **values} if named else values

    @field_validator("database")
    @classmethod
    def _one_database_is_named(cls, value: str, info: ValidationInfo) -> str:
        named = _database_in(info.data.get("clickhouse"))
        if named and named != value:
            raise ValueError(f"the URL of --clickhouse names database {named!r}: name one")
        return value

    @field_validator("otlp_grpc", "otlp_http", "clickhouse_http", "api")
    @classmethod
    def _port_in_range(cls, value: str) -> str:
        if int(value.rpartition(":")[2]) > 65535:
            raise ValueError("a port is at most 65535")
        return value

    @field_validator("ingest_key", "key")
    @classmethod
    def _key_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]{1,200}", value.get_secret_value()):
            raise ValueError("a key is 1 to 200 printable ASCII characters without spaces")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, value: str) -> str:
        for origin in filter(None, value.split(",")):
            if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", origin):
                raise ValueError(f"{origin[:80]!r} is no origin: write https://host or http://host:port alone")
        return value

    @field_validator("own_traces_endpoint")
    @classmethod
    def _endpoint_is_a_url(cls, value: str | None) -> str | None:
        if value is not None:
            url = urlsplit(value)
            if (
                url.scheme not in ("http", "https", "grpc", "grpcs")
                or not url.hostname
                or url.username
                or url.port == 0
            ):
                raise ValueError(
                    "an endpoint is http://host:4318, https://host:4318, grpc://host:4317 or grpcs://host:4317; "
                    "headers come from OTEL_EXPORTER_OTLP_HEADERS"
                )
        return value

    @field_validator("content_policy")
    @classmethod
    def _policies_are_known(cls, value: str) -> str:
        ContentPolicies.parse(value.split(","))
        return value

    @field_validator("hash_key")
    @classmethod
    def _hash_key_is_hex(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[0-9A-Fa-f]{32}", value.get_secret_value()):
            raise ValueError("a hash key is 32 hex digits")
        return value

    @classmethod
    def load(cls, config: Path | None, flags: dict[str, Any]) -> "Settings":
        """Build the settings from ``flags``, the environment and the TOML file ``config``, in that order of weight.

        Raises:
            OSError: if the file can not be read.
            ValueError: if it is no TOML, or a value is not valid (pydantic's ``ValidationError``).
        """
        from_file = tomllib.loads(config.read_text(encoding="utf-8")) if config else {}

        class WithFile(cls):  # type: ignore[valid-type,misc]
            @classmethod
            def settings_customise_sources(
                cls,
                settings_cls: type[BaseSettings],
                init_settings: PydanticBaseSettingsSource,
                env_settings: PydanticBaseSettingsSource,
                dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it by name
                file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return init_settings, env_settings, _FileSource(settings_cls, from_file)

        return WithFile(**flags)

    def static_key(self) -> str | None:
        """Return the key that a server takes beside those in its store, in the clear, None if there is none."""
        return self.ingest_key.get_secret_value() if self.ingest_key else None

    def shown_key(self) -> str | None:
        """Return the key that a command shows to a server, in the clear, None if there is none."""
        return self.key.get_secret_value() if self.key else self.static_key()

    def content_policies(self) -> ContentPolicies:
        """Return the policies of all projects."""
        return ContentPolicies.parse(self.content_policy.split(","))

    def allowed_origins(self) -> tuple[str, ...]:
        """Return the pages that may ask the API from a browser."""
        return tuple(filter(None, self.cors_origins.split(",")))

    def hash_key_bytes(self) -> bytes | None:
        """Return the key for hashes that was given, None to use the store's own."""
        return bytes.fromhex(self.hash_key.get_secret_value()) if self.hash_key else None


def names_clickhouse_server(settings: Settings) -> bool:
    """Say whether the store is on a ClickHouse server, and not embedded."""
    return urlsplit(settings.clickhouse or "").scheme in ("http", "https")


def option_of(name: str) -> str:
    """Return the flag of the setting ``name``."""
    return "--" + name.replace("_", "-")


def _database_in(url: object) -> str:
    """Return the database that the URL of a ClickHouse server names, empty if it names none."""
    parts = urlsplit(url if isinstance(url, str) else "")
    return unquote(parts.path.strip("/")) if parts.scheme in ("http", "https") else ""


class _FileSource(PydanticBaseSettingsSource):
    def __init__(self, settings_cls: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._values


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, address: str) -> Self:
        host, _, port = address.rpartition(":")
        return cls(host.strip("[]"), int(port))

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def with_port(self, port: int) -> str:
        """Return ``host:port`` with another port, brackets around IPv6."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"
