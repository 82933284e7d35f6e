-- Decodes OTLP requests into spans: the one place where limits apply and content is withheld. Beside the columns of
-- otel_traces come what the typed columns are made of: the attributes that stay, in the order that they were sent in,
-- with what each key is, and those that are looked at more closely as they were sent.
--
-- ClickHouse's planning grows with the types of the columns that a level has, so a span is taken apart at once; and
-- tupleElement() is used because resolving `a.b.c` walks the whole type each time. What is made of a span's own
-- attributes is made of flat arrays, since most of the work is there.
WITH
    {{screening_lambdas}}
SELECT
    fromUnixTimestamp64Nano(toInt64(if(start_is_sane, start_time, received_at))) AS Timestamp,
    lower(hex(trace_id)) AS TraceId,
    lower(hex(span_id)) AS SpanId,
    if(parent_span_id = unhex('0000000000000000'), '', lower(hex(parent_span_id))) AS ParentSpanId,
    TraceState,
    SpanName,
    transform(
        kind, [0, 1, 2, 3, 4, 5], ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], '')
        AS SpanKind,
    ServiceName,
    ResourceAttributes,
    ScopeName,
    ScopeVersion,
    if(
        start_is_sane,
        mapFromArrays(arraySort(keys), arraySort((text, key) -> key, texts, keys)),
        mapSort(mapFromArrays(
            arrayConcat(keys, ['agentvigil.original_start_time_unix_nano']),
            arrayConcat(texts, [toString(start_time)])))) AS SpanAttributes,
    -- A clock that runs backwards gives 0, and so does an end that only a broken clock can have written.
    if(
        bitOr(end_time < start_time, if(start_is_sane, end_time > latest, end_time - start_time > 86400000000000)),
        0, end_time - start_time) AS Duration,
    transform(status_code, [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    StatusMessage,
    arrayMap(time -> fromUnixTimestamp64Nano(toInt64(least(time, 9223372036854775807))), event_times)
        AS `Events.Timestamp`,
    `Events.Name`,
    maps_of(sent_keys, kept_texts, stays, own_count, arraySlice(inner_counts, 1, length(event_names)))
        AS `Events.Attributes`,
    arrayMap(id -> lower(hex(id)), link_trace_ids) AS `Links.TraceId`,
    arrayMap(id -> lower(hex(id)), link_span_ids) AS `Links.SpanId`,
    `Links.TraceState`,
    maps_of(
        sent_keys, kept_texts, stays,
        own_count + arraySum(arraySlice(inner_counts, 1, length(event_names))),
        arraySlice(inner_counts, 1 + length(event_names))) AS `Links.Attributes`,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestSpans,
    ResourceSchemaUrl,
    ScopeAttributes,
    ScopeSchemaUrl,
    TraceFlags,
    toUInt32(dropped_attributes + greatest(0, staying[own_count] - max_attributes)) AS DroppedAttributes,
    toUInt32(dropped_events + sent_events - length(event_names)) AS DroppedEvents,
    toUInt32(dropped_links + sent_links - length(link_trace_states)) AS DroppedLinks,
    arrayDistinct(arrayConcat(
        withheld_around,
        withheld,
        if(SpanName != name, ['(span name)'], []),
        if(StatusMessage != message, ['(status message)'], []),
        if(bitOr(TraceState != trace_state, `Links.TraceState` != link_trace_states), ['(trace state)'], []),
        if(`Events.Name` != event_names, ['(event name)'], []))) AS WithheldKeys,
    sent_keys,
    keys,
    key_numbers,
    texts,
    special_keys,
    special_numbers,
    special_texts,
    sent_rank,
    resource_rank,
    sip_key
FROM
(
    SELECT
        *,
        arrayFilter((key, stays) -> stays, sent_keys, stays_within) AS keys,
        arrayFilter((text, stays) -> stays, kept_texts, stays_within) AS texts,
        arrayFilter((number, stays) -> stays, numbers, stays_within) AS key_numbers,
        arrayFilter((key, is_special) -> is_special, sent_keys, specials) AS special_keys,
        arrayFilter((text, is_special) -> is_special, sent_texts, specials) AS special_texts,
        arrayFilter((number, is_special) -> is_special, numbers, specials) AS special_numbers
    FROM
    (
        SELECT
            *,
            bitAnd(start_time >= earliest, start_time <= latest) AS start_is_sane,
            -- Of the span's own attributes as many as the limit allows, counted from the first.
            arrayCumSum(stays) AS staying,
            arrayMap(
                (stays, place, count) -> bitAnd(stays, bitAnd(place <= own_count, count <= max_attributes)),
                stays, arrayEnumerate(stays), staying) AS stays_within,
            arrayMap(
                (number, place) -> bitAnd(bitAnd(number, {{special_flags}}) != 0, place <= own_count),
                numbers, arrayEnumerate(numbers)) AS specials,
            -- A key whose value was withheld still tells what it belonged to.
            arrayMin(arrayConcat([{{no_rank}}], arrayMap(
                number -> toUInt8(bitAnd(bitShiftRight(number, {{rank_shift}}), 127)),
                arraySlice(numbers, 1, own_count)))) AS sent_rank,
            -- A name that is not plain keeps its first word before the hash, where that is a known one.
            toLowCardinality(concat(
                if(bitAnd(policy = 0, NOT name_is_plain), extract(name, {{name_opening_pattern}}), ''),
                screened_name(name, name_is_plain, policy, sip_key))) AS SpanName,
            screened_error(message, policy) AS StatusMessage,
            screened_trace_state(trace_state, policy) AS TraceState,
            arrayMap(name -> screened_name(name, is_plain_name(name), policy, sip_key), event_names) AS `Events.Name`,
            arrayMap(state -> screened_trace_state(state, policy), link_trace_states) AS `Links.TraceState`
        FROM {{screening_steps}}
        (
            SELECT
                * EXCEPT (span, events, links),
                tupleElement(span, 'trace_id') AS trace_id,
                tupleElement(span, 'span_id') AS span_id,
                tupleElement(span, 'parent_span_id') AS parent_span_id,
                tupleElement(span, 'trace_state') AS trace_state,
                tupleElement(span, 'name') AS name,
                is_plain_span_name(tupleElement(span, 'name')) AS name_is_plain,
                tupleElement(span, 'kind') AS kind,
                tupleElement(span, 'flags') AS TraceFlags,
                tupleElement(span, 'start_time_unix_nano') AS start_time,
                tupleElement(span, 'end_time_unix_nano') AS end_time,
                tupleElement(tupleElement(span, 'status'), 'code') AS status_code,
                tupleElement(tupleElement(span, 'status'), 'message') AS message,
                tupleElement(span, 'dropped_attributes_count') AS dropped_attributes,
                tupleElement(span, 'dropped_events_count') AS dropped_events,
                tupleElement(span, 'dropped_links_count') AS dropped_links,
                length(tupleElement(span, 'events')) AS sent_events,
                length(tupleElement(span, 'links')) AS sent_links,
                tupleElement(events, 'time_unix_nano') AS event_times,
                tupleElement(events, 'name') AS event_names,
                tupleElement(links, 'trace_id') AS link_trace_ids,
                tupleElement(links, 'span_id') AS link_span_ids,
                tupleElement(links, 'trace_state') AS link_trace_states,
                length(tupleElement(span, 'attributes')) AS own_count,
                -- The span's own attributes, then those of its events, then those of its links.
                arrayConcat(
                    tupleElement(tupleElement(events, 'attributes'), 'key'),
                    tupleElement(tupleElement(links, 'attributes'), 'key')) AS inner_keys,
                arrayMap(keys -> length(keys), inner_keys) AS inner_counts,
                arrayConcat(tupleElement(tupleElement(span, 'attributes'), 'key'), arrayFlatten(inner_keys)) AS sent_keys,
                arrayConcat(
                    tupleElement(tupleElement(span, 'attributes'), 'value'),
                    arrayFlatten(tupleElement(tupleElement(events, 'attributes'), 'value')),
                    arrayFlatten(tupleElement(tupleElement(links, 'attributes'), 'value'))) AS sent_values
            FROM
            (
                SELECT
                    *,
                    arraySlice(tupleElement(span, 'events'), 1, max_events) AS events,
                    arraySlice(tupleElement(span, 'links'), 1, max_links) AS links
                FROM
                (
                    SELECT
                        * EXCEPT ({{columns_around}}, spans),
                        {{withheld_around}},
                        {{resource_rank}} AS resource_rank,
                        arrayJoin(spans) AS span
                    FROM
                    (
                        SELECT
                            *,
                            {{screened_around}}
                        FROM {{screening_steps}}
                        (
                            SELECT
                                * EXCEPT (resource_span, scope_span),
                                tupleElement(tupleElement(resource_span, 'resource'), 'attributes') AS resource,
                                tupleElement(tupleElement(scope_span, 'scope'), 'attributes') AS scope,
                                {{around_sent}},
                                tupleElement(scope_span, 'spans') AS spans,
                                tupleElement(resource_span, 'schema_url') AS resource_schema_url,
                                tupleElement(scope_span, 'schema_url') AS scope_schema_url,
                                tupleElement(tupleElement(scope_span, 'scope'), 'name') AS scope_name,
                                tupleElement(tupleElement(scope_span, 'scope'), 'version') AS scope_version
                            FROM
                            (
                                SELECT
                                    requests.spans AS RequestSpans,
                                    {{envelope}},
                                    max_attributes,
                                    max_events,
                                    max_links,
                                    arrayJoin(tupleElement(request, 'resource_spans')) AS resource_span,
                                    arrayJoin(tupleElement(resource_span, 'scope_spans')) AS scope_span
                                FROM {{rows}} AS requests
                            )
                        ) {{screening_steps_end}}
                    )
                )
            )
        ) {{screening_steps_end}}
    )
)
