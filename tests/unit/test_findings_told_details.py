"""Whatever form a detector gives its details, they are told in one, and what has none is left alone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.findings.model import SubjectType
from agentvigil.analysis.findings.told_details import (
    ChangeThen,
    Part,
    SeriesPoint,
    changes_of,
    models_of,
    next_actions_of,
    parts_of,
    rest_of,
    series_of,
)
from observations import observation

_AT = datetime(2026, 11, 29, 8, tzinfo=UTC)


def test_parts_by_dimension_say_what_each_carries_of_all() -> None:
    parts = {
        "model": [
            {"name": "a", "mix": 0.01, "within": 0.05, "value_before": 0.2, "value_after": 0.3},
            {"name": "b", "mix": 0.0, "within": 0.02},
        ],
        "version": [{"name": "", "mix": 0.0, "within": 0.0}],
    }

    assert parts_of({"parts": parts}) == [
        Part("model", "a", pytest.approx(0.75), 0.01, 0.05, 0.2, 0.3),
        Part("model", "b", pytest.approx(0.25), 0.0, 0.02),
        Part("version", "", None, 0.0, 0.0),
    ]


def test_parts_in_a_list_say_it_themselves() -> None:
    parts = [
        {"dimension": "model", "key": "a", "share": 0.7},
        {"factor": "price", "usd_per_run": 0.01, "share": -0.2},
        {"stream": "refund", "before": 0.2, "after": 0.3, "within": 0.1, "mix": 0.0},
        {"what": "nobody knows"},
    ]

    assert parts_of({"parts": parts}) == [
        Part("model", "a", 0.7),
        Part("factor", "price", -0.2),
        Part("stream", "refund", None, 0.0, 0.1, 0.2, 0.3),
    ]


def test_changes_and_points_have_a_name_and_a_time() -> None:
    details = {
        "changes": [
            {"what": "version", "name": "1.5", "at": "2026-11-29T08:00:00Z", "runs": 3},
            {"what": "x", "value": 1},
        ],
        "series": [
            {"at": "2026-11-29T09:00:00+00:00", "value": 2},
            {"at": "2026-11-29T08:00:00", "value": 1.5, "expected": 1, "runs": 7},
            {"at": "2026-11-29T10:00:00", "value": None},
            {"at": "soon", "value": 1},
        ],
        "next_actions": ["Do.", None],
        "more": 1,
    }

    assert changes_of(details) == [ChangeThen("version", "1.5", _AT, 3), ChangeThen("x", "1", None, None)]
    assert series_of(details) == [SeriesPoint(_AT, 1.5, 1.0, 7.0), SeriesPoint(_AT.replace(hour=9), 2.0, None, None)]
    assert next_actions_of(details) == ["Do."]
    assert rest_of(details) == {"more": 1}


@pytest.mark.parametrize(
    ("details", "models"),
    [
        ({}, set()),
        ({"models": ["a", "b"]}, {"a", "b"}),
        ({"changes": [{"what": "response_model", "name": "a"}, {"what": "version", "name": "1.5"}]}, {"a"}),
        ({"parts": {"model": [{"name": "a", "within": 3.0}, {"name": "b", "within": 1.0}]}}, {"a"}),
        ({"parts": {"version": [{"name": "1.5", "within": 3.0}]}}, set()),
        ({"models": "a"}, set()),
    ],
)
def test_models_are_those_that_carry_it(details: Any, models: set[str]) -> None:
    assert models_of(observation(details=details)) == models
    assert models_of(observation(subject_type=SubjectType.MODEL, subject="m", details=details)) == {"m"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "key", "at", "what", "dimension", "mix", "share"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(details=st.dictionaries(st.sampled_from(["parts", "changes", "series", "next_actions", "models"]), _JSON))
def test_no_details_break_anything(details: dict[str, Any]) -> None:
    parts_of(details), changes_of(details), series_of(details), next_actions_of(details)
    models_of(observation(details=details))
    json.dumps(rest_of(details))
