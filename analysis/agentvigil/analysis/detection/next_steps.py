"""What to do about a drift, in the order in which to do it."""

import re
from typing import Final

from agentvigil.analysis.detection.explaining import Explanation
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import listed

_MOST_NAMED: Final = 3
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@-]+")
"""What may stand in a command as it is."""


def next_steps_of(explanation: Explanation) -> list[str]:
    """Return sentences: first about what changed when it began, which most drifts come from."""
    first_seen: dict[str, list[str]] = {}
    for change in explanation.changes:
        first_seen.setdefault(change.what, []).append(change.name)
    named = {what: listed([quoted(name) for name in names[:_MOST_NAMED]]) for what, names in first_seen.items()}
    steps = []
    if "version" in named:
        steps.append(
            f"See what version {named['version']} changed, and go back to the one before if nobody meant this."
            f"{_comparison(explanation, first_seen['version'])}"
        )
    if models := named.get("response_model") or named.get("model"):
        steps.append(
            f"Ask whether {models} was meant to answer; if not, let calls ask for the model by its exact name."
        )
    if "tool" in named:
        steps.append(f"See who gave the agent the tool {named['tool']}, and what for.")
    if "input_class" in named:
        steps.append(f"See whether {named['input_class']}, a class of work that was not there before, is to stay.")
    if not steps:
        steps.append(
            "No version, model, tool or class of work was first seen then. Look outside: at prompts that are loaded at "
            "run time, at the data that is searched, at the provider."
        )
    return [*steps, "Lay a run that shows it beside one as they were before: their steps tell what is different."]


def _comparison(explanation: Explanation, versions: list[str]) -> str:
    """Return the command that compares the new version with the one that most runs had before, if that can be said."""
    parts = [part for part in explanation.parts.get("version", ()) if part.share_before > 0]
    before = max(parts, key=lambda part: part.share_before).name if parts else ""
    names = (explanation.alarm.subject.agent, before, versions[0])
    if not all(map(_PLAIN.fullmatch, names)):
        return ""
    return f" `agentvigil compare {' '.join(names)}` tells what else is worse."
