"""Names out of spans, made fit for a sentence. They are what a sender wrote: they may be long, empty, or try to look
like the sentence around them, so anything but a plain word stands in quotation marks.
"""

import re
from typing import Final

MAX_CHARACTERS: Final = 60
"""How much of a name is shown."""

_PLAIN: Final = re.compile(r"[\w~@][\w.:/@~-]*")
# Enough of a hostile name that what is cut off later can not have been shown.
_LOOKED_AT: Final = 4 * MAX_CHARACTERS


def shown(name: str) -> str:
    """Return ``name`` on one line, with what does not print made visible, cut at 60 characters."""
    words = " ".join(name[:_LOOKED_AT].split())
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return visible if len(visible) <= MAX_CHARACTERS else visible[: MAX_CHARACTERS - 1] + "…"


def quoted(name: str) -> str:
    """Return ``name`` as :func:`shown`, in quotation marks unless it is one plain word; empty where there is none."""
    visible = shown(name)
    if not visible or _PLAIN.fullmatch(visible.removesuffix("…")):
        return visible
    return '"' + visible.replace('"', "'") + '"'
