-- Parts that several statements of schema/ and selects/ need alike; one is named in double braces, and stands here as it
-- does there.

-- kept_attributes --
-- Of `map`, a record's attributes: those within the limit, and the time that was not believed. Both exceptions are
-- rare: one condition for the two.
    mapSort(if(bitAnd(time_is_believed, length(map) <= max_attributes), map, mapFromArrays(
        arrayConcat(
            arraySlice(mapKeys(map), 1, max_attributes),
            if(time_is_believed, [], ['agentvigil.original_time_unix_nano'])),
        arrayConcat(
            arraySlice(mapValues(map), 1, max_attributes),
            if(time_is_believed, [], [toString(time)])))))

-- envelope --
-- What the receiver said of the request, and between which times a sender's clock is believed.
project AS Project,
                        toUInt16(keep_days) AS KeepDays,
                        received_at,
                        received_at + 86400000000000 AS latest,
                        received_at - keep_days * 86400000000000 AS earliest,
                        fromUnixTimestamp64Milli(toInt64(intDiv(received_at, 1000000))) AS IngestedAt,
                        toFixedString(hash, 16) AS RequestHash,
                        toUInt8(content_policy) AS policy,
                        hashing_key(hash_key) AS sip_key

-- said_text --
-- A text that somebody said, and whose it is; `said` is its key and the text.
Project,
    RequestHash,
    TraceId,
    SpanId,
    Timestamp,
    KeepDays,
    IngestedAt,
    sip_key,
    tupleElement(said, 1) AS Key,
    if(policy = 1, masked_text(tupleElement(said, 2)), tupleElement(said, 2)) AS text

-- around_sent --
-- Attributes of resource and scope, one after the other.
arrayConcat(tupleElement(resource, 'key'), tupleElement(scope, 'key')) AS sent_keys,
                                arrayConcat(tupleElement(resource, 'value'), tupleElement(scope, 'value')) AS sent_values

-- screened_around --
-- Resource and scope. Names keep their dictionaries, so that what depends on them is found out for each name and not for
-- each row.
arrayMap(place -> place <= length(resource), arrayEnumerate(stays)) AS is_of_resource,
                            mapSort(mapFromArrays(
                                arrayFilter((key, stays, here) -> bitAnd(stays, here), sent_keys, stays, is_of_resource),
                                arrayFilter((text, stays, here) -> bitAnd(stays, here), kept_texts, stays, is_of_resource)))
                                AS ResourceAttributes,
                            mapSort(mapFromArrays(
                                arrayFilter((key, stays, here) -> bitAnd(stays, NOT here), sent_keys, stays, is_of_resource),
                                arrayFilter((text, stays, here) -> bitAnd(stays, NOT here), kept_texts, stays, is_of_resource)))
                                AS ScopeAttributes,
                            toLowCardinality(screened_url(resource_schema_url, policy)) AS ResourceSchemaUrl,
                            toLowCardinality(screened_url(scope_schema_url, policy)) AS ScopeSchemaUrl,
                            toLowCardinality(screened_name(scope_name, is_plain_name(scope_name), policy, sip_key))
                                AS ScopeName,
                            toLowCardinality(screened_name(scope_version, is_plain_name(scope_version), policy, sip_key))
                                AS ScopeVersion

-- withheld_around --
-- Of what around a record something was withheld.
toLowCardinality(ResourceAttributes['service.name']) AS ServiceName,
                        arrayConcat(
                            withheld,
                            if(
                                bitOr(ResourceSchemaUrl != resource_schema_url, ScopeSchemaUrl != scope_schema_url),
                                ['(schema url)'], []),
                            if(ScopeName != scope_name, ['(scope name)'], []),
                            if(ScopeVersion != scope_version, ['(scope version)'], [])) AS withheld_around

-- columns_around --
-- What is needed no longer then.
{{screening_columns}}, is_of_resource, resource, scope, resource_schema_url, scope_schema_url, scope_name, scope_version

-- metric_envelope --
-- The selects of the five kinds of metrics, from the innermost SELECT, which has a row for each metric, outwards.
                        data_points AS RequestDataPoints,
                        max_attributes,
                        {{envelope}},
                        arrayJoin(tupleElement(request, 'resource_metrics')) AS resource_metric,
                        arrayJoin(tupleElement(resource_metric, 'scope_metrics')) AS scope_metric,
                        arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric

