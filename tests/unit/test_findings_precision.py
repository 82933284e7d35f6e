"""How often a detector was right, of what people judged."""

import pytest

from agentvigil.analysis.findings.precision import Precision, precisions


def test_each_detector_has_its_own() -> None:
    counts = [
        ("drift", "drift", "real", 2),
        ("drift", "drift", "false_alarm", 1),
        ("drift", "drift", "", 4),
        ("anomaly", "cost_spike", "", 3),
    ]

    spike, drift = precisions(counts)

    assert spike == Precision("anomaly", "cost_spike", 0, 0, 3)
    assert (spike.share, spike.interval) == (None, None)
    assert drift.share == pytest.approx(2 / 3)
    assert drift.interval == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
