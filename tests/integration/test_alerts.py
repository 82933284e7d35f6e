"""What becomes of rules: who is told what, once, and when not."""

from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

import pytest
from agent_fleets import Played, play
from agent_traces import chat, receive, runs, settle
from alerting import (
    DESTINATION,
    HOUR,
    MINUTE,
    NOON,
    Taker,
    configuration,
    record,
    rule,
    seen,
    statuses,
    steps,
    with_severity,
)
from trace_requests import NOW

from agentvigil.analysis.alerts import AlertJob, Sender, measures
from agentvigil.analysis.alerts.job import MOST_AT_ONCE
from agentvigil.analysis.alerts.outbox import GIVE_UP_AFTER, MOST_WAITING
from agentvigil.analysis.alerts.sending import Outcome, Result
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.model import Kind, Resolution, Severity, SubjectType
from agentvigil.analysis.job_service import JobService, Pace
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError
from alert_receivers import mailbox, serving_as, trusting, webhooks

FINDINGS = "findings = {}"
START = datetime.fromtimestamp(NOW / 1e9, NOON.tzinfo)
WHERE_IT_IS_NOON = f"Etc/GMT{START.hour - 12:+d}"
"""There the hour before ``START`` and the minutes after it are of one day, and of one month."""
"""When the runs of a fleet have just come in."""


@pytest.fixture
def taker() -> Taker:
    return Taker()


def job_of(store: EmbeddedStore, tmp_path: Path, taker: Taker, *rules: str) -> AlertJob:
    return AlertJob(store, configuration(tmp_path, DESTINATION + "".join(rules)), "test", taker)


# Findings


