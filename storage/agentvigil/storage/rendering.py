"""Fills the schema's placeholders, ``{{name}}``: with SQL made from the vocabulary's data, or that several views share.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PATTERN, CONTENT_PREFIXES
from agentvigil.semconv.normalization import SOURCES

_PREFIX_GATE: Final = 10
"""Length at which most prefixes of content keys differ from the keys that every span has."""


_SHARED: Final = {
    # For a view's WITH: what makes a map of texts of an OTLP attribute list. The same text as in 005_otlp_traces_mv.
    "attribute_lambdas": r"""
    -- A double as the Collector writes it: words for what JSON has no number for, and a sign before a large exponent.
    (d -> replaceRegexpOne(
        transform(toString(d), ['nan', 'inf', '-inf'], ['NaN', 'Infinity', '-Infinity']), 'e([0-9])', 'e+\\1'))
        AS double_text,
    -- Any value as text. Arrays hold strings only: admission rewrote all others to text, and maps and bytes too.
    (values -> arrayMap(
        (kind, s, b, i, d, strings) -> multiIf(
            kind = 'string_value', s,
            kind = 'int_value', toString(i),
            kind = 'bool_value', toString(b),
            kind = 'double_value', double_text(d),
            kind = 'array_value', concat(
                '[',
                arrayStringConcat(arrayMap(text -> replaceAll(toJSONString(text), '\\/', '/'), strings), ','),
                ']'),
            ''),
        tupleElement(values, 'kind'),
        tupleElement(values, 'string_value'),
        tupleElement(values, 'bool_value'),
        tupleElement(values, 'int_value'),
        tupleElement(values, 'double_value'),
        tupleElement(tupleElement(tupleElement(values, 'array_value'), 'values'), 'string_value')))
        AS value_texts,
    -- Content is known by its key. Most keys differ from every family of content keys within their first characters,
    -- so few of them reach the regular expression.
    (key -> key IN {{content_keys}}
        OR {{content_short_prefix}}
        OR (substring(key, 1, {{content_gate_length}}) IN {{content_gates}} AND match(key, {{content_pattern}})))
        AS is_content,
    (attributes -> mapFilter(
        (key, value) -> NOT is_content(key),
        mapFromArrays(tupleElement(attributes, 'key'), value_texts(tupleElement(attributes, 'value')))))
        AS attribute_map""",
    # Of `map`, a record's attributes: those within the limit, and the time that was not believed. Both exceptions are
    # rare: one condition for the two.
    "kept_attributes": """mapSort(if(time_is_believed AND length(map) <= max_attributes, map, mapFromArrays(
        arrayConcat(
            arraySlice(mapKeys(map), 1, max_attributes),
            if(time_is_believed, [], ['agentvigil.original_time_unix_nano'])),
        arrayConcat(
            arraySlice(mapValues(map), 1, max_attributes),
            if(time_is_believed, [], [toString(time)])))))""",
    # The views of the five kinds of metrics, from the innermost SELECT, which has a row for each scope, outwards.
    "metric_envelope": """project AS Project,
                toUInt16(keep_days) AS KeepDays,
                received_at,
                received_at + 86400000000000 AS latest,
                received_at - keep_days * 86400000000000 AS earliest,
                fromUnixTimestamp64Milli(toInt64(intDiv(received_at, 1000000))) AS IngestedAt,
                toFixedString(hash, 16) AS RequestHash,
                data_points AS RequestDataPoints,
                max_attributes,
                arrayJoin(tupleElement(request, 'resource_metrics')) AS resource_metric,
                arrayJoin(tupleElement(resource_metric, 'scope_metrics')) AS scope_metric""",
    "metric": """* EXCEPT (resource_metric, scope_metric),
            arrayMap(
                attributes -> mapSort(attribute_map(attributes)),
                [
                    tupleElement(tupleElement(resource_metric, 'resource'), 'attributes'),
                    tupleElement(tupleElement(scope_metric, 'scope'), 'attributes')
                ]) AS maps,
            maps[1] AS ResourceAttributes,
            ResourceAttributes['service.name'] AS ServiceName,
            tupleElement(resource_metric, 'schema_url') AS ResourceSchemaUrl,
            tupleElement(tupleElement(scope_metric, 'scope'), 'name') AS ScopeName,
            tupleElement(tupleElement(scope_metric, 'scope'), 'version') AS ScopeVersion,
            maps[2] AS ScopeAttributes,
            tupleElement(tupleElement(scope_metric, 'scope'), 'dropped_attributes_count') AS ScopeDroppedAttrCount,
            tupleElement(scope_metric, 'schema_url') AS ScopeSchemaUrl,
            arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric,
            tupleElement(metric, 'name') AS MetricName,
            tupleElement(metric, 'description') AS MetricDescription,
            tupleElement(metric, 'unit') AS MetricUnit""",
    "data_point": """* EXCEPT (metric, maps, points),
        arrayJoin(points) AS point,
        tupleElement(point, 'time_unix_nano') AS time,
        time BETWEEN earliest AND latest AS time_is_sane,
        time_is_sane OR time = 0 AS time_is_believed""",
    "data_point_and_exemplar_maps": """tupleElement(point, 'exemplars') AS exemplars,
        arrayMap(
            attributes -> attribute_map(attributes),
            arrayConcat([tupleElement(point, 'attributes')], tupleElement(exemplars, 'filtered_attributes'))) AS maps,
        maps[1] AS map""",
    "data_point_columns": """ResourceAttributes,
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    ScopeDroppedAttrCount,
    ScopeSchemaUrl,
    ServiceName,
    MetricName,
    MetricDescription,
    MetricUnit,
    {{kept_attributes}} AS Attributes,
    fromUnixTimestamp64Nano(toInt64(least(tupleElement(point, 'start_time_unix_nano'), 9223372036854775807)))
        AS StartTimeUnix,
    fromUnixTimestamp64Nano(toInt64(if(time_is_sane, time, received_at))) AS TimeUnix,
    tupleElement(point, 'flags') AS Flags,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestDataPoints,
    toUInt32(greatest(0, length(map) - max_attributes)) AS DroppedAttributes""",
    "number_value": """if(
        tupleElement(point, 'value') = 'as_int',
        toFloat64(tupleElement(point, 'as_int')),
        tupleElement(point, 'as_double'))""",
    "sum_min_max": """ifNull(tupleElement(point, 'sum'), 0) AS Sum,
    ifNull(tupleElement(point, 'min'), 0) AS Min,
    ifNull(tupleElement(point, 'max'), 0) AS Max,
    isNotNull(tupleElement(point, 'sum')) AS HasSum,
    isNotNull(tupleElement(point, 'min')) AS HasMin,
    isNotNull(tupleElement(point, 'max')) AS HasMax""",
    "exemplar_columns": """arrayMap(m -> mapSort(m), arrayPopFront(maps)) AS `Exemplars.FilteredAttributes`,
    arrayMap(
        t -> fromUnixTimestamp64Nano(toInt64(least(t, 9223372036854775807))),
        tupleElement(exemplars, 'time_unix_nano')) AS `Exemplars.TimeUnix`,
    arrayMap(
        (kind, i, d) -> if(kind = 'as_int', toFloat64(i), d),
        tupleElement(exemplars, 'value'),
        tupleElement(exemplars, 'as_int'),
        tupleElement(exemplars, 'as_double')) AS `Exemplars.Value`,
    arrayMap(
        id -> if(id = unhex('0000000000000000'), '', lower(hex(id))),
        tupleElement(exemplars, 'span_id')) AS `Exemplars.SpanId`,
    arrayMap(
        id -> if(id = unhex('00000000000000000000000000000000'), '', lower(hex(id))),
        tupleElement(exemplars, 'trace_id')) AS `Exemplars.TraceId`""",
}
"""SQL that several views need alike, indented as it stands in them."""


def render(sql: str) -> str:
    """Return ``sql`` with every ``{{name}}`` replaced.

    Raises:
        KeyError: if a placeholder has a name that is not known here.
    """
    return _fill(sql, _PLACEHOLDERS)


def _fill(sql: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match.group(1)], sql)


def quote(text: str) -> str:
    """Return ``text`` as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _tuple(texts: Iterable[str]) -> str:
    return "(" + ", ".join(map(quote, texts)) + ")"


