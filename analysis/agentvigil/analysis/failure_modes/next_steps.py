"""What to do about a failure mode: the sentences of ``next_steps.toml``, filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import quote

from agentvigil.analysis.explaining.labels import quoted

PLACEHOLDERS: Final = ("agent", "model")


def next_steps_of(mode: str, agent: str, model: str = "") -> list[str]:
    """Return what to do next about ``mode``, in the order in which to do it."""
    names = {"agent": agent, "model": model}
    return [_filled(sentence, names) for sentence in templates()[mode]]


@cache
def templates() -> Mapping[str, tuple[str, ...]]:
    """Mode → sentences with placeholders."""
    text = files("agentvigil.analysis.failure_modes").joinpath("next_steps.toml").read_text(encoding="utf-8")
    return {mode: tuple(entry["steps"]) for mode, entry in tomllib.loads(text).items()}


def _filled(sentence: str, names: Mapping[str, str]) -> str:
    """Fill in a sentence; names in an address, which stands in backticks, are encoded."""
    parts = sentence.split("`")
    for at, part in enumerate(parts):
        in_prose = {key: quoted(name).replace("`", "'") or f"the {key}" for key, name in names.items()}
        in_address = {key: quote(name, safe="", errors="replace") for key, name in names.items()}
        parts[at] = part.format_map(in_address if at % 2 else in_prose)
    return "`".join(parts)
