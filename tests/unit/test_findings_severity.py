"""Severity comes from what moved and what that costs, never from how sure a detector is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Severity
from agentvigil.analysis.findings.severity import over_budget, rank, severity_of, worst

MINOR, MAJOR, CRITICAL = Severity


def severity(
    before: float | None, now: float | None, unit: str, usd: float | None = None, failed: float | None = None
) -> Severity:
    effect = (now - before) / before if before and now is not None else None
    return severity_of(effect, before, now, unit, usd, failed)


@pytest.mark.parametrize(
    ("before", "now", "unit", "usd", "failed", "expected"),
    [
        (10.0, 11.0, "tokens", None, None, MINOR),
        (10.0, 12.5, "tokens", None, None, MAJOR),
        (10.0, 8.0, "tokens", None, None, MAJOR),
        (10.0, 20.0, "tokens", None, None, CRITICAL),
        (10.0, 5.0, "tokens", None, None, CRITICAL),
        (0.01, 0.013, "USD", 40.0, None, MAJOR),
        (0.01, 0.03, "USD", 40.0, None, CRITICAL),
        (0.01, 0.03, "USD", 0.4, None, MAJOR),
        (0.01, 0.013, "USD", 0.4, None, MINOR),
        (0.03, 0.01, "USD", -40.0, None, MINOR),
        (9.0, 3.0, "s", None, None, MINOR),
        (0.20, 0.21, "share", None, None, MINOR),
        (0.20, 0.31, "share", None, None, MAJOR),
        (0.10, 0.30, "share", None, None, CRITICAL),
        (0.002, 0.004, "share", None, None, MINOR),
        (0.01, 0.03, "share", None, None, MAJOR),
        (0.01, 0.03, "share", None, 60.0, CRITICAL),
        (0.40, 0.46, "share", None, 60.0, CRITICAL),
        (0.40, 0.41, "share", None, 60.0, MINOR),
        (0.01, 0.03, "share", None, 0.5, MAJOR),
        (0.03, 0.01, "share", None, -60.0, MINOR),
        (0.0, 0.03, "share", None, None, MAJOR),
        (0.0, 0.08, "share", None, None, MAJOR),
        (0.0, 0.08, "share", None, 16.0, CRITICAL),
        (None, 0.08, "share", None, None, MINOR),
    ],
)
def test_it_is_as_severe_as_it_is_large_and_dear(
    before: float | None, now: float | None, unit: str, usd: float | None, failed: float | None, expected: Severity
) -> None:
    assert severity(before, now, unit, usd, failed) is expected


def test_an_effect_alone_will_do() -> None:
    """Where a detector has no value before or after."""
    found = [severity_of(effect, None, None, "1") for effect in (0.1, 0.3, 1.0, -0.2, -0.5, None, math.nan)]

    assert found == [MINOR, MAJOR, CRITICAL, MAJOR, CRITICAL, MINOR, MINOR]


def test_over_a_budget_it_is_major_at_least() -> None:
    assert [over_budget(one) for one in Severity] == [MAJOR, MAJOR, CRITICAL]


def test_twice_as_many_high_values_are_major() -> None:
    """Where values grow by a quarter, the tenth that was highest is soon a fifth."""
    found = [severity_of(effect, None, None, "share", is_tail=True) for effect in (0.5, 1.0, 9.0, math.inf)]

    assert found == [MINOR, MAJOR, MAJOR, MAJOR]


_SHARES = st.floats(0, 1)


@given(before=_SHARES, now=_SHARES, more=_SHARES, unit=st.sampled_from(Unit), failed=st.none() | st.floats(1, 1000))
def test_more_of_it_is_never_less_severe(
    before: float, now: float, more: float, unit: Unit, failed: float | None
) -> None:
    near, far = sorted((max(before, now), max(before, more)))

    assert rank(severity(before, near, unit, None, failed)) <= rank(severity(before, far, unit, None, failed))


@given(before=_SHARES, now=_SHARES, usd=st.floats(0.1, 1e6), more_usd=st.floats(0.1, 1e6))
def test_dearer_is_never_less_severe(before: float, now: float, usd: float, more_usd: float) -> None:
    less, more = sorted((usd, more_usd))

    assert rank(severity(before, now, "USD", less)) <= rank(severity(before, now, "USD", more))


def test_the_worst_is_the_worst() -> None:
    assert worst(MINOR, CRITICAL, MAJOR) is CRITICAL
