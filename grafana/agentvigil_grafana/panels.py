"""The four kinds of panels that the dashboards are made of, each of one statement."""

from collections.abc import Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import barchart, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

from agentvigil_grafana.clickhouse import DATASOURCE, ClickHouseQuery, ClickHouseTarget, Shape
from agentvigil_grafana.columns import overrides
from agentvigil_grafana.statements import Statement

WIDTH: Final = 24
NOTHING: Final = "no runs"

_P = TypeVar("_P", stat.Panel, timeseries.Panel, table.Panel, barchart.Panel)


def number(
    statement: Statement,
    title: str,
    unit: str,
    *,
    warns: Sequence[float] = (),
    width: int = 4,
    none: str = NOTHING,
    decimals: int | None = None,
) -> stat.Panel:
    """One figure; it turns yellow at the first of ``warns`` and red at the second."""
    panel = _common(stat.Panel(), statement, title, unit, Shape.TABLE, width, 4, none)
    panel = panel.graph_mode(BigValueGraphMode.NONE).color_mode(
        BigValueColorMode.VALUE if warns else BigValueColorMode.NONE
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)
    return panel.reduce_options(reduced).thresholds(_thresholds(warns))


def series(
    statement: Statement,
    title: str,
    unit: str,
    *,
    label: str = "",
    stacked: bool = False,
    width: int = 12,
    least: str = "1m",
    warns: Sequence[float] = (),
    none: str = NOTHING,
) -> timeseries.Panel:
    """Values over time: a line for each value of the column ``label``, else for each column of numbers.

    ``least`` is how narrow a step in time may become.
    """
    panel = _common(timeseries.Panel(), statement, title, unit, Shape.SERIES, width, 8, none)
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    panel = panel.interval(least).legend(legend.show_legend(True).calcs([])).tooltip(tooltip).min(0)
    panel = panel.show_points(VisibilityMode.AUTO).thresholds(_thresholds(warns))
    if label:
        panel = panel.display_name(f"${{__field.labels.{label}}}")
    if stacked:
        bars = panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
        return bars.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    # Two values with nothing between them were measured all the same; a line shows the way from one to the other.
    return panel.draw_style(GraphDrawStyle.LINE).fill_opacity(8).line_width(2).span_nulls(True)


def rows(statement: Statement, title: str, *, width: int = WIDTH, height: int = 9, none: str = NOTHING) -> table.Panel:
    """A table; how columns are shown follows from their names."""
    panel = _common(table.Panel(), statement, title, "none", Shape.TABLE, width, height, none)
    for name, properties in overrides(statement.sql):
        panel = panel.override_by_name(name, properties)
    return panel.thresholds(_thresholds(())).filterable(True)


def bars(statement: Statement, title: str, unit: str, *, width: int = 12, none: str = NOTHING) -> barchart.Panel:
    """A bar for each row: a text, and its number."""
    panel = _common(barchart.Panel(), statement, title, unit, Shape.TABLE, width, 8, none)
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = panel.legend(legend.show_legend(False).calcs([])).fill_opacity(70)
    return panel.show_value(VisibilityMode.AUTO).min(0).thresholds(_thresholds(()))


def _common(
    panel: _P, statement: Statement, title: str, unit: str, shape: Shape, width: int, height: int, none: str
) -> _P:
    return (
        panel.title(title)
        .description(statement.sentence)
        .datasource(DATASOURCE)
        .with_target(ClickHouseTarget(ClickHouseQuery(statement.sql, shape)))
        .unit(unit)
        .no_value(none)
        .span(width)
        .height(height)
    )


def _thresholds(warns: Sequence[float]) -> ThresholdsConfig:
    steps = [Threshold(value=None, color="green")]
    steps += [Threshold(value=value, color=color) for value, color in zip(warns, ("yellow", "red"), strict=False)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
