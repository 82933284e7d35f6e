"""What to do about a failure, by its type and code: the sentences of ``next_actions.toml``, filled in."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import quote

from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import number
from agentvigil.semconv.enums import FailureCode, FailureType

PLACEHOLDERS: Final = ("tool", "model", "provider", "agent", "attempts")
"""What a sentence may have in braces."""

_MAX_IN_ADDRESS: Final = 128
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_PARAMETER: Final = re.compile(r"([?&])(\w+)=\{(\w+)\}")


def next_actions_of(
    failure_type: str,
    failure_code: str,
    *,
    tool: str = "",
    model: str = "",
    provider: str = "",
    agent: str = "",
    attempts: int = 1,
) -> tuple[str, ...]:
    """Return one to three things to do next, each a sentence or two.

    Names are the failing step's as their sender wrote them, and may be empty. A code that somebody made up is answered
    as ``other`` of its type, a type that is none as orchestration.
    """
    by_code = templates().get(failure_type) or templates()[FailureType.ORCHESTRATION]
    names = {"tool": tool, "model": model, "provider": provider, "agent": agent}
    return tuple(_filled(text, names, attempts) for text in by_code.get(failure_code) or by_code[FailureCode.OTHER])


@cache
def templates() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Type → code → sentences with placeholders."""
    text = files("agentvigil.analysis.explaining").joinpath("next_actions.toml").read_text(encoding="utf-8")
    return {
        failure_type: {code: tuple(sentences) for code, sentences in by_code.items()}
        for failure_type, by_code in tomllib.loads(text).items()
    }


def _filled(template: str, names: Mapping[str, str], attempts: int) -> str:
    """Fill in a sentence. What is in backticks is an address: names in it are encoded, unknown ones left out."""
    prose_and_addresses = template.split("`")
    for at, part in enumerate(prose_and_addresses):
        prose_and_addresses[at] = _address(part, names) if at % 2 else _prose(part, names, attempts)
    return "`".join(prose_and_addresses)


def _prose(text: str, names: Mapping[str, str], attempts: int) -> str:
    said = {key: quoted(name).replace("`", "'") or f"the {key}" for key, name in names.items()}
    said["attempts"] = "one attempt" if attempts == 1 else f"{number(attempts)} attempts"
    return _PLACEHOLDER.sub(lambda found: said[found[1]], text)


def _address(text: str, names: Mapping[str, str]) -> str:
    def filled(found: re.Match[str]) -> str:
        name = names[found[3]]
        is_usable = 0 < len(name) <= _MAX_IN_ADDRESS
        return f"{found[1]}{found[2]}={quote(name, safe='', errors='replace')}" if is_usable else ""

    return _PARAMETER.sub(filled, text)
