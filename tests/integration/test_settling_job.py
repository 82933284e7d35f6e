"""The job settles what came in: once it is quiet, from where it stopped, and beside another one."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from agent_traces import Sp, agent, chat, everything, receive, run_of, runs, settle, steps, tool
from clickhouse_stand_in import ClickHouseStandIn
from settling_scenarios import Found, keep
from trace_requests import NOW, S

from agentvigil.analysis.settling import Progress, SettlingConfig, SettlingJob, SettlingService
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.server import ServerStore
from agentvigil.storage.spool import Spool, SpoolLimits
from agentvigil.storage.store import Store
from migrated_stores import MigratedStores

Test = TypeVar("Test", bound=Callable[..., None])

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


@dataclass(frozen=True)
class Came:
    """Spans that are visible from the second ``at`` on and say that they were ``taken_in`` then, or before."""

    at: float
    spans: Sequence[Sp]
    taken_in: float | None = None


class TenMinutes:
    """One job, which takes steps now and then, and what comes in meanwhile for the tests that read it."""

    looks = (2, 4.9, 6, 10, 11, 22, 26, 45, 50, 111, 599, 601)

    def __init__(self) -> None:
        self._arrivals: list[tuple[str, Came]] = []

    def of(self, *arrivals: Came) -> Callable[[Test], Test]:
        """The scenario of the test below, in a project of its own."""

        def add(test: Test) -> Test:
            self._arrivals += [(test.__name__, came) for came in arrivals]
            return test

        return add

    def pass_by(self, store: Store) -> Progress:
        """Let them pass, and keep what is settled after each look."""
        job, last = a_job(store), -1.0
        for look in self.looks:
            for taken_in, spans in self._came(last, look).items():
                receive(store, *spans, at_ns=NOW + int(taken_in * S))
            work(job, at(look))
            keep(store, f"at_{self.looks.index(look)}")
            last = look
        return job.progress

    def _came(self, after: float, until: float) -> dict[float, list[Sp]]:
        found: dict[float, list[Sp]] = {}
        for project, came in self._arrivals:
            if after < came.at <= until:
                taken_in = came.at if came.taken_in is None else came.taken_in
                found.setdefault(taken_in, []).extend(replace(span, project=project) for span in came.spans)
        return found


ten_minutes = TenMinutes()


@pytest.fixture(scope="module")
def passed(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    with migrated_stores.taken() as store:
        assert ten_minutes.pass_by(store).pending_traces == 0
        yield store


@pytest.fixture
def at_second(passed: EmbeddedStore, request: pytest.FixtureRequest) -> Callable[[float], Found]:
    """What the scenario of the test was settled to at one of the looks."""
    return lambda look: Found(passed, request.function.__name__, f"_at_{TenMinutes.looks.index(look)}")


@ten_minutes.of(
    Came(0, [agent(1), chat(2, 1, 100, 200)]),
    Came(20, [tool(3, 1, "search", 300, 400)]),
)
def test_a_span_that_comes_later_settles_its_trace_again(at_second: Callable[[float], Found]) -> None:
    assert at_second(4.9).runs("Steps") == []
    assert at_second(22).runs("Steps, HasLateSpans") == [(1, False)]
    assert at_second(26).runs("Steps, HasLateSpans") == [(2, True)]


@ten_minutes.of(Came(0, [chat(2, 1, 100, 200, remote=True)]), Came(20, [Sp(1, name="job")]))
def test_a_root_that_is_no_ai_span_settles_its_trace_again(at_second: Callable[[float], Found]) -> None:
    assert at_second(6).runs("RunId") == [run_of(1, 2)]
    assert at_second(26).runs("RunId, RunName") == [(run_of(1, 1), "job")]


@ten_minutes.of(Came(0, [chat(2, 1, 100, 200)]))
def test_an_open_run_is_given_up_in_the_end(at_second: Callable[[float], Found]) -> None:
    assert at_second(6).runs("Status") == ["open"]
    assert at_second(599).runs("Status") == ["open"]
    assert at_second(601).runs("Status, TopSpanId") == [("success", "")]


@ten_minutes.of(
    Came(0, [agent(1), chat(2, 1, 100, 200)]),
    Came(10.5, [tool(3, 1, "search", 300, 400)], taken_in=0),
    Came(10.5, [agent(1, trace=2)], taken_in=-3),
    Came(45.5, [tool(4, 1, "search", 300, 400)], taken_in=0),
)
def test_rows_that_are_visible_late_are_found(at_second: Callable[[float], Found]) -> None:
    """An insert takes its time, and the moment of intake is that before it."""
    assert at_second(10).runs("RunId, Steps") == [(run_of(1, 1), 1)]
    assert at_second(11).runs("RunId, Steps") == [(run_of(1, 1), 2), (run_of(2, 1), 0)]
    # The last seconds are counted at every look, the last minutes at every minute.
    assert at_second(50).runs("Steps") == [2, 0]
    assert at_second(111).runs("Steps") == [3, 0]


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


def test_a_new_job_gives_up_what_the_one_before_left_open(store: Store) -> None:
    receive(store, chat(2, 1, 100, 200))
    a_job(store).step(at(6))
    later = a_job(store)
    later.step(at(300))
    assert later.progress.pending_traces == 1
    later.step(at(901))
    assert runs(store, "Status") == ["success"]


def test_a_trace_that_never_gets_quiet_is_seen_meanwhile(store: Store) -> None:
    job = SettlingJob(store, SettlingConfig(quiet_s=20), "one")
    for second in range(0, 91, 15):
        receive(store, chat(10 + second, 1, second, second + 1), at_ns=NOW + second * S)
        job.step(at(second + 1))
    assert runs(store, "Status, Steps") == [("open", 6)]
    assert job.progress.runs == 2


def test_what_came_by_another_road_is_settled_when_told(store: Store) -> None:
    job = a_job(store)
    job.step(at(4000))
    receive(store, agent(1), chat(2, 1, 100, 200))
    job.step(at(4010))
    assert runs(store, "RunId") == []
    assert job.settle_window(at(-1), at(1), at(4011)) == 1
    assert runs(store, "RunId") == [run_of(1, 1)]


@pytest.fixture
def server(engine: EmbeddedStore, servers_store: EmbeddedStore, tmp_path: Path) -> Iterator[ServerStore]:
    """A server over a database of this process' engine."""
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    stand_in.start()
    server = ServerStore(f"http://127.0.0.1:{stand_in.port}", servers_store.database)
    yield server
    server.close()
    stand_in.stop()


