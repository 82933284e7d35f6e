-- Screens log records by their project's policy (docs/privacy.md), and plans `screened` once for all lists of a request:
-- its place is before records become rows (docs/decisions/0001).
ALTER TABLE otlp_logs_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    fromUnixTimestamp64Nano(toInt64(if(time_is_sane, time, received_at))) AS Timestamp,
    if(
        tupleElement(record, 'trace_id') = unhex('00000000000000000000000000000000'),
        '', lower(hex(tupleElement(record, 'trace_id')))) AS TraceId,
    if(
        tupleElement(record, 'span_id') = unhex('0000000000000000'),
        '', lower(hex(tupleElement(record, 'span_id')))) AS SpanId,
    toUInt8(bitAnd(tupleElement(record, 'flags'), 255)) AS TraceFlags,
    texts[1] AS SeverityText,
    toUInt8(least(greatest(tupleElement(record, 'severity_number'), 0), 255)) AS SeverityNumber,
    ServiceName,
    if(is_of_model_call, '', texts[3]) AS Body,
    ResourceSchemaUrl,
    ResourceAttributes,
    ScopeSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    {{kept_attributes}} AS LogAttributes,
    if(texts[2] = '', map['event.name'], texts[2]) AS EventName,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestLogRecords,
    fromUnixTimestamp64Nano(toInt64(least(observed_time, 9223372036854775807))) AS ObservedTimestamp,
    arrayDistinct(arrayConcat(
        withheld_around, arrayFlatten(withheld), if(is_of_model_call AND texts[3] != '', ['(body)'], []))) AS WithheldKeys,
    has(WithheldKeys, '(body)') AS BodyWithheld,
    toUInt32(tupleElement(record, 'dropped_attributes_count') + greatest(0, length(map) - max_attributes))
        AS DroppedAttributes
FROM
(
    SELECT
        * EXCEPT (screened),
        tupleElement(screened, 1)[1] AS map,
        mapValues(tupleElement(screened, 1)[2]) AS texts,
        tupleElement(screened, 2) AS withheld,
        -- What a model was asked or answered is the body of such a record. Those of other dialects are known by their
        -- attributes: some were content and withheld.
        policy = 0 AND (
            startsWith(texts[2], 'gen_ai.')
            OR mapExists(
                (key, value) -> startsWith(key, 'gen_ai.') OR (key = 'event.name' AND startsWith(value, 'gen_ai.')),
                map)
            OR length(map) < length(tupleElement(record, 'attributes'))) AS is_of_model_call
    FROM
    (
        SELECT
            * EXCEPT (screened_records, entry),
            arrayJoin(screened_records) AS entry,
            tupleElement(entry, 1) AS record,
            tupleElement(entry, 2) AS screened,
            tupleElement(record, 'observed_time_unix_nano') AS observed_time,
            if(tupleElement(record, 'time_unix_nano') = 0, observed_time, tupleElement(record, 'time_unix_nano'))
                AS time,
            time BETWEEN earliest AND latest AS time_is_sane,
            time_is_sane OR time = 0 AS time_is_believed
        FROM
        (
            SELECT
                * EXCEPT (scope_log, screened),
                arrayZip(tupleElement(scope_log, 'log_records'), arrayPopFront(screened)) AS screened_records,
                {{screened_around}}
            FROM
            (
                SELECT
                    * EXCEPT (resource_log),
                    arrayMap(
                        lists -> screened(lists, policy, sip_key),
                        arrayConcat(
                            [[
                                tupleElement(tupleElement(resource_log, 'resource'), 'attributes'),
                                tupleElement(tupleElement(scope_log, 'scope'), 'attributes'),
                                texts_as_list(
                                    ['(schema url)', '(scope name)', '(scope version)', '(schema url)'],
                                    [
                                        tupleElement(resource_log, 'schema_url'),
                                        tupleElement(tupleElement(scope_log, 'scope'), 'name'),
                                        tupleElement(tupleElement(scope_log, 'scope'), 'version'),
                                        tupleElement(scope_log, 'schema_url')
                                    ])
                            ]],
                            arrayMap(
                                record -> [
                                    tupleElement(record, 'attributes'),
                                    arrayConcat(
                                        texts_as_list(
                                            ['(severity text)', '(event name)'],
                                            [tupleElement(record, 'severity_text'), tupleElement(record, 'event_name')]),
                                        CAST([('(body)', tupleElement(record, 'body'))] AS {{key_values}}))
                                ],
                                tupleElement(scope_log, 'log_records')))) AS screened
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
                        otlp_logs.log_records AS RequestLogRecords,
                        max_attributes,
                        toUInt8(content_policy) AS policy,
                        hashing_key(hash_key) AS sip_key,
                        arrayJoin(tupleElement(request, 'resource_logs')) AS resource_log,
                        arrayJoin(tupleElement(resource_log, 'scope_logs')) AS scope_log
                    FROM otlp_logs
                )
            )
        )
    )
)
