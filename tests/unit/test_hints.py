"""What the API says of a request, said to who typed a command."""

import pytest

from agentvigil.cli.hints import in_words_of_commands


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("GET /v1/agents lists; since= looks further back", "`agentvigil agents` lists; --since looks further back"),
        ("say a=, baseline= or before_since=; b= too", "say A, --baseline or --before-since; B too"),
        ("GET /v1/agents/NAME/versions lists versions", "`agentvigil agents NAME` lists versions"),
        ("GET /v1/findings/mutes lists mutes", "GET /v1/findings/mutes lists mutes"),
        ("query.since: Value error, 'soon' is no time", "--since: 'soon' is no time"),
        ("body.until: Value error, 'soon' is no time", "until: 'soon' is no time"),
        ("agent 'x=y' and 'since=7d' has no run", "agent 'x=y' and 'since=7d' has no run"),
    ],
)  # fmt: skip
def test_options_and_commands_stand_for_parameters_and_requests(said: str, told: str) -> None:
    assert in_words_of_commands(said) == told