-- metric_fields --
-- A row for each metric, taken apart.
* EXCEPT (resource_metric, scope_metric, metric),
                                tupleElement(tupleElement(resource_metric, 'resource'), 'attributes') AS resource,
                                tupleElement(tupleElement(scope_metric, 'scope'), 'attributes') AS scope,
                                {{around_sent}},
                                tupleElement(resource_metric, 'schema_url') AS resource_schema_url,
                                tupleElement(scope_metric, 'schema_url') AS scope_schema_url,
                                tupleElement(tupleElement(scope_metric, 'scope'), 'name') AS scope_name,
                                tupleElement(tupleElement(scope_metric, 'scope'), 'version') AS scope_version,
                                tupleElement(tupleElement(scope_metric, 'scope'), 'dropped_attributes_count')
                                    AS ScopeDroppedAttrCount,
                                tupleElement(metric, 'name') AS metric_name,
                                tupleElement(metric, 'description') AS metric_description,
                                tupleElement(metric, 'unit') AS metric_unit

-- screened_metric --
-- With what is kept of it, and of what is around.
*,
                            {{screened_around}},
                            toLowCardinality(screened_name(metric_name, is_plain_name(metric_name), policy, sip_key))
                                AS MetricName,
                            screened_error(metric_description, policy) AS MetricDescription,
                            screened_name(metric_unit, is_plain_name(metric_unit), policy, sip_key) AS MetricUnit

-- metric_points --
-- A row for each of its data points.
* EXCEPT ({{columns_around}}, metric_name, metric_description, metric_unit, points),
                        {{withheld_around}},
                        arrayConcat(
                            if(MetricName != metric_name, ['(metric name)'], []),
                            if(MetricDescription != metric_description, ['(metric description)'], []),
                            if(MetricUnit != metric_unit, ['(metric unit)'], [])) AS withheld_of_metric,
                        arrayJoin(points) AS point

-- point_sent --
-- The attributes of a data point and its exemplars, one after the other.
*,
                    tupleElement(tupleElement(exemplars, 'filtered_attributes'), 'key') AS exemplar_keys,
                    length(tupleElement(point, 'attributes')) AS own_count,
                    arrayMap(keys -> length(keys), exemplar_keys) AS exemplar_counts,
                    arrayConcat(tupleElement(tupleElement(point, 'attributes'), 'key'), arrayFlatten(exemplar_keys))
                        AS sent_keys,
                    arrayConcat(
                        tupleElement(tupleElement(point, 'attributes'), 'value'),
                        arrayFlatten(tupleElement(tupleElement(exemplars, 'filtered_attributes'), 'value')))
                        AS sent_values

-- summary_sent --
-- The same of summaries, which have no exemplars.
*,
                    length(tupleElement(point, 'attributes')) AS own_count,
                    tupleElement(tupleElement(point, 'attributes'), 'key') AS sent_keys,
                    tupleElement(tupleElement(point, 'attributes'), 'value') AS sent_values

-- data_point --
-- The data point, and its attributes as a map.
*,
            own_map(sent_keys, kept_texts, stays, own_count) AS map,
            tupleElement(point, 'time_unix_nano') AS time,
            bitAnd(time >= earliest, time <= latest) AS time_is_sane,
            bitOr(time_is_sane, time = 0) AS time_is_believed

-- data_point_columns --
-- The columns that data points of all kinds have.
ResourceAttributes,
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
    toUInt32(greatest(0, length(map) - max_attributes)) AS DroppedAttributes,
    arrayDistinct(arrayConcat(withheld_around, withheld_of_metric, withheld)) AS WithheldKeys

-- number_value --
-- The value of a gauge's or a sum's data point.
    if(
        tupleElement(point, 'value') = 'as_int',
        toFloat64(tupleElement(point, 'as_int')),
        tupleElement(point, 'as_double'))

-- sum_min_max --
-- What a histogram may leave out: 0 as the Collector writes it, and whether it was there.
    ifNull(tupleElement(point, 'sum'), 0) AS Sum,
    ifNull(tupleElement(point, 'min'), 0) AS Min,
    ifNull(tupleElement(point, 'max'), 0) AS Max,
    isNotNull(tupleElement(point, 'sum')) AS HasSum,
    isNotNull(tupleElement(point, 'min')) AS HasMin,
    isNotNull(tupleElement(point, 'max')) AS HasMax

