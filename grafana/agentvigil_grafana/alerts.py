"""Alert rules for Grafana's own alerting, as a file of provisioning.

Each asks for one number for each set of labels and compares it. Limits are starting points, to be changed in
``alert_rules`` or in a copy of the file: what is dear or slow, only its owner knows. AgentVigil's own alerts
(docs/alerts.md) know budgets, drift and quiet hours; these are for teams whose on-call is in Grafana.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.models.dashboard import DataSourceRef

from agentvigil_grafana.clickhouse import DATASOURCE_UID, PLUGIN, ClickHouseQuery, Shape
from agentvigil_grafana.statements import statements

_FOLDER: Final = "AgentVigil"
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires while the number of ``statement`` is above ``limit`` for ``lasts``, of the last ``looks_back_s``.

    ``board`` are the dashboard and the number of the panel that show it.
    """

    statement: str
    title: str
    limit: float
    looks_back_s: int
    lasts: str
    severity: str
    board: tuple[str, int]
    summary: str
    no_data: str = "OK"


def alert_rules() -> Iterator[Rule]:
    """Yield the rules."""
    yield Rule(
        "findings",
        "Something was found",
        0,
        _HOUR_S,
        "0s",
        "warning",
        ("findings", 1),
        "{{ .Labels.agent }}: {{ .Labels.severity }} findings are open in project {{ .Labels.project }}",
    )
    yield Rule(
        "cost",
        "An agent is dear today",
        100,
        24 * _HOUR_S,
        "5m",
        "warning",
        ("cost", 1),
        "{{ .Labels.agent }} cost more than 100 USD in 24 hours (project {{ .Labels.project }})",
    )
    yield Rule(
        "failures",
        "Runs of an agent fail",
        0.1,
        _HOUR_S,
        "5m",
        "critical",
        ("failures", 2),
        "More than 10 % of the runs of {{ .Labels.agent }} failed in an hour (project {{ .Labels.project }})",
    )
    yield Rule(
        "p95",
        "An agent is slow",
        60,
        _HOUR_S,
        "10m",
        "warning",
        ("latency", 2),
        "5 % of the runs of {{ .Labels.agent }} took more than a minute (project {{ .Labels.project }})",
    )
    yield Rule(
        "silence",
        "No spans come in",
        15 * _MINUTE_S,
        6 * _HOUR_S,
        "5m",
        "critical",
        ("health", 2),
        "No span came in for a quarter of an hour",
        no_data="Alerting",
    )
    yield Rule(
        "settling",
        "Runs are behind spans",
        10 * _MINUTE_S,
        _HOUR_S,
        "5m",
        "critical",
        ("health", 4),
        "Spans of the last ten minutes are in no run: is the analysis running?",
        no_data="Alerting",
    )


def provisioning() -> dict[str, Any]:
    """Return the file of provisioning."""
    group = {
        "orgId": 1,
        "name": "AgentVigil",
        "folder": _FOLDER,
        "interval": "1m",
        "rules": [_provisioned(rule) for rule in alert_rules()],
    }
    return {"apiVersion": 1, "groups": [group]}


def _provisioned(rule: Rule) -> dict[str, Any]:
    datasource = DataSourceRef(type_val=PLUGIN, uid=DATASOURCE_UID)
    query = ClickHouseQuery(statements("alerts")[rule.statement].sql, Shape.TABLE, datasource=datasource)
    expression = {"type": "__expr__", "uid": "__expr__"}
    condition = {"evaluator": {"type": "gt", "params": [rule.limit]}}
    threshold = {
        "refId": "B",
        "datasource": expression,
        "type": "threshold",
        "expression": "A",
        "conditions": [condition],
    }
    return {
        "uid": f"agentvigil-{rule.statement}",
        "title": rule.title,
        "condition": "B",
        "for": rule.lasts,
        "noDataState": rule.no_data,
        "execErrState": "Error",
        "labels": {"severity": rule.severity, "source": "agentvigil"},
        "annotations": {
            "summary": rule.summary,
            "description": statements("alerts")[rule.statement].sentence,
            "__dashboardUid__": f"agentvigil-{rule.board[0]}",
            "__panelId__": str(rule.board[1]),
        },
        "data": [
            {
                "refId": "A",
                "datasourceUid": DATASOURCE_UID,
                "relativeTimeRange": {"from": rule.looks_back_s, "to": 0},
                "model": query.to_json(),
            },
            {
                "refId": "B",
                "datasourceUid": "__expr__",
                "relativeTimeRange": {"from": rule.looks_back_s, "to": 0},
                "model": threshold | {"conditions": [condition]},
            },
        ],
    }