def test_what_waited_in_the_spool_is_settled_before_it_is_taken_out(server: ServerStore, store: EmbeddedStore) -> None:
    """The outage was long before the seconds that the job still looks at, and its watermark is beyond it."""
    service = SettlingService(server, CONFIG)
    told: list[tuple[datetime, datetime]] = []

    def settle_at_the_second_call(taken_in_from: datetime, taken_in_to: datetime) -> None:
        told.append((taken_in_from, taken_in_to))
        if len(told) == 1:
            raise QueryFailed(241, "MEMORY_LIMIT_EXCEEDED", "too much")
        service.settle_window(taken_in_from, taken_in_to)

    a_job(server).step(at(4000))
    receive(store, agent(1), chat(2, 1, 100, 200), at_ns=NOW)
    receive(store, agent(1, trace=2), at_ns=NOW + 600 * S)
    spool = Spool(store, server, SpoolLimits(2**30, 0), on_traces_moved=settle_at_the_second_call)
    with pytest.raises(QueryFailed):
        spool.drain()
    assert runs(server, "RunId") == []
    assert spool.drain()
    assert runs(server, "RunId, Steps") == [(run_of(1, 1), 1), (run_of(2, 1), 0)]
    assert told == [(at(0), at(600))] * 2


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


@pytest.mark.long
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

    for table in ("otel_traces", "agent_runs", "agent_steps"):
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


@pytest.mark.parametrize("alone", [0, 1], ids=["all partitions together", "each partition by itself"])
def test_a_run_stays_one_when_its_retention_changes(store: EmbeddedStore, alone: int) -> None:
    """Its new rows lie in another partition, where they take nobody's place; readers may look at each by itself."""
    receive(store, agent(1), tool(2, 1), keep_days=30)
    settle(store)
    receive(store, chat(3, 1), keep_days=365)
    settle(store)

    setting = f"SETTINGS do_not_merge_across_partitions_select_final = {alone}"
    assert store.rows(f"SELECT KeepDays, Steps FROM agent_runs FINAL {setting}") == [(365, 2)]
    assert store.rows(f"SELECT KeepDays, SpanId FROM agent_steps FINAL ORDER BY SpanId {setting}") == [
        (30, "0000000000000002"),
        (365, "0000000000000003"),
    ]
