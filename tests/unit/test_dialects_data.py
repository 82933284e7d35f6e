"""The data of the dialects: checked when it is loaded, found by what it says, and documented."""

import copy
import importlib.util
import tomllib
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentvigil.semconv import attributes as vocabulary
from agentvigil.semconv.dialects import BadDialect, load
from agentvigil.semconv.dialects.key_table import key_table
from agentvigil.semconv.dialects.loading import build
from agentvigil.semconv.dialects.model import Detection
from agentvigil.semconv.dialects.validation import validate
from agentvigil.semconv.reference import Span, normalize

ROOT = Path(__file__).parents[2]
DATA = ROOT / "semconv" / "agentvigil" / "semconv" / "dialects" / "data"


@pytest.fixture
def documents() -> dict[str, dict[str, Any]]:
    """The files as parsed, to be spoilt."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in DATA.glob("*.toml")}


def check(documents: dict[str, dict[str, Any]]) -> None:
    validate(build(documents))


def test_the_data_fits_together(documents: dict[str, dict[str, Any]]) -> None:
    """What every span of every user is read by."""
    check(documents)


def spoil(documents: dict[str, dict[str, Any]], where: str, key: str, value: Any) -> None:
    table = documents
    *path, last = where.split("/")
    for name in (*path, last):
        table = table.setdefault(name, {})
    table[key] = value


@pytest.mark.parametrize(
    ("where", "key", "value", "problem"),
    [
        ("openlit/shared", "x", "gen_ai.usage.tokens", "unknown target"),
        ("openlit/shared", "session.id", "gen_ai.conversation.id", "mapped twice"),
        ("openlit/shared", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "target of its own"),
        ("openlit/shared", "x", {"to": "user.id", "rank": 0}, "rank 0"),
        ("openlit/shared", "x", {"to": "user.id", "convert": "guess"}, "unknown conversion"),
        ("openlit/shared", "gen_ai.application_name", "user.id", "not mapped on purpose"),
        ("openlit/own", "user.id", "user.id", "mapped to itself"),
        ("openlit/tokens", "input", "maybe", "unknown convention"),
        ("openlit/tokens", "by_source", {"nobody.sends": "excludes_cache"}, "unknown source"),
        ("openlit/tokens", "typo", 1, "not as the model has it"),
        ("openlit/detect", "scopes", ["litellm"], "detects by"),
        ("openlit/detect", "typo", ["litellm"], "unknown ways to detect"),
        ("openlit", "sends", ["nobody.declares"], "no dialect declares"),
        ("openlit", "typo", {}, "unknown tables"),
        ("openlit", "operation", [{"source": "x", "values": {"LLM": "chat"}}], "lower case"),
        ("openlit", "operation", [{"source": "x", "values": {"llm": "talk"}}], "unknown operation"),
        ("openlit", "span_name", [{"equals": "x", "operation": "talk"}], "unknown operation"),
        ("openlit", "event", [{"name": "x", "target": "y"}], "unknown target"),
        ("openlit", "event", [{"name": "gen_ai.choice", "attributes": True}], "has the span event"),
        ("openlit", "flattened", [{"prefix": "x.", "target": "y", "shape": "fields"}], "unknown target or shape"),
        (
            "openlit",
            "rule",
            [{"source": "x", "target": "user.id", "when": {"y": "1"}}] * 2,
            "mapped twice under one condition",
        ),
        ("openlit", "rule", [{"source": "x", "target": "user.id", "operations": ["talk"]}], "unknown operations"),
        ("common", "order", ["openlit"], "name each dialect once"),
        ("common/targets", "names", ["gen_ai.mood"], "not in registry.toml"),
        ("common/targets", "names", ["user.id", "user.id"], "twice"),
        ("common/targets", "signed", ["user.id"], "no counts otherwise"),
        ("common/operations", "talk", "twice", "unknown way"),
        ("common/values/gen_ai.provider.name", "OpenAI", "openai", "lower case"),
        ("common/values/gen_ai.provider.name", "oai", "azure", "something else again"),
        ("common/frameworks", "openai", "openai", "framework and a provider"),
    ],
)
def test_a_mistake_in_the_data_is_told(
    documents: dict[str, dict[str, Any]], where: str, key: str, value: Any, problem: str
) -> None:
    """Two files that claim one key would make the meaning depend on their order."""
    spoilt = copy.deepcopy(documents)
    spoil(spoilt, where, key, value)

    with pytest.raises(BadDialect, match=problem) as caught:
        check(spoilt)

    assert caught.value.dialect in spoilt


def test_conditions_that_exclude_each_other_may_share_a_source(documents: dict[str, dict[str, Any]]) -> None:
    """One key is an agent's name on one kind of span and a tool's on another."""
    rules = [
        {"source": "x", "target": "user.id", "when": {"y": "1"}},
        {"source": "x", "target": "gen_ai.tool.name", "when": {"y": "2"}},
    ]
    documents["openlit"]["rule"] = rules

    check(documents)


def test_each_target_of_ours_is_in_the_vocabulary() -> None:
    """Names that the store has columns for must not drift from those that are written here."""
    names = {value for name, value in vars(vocabulary).items() if name.startswith("GEN_AI_")}

    assert names - load().targets.keys() == {vocabulary.GEN_AI_SYSTEM}


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("gen_ai.request.model", "string"),
        ("gen_ai.request.seed", "int"),
        ("gen_ai.request.top_k", "int"),
        ("gen_ai.request.max_tokens", "count"),
        ("gen_ai.request.temperature", "double"),
        ("gen_ai.request.stream", "bool"),
        ("gen_ai.response.finish_reasons", "strings"),
        ("gen_ai.input.messages", "any"),
    ],
)
def test_a_target_is_read_as_what_the_vocabulary_says(target: str, kind: str) -> None:
    """A count refuses what an int takes, so a token count of -1 is not believed and a seed of -1 is."""
    assert load().targets[target] == kind


def test_a_key_has_one_place_in_the_table() -> None:
    """What compiles it to SQL looks a key up once, and sorts by the order."""
    table = key_table(load())
    first = [row.key for row in table if not row.is_second]
    places = [(row.target, row.order) for row in table]

    assert len(first) == len(set(first))
    assert len(places) == len(set(places))


@pytest.mark.parametrize("target", load().targets)
def test_the_table_has_the_precedence_of_the_reference(target: str) -> None:
    """Of every two keys of one target that a span may carry, both read the same one."""
    rows = [row for row in key_table(load()) if row.target == target and row.convert == ""]
    for dialect in ("", *load().dialects):
        found_by = load().dialects[dialect].detection if dialect else Detection()
        scope = next(iter((*found_by.scopes, *(f"{prefix}x" for prefix in found_by.scope_prefixes))), "")
        own = {row.key.removeprefix(f"{dialect} "): row for row in rows if row.key.startswith(f"{dialect} ")}
        shared = {row.key: row for row in rows if " " not in row.key}
        keys = sorted((shared | own).items(), key=lambda item: item[1].order)
        for (better, _), (worse, _) in pairwise(keys):
            span = Span({better: "1", worse: "1"}, scope=scope)
            result = normalize(span)
            if result.dialect.removeprefix("unknown") == dialect and target in result.sources:
                assert result.sources[target] == better


@pytest.mark.parametrize(
    ("span", "dialect"),
    [
        (Span(scope="opentelemetry.instrumentation.openai"), "openllmetry"),
        (Span(scope="opentelemetry.instrumentation.openai.v1"), "openllmetry"),
        (Span(scope="opentelemetry.instrumentation.openai_v2"), "otel-genai"),
        (Span(scope="opentelemetry.instrumentation.openaiish"), ""),
        (Span(scope="opentelemetry.instrumentation.genai.anthropic"), "otel-genai"),
        (Span(scope="opentelemetry.instrumentation.requests"), ""),
        (Span(scope="com.anthropic.sdk.python.bedrock"), "anthropic-sdk"),
        (Span(scope="com.anthropic.claude-platform"), "anthropic-sdk"),
        (Span(resource={"service.name": "claude-platform"}), "anthropic-sdk"),
        (Span(resource={"telemetry.sdk.name": "openlit"}), "openlit"),
        (Span({"gen_ai.application_name": "x"}), "openlit"),
        (Span({"gen_ai.system": "strands-agents"}), "strands"),
        (Span({"gen_ai.system": "autogen"}), "autogen"),
        (Span({"sk.available_functions": "x"}), "semantic-kernel"),
        (Span({"executor.id": "x"}), "agent-framework"),
        (Span({"lk.anything": "x"}), "livekit"),
        (Span({"logfire.msg": "x"}), "pydantic-ai"),
        (Span({"mcp.method.name": "tools/list"}), "mcp-sdk"),
        (Span({"ai.operationId": "x"}), "vercel-ai"),
        (Span(name="ai.generateText"), "vercel-ai"),
        (Span(name="claude_code.tool"), "claude-code"),
        (Span({"gen_ai.system": "openai"}), "otel-genai"),
        # The scope tells more than a marker, and a telling marker more than a common one.
        (Span({"openinference.span.kind": "LLM"}, scope="pydantic-ai"), "pydantic-ai"),
        (Span({"openinference.span.kind": "LLM", "gen_ai.system": "openai"}), "openinference"),
        (Span({"langfuse.trace.name": "x", "openinference.span.kind": "LLM"}), "openinference"),
        (Span({"llm.usage.prompt_tokens": 1}), "unknown"),
        (Span({"llm.something": 1}), "unknown"),
        (Span({"session.id": "browser"}), ""),
        (Span({"http.request.method": "GET", "user.id": "u"}), ""),
        (Span(), ""),
    ],
)
def test_a_dialect_is_found(span: Span, dialect: str) -> None:
    """A wrong dialect reads bare words as what they are not, and counts tokens another way."""
    assert normalize(span).dialect == dialect


def test_an_unknown_dialect_is_reported() -> None:
    """Its shared keys are read all the same, and the rest is told, so that somebody can teach us."""
    result = normalize(Span({"llm.usage.prompt_tokens": 5, "llm.mood": "good", "acme.depth": 2, "http.route": "/"}))

    assert (result.dialect, result.attributes) == ("unknown", {"gen_ai.usage.input_tokens": 5})
    assert result.unmapped_keys == {"llm.mood", "acme.depth"}


def test_old_names_are_reported() -> None:
    """So that a page can say which service to upgrade."""
    result = normalize(Span({"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 1, "gen_ai.request.model": "m"}))

    assert result.deprecated_keys == {"gen_ai.system", "gen_ai.usage.prompt_tokens"}


def test_what_is_left_out_on_purpose_is_not_reported() -> None:
    """A report that is always full is read by nobody."""
    assert normalize(Span({"langsmith.trace.session_id": "x"})).unmapped_keys == frozenset()


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "tools" / "dialects" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_says_what_the_data_says() -> None:
    """Run ``python tools/dialects/generate_docs.py`` after a change of the data."""
    written = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")

    assert generator().document(load()) == written
