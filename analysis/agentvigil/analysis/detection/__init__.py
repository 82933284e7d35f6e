"""The drift detector."""

from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import Baseline, fit, fit_fleet, spread_of_fleet
from agentvigil.analysis.detection.config import DetectionConfig, Hours
from agentvigil.analysis.detection.errors import DetectionError, ForeignState, HourOutOfOrder
from agentvigil.analysis.detection.monitor import FleetMonitor
from agentvigil.analysis.detection.planning import TooFewRuns
from agentvigil.analysis.detection.streams import Stream, StreamKind

__all__ = [
    "Alarm",
    "Baseline",
    "DetectionConfig",
    "DetectionError",
    "Direction",
    "FleetMonitor",
    "ForeignState",
    "HourOutOfOrder",
    "Hours",
    "Stream",
    "StreamKind",
    "TooFewRuns",
    "fit",
    "fit_fleet",
    "spread_of_fleet",
]
