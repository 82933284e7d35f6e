"""The monitor of a fleet: evidence against all baselines, one hour at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.detection import arrays, sudden
from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import DEFAULT, Baseline
from agentvigil.analysis.detection.bets import MAX_LOG_R, grown, log_bets
from agentvigil.analysis.detection.config import DetectionConfig
from agentvigil.analysis.detection.counting import Bools, Floats, Ints, Layout
from agentvigil.analysis.detection.errors import ForeignState, HourOutOfOrder
from agentvigil.analysis.detection.expecting import Null
from agentvigil.analysis.detection.streams import StreamKind
from agentvigil.analysis.detection.tilts import BETS, UPWARDS
from agentvigil.analysis.features.cells import Cells, Subject

_KIND: Final = "state of the drift detector"
_VERSION: Final = 4
_NEVER: Final = -1
_DTYPES: Final = (np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.bool_), np.dtype(np.int64))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a monitor knows against baselines. Shapes are those of ``layout``."""

    baselines: tuple[Baseline, ...]
    """In the order of the layout's subjects."""
    layout: Layout
    log_r: Floats
    recent: sudden.Paid
    alarmed: Bools
    since: Ints


class FleetMonitor:
    """Watches the subjects of some baselines. Not for several threads at once."""

    def __init__(
        self,
        baselines: Iterable[Baseline],
        config: DetectionConfig = DEFAULT,
        last_hour: int | None = None,
        evidence: Iterable[Evidence] = (),
    ) -> None:
        """Begin after ``last_hour``, with what is known against the same baselines. Each subject has one baseline."""
        self._baselines = tuple(sorted(baselines, key=lambda baseline: baseline.subject))
        self._config = config
        self._layout = Layout([baseline.plan for baseline in self._baselines])
        self._null = Null(self._layout, self._baselines, config)
        self._log_r = np.full((BETS, self._layout.column_count), -np.inf)
        self._recent = sudden.nothing(len(self._layout.sudden_streams))
        self._alarmed = np.zeros(self._layout.group_count, dtype=np.bool_)
        self._since = np.full(self._layout.group_count, _NEVER, dtype=np.int64)
        groups = np.bincount(self._layout.group_subject, minlength=len(self._baselines))
        self._threshold = config.hours_between_false_alarms * groups[self._layout.group_subject].astype(np.float64)
        self._subject_of_column = self._layout.group_subject[self._layout.group_of_column]
        self._group_of_sudden = self._layout.group_of_stream[self._layout.sudden_streams]
        self._subject_of_sudden = self._layout.group_subject[self._group_of_sudden]
        self._last_hour = last_hour
        for known in evidence:
            self._take(known)

    @property
    def last_hour(self) -> int | None:
        """The last hour that was added; None before the first."""
        return self._last_hour

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        """Those of its subjects, in the order of the subjects."""
        return self._baselines

    def advance(self, hour: int, cells: Mapping[Subject, Cells]) -> list[Alarm]:
        """Add the evidence of one hour (since 1970), and return the features that leave their baselines with it.

        Of ``cells`` only that hour counts; subjects without a baseline are passed over, and so are hours and features
        without runs. The same hour again changes nothing and alarms nothing. A feature alarms once, until
        :meth:`rearm`.

        Raises:
            HourOutOfOrder: if the hour comes before the last one.
        """
        if self._last_hour is not None and hour <= self._last_hour:
            if hour == self._last_hour:
                return []
            raise HourOutOfOrder(hour, self._last_hour)
        if self._last_hour is not None:
            self._recent = sudden.moved_on(self._recent, self._last_hour, hour)
        self._last_hour = hour
        places = self._layout.subject_places
        given = [
            (places[subject], mine.between(hour, hour + 1)) for subject, mine in cells.items() if subject in places
        ]
        rows = self._layout.rows(given)
        if not len(rows.n):
            return []
        expected = self._null.expect(rows, np.zeros_like(rows.hour), np.array([hour]))
        group_active = expected.runs[0, self._layout.first_stream] > 0
        active = group_active[self._layout.group_of_column]
        self._log_r = grown(self._log_r, log_bets(self._null, expected)[:, 0], active)
        self._recent[0] = sudden.paid(self._null, expected)[0]
        self._since[group_active & (self._since == _NEVER)] = hour
        return self._alarms(hour)

    def alarmed(self) -> set[tuple[Subject, str]]:
        """Return the features that alarmed and were not rearmed."""
        found: set[tuple[Subject, str]] = set()
        for place, baseline in enumerate(self._baselines):
            alarmed = self._alarmed[self._layout.group_subject == place]
            features = baseline.plan.features
            found |= {(baseline.subject, features[group]) for group in np.flatnonzero(alarmed)}
        return found

    def hush(self, subject: Subject, feature: str) -> None:
        """Let a feature not alarm until it is rearmed, or is compared with something else."""
        self._alarmed[self._groups(subject, feature)] = True

    def rearm(self, subject: Subject, feature: str | None = None) -> None:
        """Forget the evidence of a feature, or of all, so that it may alarm again. Unknown subjects are passed over."""
        groups = self._groups(subject, feature)
        self._alarmed[groups] = False
        self._since[groups] = _NEVER
        self._log_r[:, groups[self._layout.group_of_column]] = -np.inf
        self._recent[:, :, groups[self._group_of_sudden]] = 0

    @property
    def evidence(self) -> Evidence:
        """What is known against the baselines so far; it changes with this monitor."""
        return Evidence(self._baselines, self._layout, self._log_r, self._recent, self._alarmed, self._since)

    def copy(self) -> "FleetMonitor":
        """Return a monitor of the same evidence, which goes its own way."""
        return self.with_baselines(self._baselines)

    def with_baselines(self, baselines: Iterable[Baseline]) -> "FleetMonitor":
        """Return a monitor of these, with the evidence against those, and their features, that stay the same."""
        return FleetMonitor(baselines, self._config, self._last_hour, (self.evidence,))

    def joined(self, other: "FleetMonitor") -> "FleetMonitor":
        """Return a monitor of the baselines of both, each with its evidence; of subjects of both, that of ``other``.

        Both stand at the same hour.
        """
        theirs = {baseline.subject for baseline in other.baselines}
        mine = [baseline for baseline in self._baselines if baseline.subject not in theirs]
        evidence = (self.evidence, other.evidence)
        return FleetMonitor([*mine, *other.baselines], self._config, self._last_hour, evidence)

    def to_bytes(self) -> bytes:
        """Return the evidence, without the baselines."""
        return arrays.to_bytes(
            _KIND,
            _VERSION,
            {
                "last_hour": self._last_hour,
                "hours_between_false_alarms": self._config.hours_between_false_alarms,
                "baselines": [baseline.fingerprint for baseline in self._baselines],
            },
            {
                "log_r": self._log_r[:, np.argsort(self._subject_of_column, kind="stable")],
                "recent": self._recent[:, :, np.argsort(self._subject_of_sudden, kind="stable")],
                "alarmed": self._alarmed,
                "since": self._since,
                "columns": np.bincount(self._subject_of_column, minlength=len(self._baselines)),
                "sudden": np.bincount(self._subject_of_sudden, minlength=len(self._baselines)),
                "groups": np.bincount(self._layout.group_subject, minlength=len(self._baselines)),
            },
            packed=False,
        )

    @classmethod
    def from_bytes(
        cls, data: bytes, baselines: Iterable[Baseline], config: DetectionConfig = DEFAULT
    ) -> "FleetMonitor":
        """Continue from what :meth:`to_bytes` gave, to the bit. Subjects whose baseline is another begin anew.

        Raises:
            ForeignState: if the bytes are something else, or damaged.
        """
        texts, stored = arrays.from_bytes(_KIND, _VERSION, data)
        monitor = cls(baselines, config)
        try:
            log_r, recent, alarmed, since = (stored[name] for name in ("log_r", "recent", "alarmed", "since"))
            columns, sudden_, groups = stored["columns"], stored["sudden"], stored["groups"]
            fingerprints, last_hour = list(texts["baselines"]), texts["last_hour"]
            fits = (
                log_r.shape == (BETS, int(columns.sum()))
                and recent.shape == sudden.nothing(int(sudden_.sum())).shape
                and (log_r.dtype, recent.dtype, alarmed.dtype, since.dtype) == _DTYPES
                and alarmed.shape == since.shape == (int(groups.sum()),)
                and len(fingerprints) == len(columns) == len(sudden_) == len(groups)
                and (last_hour is None or isinstance(last_hour, int))
                and not np.isnan(log_r).any()
                and not (log_r > MAX_LOG_R).any()
                and bool(np.isfinite(recent).all())
                and not (recent[:, 0] < 0).any()
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise ForeignState(f"the {_KIND} misses a part; throw it away and start anew: {exc}") from exc
        if not fits:
            raise ForeignState(f"the parts of the {_KIND} do not fit each other; throw it away and start anew")
        end_columns, end_sudden, end_groups = np.cumsum(columns), np.cumsum(sudden_), np.cumsum(groups)
        places = {fingerprint: place for place, fingerprint in enumerate(fingerprints)}
        monitor._last_hour = last_hour
        for place, baseline in enumerate(monitor._baselines):
            found = places.get(baseline.fingerprint)
            if found is None:
                continue
            from_columns = slice(int(end_columns[found] - columns[found]), int(end_columns[found]))
            from_groups = slice(int(end_groups[found] - groups[found]), int(end_groups[found]))
            from_sudden = slice(int(end_sudden[found] - sudden_[found]), int(end_sudden[found]))
            mine = monitor._layout.group_subject == place
            my_sudden = mine[monitor._group_of_sudden]
            my_columns = mine[monitor._layout.group_of_column]
            if (my_columns.sum(), my_sudden.sum(), mine.sum()) != (columns[found], sudden_[found], groups[found]):
                raise ForeignState(
                    f"the {_KIND} tells of other streams of {baseline.subject.agent!r}; throw it away and start anew"
                )
            monitor._log_r[:, my_columns] = log_r[:, from_columns]
            monitor._recent[:, :, my_sudden] = recent[:, :, from_sudden]
            monitor._alarmed[mine] = alarmed[from_groups]
            monitor._since[mine] = since[from_groups]
        return monitor

    def _take(self, evidence: Evidence) -> None:
        """Take the evidence against those baselines, and features of baselines, that are the same here."""
        places = {baseline.subject: place for place, baseline in enumerate(evidence.baselines)}
        theirs = evidence.layout
        for mine, baseline in enumerate(self._baselines):
            place = places.get(baseline.subject)
            if place is None:
                continue
            to_groups, groups = self._layout.group_subject == mine, theirs.group_subject == place
            before = evidence.baselines[place]
            if before.fingerprint != baseline.fingerprint:
                same = _same_features(before, baseline)
                to_groups, groups = _of_features(to_groups, baseline, same), _of_features(groups, before, same)
            to_columns, columns = to_groups[self._layout.group_of_column], groups[theirs.group_of_column]
            self._log_r[:, to_columns] = evidence.log_r[:, columns]
            to_sudden = to_groups[self._group_of_sudden]
            of_sudden = groups[theirs.group_of_stream[theirs.sudden_streams]]
            self._recent[:, :, to_sudden] = evidence.recent[:, :, of_sudden]
            self._alarmed[to_groups] = evidence.alarmed[groups]
            self._since[to_groups] = evidence.since[groups]

    def _groups(self, subject: Subject, feature: str | None) -> Bools:
        place = self._layout.subject_places.get(subject, -1)
        groups = np.asarray(self._layout.group_subject == place)
        if feature is not None and place >= 0:
            names = self._baselines[place].plan.features
            chosen = np.flatnonzero(groups)[names.index(feature)] if feature in names else -1
            groups = groups & (np.arange(len(groups)) == chosen)
        return groups

    def _alarms(self, hour: int) -> list[Alarm]:
        layout = self._layout
        evidence = np.zeros((len(UPWARDS), layout.column_count))
        # R fits a float: it is kept below exp(500).
        evidence[:BETS] = np.exp(self._log_r) * (layout.weight / BETS)
        sudden_ = sudden.evidence(self._null, self._recent)
        evidence[BETS:, layout.sudden_columns] = sudden_ * layout.sudden_weight
        of_column = evidence.sum(axis=0)
        of_group = np.bincount(layout.group_of_column, of_column, minlength=layout.group_count)
        alarming = np.flatnonzero((of_group >= self._threshold) & ~self._alarmed)
        self._alarmed[alarming] = True
        return [self._alarm(int(group), hour, evidence, of_column, float(of_group[group])) for group in alarming]

    def _alarm(self, group: int, hour: int, evidence: Floats, of_column: Floats, statistic: float) -> Alarm:
        layout = self._layout
        first, count = int(layout.first_stream[group]), int(layout.streams_of_group[group])
        leading = first + int(np.argmax(of_column[first : first + count]))
        subject = int(layout.group_subject[group])
        baseline = self._baselines[subject]
        stream = baseline.streams[
            leading - int(np.flatnonzero(layout.group_subject[layout.group_of_stream] == subject)[0])
        ]
        up = evidence[UPWARDS, leading].sum()
        direction = Direction.UP if 2 * up >= evidence[:, leading].sum() else Direction.DOWN
        return Alarm(
            baseline.subject,
            stream.feature,
            hour,
            int(self._since[group]),
            statistic,
            float(self._threshold[group]),
            self._config.hours_between_false_alarms,
            stream,
            Direction.NEW if stream.kind is StreamKind.NEW else direction,
            float(of_column[leading] / of_column[first : first + count].sum()),
        )


def _same_features(one: Baseline, other: Baseline) -> set[str]:
    """Return the features of which two baselines of a subject expect the same."""
    if (one.first_hour, one.end_hour, one.plan.classes) != (other.first_hour, other.end_hour, other.plan.classes):
        return set()
    both = set(one.plan.features) & set(other.plan.features)
    return {feature for feature in both if one.fingerprint_of(feature) == other.fingerprint_of(feature)}


def _of_features(groups: Bools, baseline: Baseline, features: set[str]) -> Bools:
    """Return those of the groups of a baseline that are of some features, in its order."""
    chosen = groups.copy()
    chosen[groups] = [feature in features for feature in baseline.plan.features]
    return chosen
