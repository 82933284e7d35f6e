"""Names that people give: labels, so that no prose, and no markup, comes in by them."""

import re
from typing import Final

from agentvigil.semconv.registry import LABEL_PATTERN
from agentvigil.storage.access.errors import LabelInvalid

_LABEL: Final = re.compile(LABEL_PATTERN)


def check_label(what: str, text: str) -> str:
    """Return ``text`` if it is a label; ``what`` says in the error what it was to be, e.g. ``project``.

    Raises:
        LabelInvalid: if it is not.
    """
    if not _LABEL.match(text):
        raise LabelInvalid(what, text)
    return text
