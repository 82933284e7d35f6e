"""What can be chosen above a dashboard."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import VariableModel, VariableOption, VariableRefresh, VariableSort

from agentvigil_grafana.clickhouse import DATASOURCE, DATASOURCE_UID, PLUGIN
from agentvigil_grafana.statements import statements

_LABELS: Final = {
    "project": ("Project", "Telemetry belongs to a project: that of the key that sent it."),
    "environment": ("Environment", "deployment.environment.name of the runs."),
    "agent": ("Agent", "Name of the runs: agent, else workflow, else the top span's name."),
    "version": ("Version", "Version of the agent that was said, else the fingerprint of its prompt, tools and model."),
    "model": ("Model", "Model that answered, else the one that was asked."),
}
_API: Final = "http://localhost:8787"


def datasource() -> Builder[VariableModel]:
    """Which ClickHouse datasource all is read from: the provisioned one, until somebody chooses another."""
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Data")
        .type(PLUGIN)
        .multi(False)
        .include_all(False)
        .current(VariableOption(selected=True, text="AgentVigil", value=DATASOURCE_UID))
    )


def chosen(name: str, statement: str = "") -> Builder[VariableModel]:
    """Return a list of values of which any number may be chosen; all of them are until somebody does.

    The list comes from ``statement``, which is called like the variable unless it is said otherwise.
    """
    label, description = _LABELS[name]
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DATASOURCE)
        .query(statements("variables")[statement or name].sql)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .multi(True)
        .include_all(True)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def api() -> Builder[VariableModel]:
    """Where AgentVigil's API is, as the reader's browser reaches it."""
    return (
        dashboard.TextBoxVariable("api")
        .label("API")
        .description("Address of AgentVigil's API, as your browser reaches it: runs and findings open there.")
        .default_value(_API)
        .current(VariableOption(selected=True, text=_API, value=_API))
    )