def _array(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(quote, texts)) + "]"


def _presence(fields: Mapping[str, int]) -> str:
    """Type of the column that says which of the ``fields`` of a oneof was present, by their numbers."""
    return "Enum8({})".format(
        ", ".join(f"{quote(name)} = {number}" for name, number in {"absent": 0, **fields}.items())
    )


def _any_value() -> str:
    """Type of an ``AnyValue``: the oneof as the decoder fills it, and which of its fields was present."""
    kind = _presence({"string_value": 1, "bool_value": 2, "int_value": 3, "double_value": 4, "array_value": 5})
    return (
        f"Tuple(kind {kind}, string_value String, bool_value Bool, int_value Int64, double_value Float64, "
        "array_value Tuple(values Array(Tuple(string_value String))))"
    )


def _placeholders() -> dict[str, str]:
    renamed = [(source, target) for target, sources in SOURCES.items() for source in sources]
    prefixes = (*CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES)
    short = [prefix for prefix in CONTENT_PREFIXES if len(prefix) < _PREFIX_GATE]
    vocabulary = {
        "any_value": _any_value(),
        "metric_data": _presence({"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}),
        "point_value": _presence({"as_double": 4, "as_int": 6}),
        "exemplar_value": _presence({"as_double": 3, "as_int": 6}),
        "key_values": f"Array(Tuple(key LowCardinality(String), value {_any_value()}))",
        "normalized_sources": _array(source for source, _ in renamed),
        "normalized_targets": _array(target for _, target in renamed),
        "content_keys": _tuple(CONTENT_KEYS),
        "content_short_prefix": " OR ".join(f"startsWith(key, {quote(prefix)})" for prefix in short),
        "content_gate_length": str(_PREFIX_GATE),
        "content_gates": _tuple(sorted({prefix[:_PREFIX_GATE] for prefix in prefixes if prefix not in short})),
        "content_pattern": quote(CONTENT_PATTERN),
    }
    texts = vocabulary | _SHARED
    return {name: _fill(_fill(sql, texts), texts).strip() for name, sql in texts.items()}


_PLACEHOLDERS: Final = _placeholders()
