"""The registry: everything made of it is up to date, and it agrees with whoever else knows the names."""

import importlib.util
import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, mcp_attributes

from agentvigil import semconv
from agentvigil.semconv import attributes, enums, names
from agentvigil.semconv.check import check
from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_PREFIXES
from agentvigil.semconv.normalization import SOURCES
from agentvigil.semconv.privacy import KeyClass, class_of
from agentvigil.semconv.registry import (
    LABEL_PATTERN,
    Attribute,
    Privacy,
    RegistryError,
    Stability,
    ValueType,
    constant_of,
    load,
    parse,
)
from agentvigil.semconv.spans import spans_in

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "semconv/agentvigil/semconv/registry.toml"
ATTRIBUTES = list(load().attributes.values())


def constants(module: ModuleType) -> dict[str, str]:
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("semconv_generate", ROOT / "tools/semconv/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module


def test_what_is_made_of_the_registry_is_up_to_date() -> None:
    """Somebody changes the registry and forgets the generator, or edits what it made."""
    stale = [str(path) for path, text in generator().files(load()).items() if path.read_text(encoding="utf-8") != text]

    assert stale == [], "run: python tools/semconv/generate.py"


def test_the_generator_runs_without_any_package(tmp_path: Path) -> None:
    """Whoever changes a name should not need our half gigabyte of an engine."""
    command = [sys.executable, "-I", "-S", str(ROOT / "tools/semconv/generate.py"), "--check"]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_vocabulary_loads_without_any_package(tmp_path: Path) -> None:
    """Applications import it alone; ``-S`` leaves them nothing but the standard library."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / "semconv")!r})
from agentvigil import semconv
from agentvigil.semconv import attributes, enums, names
assert "tomllib" not in sys.modules, "constants cost no parsing"
from agentvigil.semconv.check import check
print(check({{"name": "chat", "attributes": {{"gen_ai.operation.name": "chat"}}}})[0].attribute)
"""
    command = [sys.executable, "-I", "-S", "-c", program]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.stdout, run.stderr) == ("gen_ai.provider.name\n", "")


def test_each_name_is_a_constant() -> None:
    """A name that has to be spelled out in code is a name that will be misspelt."""
    registry = load()
    expected = {attribute.constant: attribute.name for attribute in ATTRIBUTES}
    expected |= {f"EVENT_{constant_of(name)}": name for name in registry.events}
    expected |= {f"METRIC_{constant_of(name)}": name for name in registry.metrics}
    expected |= {"SCHEMA_URL": registry.schema_url, "CORE_SCHEMA_URL": registry.core_schema_url}

    assert constants(names) == expected


def test_the_schema_is_found_where_one_looks_first() -> None:
    """Every tracer needs it, whoever writes the names out by hand included."""
    assert load().schema_url == semconv.SCHEMA_URL


def test_what_our_code_uses_is_a_part_of_all_names() -> None:
    """Two modules offer names; they must not disagree."""
    used = constants(attributes)

    assert used.items() <= constants(names).items()
    assert set(used) == set(attributes.__all__)
    assert {name for name in constants(names).values() if name.startswith("agentvigil.")} <= set(used.values())


def test_each_enum_has_the_members_of_the_registry() -> None:
    """A member is sent as it is, so its value is what counts."""
    made = {
        name: [member.value for member in enum]
        for name, enum in vars(enums).items()
        if isinstance(enum, type) and issubclass(enum, StrEnum) and enum is not StrEnum
    }

    assert made == {name: list(enum.values) for name, enum in load().enums.items()}
    assert f"{enums.OperationName.INVOKE_AGENT}" == "invoke_agent"


# What others know


def content_key(attribute: Attribute) -> str:
    """A key under which the attribute is sent."""
    return attribute.name + ".key" if attribute.template else attribute.name


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_the_privacy_class_says_what_is_withheld(attribute: Attribute) -> None:
    """The store withholds by ``privacy.py``; a class that says otherwise would be a promise we do not keep."""
    assert (attribute.privacy is Privacy.CONTENT) == (class_of(content_key(attribute)) is KeyClass.CONTENT)


@pytest.mark.parametrize("key", [key for key in CONTENT_KEYS if key.startswith("gen_ai.")])
def test_each_content_key_of_gen_ai_is_registered(key: str) -> None:
    """The other way round: what is withheld under ``gen_ai.`` has a name, be it a deprecated or an event's."""
    found = load().attributes.get(key)

    assert key in load().events if found is None else found.privacy is Privacy.CONTENT


@pytest.mark.parametrize("prefix", [prefix for prefix in CONTENT_PREFIXES if prefix.startswith("gen_ai.")])
def test_each_content_prefix_of_gen_ai_belongs_to_a_registered_name(prefix: str) -> None:
    """Flattened content is content of the name in front."""
    assert load().attributes[prefix.removesuffix(".")].privacy is Privacy.CONTENT


def test_former_names_become_what_the_store_makes_of_them() -> None:
    """``check`` tells people to write what the store reads the old name as."""
    folded = {
        source: current for current, sources in SOURCES.items() for source in sources if source.startswith("gen_ai.")
    }
    told = {source: found.replaced_by for source in folded if (found := load().attribute(source)) is not None}

    assert told == folded


def test_no_name_of_the_frozen_conventions_is_unknown() -> None:
    """Programs with the names of the last release of the core conventions are about for years."""
    frozen = {**constants(gen_ai_attributes), **constants(mcp_attributes)}
    assert len(frozen) > 60

    assert [name for name in frozen.values() if name not in load().attributes] == []
    assert {key: value for key, value in frozen.items() if constants(names)[key] != value} == {}


