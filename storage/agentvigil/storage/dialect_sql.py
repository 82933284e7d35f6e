"""The dialects' data as constants of SQL: what the typed columns of ``typed_columns.sql`` look keys and values up in.

What a key says is a number, its *code*: the target's number times 64 and the key's place in the target's order of
precedence. So all keys of a span are looked up in one table (``key_numbers``), whatever number of dialects there is,
and sorting codes sorts by precedence.

A few keys say more than one thing, or need a change before they are read. For these the SQL makes *derived* keys, which
have a table of their own: ``key .part`` for a part of the JSON under it, ``key +`` for its second target, ``key ~way``
for its changed value, and ``key value`` where another attribute's value decides. A key that only one dialect means so
stands as ``dialect key``. No attribute's own key has a space in it by chance: such keys are withheld.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from agentvigil.semconv import names as n
from agentvigil.semconv.dialects import load
from agentvigil.semconv.dialects.model import CONVENTIONS, OperationRule, Registry, Rule
from agentvigil.semconv.enums import StepType
from agentvigil.storage.key_numbers import AI_RANK, NO_RANK, Flag, KeyMeanings, key_number_placeholders
from agentvigil.storage.literals import array, quote

TARGETS: Final = (
    n.GEN_AI_USAGE_INPUT_TOKENS,
    n.GEN_AI_USAGE_OUTPUT_TOKENS,
    n.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    n.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    n.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    n.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    n.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    n.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    n.AGENTVIGIL_USAGE_TOTAL_TOKENS,
    n.AGENTVIGIL_STEP_ATTEMPT,
    n.AGENTVIGIL_COST_USD,
    n.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    n.GEN_AI_PROVIDER_NAME,
    n.GEN_AI_REQUEST_MODEL,
    n.GEN_AI_RESPONSE_MODEL,
    n.GEN_AI_RESPONSE_ID,
    n.GEN_AI_RESPONSE_FINISH_REASONS,
    n.GEN_AI_AGENT_NAME,
    n.GEN_AI_AGENT_VERSION,
    n.GEN_AI_WORKFLOW_NAME,
    n.GEN_AI_TOOL_NAME,
    n.GEN_AI_TOOL_CALL_ID,
    n.GEN_AI_CONVERSATION_ID,
    n.USER_ID,
    n.AGENTVIGIL_STEP_NAME,
    n.AGENTVIGIL_STEP_TYPE,
    n.AGENTVIGIL_IS_STEP,
    n.AGENTVIGIL_FRAMEWORK,
    n.AGENTVIGIL_FAILURE_TYPE,
    n.AGENTVIGIL_FAILURE_CODE,
    n.ERROR_TYPE,
    n.OPENAI_RESPONSE_SERVICE_TIER,
    n.OPENAI_REQUEST_SERVICE_TIER,
)
"""What has a column. First the counts, then the doubles, then texts: the SQL tells them apart by their numbers."""

_COUNTS: Final = TARGETS.index(n.AGENTVIGIL_STEP_ATTEMPT) + 1
_NUMBERS: Final = TARGETS.index(n.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK) + 1
_ORDERS: Final = 64
_NO_OPERATION: Final = "-"
"""Stands for an operation that a rule says is none, so that nothing else is asked."""


_READINGS: Final = {
    "unstated": 4,
    "excludes_cache": 5,
    "excludes_reasoning": 5,
    "includes_cache": 6,
    "includes_reasoning": 6,
}
"""The numbers that the SQL has for how a dialect counts."""

_PROMPT_KEYS: Final = (
    n.GEN_AI_SYSTEM_INSTRUCTIONS,
    n.GEN_AI_TOOL_DEFINITIONS,
    "ai.prompt.tools",
    "gen_ai.agent.instructions",
    "gen_ai.agent.tools",
    "lk.instructions",
    "mlflow.chat.tools",
    "sk.available_functions",
    "system_prompt",
)
"""What makes an agent the one it is: its instructions and its tools, whole."""

_MESSAGE_LIST_KEYS: Final = (n.GEN_AI_INPUT_MESSAGES, "ai.prompt.messages", "gen_ai.prompt")
"""JSON lists of messages, the first of which may be the system's."""

