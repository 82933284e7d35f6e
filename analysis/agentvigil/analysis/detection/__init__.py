"""The drift detector: what moved in an agent's runs, since when, how far, and how often it would cry wolf.

Theory of operation. It takes counts of finished runs by the hour (:class:`Cells`) and knows no store, so a generator
can feed it as well as a rollup. Everything is a pure function, but for the evidence that a monitor adds up.

1. **Streams** (``streams``, ``planning``). A feature becomes yes-or-no questions about a run: does it have this key,
   one of the rare keys, a key that was never seen; does its value lie above a quantile of the baseline. And one mean,
   of the logarithm, clipped so that no single run decides. Which streams there are is fixed by the baseline.

2. **Expectation** (``shares``, ``season``, ``expecting``). Each run is expected to do what runs of its own input class
   did: E = Σ n_class · p_class. So another mix of inputs moves expectation and count alike and raises nothing. Classes
   with few runs are shrunk to all runs as far as classes are alike, and the rarest are one class; one that was never
   seen is compared with all runs, and its uncertainty is how far classes lie apart. The season (hour of the day,
   working day or weekend) is what is left over, shrunk to nothing where noise would explain it. For keys never seen the
   expectation is the missing mass of Good and Turing. All times are UTC.

3. **Null hypothesis.** Not one value but an interval: one standard error of the baseline's estimate (for this hour's
   mix of classes; up to three where there are many more runs than there were, which show that error sooner, and up to
   five for a class that was rare and is common) and a margin of what is too small to matter, 0.05 in log odds or 0.03
   standard deviations. Inside of it no bet gains. (Bets on sudden shifts take the error for a part of the level's
   variance, and need no margin, since the least of them wins nothing on a shift of less than 0.1.)

4. **Dispersion** (``clusters_and_wander``). Runs come in clusters, and levels wander from hour to hour and from day to
   day. All three are measured apart, and shrunk to what the feature's other streams and the fleet say. Clusters add a
   factor; what wander adds grows with the runs in a sum, so it is worked out for the runs of each hour, and for how
   much fewer input classes they are of than usual: an agent that is asked three times as often wanders as far, and
   shows it more.

   There are two kinds of bets, of which each has half of R:

   - those without an end divide each hour by the dispersion φ of weeks. They allow for any wander of the size that the
     baseline had, and for its memory, and find what is small and stays;
   - those on sudden shifts (``sudden``) look at the last four days alone. The runs since one of their hours are one
     sum, whose level is one draw with the variance of a day's wander: one hour that lies far off pays at once, and a
     level that stays where it wandered to can not win in each of its hours.

5. **Bets and R** (``bets``). Ten bets without an end on each stream, up and down by 0.1 to 1.6 (upwards to 5.6 for new
   keys), and six on sudden shifts on each key and mean. Each R is the sum of what the bets pay that began in each hour:
   R ← (1 + R)·e for those without an end. Where keys may take each other's place, opposite bets on two of them are
   multiplied: both tell of the same shift, which is then found with half the runs. The R of a feature is an average
   over the bets of its streams, half of it of the mean where there is one, half of it of the pairs where there are
   some. It alarms when **R ≥ A × number of features** of the agent, A being hours between false alarms: 720, 7,200
   (the default) or 72,000. If the null model holds, the expected time to a false alarm of the agent is at least A hours
   with runs, and the chance of one within t hours at most t/A (Shin, Ramdas, Rinaldo,
   https://arxiv.org/abs/2203.03532). Forgetting what began long ago can only lower R.

   This is no false discovery rate. A monitor that never ends and has a finite time to false alarm can promise none,
   whatever it is corrected by: S. Dandapanthula, A. Ramdas, *Multiple testing in multi-stream sequential change
   detection*, https://arxiv.org/abs/2501.04130. So each alarm carries A, which says how much it means.

6. **Baseline on trial** (``baseline``). It is run through the detector itself. A feature that alarms on the hours that
   it was learned from varies more than its days told: its φ rises until it does not, and ``raised`` says so. With too
   few runs or days there is a :class:`TooFewRuns`, not a baseline.

7. **Explanation** (``changetime``, ``confidence``, ``decomposition``, ``explaining``). When: what bets win
   that begin in an hour is the likelihood that the change did. How far: a confidence sequence, which holds however
   often one looks. Who carries it: the shift by model, version and input class, mix against within. What else:
   versions, models and tools first seen then.

8. **Pooling** (``pooling``). Log-bets of agents that share a model, a version or a tool are added up.

What it does not do. It sees no change that took place before the baseline ended, and a slow creep only against a pinned
baseline. Several slow wanderers that the baseline did not contain look like a change, and are one. The error of the
estimated season is only in the dispersion. The bound of 5 holds for the model of 2 to 4, whose dispersion is estimated:
what holds in fact is measured in ``benchmarks/detection``.
"""

from agentvigil.analysis.detection.alarms import Alarm, Direction
from agentvigil.analysis.detection.baseline import (
    Baseline,
    fit,
    fit_fleet,
    sample_of,
    spread_of_fleet,
    spread_of_subjects,
)
from agentvigil.analysis.detection.config import DetectionConfig, Hours
from agentvigil.analysis.detection.counting import WATCHED_FEATURES
from agentvigil.analysis.detection.errors import DetectionError, ForeignState, HourOutOfOrder
from agentvigil.analysis.detection.monitor import FleetMonitor
from agentvigil.analysis.detection.planning import TooFewRuns
from agentvigil.analysis.detection.streams import Stream, StreamKind

__all__ = [
    "WATCHED_FEATURES",
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
    "sample_of",
    "spread_of_fleet",
    "spread_of_subjects",
]