@pytest.mark.parametrize(
    ("enum", "frozen"),
    [
        ("OperationName", gen_ai_attributes.GenAiOperationNameValues),
        ("OutputType", gen_ai_attributes.GenAiOutputTypeValues),
        ("ProviderName", gen_ai_attributes.GenAiProviderNameValues),
        ("TokenType", gen_ai_attributes.GenAiTokenTypeValues),
        ("McpMethodName", mcp_attributes.McpMethodNameValues),
    ],
)
def test_values_of_the_frozen_conventions_are_known(enum: str, frozen: Any) -> None:
    """Values were added since, and none taken away, but for those that have another spelling now."""
    ours = load().enums[enum]

    assert [member.value for member in frozen if member.value not in {*ours.values, *ours.renamed}] == []


def test_every_attribute_says_what_it_means_and_how_it_looks() -> None:
    """The description is all that a user of the constant sees."""
    for attribute in ATTRIBUTES:
        assert attribute.text.endswith("."), attribute.name
        assert attribute.examples, attribute.name
        assert (attribute.stability in {Stability.DEPRECATED, Stability.FOREIGN}) or attribute.replaced_by is None


PYTHON_TYPES: dict[ValueType, tuple[type, ...]] = {
    ValueType.STRING: (str,),
    ValueType.INT: (int,),
    ValueType.DOUBLE: (int, float),
    ValueType.BOOLEAN: (bool,),
    ValueType.STRING_ARRAY: (list,),
    ValueType.ANY: (object,),
}


def test_examples_are_of_the_type_and_class_they_illustrate() -> None:
    """An example that a label may not look like would mislead more than none."""
    for attribute in ATTRIBUTES:
        for example in attribute.examples:
            assert isinstance(example, PYTHON_TYPES[attribute.type]), attribute.name
            if attribute.privacy is Privacy.LABEL and isinstance(example, str):
                assert re.match(LABEL_PATTERN, example), attribute.name
            if attribute.enum and attribute.name != "error.type":
                known = load().enums[attribute.enum].values
                assert set(example if isinstance(example, list) else [example]) <= set(known), attribute.name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("gen_ai.prompt", "gen_ai.prompt"),
        ("gen_ai.prompt.0.content", "gen_ai.prompt"),
        ("gen_ai.prompt.name", "gen_ai.prompt.name"),
        ("gen_ai.prompt.title", None),
        ("gen_ai.prompt.variable.city", "gen_ai.prompt.variable"),
        ("gen_ai.prompt.variable.city.0", "gen_ai.prompt.variable"),
        ("gen_ai.prompts.0", None),
        ("gen_ai.usage", None),
        ("gen_ai.usage.input_tokens.0", None),
        ("gen_ai", None),
        ("", None),
        (".", None),
    ],
)
def test_a_key_is_known_by_its_name_or_by_what_stands_in_front(key: str, name: str | None) -> None:
    """Flattened messages and variables of prompts have as many keys as there are senders."""
    found = load().attribute(key)

    assert (found.name if found else None) == name


# The documentation

DOCUMENT = (ROOT / "docs/semconv.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "example", re.findall(r"```python\n(.+?)```", DOCUMENT, re.DOTALL), ids=["writing", "checking"]
)
def test_an_example_of_the_documentation_runs(example: str) -> None:
    """It is copied before it is read."""
    exec(compile(example, "docs/semconv.md", "exec"), {})


def test_a_span_written_by_hand_with_our_names_is_one_of_the_conventions() -> None:
    """Members of enums go through the SDK and OTLP as the strings they are."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test", schema_url=names.SCHEMA_URL)
    with tracer.start_as_current_span("invoke_agent support") as span:
        span.set_attribute(names.GEN_AI_OPERATION_NAME, enums.OperationName.INVOKE_AGENT)
        span.set_attribute(names.GEN_AI_AGENT_NAME, "support")
        span.set_attribute(names.AGENTVIGIL_STEP_TYPE, enums.StepType.PLAN)

    (read,) = spans_in(MessageToDict(encode_spans(exporter.get_finished_spans())))

    assert check(read) == []
    assert read.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "agentvigil.step.type": "plan",
    }


# Slips


def registry_with(old: str, new: str) -> str:
    text = REGISTRY.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('schema_url = "', "schema_url = ", "no TOML"),
        ('privacy = "label"', 'privacy = "secret"', "privacy is 'secret'"),
        ("in_use = true", "in_us = true", "nobody knows in_us"),
        ("in_use = true", "in_use = 'yes'", "in_use is 'yes'"),
        ('enum = "ErrorType"', 'enum = "ErrorTypes"', "no enum ErrorTypes"),
        ('replaced_by = "gen_ai.provider.name"', 'replaced_by = "gen_ai.provider"', "no attribute gen_ai.provider"),
        ('replaced_by = "gen_ai.input.messages"', 'replaced_by = "gen_ai.completion"', "was itself replaced"),
        ('constant = "GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS_FLAT"', "", "are both GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS"),
        ('json_object = "json"', 'json_object = "jason"', "jason is none of its values"),
        ('source = "libraries"', 'source = "nowhere"', "no source nowhere"),
        ('[group.attribute."session.id"]', '[group.attribute."service.name"]', "no TOML"),
        ('[group.attribute."gen_ai.agent.id"]', '[group.attribute."service.name"]', "service.name is there twice"),
        ('total = "gen_ai.usage.input_tokens"', 'total = "gen_ai.usage.tokens"', "no attribute gen_ai.usage.tokens"),
        ('text = "Port of the model', 'txt = "Port of the model', "text is missing"),
    ],
)
def test_a_slip_in_the_registry_is_told(old: str, new: str, told: str) -> None:
    """It is edited by hand, and what is made of it goes into other people's programs."""
    with pytest.raises(RegistryError, match=re.escape(told)):
        parse(registry_with(old, new))
