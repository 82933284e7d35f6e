"""A provider of models on this machine, whose usage is known before it is asked.

    python tools/goldens/fake_provider --port 8080

Point a library's base URL at ``http://127.0.0.1:8080/SCENARIO`` (``/SCENARIO/v1`` where the library wants the version
in it); any key will do. The first part of the path names the scenario, and a scenario is a list of answers: the first
call gets the first one, and the last one is repeated. It speaks the APIs that libraries are instrumented for:

- OpenAI: ``/v1/chat/completions``, ``/v1/responses``, ``/v1/embeddings``, ``/v1/models``;
- Anthropic: ``/v1/messages``;
- Google: ``/v1beta/models/MODEL:generateContent``, ``:streamGenerateContent``.

``GET /SCENARIO/calls`` lists the calls that were answered, with the usage that the caller was told. That is the truth
which what an instrumentation reports is measured by. Usage that was not told (a stream without it, an error) is null.

Shapes of the answers: https://developers.openai.com/api/reference, https://docs.claude.com/en/api/messages,
https://ai.google.dev/api/generate-content. Everything but ids and counters is constant, so that two runs are alike.
"""

from fake_provider.server import FakeProvider

__all__ = ["FakeProvider"]
