"""The conventions' words for what providers and frameworks call by other names, from the tables of the dialects.

They are the same for telemetry that is made here and for what others send, which the store reads by them.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from agentvigil.semconv import names


def provider_name(said: str) -> str:
    """Return the value of ``gen_ai.provider.name`` for a provider that is called ``said``: itself if nobody knows."""
    return _words()[names.GEN_AI_PROVIDER_NAME].get(said.lower(), said)


def finish_reasons(said: Iterable[object]) -> list[str]:
    """Return values of ``gen_ai.response.finish_reasons`` for those of ``said`` that are texts, in their order.

    A reason that nobody knows stays as it is.
    """
    known = _words()[names.GEN_AI_RESPONSE_FINISH_REASONS]
    return [known.get(reason.lower(), reason) for reason in said if isinstance(reason, str)]


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    # This file alone, since the dialects themselves take a while to read and are of no use in an application.
    common = files("agentvigil.semconv").joinpath("dialects", "data", "common.toml")
    words: Mapping[str, Mapping[str, str]] = tomllib.loads(common.read_text(encoding="utf-8"))["values"]
    return words
