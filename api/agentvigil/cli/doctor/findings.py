"""What a check found, in words for people and in fields for machines."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How much a finding matters: nothing to do, worth knowing, something to mend."""

    OK = "ok"
    NOTE = "note"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what was found there with figures, and what to do about it."""

    status: Status
    check: str
    found: str
    advice: str = ""


def ok(check: str, found: str) -> Finding:
    return Finding(Status.OK, check, found)


def note(check: str, found: str, advice: str = "") -> Finding:
    return Finding(Status.NOTE, check, found, advice)


def trouble(check: str, found: str, advice: str) -> Finding:
    return Finding(Status.TROUBLE, check, found, advice)


def not_tried(check: str, reason: str) -> Finding:
    """Say that something else has to be mended first; that one counts, this does not."""
    return Finding(Status.NOTE, check, f"not tried: {reason}")


def guarded(check: str, run: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what ``run`` finds; what goes wrong in it is a finding too, so that the others are still made."""
    try:
        return run()
    except Exception as exc:  # noqa: BLE001 - see above
        text = f"the check itself failed: {type(exc).__name__}: {exc}"
        return [trouble(check, text, "this is a defect of agentvigil or of what it runs on; please report it")]
