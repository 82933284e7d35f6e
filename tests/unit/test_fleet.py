"""The simulated fleet: what it plays must look like a well-instrumented program, or the demo proves nothing."""

import ast
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import agentvigil.cli.fleet
from agentvigil.cli.fleet.agents import SUPPORT
from agentvigil.cli.fleet.history import CONCIERGE, history
from agentvigil.cli.fleet.playing import CountingExporter, Player
from agentvigil.cli.fleet.script import DEFAULT_SEED, PlannedRun, Script
from agentvigil.semconv import attributes as a

RUNS = 300  # few enough that no batch processor has to wait for room
ENDED_NS = 1_700_000_000 * 10**9

CLIENT_OPERATIONS = {"chat", "embeddings", "retrieval"}
INTERNAL_OPERATIONS = {"invoke_agent", "invoke_workflow", "execute_tool"}
SUBJECT = {
    "chat": a.GEN_AI_REQUEST_MODEL,
    "embeddings": a.GEN_AI_REQUEST_MODEL,
    "retrieval": a.GEN_AI_DATA_SOURCE_ID,
    "invoke_agent": a.GEN_AI_AGENT_NAME,
    "invoke_workflow": a.GEN_AI_WORKFLOW_NAME,
    "execute_tool": a.GEN_AI_TOOL_NAME,
}


def runs_of(seed: int, count: int = RUNS) -> list[PlannedRun]:
    script = Script(seed, ids=random.Random(seed))
    return [script.next_run() for _ in range(count)]


def play(runs: Iterable[PlannedRun]) -> tuple[list[ReadableSpan], Player]:
    exporters: list[InMemorySpanExporter] = []

    def new_exporter() -> SpanExporter:
        exporters.append(InMemorySpanExporter())
        return exporters[-1]

    player = Player(new_exporter)
    for run in runs:
        player.play(run, ENDED_NS)
    player.close(timeout_s=5)
    return [span for exporter in exporters for span in exporter.get_finished_spans()], player


@pytest.fixture(scope="module")
def spans() -> list[ReadableSpan]:
    return play(runs_of(seed=1))[0]


def operation(span: ReadableSpan) -> str:
    return str(span.attributes[a.GEN_AI_OPERATION_NAME])


def test_names_and_kinds_follow_the_conventions(spans: list[ReadableSpan]) -> None:
    """A span is ``{operation} {subject}``; calls that leave the process are CLIENT, the others INTERNAL."""
    assert {operation(span) for span in spans} == CLIENT_OPERATIONS | INTERNAL_OPERATIONS
    for span in spans:
        assert span.name == f"{operation(span)} {span.attributes[SUBJECT[operation(span)]]}"
        assert span.kind is (SpanKind.CLIENT if operation(span) in CLIENT_OPERATIONS else SpanKind.INTERNAL)


def test_every_trace_is_one_tree_inside_its_root(spans: list[ReadableSpan]) -> None:
    """No orphan, one root, and no child outlives its parent: waterfalls and run durations rest on it."""
    traces: defaultdict[int, dict[int, ReadableSpan]] = defaultdict(dict)
    for span in spans:
        traces[span.context.trace_id][span.context.span_id] = span
    assert len(traces) == RUNS
    for trace in traces.values():
        (root,) = (span for span in trace.values() if span.parent is None)
        assert operation(root) in {"invoke_agent", "invoke_workflow"}
        assert root.end_time == ENDED_NS
        for span in trace.values():
            assert span.start_time < span.end_time
            if span.parent is not None:
                parent = trace[span.parent.span_id]
                assert parent.start_time <= span.start_time
                assert span.end_time <= parent.end_time
                assert operation(parent) in {"invoke_agent", "invoke_workflow"}


