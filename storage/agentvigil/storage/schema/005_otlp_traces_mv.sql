-- Turns OTLP requests into rows of otel_traces: the one place where spans are decoded, limits are applied and content
-- is withheld.
--
-- Planning this query costs more than running it on a small group, so each attribute list is converted by one
-- expression per level: a span's own attributes, its events' and its links' go through attribute_map together, and
-- tupleElement() is used because resolving `a.b.c` walks the whole type each time.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_traces_mv TO otel_traces AS
WITH
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
                '[', arrayStringConcat(arrayMap(text -> replaceAll(toJSONString(text), '\\/', '/'), strings), ','), ']'),
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
        AS attribute_map
SELECT
    fromUnixTimestamp64Nano(toInt64(if(start_is_sane, start_time, received_at))) AS Timestamp,
    lower(hex(tupleElement(span, 'trace_id'))) AS TraceId,
    lower(hex(tupleElement(span, 'span_id'))) AS SpanId,
    if(tupleElement(span, 'parent_span_id') = unhex('0000000000000000'), '', lower(hex(tupleElement(span, 'parent_span_id'))))
        AS ParentSpanId,
    tupleElement(span, 'trace_state') AS TraceState,
    tupleElement(span, 'name') AS SpanName,
    transform(
        tupleElement(span, 'kind'),
        [0, 1, 2, 3, 4, 5],
        ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'],
        '') AS SpanKind,
    ServiceName,
    ResourceAttributes,
    ScopeName,
    ScopeVersion,
    mapSort(span_attributes) AS SpanAttributes,
    -- A clock that runs backwards gives 0, and so does an end that only a broken clock can have written.
    if(end_time < start_time OR if(start_is_sane, end_time > latest, end_time - start_time > 86400000000000),
        0, end_time - start_time) AS Duration,
    transform(tupleElement(tupleElement(span, 'status'), 'code'), [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    tupleElement(tupleElement(span, 'status'), 'message') AS StatusMessage,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(least(t, 9223372036854775807))), tupleElement(events, 'time_unix_nano'))
        AS `Events.Timestamp`,
    tupleElement(events, 'name') AS `Events.Name`,
    arrayMap(m -> mapSort(m), arraySlice(maps, 2, length(events))) AS `Events.Attributes`,
    arrayMap(id -> lower(hex(id)), tupleElement(links, 'trace_id')) AS `Links.TraceId`,
    arrayMap(id -> lower(hex(id)), tupleElement(links, 'span_id')) AS `Links.SpanId`,
    tupleElement(links, 'trace_state') AS `Links.TraceState`,
    arrayMap(m -> mapSort(m), arraySlice(maps, 2 + length(events))) AS `Links.Attributes`,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestSpans,
    ResourceSchemaUrl,
    ScopeAttributes,
    ScopeSchemaUrl,
    tupleElement(span, 'flags') AS TraceFlags,
    toUInt32(tupleElement(span, 'dropped_attributes_count') + greatest(0, length(maps[1]) - max_attributes)) AS DroppedAttributes,
    toUInt32(tupleElement(span, 'dropped_events_count') + length(tupleElement(span, 'events')) - length(events)) AS DroppedEvents,
    toUInt32(tupleElement(span, 'dropped_links_count') + length(tupleElement(span, 'links')) - length(links)) AS DroppedLinks
FROM
(
    SELECT
        * EXCEPT (spans, maps),
        arrayJoin(spans) AS span,
        tupleElement(span, 'start_time_unix_nano') AS start_time,
        tupleElement(span, 'end_time_unix_nano') AS end_time,
        start_time BETWEEN earliest AND latest AS start_is_sane,
        arraySlice(tupleElement(span, 'events'), 1, max_events) AS events,
        arraySlice(tupleElement(span, 'links'), 1, max_links) AS links,
        arrayMap(
            attributes -> attribute_map(attributes),
            arrayConcat([tupleElement(span, 'attributes')], tupleElement(events, 'attributes'), tupleElement(links, 'attributes')))
            AS maps,
        -- Both exceptions, too many attributes and an absurd start time, are rare: one condition for the two.
        if(start_is_sane AND length(maps[1]) <= max_attributes, maps[1], mapFromArrays(
            arrayConcat(
                arraySlice(mapKeys(maps[1]), 1, max_attributes),
                if(start_is_sane, [], ['agentvigil.original_start_time_unix_nano'])),
            arrayConcat(
                arraySlice(mapValues(maps[1]), 1, max_attributes),
                if(start_is_sane, [], [toString(start_time)]))))
            AS span_attributes
    FROM
    (
        SELECT
            * EXCEPT (resource_span, scope_span),
            arrayMap(
                attributes -> mapSort(attribute_map(attributes)),
                [
                    tupleElement(tupleElement(resource_span, 'resource'), 'attributes'),
                    tupleElement(tupleElement(scope_span, 'scope'), 'attributes')
                ]) AS maps,
            maps[1] AS ResourceAttributes,
            ResourceAttributes['service.name'] AS ServiceName,
            tupleElement(resource_span, 'schema_url') AS ResourceSchemaUrl,
            tupleElement(tupleElement(scope_span, 'scope'), 'name') AS ScopeName,
            tupleElement(tupleElement(scope_span, 'scope'), 'version') AS ScopeVersion,
            maps[2] AS ScopeAttributes,
            tupleElement(scope_span, 'schema_url') AS ScopeSchemaUrl,
            tupleElement(scope_span, 'spans') AS spans
        FROM
        (
            SELECT
                *,
                arrayJoin(tupleElement(resource_span, 'scope_spans')) AS scope_span
            FROM
            (
                SELECT
                    project AS Project,
                    toUInt16(keep_days) AS KeepDays,
                    received_at,
                    received_at + 86400000000000 AS latest,
                    received_at - keep_days * 86400000000000 AS earliest,
                    fromUnixTimestamp64Milli(toInt64(intDiv(received_at, 1000000))) AS IngestedAt,
                    toFixedString(hash, 16) AS RequestHash,
                    otlp_traces.spans AS RequestSpans,
                    max_attributes,
                    max_events,
                    max_links,
                    arrayJoin(tupleElement(request, 'resource_spans')) AS resource_span
                FROM otlp_traces
            )
        )
    )
)
