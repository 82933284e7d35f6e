-- Decodes OTLP requests into spans: the one place where limits apply and content is withheld. The stages after it are
-- views of their own (otlp_spans_found_mv and on).
--
-- Planning this query costs more than running it on a small group, so `screened` stands in it once, for all attribute
-- lists of a span together, and tupleElement() is used because resolving `a.b.c` walks the whole type each time.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_mv TO otlp_spans AS
WITH
    {{screening_lambdas}}
SELECT
    fromUnixTimestamp64Nano(toInt64(if(start_is_sane, start_time, received_at))) AS Timestamp,
    lower(hex(tupleElement(span, 'trace_id'))) AS TraceId,
    lower(hex(tupleElement(span, 'span_id'))) AS SpanId,
    if(tupleElement(span, 'parent_span_id') = unhex('0000000000000000'), '', lower(hex(tupleElement(span, 'parent_span_id'))))
        AS ParentSpanId,
    texts[3] AS TraceState,
    texts[1] AS SpanName,
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
    if(end_time < start_time OR if(start_is_sane, end_time > latest, end_time - start_time > 86400000000000),
        0, end_time - start_time) AS Duration,
    transform(tupleElement(tupleElement(span, 'status'), 'code'), [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    texts[2] AS StatusMessage,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(least(t, 9223372036854775807))), tupleElement(events, 'time_unix_nano'))
        AS `Events.Timestamp`,
    arraySlice(texts, 4, length(events)) AS `Events.Name`,
    arrayMap(m -> mapSort(m), arraySlice(maps, 3, length(events))) AS `Events.Attributes`,
    arrayMap(id -> lower(hex(id)), tupleElement(links, 'trace_id')) AS `Links.TraceId`,
    arrayMap(id -> lower(hex(id)), tupleElement(links, 'span_id')) AS `Links.SpanId`,
    arraySlice(texts, 4 + length(events)) AS `Links.TraceState`,
    arrayMap(m -> mapSort(m), arraySlice(maps, 3 + length(events))) AS `Links.Attributes`,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestSpans,
    ResourceSchemaUrl,
    ScopeAttributes,
    ScopeSchemaUrl,
    tupleElement(span, 'flags') AS TraceFlags,
    WithheldKeys,
    toUInt32(tupleElement(span, 'dropped_attributes_count') + greatest(0, length(maps[1]) - max_attributes)) AS DroppedAttributes,
    toUInt32(tupleElement(span, 'dropped_events_count') + length(tupleElement(span, 'events')) - length(events)) AS DroppedEvents,
    toUInt32(tupleElement(span, 'dropped_links_count') + length(tupleElement(span, 'links')) - length(links)) AS DroppedLinks,
    tupleElement(tupleElement(span, 'attributes'), 'key') AS sent_keys,
    tupleElement(tupleElement(tupleElement(span, 'attributes'), 'value'), 'string_value') AS sent_texts,
    sip_key,
    contents
FROM
(
    SELECT
        * EXCEPT (screened_lists),
        tupleElement(screened_lists, 1) AS maps,
        mapValues(maps[2]) AS texts,
        tupleElement(screened_lists, 3) AS contents,
        if(start_is_sane AND length(maps[1]) <= max_attributes, maps[1], mapFromArrays(
            arrayConcat(
                arraySlice(mapKeys(maps[1]), 1, max_attributes),
                if(start_is_sane, [], ['agentvigil.original_start_time_unix_nano'])),
            arrayConcat(
                arraySlice(mapValues(maps[1]), 1, max_attributes),
                if(start_is_sane, [], [toString(start_time)]))))
            AS span_attributes,
        arrayDistinct(arrayConcat(withheld_around, arrayFlatten(tupleElement(screened_lists, 2)))) AS WithheldKeys
    FROM
    (
    SELECT
        * EXCEPT (spans, record),
        arrayJoin(spans) AS record,
        tupleElement(record, 1) AS span,
        tupleElement(record, 2) AS screened_lists,
        tupleElement(span, 'start_time_unix_nano') AS start_time,
        tupleElement(span, 'end_time_unix_nano') AS end_time,
        start_time BETWEEN earliest AND latest AS start_is_sane,
        arraySlice(tupleElement(span, 'events'), 1, max_events) AS events,
        arraySlice(tupleElement(span, 'links'), 1, max_links) AS links
    FROM
    (
        SELECT
            * EXCEPT (screened, spans),
            arrayZip(spans, arrayPopFront(screened)) AS spans,
            mapValues(tupleElement(screened[1], 1)[3]) AS texts_around,
            texts_around[1] AS ResourceSchemaUrl,
            texts_around[2] AS ScopeSchemaUrl,
            texts_around[3] AS ScopeName,
            texts_around[4] AS ScopeVersion,
            mapSort(tupleElement(screened[1], 1)[1]) AS ResourceAttributes,
            mapSort(tupleElement(screened[1], 1)[2]) AS ScopeAttributes,
            arrayFlatten(tupleElement(screened[1], 2)) AS withheld_around,
            tupleElement(screened[1], 1)[1]['service.name'] AS ServiceName
        FROM
      (
        SELECT
            * EXCEPT (resource_span, scope_span),
            tupleElement(scope_span, 'spans') AS spans,
            arrayMap(
                lists -> screened(lists, policy, sip_key),
                arrayConcat(
                    [[
                        tupleElement(tupleElement(resource_span, 'resource'), 'attributes'),
                        tupleElement(tupleElement(scope_span, 'scope'), 'attributes'),
                        texts_as_list(
                            ['(schema url)', '(schema url)', '(scope name)', '(scope version)'],
                            [
                                toString(tupleElement(resource_span, 'schema_url')),
                                toString(tupleElement(scope_span, 'schema_url')),
                                toString(tupleElement(tupleElement(scope_span, 'scope'), 'name')),
                                toString(tupleElement(tupleElement(scope_span, 'scope'), 'version'))
                            ])
                    ]],
                    arrayMap(
                        span -> arrayConcat(
                            [
                                tupleElement(span, 'attributes'),
                                texts_as_list(
                                    arrayConcat(
                                        ['(span name)', '(status message)', '(trace state)'],
                                        arrayMap(event -> '(event name)', arraySlice(tupleElement(span, 'events'), 1, max_events)),
                                        arrayMap(link -> '(trace state)', arraySlice(tupleElement(span, 'links'), 1, max_links))),
                                    arrayConcat(
                                        [
                                            toString(tupleElement(span, 'name')),
                                            tupleElement(tupleElement(span, 'status'), 'message'),
                                            tupleElement(span, 'trace_state')
                                        ],
                                        arrayMap(
                                            name -> toString(name),
                                            tupleElement(arraySlice(tupleElement(span, 'events'), 1, max_events), 'name')),
                                        tupleElement(arraySlice(tupleElement(span, 'links'), 1, max_links), 'trace_state')))
                            ],
                            tupleElement(arraySlice(tupleElement(span, 'events'), 1, max_events), 'attributes'),
                            tupleElement(arraySlice(tupleElement(span, 'links'), 1, max_links), 'attributes')),
                        tupleElement(scope_span, 'spans')))) AS screened
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
                    toUInt8(content_policy) AS policy,
                    hashing_key(hash_key) AS sip_key,
                    max_attributes,
                    max_events,
                    max_links,
                    arrayJoin(tupleElement(request, 'resource_spans')) AS resource_span
                FROM otlp_traces
            )
        )
      )
    )
  )
)