-- exemplar_columns --
-- The exemplars of a data point.
    maps_of(sent_keys, kept_texts, stays, own_count, exemplar_counts) AS `Exemplars.FilteredAttributes`,
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
        tupleElement(exemplars, 'trace_id')) AS `Exemplars.TraceId`

-- span_columns --
-- The columns of a span as it is decoded, which the stages on its way to otel_traces hand on.
    Timestamp DateTime64(9),
    TraceId String,
    SpanId String,
    ParentSpanId String,
    TraceState String,
    SpanName LowCardinality(String),
    SpanKind LowCardinality(String),
    ServiceName LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    SpanAttributes Map(LowCardinality(String), String),
    Duration UInt64,
    StatusCode LowCardinality(String),
    StatusMessage String,
    `Events.Timestamp` Array(DateTime64(9)),
    `Events.Name` Array(LowCardinality(String)),
    `Events.Attributes` Array(Map(LowCardinality(String), String)),
    `Links.TraceId` Array(String),
    `Links.SpanId` Array(String),
    `Links.TraceState` Array(String),
    `Links.Attributes` Array(Map(LowCardinality(String), String)),
    Project LowCardinality(String),
    KeepDays UInt16,
    IngestedAt DateTime64(3),
    RequestHash FixedString(16),
    RequestSpans UInt32,
    ResourceSchemaUrl LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String),
    ScopeSchemaUrl LowCardinality(String),
    TraceFlags UInt32,
    DroppedAttributes UInt32,
    DroppedEvents UInt32,
    DroppedLinks UInt32,
    WithheldKeys Array(LowCardinality(String))

-- typed_columns --
-- The columns that any dialect's spans are read by, each a part of typed_columns.sql.
    Dialect LowCardinality(String),
    Operation LowCardinality(String),
    IsStep Bool,
    Billing LowCardinality(String),
    StepType LowCardinality(String),
    StepName LowCardinality(String),
    Attempt UInt16,
    Provider LowCardinality(String),
    RequestModel LowCardinality(String),
    ResponseModel LowCardinality(String),
    ResponseId String,
    FinishReason LowCardinality(String),
    AgentName LowCardinality(String),
    AgentVersion LowCardinality(String),
    WorkflowName LowCardinality(String),
    ToolName LowCardinality(String),
    ToolCallId String,
    ConversationId String,
    UserId String,
    Framework LowCardinality(String),
    InputTokens Nullable(UInt64),
    OutputTokens Nullable(UInt64),
    CacheReadTokens Nullable(UInt64),
    CacheWriteTokens Nullable(UInt64),
    ReasoningTokens Nullable(UInt64),
    InputAudioTokens Nullable(UInt64),
    OutputAudioTokens Nullable(UInt64),
    CacheReadAudioTokens Nullable(UInt64),
    TokenConvention LowCardinality(String),
    ServiceTier LowCardinality(String),
    ReportedCostUSD Nullable(Decimal(18, 9)),
    TimeToFirstChunk Nullable(Float64),
    ErrorType LowCardinality(String),
    FailureType LowCardinality(String),
    FailureCode LowCardinality(String)

-- envelope_columns --
-- What the receiver says of a request of any signal.
project String,
    received_at UInt64,
    hash String,
    keep_days UInt32,
    max_attributes UInt32,
    content_policy UInt32,
    hash_key String

