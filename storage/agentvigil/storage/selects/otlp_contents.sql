-- What a project lets be stored of what its spans say (docs/content.md): a row for each text. Requests of projects that
-- let nothing be stored do not come here.
WITH
    {{screening_lambdas}}
SELECT
    {{said_text}}
FROM
(
    SELECT
        *,
        arrayJoin(arrayFilter(
            pair -> tupleElement(pair, 1) != '',
            arrayMap(
                (prefix, key, value, number) -> if(
                    bitAnd(number_of(key, number), 15) = {{class_content}},
                    (concat(prefix, key), text_of(value, tag_of(value))),
                    ('', '')),
                prefixes, sent_keys, sent_values, arrayMap(key -> known_number(key), sent_keys)))) AS said
    FROM
    (
        SELECT
            * EXCEPT (span, events, links, received_at, earliest, latest),
            lower(hex(tupleElement(span, 'trace_id'))) AS TraceId,
            lower(hex(tupleElement(span, 'span_id'))) AS SpanId,
            tupleElement(span, 'start_time_unix_nano') AS start_time,
            fromUnixTimestamp64Nano(toInt64(if(
                bitAnd(start_time >= earliest, start_time <= latest), start_time, received_at))) AS Timestamp,
            arrayConcat(
                tupleElement(tupleElement(span, 'attributes'), 'key'),
                arrayFlatten(tupleElement(tupleElement(events, 'attributes'), 'key')),
                arrayFlatten(tupleElement(tupleElement(links, 'attributes'), 'key'))) AS sent_keys,
            arrayConcat(
                tupleElement(tupleElement(span, 'attributes'), 'value'),
                arrayFlatten(tupleElement(tupleElement(events, 'attributes'), 'value')),
                arrayFlatten(tupleElement(tupleElement(links, 'attributes'), 'value'))) AS sent_values,
            arrayConcat(
                arrayMap(attribute -> '', tupleElement(span, 'attributes')),
                arrayFlatten(arrayMap(
                    (name, attributes, place) -> arrayMap(
                        attribute -> concat(
                            'events.', toString(place), '.',
                            screened_name(name, is_plain_name(name), policy, sip_key), '.'),
                        attributes),
                    tupleElement(events, 'name'), tupleElement(events, 'attributes'), arrayEnumerate(events))),
                arrayFlatten(arrayMap(
                    (attributes, place) -> arrayMap(attribute -> concat('links.', toString(place), '.'), attributes),
                    tupleElement(links, 'attributes'), arrayEnumerate(links)))) AS prefixes
        FROM
        (
            SELECT
                {{envelope}},
                arrayJoin(tupleElement(request, 'resource_spans')) AS resource_span,
                arrayJoin(tupleElement(resource_span, 'scope_spans')) AS scope_span,
                arrayJoin(tupleElement(scope_span, 'spans')) AS span,
                arraySlice(tupleElement(span, 'events'), 1, max_events) AS events,
                arraySlice(tupleElement(span, 'links'), 1, max_links) AS links
            FROM {{rows}}
        )
    )
)
