"""The reports as they are told."""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime, ToldTime

MOST_KEYS: Final = 1000
"""That a report on privacy names: those with most records."""


class Reading(StrEnum):
    """What became of a key; docs/dialects.md has the meanings."""

    MAPPED = "mapped"
    DEPRECATED = "deprecated"
    READ = "read"
    IGNORED = "ignored"
    UNMAPPED = "unmapped"
    WITHHELD = "withheld"


class _Days(Asked):
    since: GivenTime | None = Field(None, description="from the day (UTC) of this time on; 7 days ago if not said")
    until: GivenTime | None = Field(None, description="to the end of the day (UTC) of this time")


class MappingAsked(_Days):
    """A page of the report on mapping."""

    scope: Texts = Field([], description="name of the instrumentation scope")
    dialect: Texts = Field([], description="dialect, see docs/dialects.md")
    reading: list[Reading] = Field([], max_length=6, description="what became of the key")
    limit: int = Field(200, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class MappedKey(BaseModel):
    """A key of one source, and what it was read as."""

    scope: str = Field(examples=["openinference.instrumentation.openai"])
    scope_version: str
    dialect: str = Field(examples=["openinference"])
    key: str = Field(examples=["llm.model_name"], description="numbers in it are N")
    reading: Reading
    targets: list[str] = Field(examples=[["gen_ai.request.model"]], description="names its value is known under then")
    spans: int = Field(description="that have it")
    last_seen_at: ToldTime


class MappingPage(BaseModel):
    """Keys by scope, version, dialect and name."""

    items: list[MappedKey]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class PrivacyAsked(_Days):
    """The time that the report on privacy is about."""


class WithheldKey(BaseModel):
    """A key of which something was withheld or replaced."""

    signal: str = Field(examples=["traces"], description="traces, logs or metrics")
    key: str = Field(examples=["gen_ai.input.messages"], description="numbers in it are N")
    records: int = Field(description="spans, log records or data points")


class StoredContent(BaseModel):
    """What is stored of what people and models said, whenever it was."""

    spans: int = Field(description="that say something, about")
    messages: int = Field(description="distinct texts")
    bytes: int = Field(description="of the texts, before compression")


class PrivacyReport(BaseModel):
    """What of a project's telemetry is kept, and what was not."""

    project: str = Field(examples=["default"])
    content_policy: str = Field(examples=["off"], description="in force now: off, masked or full, see docs/privacy.md")
    withheld: list[WithheldKey] = Field(description=f"most records first, {MOST_KEYS} at most")
    content: StoredContent