-- metrics_until_data --
-- A request of metrics, as far as all kinds of them are alike.
resource_metrics Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_metrics Array(Tuple(
                scope Tuple(
                    name LowCardinality(String),
                    version LowCardinality(String),
                    attributes {{key_values}},
                    dropped_attributes_count UInt32),
                schema_url LowCardinality(String),
                metrics Array(Tuple(
                    name LowCardinality(String),
                    description LowCardinality(String),
                    unit LowCardinality(String),
                    data {{metric_data}},

-- exemplars --
-- Those of a data point.
exemplars Array(Tuple(
                                time_unix_nano UInt64,
                                value {{exemplar_value}},
                                as_double Float64,
                                as_int Int64,
                                span_id String,
                                trace_id String,
                                filtered_attributes {{key_values}}))

-- number_points --
-- The data points of gauges and sums.
data_points Array(Tuple(
                            start_time_unix_nano UInt64,
                            time_unix_nano UInt64,
                            value {{point_value}},
                            as_double Float64,
                            as_int Int64,
                            {{exemplars}},
                            attributes {{key_values}},
                            flags UInt32))

-- otlp_traces_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        resource_spans Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_spans Array(Tuple(
                scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {{key_values}}),
                schema_url LowCardinality(String),
                spans Array(Tuple(
                    trace_id String,
                    span_id String,
                    trace_state String,
                    parent_span_id String,
                    flags UInt32,
                    name LowCardinality(String),
                    kind Int32,
                    start_time_unix_nano UInt64,
                    end_time_unix_nano UInt64,
                    attributes {{key_values}},
                    dropped_attributes_count UInt32,
                    events Array(Tuple(
                        time_unix_nano UInt64,
                        name LowCardinality(String),
                        attributes {{key_values}})),
                    dropped_events_count UInt32,
                    links Array(Tuple(
                        trace_id String,
                        span_id String,
                        trace_state String,
                        attributes {{key_values}})),
                    dropped_links_count UInt32,
                    status Tuple(message String, code Int32)))))))),
    spans UInt32,
    max_events UInt32,
    max_links UInt32,
    {{envelope_columns}}

-- otlp_logs_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        resource_logs Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_logs Array(Tuple(
                scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {{key_values}}),
                schema_url LowCardinality(String),
                log_records Array(Tuple(
                    time_unix_nano UInt64,
                    observed_time_unix_nano UInt64,
                    severity_number Int32,
                    severity_text LowCardinality(String),
                    body {{any_value}},
                    attributes {{key_values}},
                    dropped_attributes_count UInt32,
                    flags UInt32,
                    trace_id String,
                    span_id String,
                    event_name LowCardinality(String)))))))),
    log_records UInt32,
    {{envelope_columns}}

-- otlp_metrics_gauge_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        {{metrics_until_data}}
                    gauge Tuple(
                        {{number_points}})))))))),
    data_points UInt32,
    {{envelope_columns}}

-- otlp_metrics_sum_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        {{metrics_until_data}}
                    sum Tuple(
                        {{number_points}},
                        aggregation_temporality Int32,
                        is_monotonic Bool)))))))),
    data_points UInt32,
    {{envelope_columns}}

-- otlp_metrics_histogram_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        {{metrics_until_data}}
                    histogram Tuple(
                        data_points Array(Tuple(
                            start_time_unix_nano UInt64,
                            time_unix_nano UInt64,
                            count UInt64,
                            sum Nullable(Float64),
                            bucket_counts Array(UInt64),
                            explicit_bounds Array(Float64),
                            min Nullable(Float64),
                            max Nullable(Float64),
                            {{exemplars}},
                            attributes {{key_values}},
                            flags UInt32)),
                        aggregation_temporality Int32)))))))),
    data_points UInt32,
    {{envelope_columns}}

-- otlp_metrics_exponential_histogram_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        {{metrics_until_data}}
                    exponential_histogram Tuple(
                        data_points Array(Tuple(
                            start_time_unix_nano UInt64,
                            time_unix_nano UInt64,
                            count UInt64,
                            sum Nullable(Float64),
                            scale Int32,
                            zero_count UInt64,
                            zero_threshold Float64,
                            positive Tuple(offset Int32, bucket_counts Array(UInt64)),
                            negative Tuple(offset Int32, bucket_counts Array(UInt64)),
                            min Nullable(Float64),
                            max Nullable(Float64),
                            {{exemplars}},
                            attributes {{key_values}},
                            flags UInt32)),
                        aggregation_temporality Int32)))))))),
    data_points UInt32,
    {{envelope_columns}}

-- otlp_metrics_summary_columns --
-- Requests as they arrive, in OTLP's own shape inside an envelope (otlp.proto).
    request Tuple(
        {{metrics_until_data}}
                    summary Tuple(
                        data_points Array(Tuple(
                            start_time_unix_nano UInt64,
                            time_unix_nano UInt64,
                            count UInt64,
                            sum Float64,
                            quantile_values Array(Tuple(quantile Float64, value Float64)),
                            attributes {{key_values}},
                            flags UInt32)))))))))),
    data_points UInt32,
    {{envelope_columns}}
