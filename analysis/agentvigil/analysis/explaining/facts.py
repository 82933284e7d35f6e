"""What is known of a run and its steps when they are explained: columns that hold structure, never text somebody wrote.

``FailureMessage`` and ``RootCauseMessage`` are left out on purpose: what is not here can not be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A row of ``agent_runs``; fields are called as there. ``cost_usd`` is what was billed, None where unknown."""

    status: str
    run_name: str
    top_span_id: str
    duration_ns: int
    steps: int
    models: tuple[str, ...]
    cost_usd: Decimal | None
    unknown_usage_calls: int
    unpriced_calls: int
    recovered_failures: int
    root_cause_type: str
    root_cause_code: str
    root_cause_span_id: str

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "RunFacts":
        """Return the facts of a row, given as a mapping from the names of its columns.

        Raises:
            KeyError: if a column that is needed is missing.
        """
        return cls(
            status=row["Status"],
            run_name=row["RunName"],
            top_span_id=row["TopSpanId"],
            duration_ns=row["Duration"],
            steps=row["Steps"],
            models=tuple(row["Models"]),
            cost_usd=row["BilledCostUSD"],
            unknown_usage_calls=row["UnknownUsageCalls"],
            unpriced_calls=row["UnpricedCalls"],
            recovered_failures=row["RecoveredFailures"],
            root_cause_type=row["RootCauseType"],
            root_cause_code=row["RootCauseCode"],
            root_cause_span_id=row["RootCauseSpanId"],
        )


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A row of ``agent_steps``; fields are called as there. ``start_ns`` is since 1970."""

    span_id: str
    parent_step_id: str
    ordinal: int
    step_type: str
    step_name: str
    operation: str
    agent_name: str
    attempt: int
    provider: str
    model: str
    tool_name: str
    start_ns: int
    duration_ns: int
    billing: str
    billed: bool
    billing_note: str
    is_failed: bool
    failure_type: str
    failure_code: str
    is_soft_failure: bool
    is_recovered: bool
    is_victim: bool
    retrieved_documents: int | None

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.duration_ns

    @property
    def is_second_sighting(self) -> bool:
        """Whether another step stands for the same call of a model."""
        return self.billing_note == "duplicate"

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "StepFacts":
        """Return the facts of a row, given as a mapping from the names of its columns; ``Timestamp`` is a datetime.

        Raises:
            KeyError: if a column that is needed is missing.
        """
        return cls(
            span_id=row["SpanId"],
            parent_step_id=row["ParentStepId"],
            ordinal=row["Ordinal"],
            step_type=row["StepType"],
            step_name=row["StepName"],
            operation=row["Operation"],
            agent_name=row["AgentName"],
            attempt=row["Attempt"],
            provider=row["Provider"],
            model=row["Model"],
            tool_name=row["ToolName"],
            start_ns=_nanoseconds(row["Timestamp"]),
            duration_ns=row["Duration"],
            billing=row["Billing"],
            billed=row["Billed"],
            billing_note=row["BillingNote"],
            is_failed=row["Status"] == "failure",
            failure_type=row["FailureType"],
            failure_code=row["FailureCode"],
            is_soft_failure=row["IsSoftFailure"],
            is_recovered=row["IsRecovered"],
            is_victim=row["IsVictim"],
            retrieved_documents=row["RetrievedDocuments"],
        )


def _nanoseconds(moment: datetime) -> int:
    """Return ``moment`` as nanoseconds since 1970; without a zone it is UTC, as ClickHouse's are here."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
