"""What is told of a span: the problems, how bad they are and of what kind."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is; the module says what each means."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """What kind of problem it is; for machines, and stable."""

    MISSING = "missing"
    DEPRECATED = "deprecated"
    UNKNOWN = "unknown"
    PROPOSED = "proposed"
    MISPLACED = "misplaced"
    REPEATED = "repeated"
    TYPE = "type"
    VALUE = "value"
    TOKENS = "tokens"
    NAME = "name"
    KIND = "kind"
    STATUS = "status"
    EVENT = "event"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. ``attribute`` is None where it is about the span itself; ``message`` says what to do."""

    severity: Severity
    code: Code
    attribute: str | None
    message: str