def test_a_finished_chat_reports_models_tokens_and_provider(spans: list[ReadableSpan]) -> None:
    """Cache and reasoning tokens are parts of the totals, never added to them."""
    finished = [span for span in spans if operation(span) == "chat" and span.status.status_code is not StatusCode.ERROR]
    assert {span.attributes[a.GEN_AI_PROVIDER_NAME] for span in finished} == {
        "openai",
        "anthropic",
        "gcp.gemini",
        "aws.bedrock",
        "mistral_ai",
    }
    assert len({span.attributes[a.GEN_AI_RESPONSE_ID] for span in finished}) == len(finished)
    for span in finished:
        tokens = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.")}
        assert span.attributes[a.GEN_AI_RESPONSE_MODEL]
        assert span.attributes[a.GEN_AI_RESPONSE_FINISH_REASONS] in {("stop",), ("tool_call",)}
        assert tokens[a.GEN_AI_USAGE_OUTPUT_TOKENS] > tokens.get(a.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, 0)
        cached = tokens[a.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS] + tokens.get(a.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, 0)
        assert 0 <= cached <= tokens[a.GEN_AI_USAGE_INPUT_TOKENS]


def test_all_but_the_workflow_say_which_agent_and_version(spans: list[ReadableSpan]) -> None:
    """Calls can be counted per agent version without walking the tree."""
    for span in spans:
        if operation(span) != "invoke_workflow":
            assert span.attributes[a.GEN_AI_AGENT_NAME]
            assert span.attributes[a.GEN_AI_AGENT_VERSION] == span.resource.attributes[a.SERVICE_VERSION]
        assert span.resource.attributes[a.DEPLOYMENT_ENVIRONMENT_NAME] in {"production", "staging"}


def test_an_error_has_a_type_and_a_status_and_only_then(spans: list[ReadableSpan]) -> None:
    for span in spans:
        assert (a.ERROR_TYPE in span.attributes) is (span.status.status_code is StatusCode.ERROR)
        assert bool(span.status.description) is (span.status.status_code is StatusCode.ERROR)


def test_half_a_minute_of_the_demo_holds_every_kind_of_trouble() -> None:
    """A newcomer looks at 60 runs. Whoever changes a scene may have to choose another ``DEFAULT_SEED``."""
    runs = runs_of(DEFAULT_SEED, count=60)
    errors = Counter(span.attributes.get(a.ERROR_TYPE) for run in runs for span in run.root.walk())
    for expected in (
        "timeout",
        "tool_error",
        "syntax_error",
        "rate_limit_exceeded",
        "context_length_exceeded",
        "asyncio.CancelledError",
    ):
        assert errors[expected], expected

    support = {"1.3": Counter[bool](), "1.4": Counter[bool]()}
    for run in runs:
        if run.deployment.service == SUPPORT:
            support[run.deployment.version][run.root.error is not None] += 1
    assert support["1.4"][True] > support["1.3"][True], "1.4 is the version that fails more"


def test_retries_conversations_and_content_are_there() -> None:
    """Every attempt has its own span; people come back; some instrumentation records content, some does not."""
    planned = [(run.root, span) for run in runs_of(seed=1) for span in run.root.walk()]
    attempts = Counter(span.attributes.get(a.GEN_AI_TOOL_CALL_ID, "none") for _, span in planned)
    turns = Counter(span.attributes.get(a.GEN_AI_CONVERSATION_ID, "none") for root, span in planned if root is span)
    del attempts["none"], turns["none"]
    assert max(attempts.values()) == 3
    assert max(turns.values()) > 2
    chats = [span for _, span in planned if span.attributes[a.GEN_AI_OPERATION_NAME] == "chat"]
    assert 0 < sum(a.GEN_AI_INPUT_MESSAGES in span.attributes for span in chats) < len(chats)


def test_equal_seeds_tell_the_same_story_with_other_ids() -> None:
    """Shared response ids would make two fleets look like one seen twice."""

    def story(seed: int, ids: int) -> list[tuple[object, ...]]:
        script = Script(seed, ids=random.Random(ids))
        return [
            (run.deployment, span.name, span.start_ns, span.end_ns, span.error, span.attributes.get(key))
            for run in (script.next_run() for _ in range(50))
            for span in run.root.walk()
            for key in (a.GEN_AI_USAGE_INPUT_TOKENS, a.USER_ID)
        ]

    def response_ids(ids: int) -> set[object]:
        script = Script(1, ids=random.Random(ids))
        return {
            span.attributes[a.GEN_AI_RESPONSE_ID]
            for run in (script.next_run() for _ in range(50))
            for span in run.root.walk()
            if a.GEN_AI_RESPONSE_ID in span.attributes
        }

    assert story(seed=1, ids=1) == story(seed=1, ids=2)
    assert story(seed=1, ids=1) != story(seed=2, ids=1)
    assert response_ids(1).isdisjoint(response_ids(2))


