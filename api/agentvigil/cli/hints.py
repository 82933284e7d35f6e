"""What the API says of a request that it refused, in the words of who typed a command: with options and commands in the
place of parameters and paths."""

import re
from typing import Final

_COMMANDS: Final = {
    "GET /openapi.json lists what each request takes": "--help says what the command takes",
    "GET /v1/agents/NAME/versions": "`agentvigil agents NAME`",
    "GET /v1/agents": "`agentvigil agents`",
    "GET /v1/baselines": "`agentvigil baseline list`",
    "GET /v1/findings": "`agentvigil findings`",
    "GET /v1/incidents": "`agentvigil findings incidents`",
    "GET /v1/runs": "`agentvigil runs`",
    "GET /v1/sessions": "`agentvigil sessions`",
}
_REQUEST: Final = re.compile("|".join(rf"{re.escape(request)}(?![/\w])" for request in _COMMANDS))
_PARAMETER: Final = re.compile(r"(?<![\w./?&-])([a-z][a-z_]*)=(?![\w=])")
_PLACE: Final = re.compile(r"\b(query|body)\.([a-z_]+): (?:Value error, )?")


def in_words_of_commands(said: str) -> str:
    """Return ``said`` with ``--since`` for ``since=``, A for ``a=``, and commands for requests that have one."""
    said = _REQUEST.sub(lambda match: _COMMANDS[match[0]], said)
    # Of a body the command made the names.
    said = _PLACE.sub(lambda match: f"{_option(match[2]) if match[1] == 'query' else match[2]}: ", said)
    return _PARAMETER.sub(lambda match: _option(match[1]), said)


def _option(parameter: str) -> str:
    return parameter.upper() if len(parameter) == 1 else f"--{parameter.replace('_', '-')}"
