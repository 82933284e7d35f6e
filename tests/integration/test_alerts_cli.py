"""``agentvigil alerts`` over HTTP of a server that runs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, Taker, configuration, record, rule, seen
from api_serving import serving
from click.testing import CliRunner, Result

from agentvigil.analysis.alerts import AlertJob
from agentvigil.cli.alerts import alerts
from agentvigil.storage.embedded import EmbeddedStore
from alert_receivers import Webhooks, status, webhooks
from migrated_stores import MigratedStores
from served_api import app_over

HOSTILE = "evil\x1b[2J\u202eagent"


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhooks]:
    with webhooks() as server:
        yield server


@pytest.fixture(scope="module")
def run(
    migrated_stores: MigratedStores, tmp_path_factory: pytest.TempPathFactory, hook: Webhooks
) -> Iterator[Callable[..., Result]]:
    """Runs a command against a server on which a rule found something and told it."""
    with migrated_stores.taken() as store:
        destination = f'[[destinations]]\nname = "ops"\ntype = "webhook"\nurl = "{hook.url("/T0KEN")}"\n'
        rules = (
            rule("findings = {}")
            + rule('metric = { measure = "failure_rate", above = 0.1, per = "agent" }', name="rate")
            + rule('budget = { limit = 500, per = "user" }', "enabled = false", name="spend")
        )
        config = configuration(tmp_path_factory.mktemp("alerts"), destination + rules)
        record(store, seen(agent=HOSTILE, subject=HOSTILE))
        AlertJob(store, config, "test", Taker()).step(NOON)
        with serving(app_over(store, alerts=config)) as port:

            def run(*arguments: str) -> Result:
                said = list(arguments)
                at = 1 if said and not said[0].startswith("-") else 0
                said[at:at] = ["--url", f"http://127.0.0.1:{port}"]
                return CliRunner().invoke(alerts, said, prog_name="agentvigil alerts")

            yield run


def test_rules_are_listed_with_what_they_find(run: Callable[..., Result]) -> None:
    printed = run()
    assert printed.exit_code == 0, printed.output
    lines = printed.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["RULE", "all", "rate", "spend"]
    assert "failure_rate per agent > 0.1 over 1h" in lines[2]
    assert "spend (off)" in lines[3]
    assert lines[5].startswith("[major] drift of evil")
    assert "\x1b" not in printed.output
    assert "\u202e" not in printed.output
    assert run("list").stdout == printed.stdout
    document = json.loads(run("list", "--json").stdout)
    assert (len(document["rules"]), len(document["alerts"])) == (3, 1)


def test_deliveries_are_listed(run: Callable[..., Result]) -> None:
    printed = run("deliveries", "--since", "2026-01-01", "--rule", "all")
    assert printed.exit_code == 0, printed.output
    head, line = printed.stdout.splitlines()
    assert head.split() == ["MADE", "STATUS", "TRIES", "CODE", "TO", "RULE", "WHAT"]
    assert "2026-11-30 12:00 UTC  delivered  1      200   ops  all   opened: drift of evil" in line
    assert "nothing was to be sent" in run("deliveries", "--status", "failed", "--rule", "all").stderr
    assert len(json.loads(run("deliveries", "--since", "2026-01-01", "--rule", "all", "--json").stdout)) == 1


def test_a_test_says_whether_it_arrived(run: Callable[..., Result], hook: Webhooks) -> None:
    assert "ops took it (200)" in run("test", "ops").stderr
    hook.answers.append(status(503))
    refused = run("test", "ops")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "ops did not take it (503): the answer was 503" in refused.stderr
    unknown = run("test", "nobody")
    assert unknown.exit_code == 1
    assert "no destination for alerts called nobody" in unknown.stderr
    assert "T0KEN" not in refused.output + unknown.output


def test_a_file_is_checked(tmp_path: Path) -> None:
    def check(text: str) -> Any:
        (tmp_path / "alerts.toml").write_text(text)
        return CliRunner().invoke(alerts, ["check", str(tmp_path / "alerts.toml")])

    good = check('[[destinations]]\nname = "ops"\ntype = "webhook"\nurl = "https://h.example.org"\n')
    assert (good.exit_code, good.stdout) == (0, "")
    assert "1 destinations, 0 rules" in good.stderr
    assert "no rule of the file goes to ops" in good.stderr
    bad = check('[[rules]]\nname = "r"\ndestinations = ["ops"]\nmetric = { measure = "errors", above = 1 }\n')
    assert bad.exit_code == 1
    assert "rules[1] (r).metric.measure" in bad.stderr
    assert CliRunner().invoke(alerts, ["check", str(tmp_path / "none.toml")]).exit_code == 2


def test_without_rules_it_says_where_to_begin(store: EmbeddedStore) -> None:
    with serving(app_over(store)) as port:
        printed = CliRunner().invoke(alerts, ["--url", f"http://127.0.0.1:{port}"])
    assert (printed.exit_code, printed.stdout) == (0, "")
    assert "docs/alerts.md" in printed.stderr
