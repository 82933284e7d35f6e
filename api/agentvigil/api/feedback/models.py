"""Feedback as it comes and as it is told."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agentvigil.api.amounts import time_of
from agentvigil.api.asked import Asked, Label
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime, ToldTime
from agentvigil.semconv.enums import FeedbackSource

_LONGEST_COMMENT = 4000
TraceId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
SpanId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
Score = Annotated[float, Field(allow_inf_nan=False)]


class Judgement(BaseModel):
    """What is thought of a run: a score, a label, or both."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"score": 1.0, "label": "helpful", "source": "user"}]}
    )

    name: Label = Field("feedback", description="what is judged, if there are several things: `tone`")
    score: Score | None = Field(None, description="a finite number, more is better; its scale is yours")
    label: Label | None = Field(None, description="a word, such as `wrong`")
    comment: str | None = Field(
        None,
        min_length=1,
        max_length=_LONGEST_COMMENT,
        description="what was said; refused where the project's content policy is off",
    )
    source: FeedbackSource = Field(FeedbackSource.USER, description="who judges")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.score is None and self.label is None:
            raise ValueError("feedback needs a score, a label, or both")
        return self


class Feedback(Judgement):
    """A judgement, and what it is of: a run, or the run that a span is in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"run_id": "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "score": 1.0}]},
    )

    run_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    trace_id: TraceId | None = Field(None, description="with `span_id`, instead of `run_id`")
    span_id: SpanId | None = Field(None, description="the span that is judged: the top of a run, or a step in it")

    @model_validator(mode="after")
    def _names_a_run(self) -> Self:
        span = (self.trace_id, self.span_id)
        if (self.run_id is None) == (None in span) or (self.run_id is not None and span != (None, None)):
            raise ValueError("say run_id, or trace_id and span_id")
        return self


class FeedbackTaken(BaseModel):
    """Feedback that is stored."""

    run_id: str
    at: ToldTime
    name: str = Field(examples=["feedback"])
    score: float | None
    label: str | None
    source: str = Field(examples=["user"])


class ToldFeedback(BaseModel):
    """One judgement, by whomever it was sent and by whichever way."""

    at: ToldTime
    run_id: str = Field(description="as it was sent; a trace id alone is meant for each run of that trace")
    trace_id: str | None
    span_id: str | None = Field(description="span that it was sent for or from, null if for none")
    name: str = Field(examples=["feedback"])
    score: float | None = Field(examples=[1.0])
    label: str | None = Field(examples=["helpful"])
    source: str | None = Field(examples=["user"], description="null where the sender does not say")
    comment: str | None = Field(description="as stored: masked and cut as the project's policy says")

    @classmethod
    def of(cls, record: Mapping[str, Any], explanation: str | None) -> Self:
        """Return the judgement that a row of agent_feedback is, with what is stored of its explanation."""
        return cls(
            at=time_of(record["timestamp_ns"]),
            run_id=record["RunId"],
            trace_id=record["TraceId"] or None,
            span_id=record["SpanId"] or None,
            name=record["Name"],
            score=record["Score"],
            label=record["Label"] or None,
            source=record["Source"] or None,
            comment=record["Comment"] or explanation,
        )


class FeedbackPage(BaseModel):
    """Feedback, the newest first."""

    items: list[ToldFeedback]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class FeedbackFilters(Asked):
    """Filters of feedback."""

    name: Texts = Field([], description="what was judged")
    label: Texts = Field([], description="the judgement as a word")
    min_score: Score | None = None
    max_score: Score | None = None
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class FeedbackList(FeedbackFilters):
    """A page of feedback."""

    since: GivenTime | None = Field(None, description="given at or after this time; 30 days ago if it is not said")
    until: GivenTime | None = Field(None, description="given before this time")
    run: Texts = Field([], description="id of the run; feedback that names its trace is meant too")
