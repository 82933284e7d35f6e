-- The same of log records that belong to a span, as events about calls to models do. Their bodies stay where they were
-- sent (selects/otel_logs.sql).
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
                (key, value, number) -> if(
                    bitAnd(number_of(key, number), 15) = {{class_content}},
                    (concat('logs.', toString(sent_time), '.', name, '.', key), text_of(value, tag_of(value))),
                    ('', '')),
                sent_keys, sent_values, arrayMap(key -> known_number(key), sent_keys)))) AS said
    FROM
    (
        SELECT
            * EXCEPT (record, received_at, earliest, latest),
            lower(hex(tupleElement(record, 'trace_id'))) AS TraceId,
            lower(hex(tupleElement(record, 'span_id'))) AS SpanId,
            if(
                tupleElement(record, 'time_unix_nano') = 0,
                tupleElement(record, 'observed_time_unix_nano'),
                tupleElement(record, 'time_unix_nano')) AS sent_time,
            fromUnixTimestamp64Nano(toInt64(if(
                bitAnd(sent_time >= earliest, sent_time <= latest), sent_time, received_at))) AS Timestamp,
            tupleElement(record, 'event_name') AS event_name,
            screened_name(event_name, is_plain_name(event_name), policy, sip_key) AS name,
            tupleElement(tupleElement(record, 'attributes'), 'key') AS sent_keys,
            tupleElement(tupleElement(record, 'attributes'), 'value') AS sent_values
        FROM
        (
            SELECT
                {{envelope}},
                arrayJoin(tupleElement(request, 'resource_logs')) AS resource_log,
                arrayJoin(tupleElement(resource_log, 'scope_logs')) AS scope_log,
                arrayJoin(tupleElement(scope_log, 'log_records')) AS record
            FROM {{rows}}
        )
    )
    WHERE bitAnd(TraceId != '', SpanId != '')
)
