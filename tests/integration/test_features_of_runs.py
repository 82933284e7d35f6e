"""Runs that each show one thing, and how that is counted."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from agent_traces import Sp, agent, chat, receive, retrieval, run_of, settle, tool
from counted_features import HOUR, WINDOWS, Outside, check, counted, features_of, judge, of_trace, sum_hours

from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.features.names import bin_of
from agentvigil.analysis.features.reading import count_runs, read_cells
from agentvigil.semconv import names
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores

SCENES: Final[Mapping[str, Sequence[Sp]]] = {
    "orders": [
        agent(1, 0, "orders"),
        chat(2, 1, 0, 10),
        tool(3, 1, "find", 20, 30),
        tool(4, 1, "book", 40, 50),
        tool(5, 1, "find", 60, 70),
        tool(6, 1, "book", 80, 90),
    ],
    "switcher": [
        agent(1, 0, "switcher"),
        tool(2, 1, "find", 0, 10, error="no"),
        tool(3, 1, "book", 20, 30),
        chat(4, 1, 40, 50),
    ],
    "side by side": [
        agent(1, 0, "side by side"),
        tool(2, 1, "find", 0, 30, error="no"),
        # It was asked for before the other failed.
        tool(3, 1, "book", 20, 40),
        chat(4, 1, 50, 60),
    ],
    "serial": [
        agent(1, 0, "serial", 0, 1000),
        chat(2, 1, 0, 100),
        tool(3, 1, "find", 100, 300),
        tool(4, 1, "book", 300, 400),
        chat(5, 1, 400, 500),
        tool(6, 1, "find", 500, 600),
        chat(7, 1, 600, 700),
        # Tools of a program, and tools that were asked for at once and ran at once, cost no time.
        tool(8, 1, "find", 700, 800),
        tool(9, 1, "book", 750, 800),
    ],
    "team": [
        agent(1, 0, "team", 0, 1000),
        agent(2, 1, "a", 0, 100, error="no"),
        chat(3, 2, 10, 90, error="no"),
        agent(4, 1, "b", 100, 200, error="no"),
        agent(5, 1, "c", 200, 300),
        agent(6, 5, "inside c", 210, 220, error="no"),
        agent(7, 1, "d", 250, 400),
        agent(8, 1, "e", 400, 500),
        chat(9, 8, 400, 450),
    ],
    "hollow": [
        agent(1, 0, "hollow"),
        retrieval(2, 1, 0, 10, attributes={"agentvigil.retrieval.document.count": 3}),
        retrieval(3, 1, 20, 30, attributes={"agentvigil.retrieval.document.count": 0}),
        chat(4, 1, 40, 50),
    ],
    "founded": [
        agent(1, 0, "founded"),
        retrieval(2, 1, 0, 10, attributes={"agentvigil.retrieval.document.count": 0}),
        retrieval(3, 1, 20, 30, attributes={"agentvigil.retrieval.document.count": 3}),
        chat(4, 1, 40, 50),
    ],
    "full": [
        agent(1, 0, "full"),
        chat(2, 1, 0, 10, model="gpt-4", tokens=(2000, 1)),
        tool(3, 1, "find", 10, 20),
        chat(4, 1, 30, 40, model="gpt-4", tokens=(3000, 1)),
        tool(5, 1, "find", 40, 50),
        chat(6, 1, 60, 70, model="gpt-4", tokens=(5000, 1)),
        tool(7, 1, "book", 70, 80, error="no"),
        chat(8, 1, 90, 100, model="nobody-knows", tokens=(5000, 1)),
        chat(9, 1, 110, 120, model="gpt-4", tokens=(8000, 1)),
    ],
    "mcp": [
        agent(1, 0, "mcp"),
        tool(2, 1, "find", 0, 100),
        tool(3, 1, "find", 0, 100),
        tool(4, 2, "find", 10, 90, service="server"),
        tool(5, 3, "find", 10, 90, service="server"),
    ],
    "sure": [
        agent(1, 0, "sure", attributes={names.AGENTVIGIL_CONFIDENCE: 0.8}),
        chat(2, 1, 0, 10, attributes={names.AGENTVIGIL_CONFIDENCE: 0.1}),
    ],
}
SURE: Final = run_of(list(SCENES).index("sure") + 1, 1)


@pytest.fixture(scope="module")
def scenes(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """Runs of one agent each, that show one thing."""
    with migrated_stores.taken() as store:
        receive(store, *(span for number, spans in enumerate(SCENES.values(), 1) for span in of_trace(number, spans)))
        settle(store, *range(1, len(SCENES) + 1), final=True)
        judge(store, SURE, 0.2)
        judge(store, SURE, 0.9)
        sum_hours(store)
        yield store


@pytest.mark.parametrize(
    ("name", "feature", "counts"),
    [
        ("orders", "tool", {0: 1, "find": 1, "book": 1}),
        ("orders", "tool_order", {0: 1, "find>book": 1, "book>find": 1}),
        ("orders", "tool_switch", {0: 1}),
        ("switcher", "tool_error", {0: 1, "any": 1}),
        ("switcher", "tool_switch", {0: 1, "any": 1}),
        ("switcher", "failure", {0: 1, "tool/tool_error": 1}),
        ("side by side", "tool_switch", {0: 1}),
        ("hollow", "retrieval", {0: 1, "empty": 1}),
        ("hollow", "unfounded", {0: 1, "any": 1}),
        ("founded", "retrieval", {0: 1, "empty": 1}),
        ("founded", "unfounded", {0: 1}),
        ("mcp", "tool_order", {0: 1, "find>find": 1}),
        # One that judges it bad is enough.
        ("sure", "confident", {0: 1, "bad": 1}),
    ],
)
def test_what_a_run_shows_is_counted(
    scenes: EmbeddedStore, name: str, feature: str, counts: Mapping[str | int, int]
) -> None:
    found = counted(scenes, feature, Subject("default", "", name))
    assert {key: n for key, (n, _) in found.items()} == counts


def test_only_tools_of_one_answer_that_wait_for_each_other_lose_time(scenes: EmbeddedStore) -> None:
    assert counted(scenes, "sequential_share", Subject("default", "", "serial")) == {bin_of(0.1): (1, 0.1)}
    assert "sequential_share" not in features_of(scenes, "full")


def test_agents_of_one_depth_come_after_each_other(scenes: EmbeddedStore) -> None:
    """After a came b, which failed; after b came c. While c worked d began; e came after d."""
    found = counted(scenes, "cascade", Subject("default", "", "team"))
    assert found == {"after_failure": (2, 1), "after_success": (1, 0)}


def test_calls_are_told_apart_by_how_full_their_window_is(scenes: EmbeddedStore) -> None:
    """Low: then find. Middle: then find again. High: then book fails; and the last one, after which nothing comes."""
    found = counted(scenes, "context", Subject("default", "", "full"))
    assert found == {"low": (1, 0), "middle": (1, 1), "high": (2, 1)}


def test_all_scenes_are_what_their_rows_say(scenes: EmbeddedStore) -> None:
    """So is what Python counts of them, by which the random runs are judged."""
    check(scenes, outside=Outside(WINDOWS, {SURE: True}))


def test_runs_are_counted_without_their_features(scenes: EmbeddedStore) -> None:
    found = count_runs(scenes, "default")
    assert found.keys() == {Subject("default", "", name) for name in SCENES}
    assert {(count.runs, count.first_hour) for count in found.values()} == {(1, HOUR)}
    assert count_runs(scenes, "default", HOUR + 1, HOUR + 2) == {}
    assert read_cells(scenes, "default", HOUR, HOUR + 1, []) == {}
    assert read_cells(scenes, "default", HOUR, HOUR + 1, [Subject("other", "", "full")]) == {}
    assert read_cells(scenes, "other", HOUR, HOUR + 1) == {}


def test_the_query_of_the_docs_tells_shares(scenes: EmbeddedStore) -> None:
    document = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r"```sql\n(.*?)```", document, re.DOTALL)
    rows = scenes.rows(sql.replace("'support'", "'orders'"))
    assert {tool: (runs, share) for _, tool, runs, share in rows} == {"": (1, 1), "book": (1, 1), "find": (1, 1)}