_LABEL: Final = "[A-Za-z0-9_.:/@+-]{1,64}"

_MODEL_KEYS: Final = (n.GEN_AI_REQUEST_MODEL, "ai.model.id", "llm.model_name", "langfuse.observation.model.name")


_PROMPT_MESSAGES: Final = {
    "llm.input_messages.0.message.role": "llm.input_messages.0.message.content",
    "gen_ai.prompt.0.role": "gen_ai.prompt.0.content",
}
"""The first of numbered messages: the key of its role and that of its text."""

_DOCUMENT_KEYS: Final = (n.GEN_AI_RETRIEVAL_DOCUMENTS, n.AGENTVIGIL_RETRIEVAL_DOCUMENT_COUNT)
"""Documents that a retrieval brought, and how many they are."""

_RARE: Final = (
    n.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    n.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    n.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    n.AGENTVIGIL_USAGE_TOTAL_TOKENS,
    n.AGENTVIGIL_STEP_ATTEMPT,
    n.AGENTVIGIL_COST_USD,
    n.GEN_AI_WORKFLOW_NAME,
    n.AGENTVIGIL_STEP_NAME,
    n.AGENTVIGIL_STEP_TYPE,
    n.AGENTVIGIL_IS_STEP,
    n.AGENTVIGIL_FRAMEWORK,
    n.AGENTVIGIL_FAILURE_TYPE,
    n.AGENTVIGIL_FAILURE_CODE,
    n.OPENAI_RESPONSE_SERVICE_TIER,
    n.OPENAI_REQUEST_SERVICE_TIER,
)
"""Targets that few spans have: whether a span has any is found out once."""

_OF_ROOTS: Final = 1_000
"""What is added to the number of an operation's entry where the span has no parent."""

_CALLS: Final = ("chat", "generate_content", "text_completion")

