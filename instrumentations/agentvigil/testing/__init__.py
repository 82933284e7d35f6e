"""A provider of models on this machine, to test agents with: it answers what the test says, and nothing costs anything.

    from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

    answers = [Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather")]), Answer(Usage(144, 31), "It is sunny.")]
    with FakeProvider(answers=answers) as provider:
        client = openai.OpenAI(base_url=provider.openai_url, api_key="any")
        ...
        assert provider.requests()[0]["model"] == "gpt-5-mini"

Or by itself, with built-in scenarios: ``python -m agentvigil.testing --port 8080``. It speaks these APIs:

- OpenAI, and all who are compatible: ``/v1/chat/completions``, ``/v1/responses``, ``/v1/embeddings``, ``/v1/models``;
- Anthropic: ``/v1/messages``;
- Google: ``/v1beta/models/MODEL:generateContent``, ``:streamGenerateContent``.

Point a library's base URL at ``http://127.0.0.1:8080/SCENARIO`` (``/SCENARIO/v1`` where the library wants the version
in it); any key will do. A scenario is a list of answers: the first call gets the first one, and the last one is
repeated. ``GET /SCENARIO/calls`` lists the calls that were answered, with the usage that the caller was told. That is
the truth which what an instrumentation reports is measured by. Usage that was not told (a stream without it, an error)
is null.

Shapes of the answers: https://developers.openai.com/api/reference, https://docs.claude.com/en/api/messages,
https://ai.google.dev/api/generate-content. Everything but ids and counters is constant, so that two runs are alike.
"""

from agentvigil.testing.answers import Answer, ToolCall, Usage
from agentvigil.testing.ledger import Call
from agentvigil.testing.recorded import RecordedProvider
from agentvigil.testing.server import FakeProvider

__all__ = ["Answer", "Call", "FakeProvider", "RecordedProvider", "ToolCall", "Usage"]
