"""docs/failure-modes.md says what each mode says to do about it."""

import os
import re
from pathlib import Path

from agentvigil.analysis.failure_modes.looking import LOOKS
from agentvigil.analysis.failure_modes.next_steps import templates
from agentvigil.analysis.failure_modes.registry import FAILURE_MODES

DOCUMENT = Path(__file__).parents[3] / "docs" / "failure-modes.md"
REGENERATE = "AGENTVIGIL_REGENERATE"
"""Set this variable to write the lists anew; then read the difference."""


def test_the_document_has_all_next_steps() -> None:
    """Who reads of a mode reads what to do, in the words of the finding."""
    text = DOCUMENT.read_text(encoding="utf-8")

    def listed(found: re.Match[str]) -> str:
        steps = "".join(f"- {step}\n" for step in templates()[found[1]])
        return f"<!-- next steps: {found[1]} -->\n\n{steps}\n<!-- end -->"

    written = re.sub(r"<!-- next steps: (\w+) -->.*?<!-- end -->", listed, text, flags=re.DOTALL)
    if os.environ.get(REGENERATE):
        DOCUMENT.write_text(written, encoding="utf-8")

    assert set(re.findall(r"<!-- next steps: (\w+) -->", text)) == set(FAILURE_MODES)
    assert text == written


def test_the_document_has_all_modes_and_their_level() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert all(f"## {mode.title}\n" in text for mode in FAILURE_MODES.values())
    assert f"{LOOKS:,} looks" in text