def test_ten_symptoms_are_one_alert(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """What began at the same time has one cause, and nobody wants to hear it ten times."""
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    record(store, *(seen(f"feature {number}") for number in range(10)))

    steps(job, NOON, NOON + MINUTE)

    (notice,) = taker.got
    assert (notice.transition, notice.subject, notice.severity) == ("opened", "a", "major")
    assert "and 9 more" in notice.title
    assert notice.link.startswith("/v1/findings/")
    assert statuses(store) == [("opened", "delivered", 1)]


def test_it_gets_worse_is_repeated_and_is_over(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "6h"'))
    first = [seen("tools", severity=Severity.MINOR)]
    (finding,) = record(store, *first)
    steps(job, NOON, NOON + MINUTE)
    assert taker.told() == [("opened", "a")]

    later = NOON + HOUR
    record(store, *with_severity(first, Severity.CRITICAL, later), at=later)
    steps(job, later, later + MINUTE)
    assert taker.told() == [("worse", "a")]

    steps(job, later + 5 * HOUR, later + 6 * HOUR, later + 6 * HOUR + MINUTE, later + 12 * HOUR)
    assert taker.told() == [("repeated", "a"), ("repeated", "a")]

    FindingsBook(store).resolve("default", finding, Resolution.FIXED, "k", later)
    steps(job, later + 13 * HOUR, later + 14 * HOUR)
    (notice,) = taker.got
    assert (notice.transition, notice.text) == ("resolved", "It is fixed.")
    assert taker.told() == [("resolved", "a")]

    FindingsBook(store).reopen("default", finding, "k", later)
    steps(job, later + 15 * HOUR)
    assert taker.told() == [("opened", "a")]


def test_a_rule_is_on_what_it_says(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    told = {
        "those": 'findings = { kinds = ["drift"], min_severity = "major", agents = ["a"], detectors = ["mixture"] }',
        "live": 'findings = { environments = ["live"] }',
    }
    untold = {
        "kinds": 'findings = { kinds = ["anomaly", "regression"] }',
        "severity": 'findings = { min_severity = "critical" }',
        "agents": 'findings = { agents = ["b"] }',
        "detectors": 'findings = { detectors = ["other"] }',
        "environments": 'findings = { environments = ["test"] }',
        "off": "findings = {}\nenabled = false",
        "project": 'findings = {}\nproject = "other"',
    }
    record(store, seen(environment="live"))

    job_of(store, tmp_path, taker, *(rule(said, name=name) for name, said in (told | untold).items())).step(NOON)

    assert {notice.rule for notice in taker.got} == told.keys()


def test_what_somebody_looks_after_is_not_repeated(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "1h"'))
    (finding,) = record(store, seen())
    steps(job, NOON)
    FindingsBook(store).acknowledge("default", finding, "k", NOON)
    steps(job, NOON + 2 * HOUR, NOON + 4 * HOUR)
    assert taker.told() == [("opened", "a")]


def test_nothing_is_told_of_what_is_muted(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """Neither that it is there, nor that it lasts; what was announced before is not called over either."""
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "1h"'))
    book = FindingsBook(store)
    (known,) = record(store, seen())
    steps(job, NOON)
    (new,) = record(store, seen("cost", changed_at=NOON - 90 * HOUR, changed_from=None, changed_to=None))
    for finding in (known, new):
        book.mute("default", finding, None, "k", NOON)

    steps(job, NOON + MINUTE, NOON + 3 * HOUR)
    assert taker.told() == [("opened", "a")]

    book.unmute("default", new, "k", NOON)
    steps(job, NOON + 3 * HOUR + MINUTE)
    assert taker.told() == [("opened", "a")]


def test_a_single_run_is_told_once(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """It is over when it is found: it neither lasts nor ends."""
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "1h"'))
    (finding,) = record(
        store, seen(kind=Kind.ANOMALY, subject_type=SubjectType.RUN, subject="r1", changed_at=None, changed_from=None)
    )
    steps(job, NOON, NOON + 5 * HOUR)
    FindingsBook(store).resolve("default", finding, Resolution.BACK_TO_NORMAL, "", NOON)
    steps(job, NOON + 6 * HOUR)
    assert taker.told() == [("opened", "a")]


@pytest.mark.parametrize(
    "becomes", ['findings = { min_severity = "critical" }', "findings = {}\nenabled = false", None]
)
def test_a_rule_that_changes_calls_nothing_over(
    store: EmbeddedStore, tmp_path: Path, taker: Taker, becomes: str | None
) -> None:
    """Nothing is over because nobody looks any more."""
    record(store, seen())
    steps(job_of(store, tmp_path, taker, rule(FINDINGS)), NOON)

    steps(job_of(store, tmp_path, taker, rule(becomes) if becomes else ""), NOON + MINUTE, NOON + 2 * MINUTE)

    assert taker.told() == [("opened", "a")]
    assert store.rows("SELECT countIf(ClosedAt IS NULL) FROM alert_states FINAL") == [(0,)]


def test_ends_are_not_told_where_the_rule_says_so(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, "resolved = false"))
    (finding,) = record(store, seen())
    steps(job, NOON)
    FindingsBook(store).resolve("default", finding, Resolution.FIXED, "k", NOON)
    steps(job, NOON + MINUTE)
    assert taker.told() == [("opened", "a")]


def test_many_at_once_are_one_summary(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """A new rule, or a bad day: one message, and not a hundred."""
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    agents = [f"agent {number}" for number in range(MOST_AT_ONCE + 3)]
    record(store, *(seen(subject=name, agent=name, kind=Kind.FAILURE_MODE) for name in agents))

    steps(job, NOON, NOON + MINUTE)

    (notice,) = taker.got
    assert notice.transition == "summary"
    assert len(notice.lines) == len(agents)
    assert {status for _, status, _ in statuses(store)} == {"summarized", "delivered"}


def test_what_is_repeated_is_told_as_it_is_now(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "1h"'))
    record(store, seen(runs=10))
    steps(job, NOON)
    record(store, seen(at=NOON + HOUR, runs=25), at=NOON + HOUR)
    steps(job, NOON + HOUR)
    shown = [{fact.name: fact.value for fact in notice.facts}["Runs since"] for notice in taker.got]
    assert shown == ["10", "25"]


# Quiet hours

QUIET = 'quiet_hours = { from = "22:00", until = "07:00", time_zone = "UTC", passes = "critical" }'


def test_quiet_hours_end_with_one_summary(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, QUIET))
    night = NOON.replace(hour=23)
    (first,) = record(store, seen(at=night, changed_at=night, changed_from=night, changed_to=night), at=night)
    later = night + 2 * HOUR
    record(
        store,
        seen("cost", at=later, agent="b", subject="b", changed_at=later, changed_from=later, changed_to=later),
        at=later,
    )
    steps(job, night, later)
    FindingsBook(store).resolve("default", first, Resolution.FIXED, "k", later)
    steps(job, later + HOUR, later + 4 * HOUR)
    assert taker.got == []

    steps(job, night + 8 * HOUR, night + 9 * HOUR)

    (notice,) = taker.got
    assert notice.transition == "summary"
    assert len(notice.lines) == 2
    assert any(line.startswith("came and went") for line in notice.lines)
    assert "1 still there, 1 over" in notice.title


def test_one_that_was_held_comes_as_it_is(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, QUIET))
    record(store, seen())
    night = NOON.replace(hour=23)
    steps(job, night, night + 8 * HOUR)
    assert taker.told() == [("opened", "a")]


def test_what_is_bad_enough_wakes(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, QUIET))
    record(store, seen(severity=Severity.CRITICAL))
    steps(job, NOON.replace(hour=23))
    assert taker.told() == [("opened", "a")]


# Metrics and budgets


def test_a_metric_above_its_bound_is_told_and_over(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    play(store, *(Played(name="bad", error="x" if number < 2 else None) for number in range(5)), Played(name="good"))
    said = 'metric = { measure = "failure_rate", above = 0.25, window = "2h", per = "agent", min_runs = 5 }'
    job = job_of(store, tmp_path, taker, rule(said))

    steps(job, START, START + MINUTE)
    (notice,) = taker.got
    assert notice.title == "failure_rate of agent bad is 40 %, above 25 %"
    assert taker.told() == [("opened", "bad")]

    gone = START + 3 * HOUR
    steps(job, gone, gone + 5 * MINUTE)
    assert taker.told() == []
    steps(job, gone + 10 * MINUTE)
    assert taker.told() == [("resolved", "bad")]


MEASURES = {
    'measure = "runs", above = 2, per = "agent"': {"a"},
    'measure = "runs", below = 2, per = "agent"': {"b"},
    'measure = "runs", below = 2, per = "agent", agents = ["a", "b", "silent"]': {"b", "silent"},
    'measure = "runs", below = 1, environments = ["nowhere"]': {""},
    'measure = "failures", above = 0, per = "user"': {"u2"},
    'measure = "failure_rate", above = 0.1, min_runs = 1': {""},
    'measure = "failure_rate", above = 0.1': set(),
    'measure = "tokens", above = 439': {""},
    'measure = "tokens", above = 440': set(),
    'measure = "duration_p95_ms", above = 1500, min_runs = 1, per = "agent"': {"b"},
    'measure = "duration_p95_ms", below = 1500, min_runs = 1, users = ["u2"]': {""},
    'measure = "cost_usd", below = 0.000001': {""},
    'measure = "runs", above = 0, window = "10m"': set(),
}


def test_each_measure_is_that_of_the_runs(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    user_1, user_2 = Played("a", user="u1"), Played("a", user="u2", error="x")
    play(store, user_1, user_1, user_2, Played("b", lasts_ms=2000))
    rules = []
    for number, said in enumerate(MEASURES):
        window = "" if "window" in said else ', window = "2h"'
        rules.append(rule(f"metric = {{ {said}{window} }}", name=str(number)))

    job_of(store, tmp_path, taker, *rules).step(START)

    found = {said: {one.subject for one in taker.got if one.rule == str(n)} for n, said in enumerate(MEASURES)}
    assert found == MEASURES


def test_a_budget_is_told_at_each_share_and_begins_anew(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """110 tokens a run: three are more than 80 % of 400, and six more than 100 %."""
    limit = 'measure = "tokens", limit = 400, per = "user", period = "day"'
    said = f'budget = {{ {limit}, time_zone = "{WHERE_IT_IS_NOON}" }}'
    day = timedelta(days=1)
    play(store, *(Played(user="u1") for _ in range(3)), Played(user="u2"), Played())
    job = job_of(store, tmp_path, taker, rule(said, 'repeat = "never"'))

    steps(job, START, START + 6 * MINUTE)
    (notice,) = taker.got
    assert (notice.title, notice.severity) == ("82% of the daily budget of user u1 is used", "minor")
    assert taker.told() == [("opened", "u1")]

    again = "INSERT INTO agent_runs SELECT * REPLACE(concat(RunId, 'x') AS RunId) FROM agent_runs FINAL"
    store.command(f"{again} WHERE UserId = 'u1'")
    steps(job, START + 12 * MINUTE)
    (notice,) = taker.got
    assert (notice.transition, notice.severity) == ("worse", "major")
    taker.got.clear()

    steps(job, START + day, START + day + HOUR)
    assert taker.told() == []
    assert store.rows("SELECT countIf(ClosedAt IS NULL) FROM alert_states FINAL") == [(0,)]


def test_a_budget_for_each_key_of_a_gateway(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """LiteLLM's two integrations say which of its virtual keys a call came with; what opens something is no name."""
    digest = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
    said = [
        {"metadata.user_api_key_alias": "checkout", "metadata.user_api_key_hash": digest},
        {"litellm.metadata.user_api_key_alias": "checkout", "litellm.api_key.hash": digest},
        {"metadata.user_api_key_alias": "", "metadata.user_api_key_team_alias": "search"},
        {"metadata.user_api_key_alias": "sk-1234abcd", "metadata.user_api_key_hash": "sk-1234abcd"},
        {},
    ]
    calls = [chat(1, trace=trace, scope="litellm", attributes=one) for trace, one in enumerate(said, 1)]
    receive(store, *calls)
    settle(store, *range(1, len(said) + 1))
    assert runs(store, "Tags") == [
        ["api_key=checkout", f"api_key_hash={digest}"],
        ["api_key=checkout", f"api_key_hash={digest}"],
        ["api_key_team=search"],
        [],
        [],
    ]
    limit = f'measure = "runs", limit = 2, time_zone = "{WHERE_IT_IS_NOON}"'
    rules = [
        rule(f'budget = {{ {limit}, per = "tag:api_key" }}', name="names"),
        rule(f'budget = {{ {limit}, per = "tag:api_key_hash" }}', name="hashes"),
    ]
    job_of(store, tmp_path, taker, *rules).step(START)
    assert {(notice.subject, notice.title) for notice in taker.got} == {
        ("checkout", "100% of the monthly budget of api_key checkout is used"),
        (digest, f"100% of the monthly budget of api_key_hash {digest} is used"),
    }


def test_a_budget_for_each_value_of_a_tag(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    play(store, *(Played(user=f"u{number}") for number in range(3)))
    store.command("INSERT INTO agent_runs SELECT * REPLACE(['team=x', 'tier=1'] AS Tags, Version + 1 AS Version) "
                  "FROM agent_runs FINAL WHERE UserId != 'u0'")  # fmt: skip
    said = f'budget = {{ measure = "runs", limit = 2, per = "tag:team", time_zone = "{WHERE_IT_IS_NOON}" }}'
    job_of(store, tmp_path, taker, rule(said)).step(START)
    assert [(notice.subject, notice.title) for notice in taker.got] == [
        ("x", "100% of the monthly budget of team x is used")
    ]


# Deliveries


def test_what_fails_is_tried_again_later_and_later(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    record(store, seen())
    taker.outcomes = [Outcome(Result.TRY_AGAIN, 503, "x")] * 3
    now, waits = NOON, []
    for _ in range(4):
        job.step(now)
        ((next_at,),) = store.rows("SELECT toTimeZone(NextAttemptAt, 'UTC') FROM alert_deliveries FINAL")
        if next_at is not None:
            waits.append((next_at - now).total_seconds())
            now = next_at
    assert statuses(store) == [("opened", "delivered", 4)]
    assert len({notice.id for notice in taker.got}) == 1
    for wait, usual in zip(waits, (10, 20, 40), strict=True):
        assert 0.75 * usual <= wait <= 1.25 * usual


def test_the_other_side_says_how_long_to_wait(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    record(store, seen())
    taker.outcomes = [Outcome(Result.TRY_AGAIN, 429, "x", timedelta(minutes=30))]
    steps(job, NOON, NOON + 29 * MINUTE)
    assert len(taker.got) == 1
    steps(job, NOON + 31 * MINUTE)
    assert len(taker.got) == 2


def test_it_is_given_up_after_a_day(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'repeat = "never"'))
    record(store, seen())
    taker.outcomes = [Outcome(Result.TRY_AGAIN, 503, "x")] * 1000
    now = NOON
    while now < NOON + GIVE_UP_AFTER + 6 * HOUR:
        job.step(now)
        now += 4 * HOUR
    ((transition, status, attempts),) = statuses(store)
    assert (transition, status) == ("opened", "failed")
    assert attempts == len(taker.got)
    assert job.progress.failed == 1


def test_what_can_not_succeed_is_not_tried_again(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    record(store, seen())
    taker.outcomes = [Outcome(Result.FAILED, 404, "the answer was 404")]
    steps(job, NOON, NOON + HOUR)
    assert statuses(store) == [("opened", "failed", 1)]


def test_one_that_is_down_keeps_nobody_waiting(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    """A step makes one attempt there, however many notices wait for it; the others get theirs."""
    other = '[[destinations]]\nname = "well"\ntype = "webhook"\nurl = "http://127.0.0.1:10/"\n'
    agents = [f"agent {number}" for number in range(MOST_AT_ONCE)]
    record(store, *(seen(subject=name, agent=name, kind=Kind.FAILURE_MODE) for name in agents))
    job = job_of(store, tmp_path, taker, other, rule(FINDINGS, to='"ops", "well"'))

    class OnlyWell(Taker):
        def send(self, notice: Any, destination: Any, reach: Any, now: datetime) -> Outcome:
            is_well = super().send(notice, destination, reach, now) and destination.place.endswith(":10")
            return Outcome(Result.DELIVERED, 200) if is_well else Outcome(Result.TRY_AGAIN, 0, "no answer")

    job._sender = taker = OnlyWell()
    job.step(NOON)
    assert sorted(taker.to) == ["http://127.0.0.1:10"] * MOST_AT_ONCE + ["http://127.0.0.1:9"]


def test_the_queue_is_bounded(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS, 'quiet_hours = { from = "11:00", until = "13:00" }'))
    agents = [f"agent {number}" for number in range(MOST_WAITING + 7)]
    record(store, *(seen(subject=name, agent=name, kind=Kind.FAILURE_MODE) for name in agents))
    job.step(NOON)
    found = [status for _, status, _ in statuses(store)]
    assert (found.count("held"), found.count("dropped")) == (MOST_WAITING, 7)
    assert (job.progress.dropped, job.progress.waiting) == (7, MOST_WAITING)

    job.step(NOON + HOUR)
    (notice,) = taker.got
    assert notice.title.startswith(f"{MOST_WAITING} alerts of rule all")
    assert notice.lines[-1] == f"and {MOST_WAITING - 49} more"
    assert job.progress.waiting == 0


def test_two_processes_do_not_both_work(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    config = configuration(tmp_path, DESTINATION + rule(FINDINGS))
    first, second = (AlertJob(store, config, holder, taker) for holder in ("one", "two"))
    record(store, seen())
    first.step(NOON)
    second.step(NOON)
    assert taker.told() == [("opened", "a")]
    first.stop(NOON)
    second.step(NOON + MINUTE)
    assert taker.told() == []


class Killed(Exception):
    """The process is no more."""


class MortalStore:
    """A store whose process dies before its statement number ``lives``, of those that write."""

    def __init__(self, store: EmbeddedStore, lives: int) -> None:
        self._store, self.lives = store, lives

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in ("command", "insert_rows"):
            return found

        def mortal(*arguments: Any, **options: Any) -> Any:
            if self.lives == 0:
                raise Killed
            self.lives -= 1
            return found(*arguments, **options)

        return mortal


def test_dying_between_any_two_statements_tells_the_same(store: EmbeddedStore, tmp_path: Path) -> None:
    """Whoever goes on tells what would have been told, with the same ids: receivers can see what came twice."""
    times = (NOON, NOON + HOUR, NOON + HOUR + 10 * MINUTE)
    quiet = 'quiet_hours = { from = "11:00", until = "13:00", passes = "critical" }'
    expected = [("opened", "critical"), ("summary", "major")]

    def lived(lives: int) -> tuple[list[tuple[str, str]], bool]:
        """What was taken, by a process that dies and by one that goes on, and whether the first one died."""
        for table in ("alert_states", "alert_deliveries"):
            store.command(f"TRUNCATE TABLE {table}")
        project = f"p{lives}"
        config = configuration(tmp_path, DESTINATION + rule(FINDINGS, f'{quiet}\nproject = "{project}"'))
        severities = {"a": Severity.CRITICAL, "b": Severity.MAJOR, "c": Severity.MINOR}
        found = (
            seen(agent=name, subject=name, kind=Kind.FAILURE_MODE, severity=severity, project=project)
            for name, severity in severities.items()
        )
        record(store, *found)
        taker, died = Taker(), False
        job = AlertJob(cast("EmbeddedStore", MortalStore(store, lives)), config, "embedded", taker)
        for time in times:
            try:
                job.step(time)
            except Killed:
                died = True
                job = AlertJob(store, config, "embedded", taker)
                job.step(time)
        assert len({notice.id for notice in taker.got}) == len(expected), lives
        return [(notice.transition, notice.severity) for notice in taker.got], died

    lives, twice, died = 0, 0, True
    while died:
        told, died = lived(lives)
        assert sorted(set(told)) == expected, lives
        assert len(told) <= len(expected) + 1, lives
        twice += len(told) - len(expected)
        lives += 1
    assert lives >= 10
    # Only where it died between sending and writing that down, once for each notice.
    assert twice == len(expected)


def test_the_service_tells_by_webhook_and_by_mail(store: EmbeddedStore, tmp_path: Path) -> None:
    record(store, seen(subject="<!channel>", agent="<!channel>"))
    with webhooks() as hook, mailbox(tls=serving_as("localhost"), login=("u", "p")) as box:
        text = f"""
            [[destinations]]
            name = "ops"
            type = "webhook"
            format = "slack"
            url = "{hook.url()}"
            [[destinations]]
            name = "mail"
            type = "mail"
            host = "localhost"
            port = {box.port}
            username = "u"
            password = "p"
            sender = "vigil@example.org"
            recipients = ["ops@example.org"]
        """
        config = configuration(tmp_path, text + rule(FINDINGS, to='"ops", "mail"'))
        job = AlertJob(store, config, "test", Sender(trusting))
        service = JobService("alerts", job, Pace(0.05), what="alerts", done="looked at")
        service.start()
        give_up = monotonic() + 60
        while not (hook.got and box.got and job.progress.delivered == 2) and monotonic() < give_up:
            sleep(0.05)
        service.stop()
    (got,), ((_, _, message),) = hook.got, box.got
    assert got.document["text"].startswith("[major] drift of &lt;!channel&gt;: tools")
    assert message["Subject"] == "[major] drift of <!channel>: tools"
    assert statuses(store) == [("opened", "delivered", 1)] * 2


def test_a_rule_that_asks_for_too_much_stops_no_other(
    store: EmbeddedStore,
    tmp_path: Path,
    taker: Taker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(measures._SETTINGS, "max_rows_to_read", 1)
    play(store, Played(), Played())
    record(store, seen())
    job = job_of(store, tmp_path, taker, rule('metric = { measure = "runs", above = 1 }', name="a"), rule(FINDINGS))
    steps(job, START, START + 5 * MINUTE)
    assert taker.told() == [("opened", "a")]
    assert caplog.text.count("rule a of project default is not looked at") == 1


def test_trouble_of_the_store_loses_nothing(store: EmbeddedStore, tmp_path: Path, taker: Taker) -> None:
    job = job_of(store, tmp_path, taker, rule(FINDINGS))
    record(store, seen())
    store.command("RENAME TABLE alert_deliveries TO away")
    with pytest.raises(StorageError):
        job.step(NOON)
    store.command("RENAME TABLE away TO alert_deliveries")
    job.step(NOON + MINUTE)
    assert taker.told() == [("opened", "a")]