def test_a_faster_fleet_does_the_same_things() -> None:
    """The rate decides who can come back already, and nothing else: a story is known by its seed."""

    def steps(rate: float) -> list[tuple[str, int]]:
        script = Script(1, rate=rate)
        return [(span.name, span.end_ns) for _ in range(50) for span in script.next_run().root.walk()]

    assert steps(rate=0.5) == steps(rate=50)


def test_a_conversation_waits_for_its_answer() -> None:
    """A person's next question comes after the last answer, also where runs of a fleet overlap."""
    ended: dict[object, float] = {}
    for number, run in enumerate(runs_of(seed=3), start=1):
        conversation = run.root.attributes.get(a.GEN_AI_CONVERSATION_ID)
        ended_s = number / 2
        if conversation is not None:
            began_s = ended_s - run.root.end_ns / 1e9
            assert ended.get(conversation, began_s) <= began_s
            ended[conversation] = ended_s


def test_delivered_counts_only_what_the_receiver_took() -> None:
    class Refusing(SpanExporter):
        def export(self, _spans: object) -> SpanExportResult:
            return SpanExportResult.FAILURE

    runs = runs_of(seed=1, count=5)
    _, delivering = play(runs)
    refused = Player(Refusing)
    for run in runs:
        refused.play(run, ENDED_NS)
    refused.close(timeout_s=5)

    total = sum(1 for run in runs for _ in run.root.walk())
    assert (delivering.delivered_spans, delivering.undelivered_spans, delivering.failed_exports) == (total, 0, 0)
    assert (refused.delivered_spans, refused.undelivered_spans) == (0, total)
    assert refused.failed_exports == len({run.deployment for run in runs})


def test_an_exporter_that_raises_is_counted_as_failed() -> None:
    class Raising(InMemorySpanExporter):
        def export(self, _spans: object) -> SpanExportResult:
            raise OSError("no route")

    exporter = CountingExporter(Raising())
    with pytest.raises(OSError, match="no route"):
        exporter.export([])
    assert exporter.failed_exports == 1


def test_the_fleet_is_an_ordinary_program() -> None:
    """It imports OpenTelemetry, the standard library and the vocabulary: nothing a user's program could not."""
    allowed = {"opentelemetry", *sys.stdlib_module_names}
    for module in Path(agentvigil.cli.fleet.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            for name in names:
                ours = name.startswith(("agentvigil.semconv", "agentvigil.cli.fleet"))
                assert ours or name.split(".")[0] in allowed, f"{module.name} imports {name}"


def test_history_ends_with_the_last_whole_hour_and_changes_near_its_end() -> None:
    """Nothing is dated in the hour that goes on, and each agent behaves otherwise after its change than before."""
    hour_ns = 3600 * 10**9
    told = list(history(seed=1, now_ns=ENDED_NS, days=18))
    this_hour = ENDED_NS // hour_ns
    assert [ended_ns for _, ended_ns in told] == sorted(ended_ns for _, ended_ns in told)
    hours = {ended_ns // hour_ns for _, ended_ns in told}
    assert (min(hours), max(hours)) == (this_hour - 18 * 24, this_hour - 1)

    shares: defaultdict[tuple[str, bool], list[bool]] = defaultdict(list)
    for run, ended_ns in told:
        names = {span.name for span in run.root.walk()}
        if run.deployment.service == CONCIERGE:
            shares[CONCIERGE, this_hour - ended_ns // hour_ns <= 40].append("execute_tool hand_over" in names)
    before, after = (sum(each) / len(each) for each in (shares[CONCIERGE, False], shares[CONCIERGE, True]))
    assert before < 0.2
    assert after > 0.35


def test_the_same_seed_tells_the_same_history() -> None:
    first, second = (
        [(ended_ns, run.root.end_ns) for run, ended_ns in history(seed=3, now_ns=ENDED_NS, days=1)] for _ in range(2)
    )
    assert first == second
