"""The taxonomy of failures contradicts itself nowhere, and knows what libraries raise."""

import builtins
from dataclasses import replace

import pytest

from agentvigil.semconv import failures
from agentvigil.semconv.enums import FailureType
from agentvigil.semconv.registry import load as load_registry


def test_the_data_is_without_contradiction() -> None:
    assert list(failures.problems(failures.load())) == []


def test_contradictions_are_found() -> None:
    rule = next(rule for rule in failures.load().rules if rule.code == "timeout")
    other = replace(rule, code="auth", error_types=(*rule.error_types, "Upper.Case"), messages=("(",))
    found = list(failures.problems(failures.Taxonomy((rule, other), ())))
    assert "timeouterror belongs to timeout and to auth" in found
    assert "Upper.Case of auth can not match: write it as case" in found
    assert any(problem.startswith("( of auth is no pattern") for problem in found)


@pytest.mark.parametrize(
    ("name", "kind"), [("openai.RateLimitError", "ratelimiterror"), (" TimeoutError ", "timeouterror"), ("429", "429")]
)
def test_names_are_compared_without_modules_and_case(name: str, kind: str) -> None:
    assert failures.kind_of_error(name) == kind


def test_every_name_is_one_that_a_span_can_carry() -> None:
    names = failures.load().codes_by_type(vague=False) | failures.load().codes_by_type(vague=True)
    assert not [name for name in names if name != name.strip().lower() or " " in name]


def test_pythons_own_errors_are_known_as_far_as_they_say_something() -> None:
    known = failures.load().codes_by_type(vague=False)
    expected = {
        TimeoutError: "timeout",
        ConnectionError: "unavailable",
        ConnectionResetError: "unavailable",
        PermissionError: "auth",
        FileNotFoundError: "not_found",
        RecursionError: "max_steps_exceeded",
        KeyboardInterrupt: "cancelled",
    }
    assert {error: known.get(error.__name__.lower()) for error in expected} == expected
    assert not {"exception", "error", "valueerror", "keyerror", "runtimeerror"} & known.keys()
    assert builtins.StopIteration.__name__.lower() in failures.load().ignored_types


def test_every_operation_has_a_type() -> None:
    assert set(failures.TYPE_OF_OPERATION.values()) == {FailureType.MODEL, FailureType.TOOL, FailureType.RETRIEVAL}


def test_the_registry_has_the_same_codes_with_the_same_meanings() -> None:
    assert {rule.code: rule.meaning for rule in failures.load().rules} == load_registry().enums["FailureCode"].values
