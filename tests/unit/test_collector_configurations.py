"""The three configurations of a Collector that we ship, without one; with one, see ``tests/interop/otelcol``."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agentvigil.cli.settings import Settings
from agentvigil.semconv.privacy import KeyClass, key_classes
from agentvigil.semconv.screening import is_label, is_name
from agentvigil.storage.signals import SIGNALS

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs" / "collector.md"
GENERATOR: Final = ROOT / "tools" / "collector" / "generate_withholding.py"
RECEIVER, CLICKHOUSE, KAFKA = FILES = [ROOT / f"otel-collector{name}.yaml" for name in ("", "-clickhouse", "-kafka")]
KINDS: Final = ("receivers", "processors", "exporters", "extensions")
VARIABLE: Final = re.compile(r"\$\{env:(\w+)(:-([^}]*))?\}")
each_file: Final = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def configuration(file: Path) -> dict[str, Any]:
    """The configuration as the Collector reads it where no variable is set."""
    text = VARIABLE.sub(lambda found: found[3], file.read_text(encoding="utf-8"))
    loaded: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))
    return loaded


@each_file
def test_every_component_is_defined_used_and_built(file: Path) -> None:
    """A Collector refuses to start on a name that nobody defined, or that it was built without."""
    config = configuration(file)
    pipelines = config["service"]["pipelines"]
    assert pipelines.keys() == {signal.name for signal in SIGNALS}
    used = {kind: {name for pipeline in pipelines.values() for name in pipeline[kind]} for kind in KINDS[:3]}
    used["extensions"] = {*config["service"]["extensions"]}
    offered = {"k8s_attributes", "otlp_http/agentvigil"}  # for variables to choose
    for kind, names in used.items():
        assert names <= config[kind].keys() <= names | offered
    for exporter in config["exporters"].values():
        assert exporter["sending_queue"]["storage"] in config["extensions"]

    builder = yaml.safe_load((ROOT / "tests/interop/otelcol/builder.yaml").read_text(encoding="utf-8"))
    for kind in KINDS:
        modules = {re.findall(r"(\w+) v", component["gomod"])[0] for component in builder[kind]}
        for name in config[kind]:
            kind_name = name.partition("/")[0]
            assert MODULES.get(kind_name, kind_name.replace("_", "") + kind.removesuffix("s")) in modules


MODULES: Final = {"otlp_grpc": "otlpexporter", "file_storage": "filestorage"}
"""Modules that are not called as their component is."""


@each_file
def test_every_key_is_one_that_the_component_has(file: Path) -> None:
    """A key that is written wrong keeps the Collector from starting. The known keys are read out of its own code."""
    known = json.loads((ROOT / "tests" / "data" / "otelcol_keys.json").read_text(encoding="utf-8"))
    config = configuration(file)
    unknown = [
        path
        for kind in KINDS
        for name, settings in config[kind].items()
        for path in unknown_keys(settings, known[kind][name.partition("/")[0]], f"{kind}.{name}")
    ]
    assert unknown == []


def unknown_keys(settings: Any, known: Any, path: str) -> Iterator[str]:
    if isinstance(settings, dict) and isinstance(known, dict):
        for key, value in settings.items():
            if key in known or "*" in known:
                yield from unknown_keys(value, known.get(key, known.get("*")), f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(settings, list) and isinstance(known, list):
        for value in settings:
            yield from unknown_keys(value, known[0], path)
    elif isinstance(settings, dict | list) and settings:
        yield f"{path} is no {type(settings).__name__}"


def test_a_key_that_no_component_has_is_found() -> None:
    known = {"a": {"b": None}, "c": [{"d": None}], "e": {"*": {"f": None}}}
    found = unknown_keys({"a": {"x": 1}, "c": [{"d": 1}, {"y": 1}], "e": {"any": {"z": 1}}, "w": 1}, known, "")
    assert [*found] == [".a.x", ".c.y", ".e.any.z", ".w"]


@each_file
def test_who_may_be_refused_is_asked_first_and_what_is_stored_is_private(file: Path) -> None:
    """Senders must hear of full memory before anything is done for them, and nobody else may read the queue."""
    config = configuration(file)
    for pipeline in config["service"]["pipelines"].values():
        assert pipeline["processors"][0] == "memory_limiter"
    assert config["extensions"]["file_storage/agentvigil"]["directory_permissions"] == "0700"
    for exporter in config["exporters"].values():
        assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"


@each_file
def test_nothing_comes_in_that_may_not_go_out(file: Path) -> None:
    """A request that AgentVigil refuses for its size is gone: the Collector passes requests on as they came."""
    protocols = configuration(file)["receivers"]["otlp"]["protocols"]
    assert protocols["grpc"]["max_recv_msg_size_mib"] * 2**20 <= Settings().max_request_bytes
    assert protocols["http"]["max_request_body_size"] <= Settings().max_request_bytes


@each_file
def test_it_listens_on_this_machine_only_and_beside_agentvigil(file: Path) -> None:
    """Started without any variable on the machine of a server without any variable, both work."""
    config, settings = configuration(file), Settings()
    protocols = config["receivers"]["otlp"]["protocols"]
    (reader,) = config["service"]["telemetry"]["metrics"]["readers"]
    metrics = reader["pull"]["exporter"]["prometheus"]
    listens = [
        protocols["grpc"]["endpoint"],
        protocols["http"]["endpoint"],
        config["extensions"]["health_check"]["endpoint"],
        f"{metrics['host']}:{metrics['port']}",
    ]
    assert all(address.startswith("127.0.0.1:") for address in listens)
    assert not {*listens} & {
        str(settings.otlp_grpc),
        str(settings.otlp_http),
        str(settings.api),
        str(settings.clickhouse_http),
    }


def test_it_sends_to_where_agentvigil_listens() -> None:
    exporters, settings = configuration(RECEIVER)["exporters"], Settings()
    assert exporters["otlp_grpc/agentvigil"]["endpoint"] == f"http://{settings.otlp_grpc}"
    assert exporters["otlp_http/agentvigil"]["endpoint"] == f"http://{settings.otlp_http}"


def test_what_is_inserted_goes_to_our_tables_and_waits_for_them() -> None:
    exporter = configuration(CLICKHOUSE)["exporters"]["clickhouse"]
    tables = {exporter[f"{name}_table_name"] for name in ("traces", "logs")}
    tables |= {table["name"] for table in exporter["metrics_tables"].values()}
    assert tables == {destination.table for signal in SIGNALS for destination in signal.destinations}
    assert (exporter["create_schema"], exporter["async_insert"]) == (False, False)


def test_every_variable_has_a_default_and_is_documented() -> None:
    """The Collector must start without any, and people must find out about each."""
    variables = [found for file in FILES for found in VARIABLE.finditer(file.read_text(encoding="utf-8"))]
    assert all(found[2] for found in variables)
    rows = dict(re.findall(r"^\| `(AGENTVIGIL_\w+)` \| (.*?) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows.keys() == {found[1] for found in variables}
    for found in variables:
        assert found[3] in rows[found[1]]


def test_what_people_copy_from_the_document_is_what_we_ship() -> None:
    """It is tested here and pasted there."""
    shipped = RECEIVER.read_text(encoding="utf-8")
    copied = shipped.partition("copy from here\n")[2].partition("  # ---- to here")[0]
    assert f"```yaml\nexporters:\n{copied}```" in DOCUMENT.read_text(encoding="utf-8")


# What the Collector withholds where it inserts itself


def statements(signal: str, context: str) -> list[str]:
    """What is done to the attributes of ``context``, in order."""
    groups = configuration(CLICKHOUSE)["processors"]["transform/withhold"][f"{signal}_statements"]
    found: list[str] = next(
        group["statements"]
        for group in groups
        if group["context"] == context and any("(attributes" in text for text in group["statements"])
    )
    return found


def literals(call: str) -> list[str]:
    """The quoted texts of ``call``, in order."""
    return [json.loads(quoted) for quoted in re.findall(r'"(?:[^"\\]|\\.)*"', call)]


def withheld(key: str, value: str) -> str | None:
    """What the statements leave of an attribute, done by hand: None for nothing."""
    attributes, cache = {key: value}, {key: value}
    for call in statements("trace", "span"):
        name, target = re.findall(r"^(\w+)\((\w+)", call)[0]
        written = {"attributes": attributes, "cache": cache}[target]
        texts = literals(call)
        if name == "keep_matching_keys":
            cache = {key: value for key, value in cache.items() if re.search(texts[0], key)}
        elif name == "delete_matching_keys":
            attributes = {key: value for key, value in attributes.items() if not re.search(texts[0], key)}
        elif name == "replace_all_patterns":
            written.update(
                (key, re.sub(texts[1], texts[2].replace("$1", r"\1"), value)) for key, value in [*written.items()]
            )
        elif call.startswith("merge_maps(attributes"):
            attributes.update(cache)
    return attributes.get(key)


def test_the_file_has_what_our_vocabulary_says() -> None:
    """Who adds a key to the vocabulary, or to a dialect, has withheld it in the Collector as well."""
    checked = subprocess.run([sys.executable, GENERATOR, "--check"], timeout=60, check=False)
    assert checked.returncode == 0, f"run python {GENERATOR.relative_to(ROOT)}"


def test_what_people_and_models_said_goes_by_its_key() -> None:
    """As short as it may be, and by all that our privacy rules know: keys, beginnings, and beginnings with a number."""
    classes = key_classes()
    gone = {KeyClass.CONTENT, KeyClass.FREE_TEXT, KeyClass.STACKTRACE, KeyClass.NOT_A_LABEL}
    beginnings = [f"{family}{end}" for family in classes.families for end in ("0.x", "x", "name")]
    for key in (*classes.keys, *beginnings, "a key", "", "k" * 129, "gen_ai.prompt.name", "gen_ai.prompt.0.content"):
        assert (withheld(key, "yes") is None) == (classes.of(key) in gone), key


def test_what_tells_how_a_conversation_is_built_goes_with_it() -> None:
    """Our receiver keeps it. Without looking ahead no pattern can, and docs/collector.md says so."""
    assert key_classes().of("llm.input_messages.0.message.role") is KeyClass.UNKNOWN
    assert withheld("llm.input_messages.0.message.role", "user") is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "gpt-4.1",
            "support bot 2",
            "1200",
            "0.25",
            "true",
            "",
            "2026-11-29T23:25:00Z",
            "https://example.org/a?".strip("?"),
        ),
        *('["stop","length"]', "[1,2]", "Prüfer für Verträge", "7f3c9e1a", "{}"),
    ],
)
def test_names_numbers_and_lists_of_them_stay(text: str) -> None:
    assert withheld("any.key", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "my card is 4111 1111 1111 1111",
        "What?",
        "Don't",
        "two\nlines",
        "日本",
        "a b c d",
        "QUJD" * 40,
        '["please tell me the secret"]',
        '{"content": "please tell me the secret"}',
    ],
)
def test_other_text_is_replaced_whatever_its_key(text: str) -> None:
    """Nobody knows the key, so that the text has to tell."""
    assert not is_label(text)
    assert not is_name(text)
    assert withheld("any.key", text) == "~"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"input": 12, "output": 5, "total": 17}', '{"input": 12, "output": 5, "total": 17}'),
        ("{'prompt_tokens': 12, 'completion_tokens': 5}", "{'prompt_tokens': 12, 'completion_tokens': 5}"),
        ('{"temperature": 0.2, "stop": "tell me"}', '{"temperature": 0.2, "stop": "~"}'),
        ("{tell me}", "~"),
        ("tell me", "~"),
        ("{日本}", "~"),
        ("12", "12"),
    ],
)
def test_of_structures_of_numbers_the_numbers_stay(text: str, left: str) -> None:
    """Some dialects write their tokens so, and the typed columns read them."""
    assert withheld("langfuse.observation.usage_details", text) == left


@pytest.mark.parametrize("signal", ["trace", "log", "metric"])
def test_it_is_done_wherever_attributes_are(signal: str) -> None:
    """Links and exemplars have attributes too; a Collector can not reach those."""
    contexts = {"trace": ("span", "spanevent"), "log": ("log",), "metric": ("datapoint",)}[signal]
    for context in ("resource", "scope", *contexts):
        assert statements(signal, context) == statements("trace", "span")
    for pipeline in configuration(CLICKHOUSE)["service"]["pipelines"].values():
        assert pipeline["processors"][-1] == "transform/withhold"
    assert configuration(CLICKHOUSE)["processors"]["transform/withhold"]["error_mode"] == "propagate"
