"""Writes findings for people, one line each and below it what to do, or as one JSON document."""

import json
from collections.abc import Sequence
from typing import Final

from agentvigil.cli.doctor.findings import Finding, Status
from agentvigil.cli.printable import printable
from agentvigil.semconv import __version__

_COLOURS: Final = {Status.OK: "32", Status.NOTE: "33", Status.TROUBLE: "31;1"}
_WIDTH: Final = max(len(status) for status in Status)


def has_trouble(findings: Sequence[Finding]) -> bool:
    """Say whether there is something to mend."""
    return any(finding.status is Status.TROUBLE for finding in findings)


def as_text(findings: Sequence[Finding], *, colours: bool) -> str:
    """Return the report for people; control characters, which a server may have sent, are made visible."""
    name_width = max((len(finding.check) for finding in findings), default=0)
    lines = []
    for finding in findings:
        status = f"{finding.status:<{_WIDTH}}"
        if colours:
            status = f"\x1b[{_COLOURS[finding.status]}m{status}\x1b[0m"
        lines.append(f"{status}  {_in_one_line(finding.check):<{name_width}}  {_in_one_line(finding.found)}".rstrip())
        if finding.advice:
            lines.append(f"{'':<{_WIDTH}}  {'':<{name_width}}  -> {_in_one_line(finding.advice)}")
    return "\n".join([*lines, summary(findings)])


def as_json(findings: Sequence[Finding]) -> str:
    """Return the report as one JSON object, ASCII only."""
    return json.dumps(
        {
            "status": Status.TROUBLE if has_trouble(findings) else Status.OK,
            "version": __version__,
            "findings": [
                {
                    "status": finding.status,
                    "check": finding.check,
                    "found": finding.found,
                    "advice": finding.advice or None,
                }
                for finding in findings
            ],
            "summary": summary(findings),
        },
        indent=2,
    )


def summary(findings: Sequence[Finding]) -> str:
    """Return the last line: how many of each kind."""
    troubles, notes = _count(findings, Status.TROUBLE), _count(findings, Status.NOTE)
    counts = f"{_count(findings, Status.OK)} ok, {_words(notes, 'note')}, {_words(troubles, 'trouble')}"
    return f"{counts}: {'mend what is marked trouble, from the top' if troubles else 'nothing to mend'}"


def _count(findings: Sequence[Finding], status: Status) -> int:
    return sum(finding.status is status for finding in findings)


def _words(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _in_one_line(text: str) -> str:
    return printable(text.translate({ord("\n"): " ", ord("\t"): " "}))
