"""Marks over the charts of every dashboard about runs."""

from typing import cast

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery, AnnotationTarget

from agentvigil_grafana.clickhouse import DATASOURCE, ClickHouseQuery, Shape
from agentvigil_grafana.statements import statements


def annotations() -> list[Builder[AnnotationQuery]]:
    """Return the marks: new versions of agents, and when what was found began."""
    return [_mark("Versions", "versions", "blue"), _mark("Findings", "findings", "red")]


class _Target(Builder[AnnotationTarget]):
    """A query of the datasource's own, where the SDK knows only that of Grafana's list of annotations."""

    def __init__(self, query: ClickHouseQuery) -> None:
        self._query = query

    def build(self) -> AnnotationTarget:
        return cast("AnnotationTarget", self._query)


def _mark(title: str, statement: str, color: str) -> Builder[AnnotationQuery]:
    query = ClickHouseQuery(statements("annotations")[statement].sql, Shape.TABLE, ref_id="Anno")
    return (
        dashboard.AnnotationQuery()
        .name(title)
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(color)
        .target(_Target(query))
    )