_STEP_TYPE_OF_OPERATION: Final = {
    "execute_tool": StepType.TOOL.value,
    **dict.fromkeys(("retrieval", "embeddings", "rerank", "search_memory"), StepType.RETRIEVE.value),
    "plan": StepType.PLAN.value,
    **dict.fromkeys(_CALLS, StepType.RESPOND.value),
    **dict.fromkeys(
        ("step", "invoke_agent", "invoke_workflow", "guardrail", "evaluation", "decide"), StepType.OTHER.value
    ),
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One key of the table: as it is looked up, the rule's target and the rule's precedence."""

    key: str
    target: str
    precedence: tuple[int, str, int]
    is_own: bool = False


def placeholders() -> dict[str, str]:
    """SQL by placeholder, as :mod:`agentvigil.storage.rendering` fills it in."""
    registry = load()
    return {
        **key_number_placeholders(_meanings(registry)),
        **_detection(registry),
        **_keys(registry),
        **_operations(registry),
        **_tokens(registry),
        **_values(registry),
        **{f"target_{name}": str(TARGETS.index(target) + 1) for name, target in _TARGET_NAMES.items()},
        **{f"said_{name}": _said(target) for name, target in _TARGET_NAMES.items()},
        "rare_targets": array(TARGETS.index(target) + 1 for target in _RARE),
        "document_number_pattern": quote(r"^(?:retrieval\.documents|reranker\.output_documents)\.([0-9]{1,6})"),
        "document_keys": array(_DOCUMENT_KEYS),
        "derived_text_pattern": quote(f"^{_LABEL}(?: {_LABEL}){{0,2}}$"),
        "message_role_keys": array(_PROMPT_MESSAGES),
        "message_text_keys": array(_PROMPT_MESSAGES.values()),
        "message_list_keys": array(_MESSAGE_LIST_KEYS),
        "counts_below": str((_COUNTS + 1) * _ORDERS),
        "numbers_below": str((_NUMBERS + 1) * _ORDERS),
    }


_TARGET_NAMES: Final = {
    "input": n.GEN_AI_USAGE_INPUT_TOKENS,
    "output": n.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read": n.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write": n.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning": n.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    "audio_input": n.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    "audio_output": n.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    "audio_cache_read": n.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    "total": n.AGENTVIGIL_USAGE_TOTAL_TOKENS,
    "attempt": n.AGENTVIGIL_STEP_ATTEMPT,
    "cost": n.AGENTVIGIL_COST_USD,
    "first_chunk": n.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    "provider": n.GEN_AI_PROVIDER_NAME,
    "request_model": n.GEN_AI_REQUEST_MODEL,
    "response_model": n.GEN_AI_RESPONSE_MODEL,
    "response_id": n.GEN_AI_RESPONSE_ID,
    "finish_reasons": n.GEN_AI_RESPONSE_FINISH_REASONS,
    "agent_name": n.GEN_AI_AGENT_NAME,
    "agent_version": n.GEN_AI_AGENT_VERSION,
    "workflow_name": n.GEN_AI_WORKFLOW_NAME,
    "tool_name": n.GEN_AI_TOOL_NAME,
    "tool_call_id": n.GEN_AI_TOOL_CALL_ID,
    "conversation": n.GEN_AI_CONVERSATION_ID,
    "user": n.USER_ID,
    "step_name": n.AGENTVIGIL_STEP_NAME,
    "step_type": n.AGENTVIGIL_STEP_TYPE,
    "is_step": n.AGENTVIGIL_IS_STEP,
    "framework": n.AGENTVIGIL_FRAMEWORK,
    "failure_type": n.AGENTVIGIL_FAILURE_TYPE,
    "failure_code": n.AGENTVIGIL_FAILURE_CODE,
    "error_type": n.ERROR_TYPE,
    "response_tier": n.OPENAI_RESPONSE_SERVICE_TIER,
    "request_tier": n.OPENAI_REQUEST_SERVICE_TIER,
}


def _said(target: str) -> str:
    """The most trusted text of a target, empty if there is none."""
    said = f"code_texts[indexOf(targets, {TARGETS.index(target) + 1})]"
    return f"if(says_more, {said}, '')" if target in _RARE else said


def _meanings(registry: Registry) -> KeyMeanings:
    """What stands in the table of keys."""
    ranks = _ranks(registry)
    dialects = registry.in_order()
    families = _first((f"{family}.", ranks[d.id]) for d in dialects for family in d.detection.families)
    for family in sorted(registry.ai_families):
        families.setdefault(f"{family}.", AI_RANK)
    keys = _first((key, ranks[d.id]) for d in dialects for key in d.detection.attributes)
    for rule in (rule for d in dialects for rule in d.rules if not rule.dialect):
        if _family(rule.source) not in registry.neutral_families and f"{_family(rule.source)}." not in families:
            keys.setdefault(rule.source, AI_RANK)
    shared, own = _codes(registry)
    flags: dict[str, Flag] = {}
    for flag, flagged in {
        Flag.OWN: {key.partition(" ")[2] for key in own if key.count(" ") == 1},
        Flag.DERIVED: {source for source, _, _ in _derived(registry)},
        Flag.OPERATION: {rule.source for d in dialects for rule in d.operations},
        Flag.PROMPT: {*_PROMPT_KEYS, *_MESSAGE_LIST_KEYS, *_PROMPT_MESSAGES, *_PROMPT_MESSAGES.values()},
        Flag.DOCUMENT: set(_DOCUMENT_KEYS),
        Flag.MARK: {key for d in dialects for key, _ in d.detection.values} | {_condition(registry)[0]},
        Flag.ERROR: {rule.attribute for d in dialects for rule in d.errors},
        Flag.MODEL: set(_MODEL_KEYS),
    }.items():
        for key in sorted(flagged):
            flags[key] = flags.get(key, Flag(0)) | flag
    return KeyMeanings(keys, {key: code for key, code in shared.items() if " " not in key}, flags, families)


def _ranks(registry: Registry) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(registry.order, start=1)}


def _condition(registry: Registry) -> tuple[str, str]:
    """The key that an operation depends on, and the beginning of those that it must not stand beside."""
    conditions = {
        (rule.has, rule.lacks) for d in registry.in_order() for rule in d.operations if rule.has or rule.lacks
    }
    (condition,) = conditions  # one so far; a second needs a second table
    return condition


def _detection(registry: Registry) -> dict[str, str]:
    ranks = _ranks(registry)
    dialects = registry.in_order()
    scopes = _first((scope, d.id) for d in dialects for scope in d.detection.scopes)
    scope_prefixes = _longest((prefix, d.id) for d in dialects for prefix in d.detection.scope_prefixes)
    names = _first((name, d.id) for d in dialects for name in d.detection.span_names)
    name_prefixes = _longest((prefix, d.id) for d in dialects for prefix in d.detection.span_prefixes)
    return {
        **_table("dialect_scope", scopes),
        **_prefix_table("dialect_scope_prefix", scope_prefixes),
        **_table("dialect_name", names or {"": ""}),
        **_prefix_table("dialect_name_prefix", name_prefixes),
        **_table(
            "marked_value",
            _first((f"{key}={value}", ranks[d.id]) for d in dialects for key, value in d.detection.values),
        ),
        "marked_resource_ranks": ", ".join(
            f"transform(ResourceAttributes[{quote(key)}], {array(values)}, {array(values.values())}, {NO_RANK})"
            for key, values in _by_key(
                (key, value, ranks[d.id]) for d in dialects for key, value in d.detection.resource_values
            ).items()
        ),
        "dialects": array(registry.order),
        "dialect_count": str(len(registry.order)),
    }


def _codes(registry: Registry) -> tuple[dict[str, int], dict[str, int]]:
    """Codes of keys that every dialect means so, and of keys with a dialect before them; derived keys among both."""
    rows = list(_rows(registry))
    shared: dict[str, int] = {}
    own: dict[str, int] = {}
    for number, target in enumerate(TARGETS, start=1):
        ordered = sorted((row for row in rows if row.target == target), key=lambda row: row.precedence)
        if len(ordered) > _ORDERS:
            raise ValueError(f"{target} has {len(ordered)} sources, and a code has room for {_ORDERS}")
        for order, row in enumerate(ordered):
            (own if row.is_own else shared).setdefault(row.key, number * _ORDERS + order)
    own |= {row.key: 0 for row in rows if not row.target}
    return shared, own


def _keys(registry: Registry) -> dict[str, str]:
    shared, own = _codes(registry)
    derived = _derived(registry)
    return {
        **_table("derived_key", {key: code for key, code in shared.items() if " " in key}),
        **_table("own_key", own),
        "derived_entries": array(
            f"{source} {way}{path if way == '.' else ''}".rstrip() for source, way, path in derived
        ),
        "derived_sources": array(source for source, _, _ in derived),
        "derived_ways": array(way for _, way, _ in derived),
        "derived_paths": array(path for _, _, path in derived),
    }


def _derived(registry: Registry) -> list[tuple[str, str, str]]:
    """Keys that derived keys are made of, how each is made, and of which part of the JSON or by which attribute."""
    derived: dict[tuple[str, str, str], None] = {}
    for rule in _typed_rules(registry):
        if rule.path:
            derived[rule.source, ".", rule.path] = None
        elif rule.position:
            derived[rule.source, "+", ""] = None
        if rule.when:
            derived[rule.source, "=", rule.when[0][0]] = None
        if rule.convert not in ("", "one"):
            derived[rule.source, f"~{rule.convert}", ""] = None
    return sorted(derived)


def _rows(registry: Registry) -> Iterator[_Row]:
    typed = set(TARGETS)
    for target in TARGETS:
        yield _Row(target, target, (0, target, 0))
    shared_plain = {rule.source for rule in _typed_rules(registry) if not rule.dialect}
    for rule in _typed_rules(registry):
        if not rule.dialect and not rule.when and rule.source in typed:
            continue  # the key is itself a target, which comes before a shared rule
        key = rule.source
        if rule.path:
            key = f"{key} .{rule.path}"
        elif rule.when:
            key = f"{key} {rule.when[0][1].lower()}"
        elif rule.position:
            key = f"{key} +"
        elif rule.convert not in ("", "one"):
            key = f"{key} ~{rule.convert}"
        own = bool(rule.dialect)
        yield _Row(f"{rule.dialect} {key}" if own else key, rule.target, (rule.rank, rule.source, rule.position), own)
        if own and key != rule.source and rule.source in shared_plain | typed:
            # Within its dialect the derived key is all there is of it.
            yield _Row(f"{rule.dialect} {rule.source}", "", (0, "", 0), own)


def _typed_rules(registry: Registry) -> list[Rule]:
    """Rules of targets that have a column.

    Those that depend on the operation are about content, or about parts of a JSON that only such an operation writes.
    """
    return [
        rule
        for dialect in registry.in_order()
        for rule in dialect.rules
        if rule.target in TARGETS and (rule.path or not rule.operations)
    ]


def _operations(registry: Registry) -> dict[str, str]:
    entries: list[tuple[OperationRule, str]] = []
    plain: dict[str, int] = {}
    conditional: dict[str, int] = {}
    for dialect in registry.in_order():
        for rule in dialect.operations:
            for value in rule.values:
                entries.append((rule, value))
                table = conditional if rule.has or rule.lacks else plain
                table.setdefault(f"{rule.source}={value}", len(entries))
    has, lacks = _condition(registry)
    numbers = range(1, len(entries) + 1)
    operations = [rule.values[value] or _NO_OPERATION for rule, value in entries]
    roots = [rule.roots.get(value, rule.values[value]) or _NO_OPERATION for rule, value in entries]
    rules = [(dialect, rule) for dialect in registry.in_order() for rule in dialect.span_names]
    own = _longest((f"{d.id} {rule.text}", rule.operation) for d, rule in rules if rule.is_prefix)
    shared = _longest((rule.text, rule.operation) for _, rule in rules if rule.is_prefix and rule.shared)
    return {
        **_table("operation_value", plain),
        "operation_plain_entries": array(plain[said] for said in conditional),
        "operation_conditional_entries": array(conditional.values()),
        "operation_condition_has": quote(has),
        "operation_condition_lacks": quote(lacks),
        "operation_entry_numbers": array(numbers),
        "operation_numbers": array((*numbers, *(number + _OF_ROOTS for number in numbers))),
        "operation_of_numbers": array((*operations, *roots)),
        "dialect_of_entry": array(rule.declared_by for rule, _ in entries),
        "outranking_entries": array(i for i, (rule, _) in enumerate(entries, 1) if rule.outranks_standard),
        "convention_entries": array(i for i, (rule, _) in enumerate(entries, 1) if rule.declared_by == CONVENTIONS),
        **_table("operation_word", registry.values[n.GEN_AI_OPERATION_NAME]),
        **_table("first_name", {f"{d.id} {r.text}": r.operation for d, r in rules if r.first}),
        "first_names": array(sorted({r.text for _, r in rules if r.first})),
        **_name_table("own_name", {f"{d.id} {r.text}": r.operation for d, r in rules if not r.is_prefix}, own),
        **_name_table(
            "shared_name", _first((r.text, r.operation) for _, r in rules if r.shared and not r.is_prefix), shared
        ),
        "any_name_pattern": quote("^(?:" + "|".join(sorted({re.escape(r.text) for _, r in rules})) + ")"),
        "no_operation": _NO_OPERATION,
        **_table("billing", registry.operations),
        "step_types": array(step_type.value for step_type in StepType),
        "call_operations": array(_CALLS),
        **_table("step_type", _STEP_TYPE_OF_OPERATION),
    }


def _tokens(registry: Registry) -> dict[str, str]:
    dialects = registry.in_order()
    order = sorted(
        (row for row in _rows(registry) if row.target == n.GEN_AI_USAGE_INPUT_TOKENS), key=lambda row: row.precedence
    )
    by_source = {
        f"{d.id} {_ORDERS + place}": _READINGS[convention]
        for d in dialects
        for source, convention in d.tokens.by_source.items()
        for place, row in enumerate(order)
        if row.precedence[1] == source
    }
    return {
        **_table(
            "input_convention", {d.id: _READINGS[d.tokens.input] for d in dialects if d.tokens.input != "unstated"}
        ),
        **_table(
            "output_convention", {d.id: _READINGS[d.tokens.output] for d in dialects if d.tokens.output != "unstated"}
        ),
        **_table("input_convention_by_source", by_source),
        "zero_usage_unknown": array(d.id for d in dialects if d.tokens.zero_usage == "unknown"),
        "zero_cost_unknown": array(d.id for d in dialects if d.tokens.zero_cost == "unknown"),
        "total_decides": array(d.id for d in dialects if d.tokens.total_decides),
    }


def _values(registry: Registry) -> dict[str, str]:
    errors = [(rule, d) for d in registry.in_order() for rule in d.errors]
    providers = registry.values[n.GEN_AI_PROVIDER_NAME]
    models = dict(sorted(registry.model_providers.items(), key=lambda item: -len(item[0])))
    return {
        **_table("provider", providers),
        "provider_prefix_pattern": quote(
            "(?i)^(?:" + "|".join(map(re.escape, sorted(providers, key=len, reverse=True))) + r")(?:\.|$)|^[^.]*"
        ),
        **_table("framework", registry.frameworks),
        **_prefix_table("model_prefix", models),
        **_table("finish_reason", registry.values[n.GEN_AI_RESPONSE_FINISH_REASONS]),
        "error_rules": " ".join(
            f"{_error_condition(rule.attribute, rule.equals, rule.at_least)}, {quote(rule.type)}," for rule, _ in errors
        ),
    }


def _error_condition(attribute: str, equals: str, at_least: int | None) -> str:
    said = f"special_texts[indexOf(special_keys, {quote(attribute)})]"
    return (
        f"toUInt32OrZero({said}) >= {at_least}" if at_least is not None else f"lower({said}) = {quote(equals.lower())}"
    )


def _family(key: str) -> str:
    head, dot, _ = key.partition(".")
    return head if dot else ""


_Value = TypeVar("_Value")


def _first(pairs: Iterable[tuple[str, _Value]]) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _longest(pairs: Iterable[tuple[str, _Value]]) -> dict[str, _Value]:
    """The longest beginnings first, as an alternation has to try them."""
    return dict(sorted(_first(pairs).items(), key=lambda item: -len(item[0])))


def _by_key(triples: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for key, value, rank in triples:
        found.setdefault(key, {}).setdefault(value, rank)
    return found


def _table(name: str, table: Mapping[str, object]) -> dict[str, str]:
    """Two placeholders for ``transform()``: the left sides and the right sides."""
    return {f"{name}_froms": array(table), f"{name}_tos": array(table.values())}


def _name_table(name: str, whole: Mapping[str, object], prefixes: Mapping[str, object]) -> dict[str, str]:
    """The same for names as a whole and, where none matches, for their beginnings."""
    pattern = "^(?:" + "|".join([*(f"{re.escape(text)}$" for text in whole), *map(re.escape, prefixes)]) + ")"
    return {**_table(name, {**prefixes, **whole}), f"{name}_pattern": quote(pattern)}


def _prefix_table(name: str, table: Mapping[str, object]) -> dict[str, str]:
    pattern = "^(?:" + "|".join(map(re.escape, table)) + ")"
    return {**_table(name, table), f"{name}_pattern": quote(pattern)}
