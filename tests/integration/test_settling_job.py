"""The job settles what came in: once it is quiet, from where it stopped, and beside another one."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from agent_traces import Sp, agent, chat, everything, receive, run_of, runs, settle, steps, tool
from trace_requests import NOW, S

from agentvigil.analysis.settling import SettlingConfig, SettlingJob, SettlingService
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.store import Store

CONFIG = SettlingConfig()


def at(seconds: float) -> datetime:
    """Return the time ``seconds`` after the moment when the requests of these tests are received."""
    return datetime.fromtimestamp(NOW / S, UTC) + timedelta(seconds=seconds)


def a_job(store: Store, holder: str = "one") -> SettlingJob:
    return SettlingJob(store, CONFIG, holder)


def work(job: SettlingJob, now: datetime) -> None:
    """Take steps until there is nothing more to do at once."""
    while job.step(now):
        pass


def test_a_trace_is_settled_when_it_is_quiet(store: Store) -> None:
    job = a_job(store)
    receive(store, agent(1), chat(2, 1, 100, 200))
    job.step(at(2))
    assert runs(store, "RunId") == []
    assert job.progress.pending_traces == 1
    assert job.progress.lag_s == 2
    job.step(at(4.9))
    assert runs(store, "RunId") == []
    job.step(at(6))
    assert runs(store, "RunId, Status") == [(run_of(1, 1), "success")]
    assert (job.progress.runs, job.progress.pending_traces, job.progress.lag_s) == (1, 0, 0)


def test_a_span_that_comes_later_settles_its_trace_again(store: Store) -> None:
    job = a_job(store)
    receive(store, agent(1), chat(2, 1, 100, 200))
    job.step(at(6))
    receive(store, tool(3, 1, "search", 300, 400), at_ns=NOW + 20 * S)
    job.step(at(22))
    assert runs(store, "Steps") == [1]
    job.step(at(26))
    assert runs(store, "Steps, HasLateSpans") == [(2, True)]


def test_a_root_that_is_no_ai_span_settles_its_trace_again(store: Store) -> None:
    job = a_job(store)
    receive(store, chat(2, 1, 100, 200, remote=True))
    job.step(at(6))
    assert runs(store, "RunId") == [run_of(1, 2)]
    receive(store, Sp(1, name="job"), at_ns=NOW + 20 * S)
    job.step(at(26))
    assert runs(store, "RunId, RunName") == [(run_of(1, 1), "job")]


def test_an_open_run_is_given_up_in_the_end(store: Store) -> None:
    job = a_job(store)
    receive(store, chat(2, 1, 100, 200))
    job.step(at(6))
    assert runs(store, "Status") == ["open"]
    job.step(at(599))
    assert runs(store, "Status") == ["open"]
    assert job.progress.pending_traces == 1
    job.step(at(601))
    assert runs(store, "Status, TopSpanId") == [("success", "")]
    assert job.progress.pending_traces == 0


def test_a_new_job_gives_up_what_the_one_before_left_open(store: Store) -> None:
    receive(store, chat(2, 1, 100, 200))
    a_job(store).step(at(6))
    later = a_job(store)
    later.step(at(300))
    assert later.progress.pending_traces == 1
    later.step(at(901))
    assert runs(store, "Status") == ["success"]


def test_a_trace_that_never_gets_quiet_is_seen_meanwhile(store: Store) -> None:
    job = a_job(store)
    for second in range(0, 75, 4):
        receive(store, chat(10 + second, 1, second, second + 1), at_ns=NOW + second * S)
        job.step(at(second + 1))
    assert runs(store, "Status") == ["open"]
    assert 7 < runs(store, "Steps")[0] < 19
    assert job.progress.runs == 2


def test_rows_that_are_visible_late_are_found(store: Store) -> None:
    """An insert takes its time, and the moment of intake is that before it."""
    job = a_job(store)
    receive(store, agent(1), chat(2, 1, 100, 200), at_ns=NOW)
    job.step(at(10))
    receive(store, tool(3, 1, "search", 300, 400), at_ns=NOW)
    receive(store, agent(1, trace=2), at_ns=NOW - 3 * S)
    work(job, at(11))
    assert runs(store, "RunId, Steps") == [(run_of(1, 1), 2), (run_of(2, 1), 0)]
    work(job, at(45))
    receive(store, tool(4, 1, "search", 300, 400), at_ns=NOW)
    work(job, at(50))
    assert runs(store, "Steps") == [2, 0]
    work(job, at(111))
    assert runs(store, "Steps") == [3, 0]


def test_what_came_by_another_road_is_settled_when_told(store: Store) -> None:
    job = a_job(store)
    job.step(at(4000))
    receive(store, agent(1), chat(2, 1, 100, 200))
    job.step(at(4010))
    assert runs(store, "RunId") == []
    assert job.settle_window(at(-1), at(1), at(4011)) == 1
    assert runs(store, "RunId") == [run_of(1, 1)]


def test_a_new_job_begins_where_the_one_before_stopped(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, 100, 200))
    job = a_job(store)
    job.step(at(6))
    job.step(at(600))
    job.stop(at(600))
    version = runs(store, "Version")
    receive(store, agent(1, trace=2), chat(2, 1, 100, 200, trace=2), at_ns=NOW + 700 * S)
    a_job(store, "two").step(at(710))
    assert runs(store, "RunId") == [run_of(1, 1), run_of(2, 1)]
    assert runs(store, "Version")[:1] == version


def test_one_of_two_jobs_settles_and_the_other_takes_over(store: Store) -> None:
    one, two = a_job(store, "one"), a_job(store, "two")
    receive(store, agent(1), chat(2, 1, 100, 200))
    one.step(at(1))
    two.step(at(6))
    assert runs(store, "RunId") == []
    two.step(at(40))
    assert runs(store, "RunId") == [run_of(1, 1)]
    one.step(at(41))
    assert one.progress.runs == 0


def test_two_jobs_at_once_cost_only_work(store: Store) -> None:
    receive(store, agent(1), chat(2, 1, 100, 200), chat(3, 0, 110, 190, response="r", scope="b", trace=2))
    one, two = a_job(store), a_job(store)
    one.step(at(6))
    expected = everything(store)
    two.step(at(7))
    assert everything(store) == expected


class Killed(BaseException):
    """The process ends here."""


class DyingStore(EmbeddedStore):
    """The same database, until the process is killed before the ``lives``-th statement that leaves something behind."""

    lives = 10**9

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        if "INSERT INTO agent_" in sql or "INSERT INTO settling_state" in sql:
            self.lives -= 1
            if self.lives < 0:
                raise Killed
        super().command(sql, parameters)


def test_a_kill_before_any_statement_loses_and_doubles_nothing(
    store: EmbeddedStore, data_directory: DataDirectory
) -> None:
    """The late spans change the run of the first trace, and who is billed for the call that three traces show."""
    early = [
        agent(1, 9, "inner"),
        tool(4, 1, "search", 0, 100),
        chat(3, 0, 110, 190, response="r", scope="b", trace=2),
    ]
    late = [
        agent(9, 0, "outer"),
        chat(2, 1, 100, 200, scope="a"),
        chat(5, 0, 105, 195, response="r", scope="c", trace=3),
    ]
    receive(store, *early, *late)
    settle(store, 1, 2, 3)
    expected = everything(store)
    assert {row[2] for row in expected[0]} == {run_of(1, 9), run_of(2, 3), run_of(3, 5)}

    for table in ("otel_traces", "otel_traces_trace_id_ts", "agent_runs", "agent_steps"):
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    receive(store, *early)
    job = a_job(store)
    job.step(at(6))
    job.step(at(100))
    assert runs(store, "Status") == ["open", "success"]
    receive(store, *late, at_ns=NOW + 200 * S)
    # A process that dies, and then one that dies a statement later, until one comes through.
    for lives in count():
        dying = DyingStore(data_directory, store.database)
        dying.lives = lives
        try:
            a_job(dying).step(at(206))
        except Killed:
            continue
        finally:
            dying.close()
        break
    assert everything(store) == expected
    assert lives >= 6


def test_the_service_settles_logs_trouble_once_and_stops(
    store: EmbeddedStore, data_directory: DataDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    class TroubledStore(EmbeddedStore):
        troubles = 3

        def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
            if self.troubles:
                self.troubles -= 1
                raise QueryFailed(241, "MEMORY_LIMIT_EXCEEDED", "too much")
            return super().rows(sql, parameters)

    receive(store, agent(1), chat(2, 1, 100, 200), at_ns=NOW - 60 * S)
    troubled = TroubledStore(data_directory, store.database)
    service = SettlingService(troubled, SettlingConfig(pause_s=0.01))
    service.start()
    deadline = time.monotonic() + 30
    while not service.progress.runs and time.monotonic() < deadline:
        time.sleep(0.05)
    service.stop()
    troubled.close()
    assert runs(store, "RunId") == [run_of(1, 1)]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "runs are not settled, trying again: ClickHouse error 241 (MEMORY_LIMIT_EXCEEDED)"
    ]


def test_working_tables_are_gone_afterwards(store: Store) -> None:
    receive(store, agent(1), chat(2, 1))
    settle(store)
    assert steps(store, "1") == [1]
    assert store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'Memory'") == []


def test_runs_follow_when_list_costs_change(store: Store) -> None:
    job = a_job(store)
    receive(store, agent(1), chat(2, 1, 100, 200))
    job.step(at(6))
    assert runs(store, "BilledCostUSD, UnpricedCalls") == [(None, 1)]
    # What `agentvigil prices recost` does.
    store.command(
        "INSERT INTO agentvigil_recosted_traces (TraceId, RecostedAt) "
        "SELECT DISTINCT TraceId, {at:DateTime64(3)} FROM otel_traces",
        {"at": at(20)},
    )
    store.command(
        "ALTER TABLE otel_traces UPDATE ListCostUSD = 0.25 WHERE Billing = 'leaf' SETTINGS mutations_sync = 2"
    )
    job.step(at(40))
    assert [float(cost) for cost in runs(store, "BilledCostUSD")] == [0.25]
    assert job.progress.runs == 2
    job.step(at(60))
    assert job.progress.runs == 2
