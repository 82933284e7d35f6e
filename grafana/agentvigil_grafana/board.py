"""What all dashboards have in common."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync, Panel

from agentvigil_grafana import links, variables
from agentvigil_grafana.annotations import annotations


def board(
    name: str,
    title: str,
    description: str,
    chosen: Sequence[str],
    panels: Sequence[Builder[Panel]],
    *,
    marked: bool = True,
) -> Dashboard:
    """Return the dashboard ``agentvigil-{name}``.

    ``chosen`` are names of variables. Where it is ``marked``, versions and findings stand over its charts.
    """
    built = (
        dashboard.Dashboard(f"AgentVigil: {title}")
        .uid(f"agentvigil-{name}")
        .description(description)
        .tags([links.TAG])
        .time("now-7d", "now")
        .refresh("5m")
        .timezone("browser")
        .editable()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(links.to_others())
        .with_variable(variables.datasource())
    )
    for variable in chosen:
        if variable == "api":
            built = built.with_variable(variables.api())
        elif variable == "agent" and "environment" not in chosen:
            built = built.with_variable(variables.chosen(variable, "agent_of_calls"))
        else:
            built = built.with_variable(variables.chosen(variable))
    for mark in annotations() if marked else ():
        built = built.annotation(mark)
    for number, panel in enumerate(panels, start=1):
        panel.build().id_val = number
        built = built.with_panel(panel)
    return built.build()
