"""Keys and projects as the API tells them; docs/access.md says what they are for."""

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from agentvigil.api.asked import Label
from agentvigil.api.times import ToldTime
from agentvigil.storage.access import KeyRecord, NewKey, Project, Scope
from agentvigil.storage.access.expiry import parse_expiry

_KEY_ID: Final = "k3x9v0q2ab"

OptionalLabel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/@-]{0,64}$")]
"""A label, or nothing."""

GivenExpiry = Annotated[
    datetime,
    BeforeValidator(parse_expiry),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["2027-01-01T00:00:00Z", "90d"],
            "description": "ISO 8601, or how long from now: `12h`, `90d`, `4w`, `1y`",
        },
    ),
]
"""When a key ends, in a request."""


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: OptionalLabel = Field("", examples=["ci"], description="a label by which people know it")
    project: Label | None = Field(
        None, examples=["shop"], description="the one project it is for; the caller's own if none is said"
    )
    all_projects: bool = Field(False, description="for every project; then no project may be said")
    scopes: list[Scope] = Field(
        default=[Scope.INGEST, Scope.READ],
        min_length=1,
        max_length=3,
        description="`ingest` sends telemetry, `read` reads it, `admin` makes and revokes keys",
    )
    expires_at: GivenExpiry | None = Field(None, description="null: never")


class Key(BaseModel):
    """A key without its secret, which is shown once, when it is made."""

    id: str = Field(examples=[_KEY_ID])
    name: str = Field(examples=["ci"], description="empty if it has none")
    project: str | None = Field(examples=["shop"], description="null: every project")
    scopes: list[Scope]
    created_at: ToldTime
    expires_at: ToldTime | None = Field(description="null: never")
    revoked_at: ToldTime | None = Field(description="null: it is not revoked")
    last_used_at: ToldTime | None = Field(description="to about half a minute; null: never")
    is_usable: bool = Field(description="neither revoked nor expired")

    @classmethod
    def of(cls, record: KeyRecord) -> Self:
        """Return ``record`` as it is told."""
        return cls(
            id=record.id,
            name=record.name,
            project=record.project,
            scopes=sorted(record.scopes),
            created_at=record.created_at,
            expires_at=record.expires_at,
            revoked_at=record.revoked_at,
            last_used_at=record.last_used_at,
            is_usable=record.is_usable(datetime.now(UTC)),
        )


class MadeKey(Key):
    """A key just made, with its whole text, which can not be had again."""

    key: str = Field(examples=[f"vgl_{_KEY_ID}_0Yw8kX3m9r5Tt1uQ7sV2bN4cZ6aD8eF0gH2jK4lP6oI"])

    @classmethod
    def made(cls, new: NewKey) -> Self:
        """Return ``new`` as it is told, once."""
        return cls(**dict(Key.of(new.record)), key=new.text)


class KeyList(BaseModel):
    """Keys, revoked ones too, the oldest first."""

    items: list[Key]


class ProjectRequest(BaseModel):
    """A project to be made, or to be given another description."""

    model_config = ConfigDict(extra="forbid")

    name: Label = Field(examples=["shop"])
    description: OptionalLabel = Field("", examples=["web-shop"], description="a label, or nothing")


class ProjectSummary(BaseModel):
    """One project."""

    name: str = Field(examples=["shop"])
    description: str = Field(examples=["web-shop"])
    created_at: ToldTime | None = Field(description="null: nobody made it by name; it has data or keys")
    usable_keys: int = Field(description="keys bound to it that are neither revoked nor expired")
    last_data_at: ToldTime | None = Field(description="start of its newest run of 30 days or span of two; null: none")

    @classmethod
    def of(cls, project: Project) -> Self:
        """Return ``project`` as it is told."""
        return cls(
            name=project.name,
            description=project.description,
            created_at=project.created_at,
            usable_keys=project.usable_keys,
            last_data_at=project.last_data_at,
        )


class ProjectList(BaseModel):
    """Projects, `default` first, the others by name."""

    items: list[ProjectSummary]
