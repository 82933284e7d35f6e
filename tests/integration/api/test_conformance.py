"""The API does what its OpenAPI document says: no answer that is not documented, whatever is asked."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import schemathesis
from agent_traces import agent, chat, receive, retrieval, settle, tool
from asked_by_url import url_fits
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Kind, Severity, SubjectType
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import observation
from served_api import app_over, document

_EXAMPLES = int(os.environ.get("AGENTVIGIL_TEST_API_EXAMPLES", "2"))
"""Requests made up for each operation; `make fuzz-api` makes many more."""

_OPERATIONS = [
    pytest.param(path, method, mode, id=f"{method} {path} {mode.value}")
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    for mode in GenerationMode
    # Where nothing can be said, nothing wrong can be.
    if mode is GenerationMode.POSITIVE or operation.get("parameters") or operation.get("requestBody")
]
_DETAILS = {
    "parts": [{"dimension": "model", "key": "gpt-4.1", "share": 0.7}],
    "changes": [{"what": "agent_version", "value": "1.5", "at": "2026-11-29T08:00:00Z"}],
    "series": [{"at": "2026-11-29T08:00:00Z", "value": 0.31, "n": 120}],
    "next_actions": ["Look at the runs."],
    "said": {"more": None},
}
_BEARER = {"Authorization": "Bearer vgl_test"}


@pytest.fixture(scope="module")
def filled_store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store with two runs, one of which failed."""
    with migrated_stores.taken() as store:
        receive(
            store,
            agent(1, end=900, attributes={"gen_ai.conversation.id": "c1"}),
            retrieval(2, 1),
            chat(3, 1),
            agent(1, trace=2, error="no answer", end=900),
            tool(2, 1, trace=2, error="no answer in 10 s"),
        )
        settle(store, 1, 2, final=True)
        of_run = observation(None, subject_type=SubjectType.RUN, kind=Kind.ANOMALY, severity=Severity.CRITICAL)
        FindingsBook(store).record([observation(details=_DETAILS), of_run], datetime.now(UTC))
        yield store


@pytest.fixture(scope="module")
def schema(filled_store: EmbeddedStore) -> schemathesis.BaseSchema:
    """The API's own document, which asks the API."""
    return schemathesis.openapi.from_asgi("/openapi.json", app_over(filled_store, key="vgl_test"))


@pytest.mark.parametrize(("path", "method", "mode"), _OPERATIONS)
def test_each_answer_is_as_documented(
    schema: schemathesis.BaseSchema, path: str, method: str, mode: GenerationMode
) -> None:
    """Values that fit their schema may still name what is not there, so refusing them is no fault."""
    operation = schema.raw_schema["paths"][path][method]

    @given(case=schema[path][method.upper()].as_strategy(generation_mode=mode))
    @settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers=_BEARER)
        # Who may ask what has tests of its own, and so has what is asked with another method.
        excluded = [positive_data_acceptance, unsupported_method, ignored_auth]
        url, path_parameters = str(answer.request.url), case.path_parameters or {}
        if "requestBody" not in operation and url_fits(schema.raw_schema, operation, url, path_parameters):
            # What was made wrong is right where it stands: a number instead of a text is a text in a URL.
            excluded.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=excluded)

    ask()
