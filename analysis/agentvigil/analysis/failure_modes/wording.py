"""How shares, ratios and money are written in a finding: as many digits as mean something."""

from decimal import Decimal

from agentvigil.analysis.explaining import wording


def percent(share: float) -> str:
    """Return ``0.4 %``, ``4.1 %`` or ``41 %``."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %" if value >= 0.095 else f"{value:.2g} %"


def percent_range(low: float, high: float) -> str:
    """Return ``3.2 to 5.3 %``."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def ratio(value: float) -> str:
    """Return ``1.2``, ``3.1`` or ``14``: as many times as much."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def usd(value: float) -> str:
    """Return what something costs, as it stands in an explanation."""
    return wording.cost(Decimal(repr(value)))


def count(value: float) -> str:
    """Return a number of things that is a mean: ``0.4``, ``3.1``, ``1,204``."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"
