"""Which project stores content: only one that was named, by a policy that exists."""

import pytest

from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.semconv.privacy import ContentPolicy


def test_a_project_that_is_not_named_is_off() -> None:
    """Nobody's content is stored by an oversight."""
    policies = ContentPolicies.parse(["shop=full", "desk=masked", "lab=off"])

    found = {project: policies.of(project) for project in ("shop", "desk", "lab", "Shop", "other", "")}
    assert {project: policy.name for project, policy in found.items() if policy} == {"shop": "FULL", "desk": "MASKED"}
    assert policies.described() == "desk=masked,shop=full"


def test_off_alone_is_off_for_all() -> None:
    """And there is nothing to say about it when the server starts."""
    assert ContentPolicies.parse(["off"]) == ContentPolicies()
    assert ContentPolicies().described() == ""
    assert ContentPolicies().of("default") is ContentPolicy.OFF


@pytest.mark.parametrize(
    "text", ["full", "masked", "", "shop=", "shop=all", "=full", "a b=full", "shop=full=full", "on"]
)
def test_anything_else_is_refused(text: str) -> None:
    """A slip must not open a project, nor leave one open that should be shut."""
    with pytest.raises(ValueError, match="neither off nor PROJECT"):
        ContentPolicies.parse([text])


def test_two_policies_of_one_project_are_refused() -> None:
    """Which of them was meant is not ours to guess."""
    with pytest.raises(ValueError, match="project shop has two policies"):
        ContentPolicies.parse(["shop=full", "shop=off"])
