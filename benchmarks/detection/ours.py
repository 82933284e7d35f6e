"""Our detector on the generator's fleets, as the service runs it: baselines first, then hour after hour."""

from collections.abc import Mapping

from evaluation import Alarm

from agentvigil.analysis.detection import Baseline, DetectionConfig, FleetMonitor, TooFewRuns, fit_fleet
from agentvigil.analysis.features.cells import Cells, Subject

Baselines = dict[Subject, Baseline | TooFewRuns]


def baselines_of(
    fleet: Mapping[Subject, Cells], first_hour: int, end_hour: int, config: DetectionConfig | None = None
) -> Baselines:
    """Return the baselines of a fleet, or why an agent has none."""
    return fit_fleet(fleet, first_hour, end_hour, config=config or DetectionConfig())


def watch(
    fleet: Mapping[Subject, Cells],
    baselines: Baselines,
    first_hour: int,
    end_hour: int,
    config: DetectionConfig | None = None,
) -> dict[Subject, list[Alarm]]:
    """Return the alarms of each agent from ``first_hour`` to ``end_hour``.

    A feature that alarmed is armed again at once: what goes on alarming is counted as often as its week allows.
    """
    known = [baseline for baseline in baselines.values() if isinstance(baseline, Baseline)]
    monitor = FleetMonitor(known, config or DetectionConfig())
    alarms: dict[Subject, list[Alarm]] = {subject: [] for subject in fleet}
    for hour in range(first_hour, end_hour):
        for alarm in monitor.advance(hour, fleet):
            alarms[alarm.subject].append(Alarm(hour + 1, alarm.feature))
            monitor.rearm(alarm.subject, alarm.feature)
    return alarms
