"""Queries in the form in which Grafana's ClickHouse datasource keeps them, versions 4.0 and newer."""

from enum import Enum
from typing import Final

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN: Final = "grafana-clickhouse-datasource"
DATASOURCE_UID: Final = "agentvigil"
"""Of the provisioned one."""

DATASOURCE: Final = DataSourceRef(type_val=PLUGIN, uid="${datasource}")
"""The one that is chosen above the dashboard."""


class Shape(Enum):
    """What the datasource makes of the rows: name for its editor, number for its backend."""

    SERIES = ("timeseries", 0)
    TABLE = ("table", 1)


class ClickHouseQuery(variants.Dataquery):
    """One query of a panel, an annotation or an alert rule."""

    def __init__(self, sql: str, shape: Shape, ref_id: str = "A", datasource: DataSourceRef = DATASOURCE) -> None:
        self._sql, self._shape, self._ref_id, self._datasource = sql, shape, ref_id, datasource

    def to_json(self) -> dict[str, object]:
        name, number = self._shape.value
        return {
            "refId": self._ref_id,
            "datasource": self._datasource.to_json(),
            "editorType": "sql",
            "pluginVersion": "4.0.0",
            "queryType": name,
            "format": number,
            "rawSql": self._sql,
        }


class ClickHouseTarget(builder.Builder[variants.Dataquery]):
    """The same, as panels want it."""

    def __init__(self, query: ClickHouseQuery) -> None:
        self._query = query

    def build(self) -> ClickHouseQuery:
        return self._query
