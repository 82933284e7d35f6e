-- Decodes OTLP requests into log records: the one place where limits apply and content is withheld.
WITH
    {{screening_lambdas}}
SELECT
    fromUnixTimestamp64Nano(toInt64(if(time_is_sane, time, received_at))) AS Timestamp,
    if(trace_id = unhex('00000000000000000000000000000000'), '', lower(hex(trace_id))) AS TraceId,
    if(span_id = unhex('0000000000000000'), '', lower(hex(span_id))) AS SpanId,
    toUInt8(bitAnd(flags, 255)) AS TraceFlags,
    SeverityText,
    toUInt8(least(greatest(severity_number, 0), 255)) AS SeverityNumber,
    ServiceName,
    Body,
    ResourceSchemaUrl,
    ResourceAttributes,
    ScopeSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeAttributes,
    {{kept_attributes}} AS LogAttributes,
    if(screened_event_name = '', map['event.name'], screened_event_name) AS EventName,
    Project,
    KeepDays,
    IngestedAt,
    RequestHash,
    RequestLogRecords,
    fromUnixTimestamp64Nano(toInt64(least(observed_time, 9223372036854775807))) AS ObservedTimestamp,
    arrayDistinct(arrayConcat(
        withheld_around,
        withheld,
        if(SeverityText != severity_text, ['(severity text)'], []),
        if(screened_event_name != event_name, ['(event name)'], []),
        if(Body != body, ['(body)'], []))) AS WithheldKeys,
    body != Body AS BodyWithheld,
    toUInt32(dropped_attributes + greatest(0, length(map) - max_attributes)) AS DroppedAttributes
FROM
(
    SELECT
        *,
        multiIf(
            is_of_model_call, '',
            body_tag IN (10, 42), screened_error(body, policy),
            body) AS Body
    FROM
    (
        SELECT
            *,
            bitAnd(time >= earliest, time <= latest) AS time_is_sane,
            bitOr(time_is_sane, time = 0) AS time_is_believed,
            text_of(sent_body, body_tag) AS body,
            -- What a model was asked or answered is the body of such a record. Those of other dialects are known by their
            -- attributes: some were content and withheld.
            bitAnd(policy = 0, bitOr(
                bitOr(startsWith(screened_event_name, 'gen_ai.'), length(map) < length(sent_keys)),
                mapExists(
                    (key, value) -> bitOr(
                        startsWith(key, 'gen_ai.'), bitAnd(key = 'event.name', startsWith(value, 'gen_ai.'))),
                    map))) AS is_of_model_call
        FROM
        (
            SELECT
                *,
                own_map(sent_keys, kept_texts, stays, length(sent_keys)) AS map,
                toLowCardinality(screened_name(severity_text, is_plain_name(severity_text), policy, sip_key))
                    AS SeverityText,
                screened_name(event_name, is_plain_name(event_name), policy, sip_key) AS screened_event_name
            FROM {{screening_steps}}
            (
                SELECT
                    * EXCEPT (record),
                    tupleElement(record, 'trace_id') AS trace_id,
                    tupleElement(record, 'span_id') AS span_id,
                    tupleElement(record, 'flags') AS flags,
                    tupleElement(record, 'severity_number') AS severity_number,
                    tupleElement(record, 'severity_text') AS severity_text,
                    tupleElement(record, 'event_name') AS event_name,
                    tupleElement(record, 'body') AS sent_body,
                    tag_of(tupleElement(record, 'body')) AS body_tag,
                    tupleElement(record, 'dropped_attributes_count') AS dropped_attributes,
                    tupleElement(record, 'observed_time_unix_nano') AS observed_time,
                    if(
                        tupleElement(record, 'time_unix_nano') = 0,
                        tupleElement(record, 'observed_time_unix_nano'),
                        tupleElement(record, 'time_unix_nano')) AS time,
                    tupleElement(tupleElement(record, 'attributes'), 'key') AS sent_keys,
                    tupleElement(tupleElement(record, 'attributes'), 'value') AS sent_values
                FROM
                (
                    SELECT
                        * EXCEPT ({{columns_around}}, records),
                        {{withheld_around}},
                        arrayJoin(records) AS record
                    FROM
                    (
                        SELECT
                            *,
                            {{screened_around}}
                        FROM {{screening_steps}}
                        (
                            SELECT
                                * EXCEPT (resource_log, scope_log),
                                tupleElement(tupleElement(resource_log, 'resource'), 'attributes') AS resource,
                                tupleElement(tupleElement(scope_log, 'scope'), 'attributes') AS scope,
                                {{around_sent}},
                                tupleElement(scope_log, 'log_records') AS records,
                                tupleElement(resource_log, 'schema_url') AS resource_schema_url,
                                tupleElement(scope_log, 'schema_url') AS scope_schema_url,
                                tupleElement(tupleElement(scope_log, 'scope'), 'name') AS scope_name,
                                tupleElement(tupleElement(scope_log, 'scope'), 'version') AS scope_version
                            FROM
                            (
                                SELECT
                                    log_records AS RequestLogRecords,
                                    max_attributes,
                                    {{envelope}},
                                    arrayJoin(tupleElement(request, 'resource_logs')) AS resource_log,
                                    arrayJoin(tupleElement(resource_log, 'scope_logs')) AS scope_log
                                FROM {{rows}}
                            )
                        ) {{screening_steps_end}}
                    )
                )
            ) {{screening_steps_end}}
        )
    )
)
