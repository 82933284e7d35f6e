"""Changes in words, from structure and numbers alone."""

import math

from agentvigil.analysis.comparing.report import Change
from agentvigil.analysis.comparing.streams import Measure
from agentvigil.analysis.features.names import Unit

_LARGEST_POWER = 300


def what(change: Change) -> str:
    """Return what is compared: ``status failure``, ``duration``, ``duration above 12 s``, ``tool refund``."""
    name = change.feature.name.replace("_", " ")
    if change.measure is Measure.HIGH:
        return f"{name} above {amount(change.edge or 0.0, change.feature.unit)}"
    return name if change.key in ("", "any") else f"{name} {change.key}"


def sentence(change: Change) -> str:
    """Return how it moved: ``status failure: 2.1 % -> 5.1 %, +3 points (+2 to +4.3) within input classes, ...``."""
    within, low, high = change.within, change.low, change.high
    moved = f"{what(change)}: {value(change, change.before)} -> {value(change, change.after)}"
    if within is None:
        return f"{moved}; no input class has runs of both"
    told = f"{moved}, {difference(change, within)}"
    if low is not None and high is not None:
        told += f" ({_number(low)} to {_number(high)})"
    return f"{told} within input classes, e-value {power(change.log_evidence)}"


def value(change: Change, of: float) -> str:
    """Return a value of one side with its unit."""
    return percent(of) if is_share(change) else amount(of, change.feature.unit)


def difference(change: Change, of: float) -> str:
    """Return a difference: in points of shares, in percent of amounts."""
    return f"{_number(of)} points" if is_share(change) else f"{_number(of)} %"


def is_share(change: Change) -> bool:
    """Say whether the values of ``change`` are shares, and their differences too."""
    return change.measure is not Measure.TYPICAL or change.feature.unit is Unit.SHARE


def percent(share: float) -> str:
    """Return ``2.1 %``."""
    number = 100 * share
    return f"{number:.0f} %" if number >= 9.95 or number == round(number) else f"{number:.2g} %"


def amount(of: float, unit: Unit) -> str:
    """Return an amount in its unit."""
    if unit is Unit.USD:
        return f"${of:.3g}"
    if unit is Unit.SECONDS:
        return f"{of * 1000:.0f} ms" if of < 0.9995 else f"{of:.3g} s"
    return f"{of:,.0f}" if of >= 100 else f"{of:.3g}"


def power(logarithm: float) -> str:
    """Return exp(``logarithm``) in a few letters, whatever its size."""
    exponent = logarithm / math.log(10)
    if exponent > _LARGEST_POWER:
        return f"> 1e{_LARGEST_POWER}"
    return f"{math.exp(logarithm):.2g}"


def _number(difference_of_shares: float) -> str:
    """Return it times 100, with its sign."""
    number = 100 * difference_of_shares
    return f"{number:+.2g}" if abs(number) < 9.95 else f"{number:+.0f}"
