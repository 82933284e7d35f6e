"""What docs/features.md says is counted is what is counted."""

import re
from pathlib import Path

from agentvigil.analysis.features.feature_hours import BAD_LABELS, GOOD_LABELS, MOST, STATEMENTS
from agentvigil.analysis.features.names import FEATURES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")


def test_each_feature_has_its_row_and_its_unit() -> None:
    rows = {}
    for line in DOCUMENT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].startswith("`"):
            rows.update(dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells))
    assert rows.keys() == FEATURES.keys()
    for name, (_, counting, unit, *_) in rows.items():
        assert counting in (FEATURES[name].counting, "tally")
        assert FEATURES[name].counting != "values" or unit == FEATURES[name].unit


def test_each_feature_is_in_the_statement() -> None:
    named = set(re.findall(r"'(\w+)'", STATEMENTS["sum_hours"]))
    assert not FEATURES.keys() - named


def test_labels_and_bounds_are_named() -> None:
    assert not [label for label in (*BAD_LABELS, *GOOD_LABELS) if f"`{label}`" not in DOCUMENT]
    flat = " ".join(DOCUMENT.split())
    said = "{most_keys} keys of a feature, {most_versions} versions, {most_models} models, {most_classes} input classes"
    assert said.format(**MOST) in flat
