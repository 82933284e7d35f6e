-- Turns OTLP requests into rows of otel_logs: decodes records, applies limits and withholds content, as otlp_traces_mv
-- does for spans and with the same care for planning (docs/decisions/0001).
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_logs_mv TO otel_logs AS
WITH
    {{attribute_lambdas}}
SELECT
    fromUnixTimestamp64Nano(toInt64(if(time_is_sane, time, received_at))) AS Timestamp,
    if(
        tupleElement(record, 'trace_id') = unhex('00000000000000000000000000000000'),
        '', lower(hex(tupleElement(record, 'trace_id')))) AS TraceId,
    if(
        tupleElement(record, 'span_id') = unhex('0000000000000000'),
        '', lower(hex(tupleElement(record, 'span_id')))) AS SpanId,
    toUInt8(bitAnd(tupleElement(record, 'flags'), 255)) AS TraceFlags,
    tupleElement(record, 'severity_text') AS SeverityText,
    toUInt8(least(greatest(tupleElement(record, 'severity_number'), 0), 255)) AS SeverityNumber,
    ServiceName,
    -- What a model was asked or answered is the body of such a record. Those of other dialects are known by their
    -- attributes: some were content and withheld.
    if(
        (startsWith(event_name, 'gen_ai.')
            OR mapExists(
                (key, value) -> startsWith(key, 'gen_ai.') OR (key = 'event.name' AND startsWith(value, 'gen_ai.')),
                map)
            OR length(map) < attributes_sent) AS is_of_model_call,
        '', body) AS Body,
    ResourceSchemaUrl,
    ResourceAttributes,
    ScopeSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    {{kept_attributes}} AS LogAttributes,
    if(event_name = '', map['event.name'], event_name) AS EventName,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestLogRecords,
    fromUnixTimestamp64Nano(toInt64(least(observed_time, 9223372036854775807))) AS ObservedTimestamp,
    is_of_model_call AND body != '' AS BodyWithheld,
    toUInt32(tupleElement(record, 'dropped_attributes_count') + greatest(0, length(map) - max_attributes))
        AS DroppedAttributes
FROM
(
    SELECT
        * EXCEPT (maps, log_records),
        arrayJoin(log_records) AS record,
        tupleElement(record, 'observed_time_unix_nano') AS observed_time,
        if(tupleElement(record, 'time_unix_nano') = 0, observed_time, tupleElement(record, 'time_unix_nano')) AS time,
        time BETWEEN earliest AND latest AS time_is_sane,
        time_is_sane OR time = 0 AS time_is_believed,
        tupleElement(record, 'event_name') AS event_name,
        value_texts([tupleElement(record, 'body')])[1] AS body,
        attribute_map(tupleElement(record, 'attributes')) AS map,
        length(tupleElement(record, 'attributes')) AS attributes_sent
    FROM
    (
        SELECT
            * EXCEPT (resource_log, scope_log),
            arrayMap(
                attributes -> mapSort(attribute_map(attributes)),
                [
                    tupleElement(tupleElement(resource_log, 'resource'), 'attributes'),
                    tupleElement(tupleElement(scope_log, 'scope'), 'attributes')
                ]) AS maps,
            maps[1] AS ResourceAttributes,
            ResourceAttributes['service.name'] AS ServiceName,
            tupleElement(resource_log, 'schema_url') AS ResourceSchemaUrl,
            tupleElement(tupleElement(scope_log, 'scope'), 'name') AS ScopeName,
            tupleElement(tupleElement(scope_log, 'scope'), 'version') AS ScopeVersion,
            maps[2] AS ScopeAttributes,
            tupleElement(scope_log, 'schema_url') AS ScopeSchemaUrl,
            tupleElement(scope_log, 'log_records') AS log_records
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
                arrayJoin(tupleElement(request, 'resource_logs')) AS resource_log,
                arrayJoin(tupleElement(resource_log, 'scope_logs')) AS scope_log
            FROM otlp_logs
        )
    )
)
