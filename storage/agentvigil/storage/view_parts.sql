-- Parts that several views of schema/ need alike; a view names one in double braces. They stand here as they do there.
-- A migration that was released keeps its text, and so do the parts it names: what changes is a new part.

-- attribute_lambdas --
-- For a view's WITH: what makes a map of texts of an OTLP attribute list. The same text as in 005_otlp_traces_mv.
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
        AS attribute_map

-- kept_attributes --
-- Of `map`, a record's attributes: those within the limit, and the time that was not believed. Both exceptions are
-- rare: one condition for the two.
    mapSort(if(time_is_believed AND length(map) <= max_attributes, map, mapFromArrays(
        arrayConcat(
            arraySlice(mapKeys(map), 1, max_attributes),
            if(time_is_believed, [], ['agentvigil.original_time_unix_nano'])),
        arrayConcat(
            arraySlice(mapValues(map), 1, max_attributes),
            if(time_is_believed, [], [toString(time)])))))

-- metric_envelope --
-- The views of the five kinds of metrics, from the innermost SELECT, which has a row for each scope, outwards.
    project AS Project,
                toUInt16(keep_days) AS KeepDays,
                received_at,
                received_at + 86400000000000 AS latest,
                received_at - keep_days * 86400000000000 AS earliest,
                fromUnixTimestamp64Milli(toInt64(intDiv(received_at, 1000000))) AS IngestedAt,
                toFixedString(hash, 16) AS RequestHash,
                data_points AS RequestDataPoints,
                max_attributes,
                arrayJoin(tupleElement(request, 'resource_metrics')) AS resource_metric,
                arrayJoin(tupleElement(resource_metric, 'scope_metrics')) AS scope_metric

-- metric --
-- A row for each metric of a scope.
    * EXCEPT (resource_metric, scope_metric),
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
            tupleElement(metric, 'unit') AS MetricUnit

-- data_point --
-- A row for each data point of a metric.
    * EXCEPT (metric, maps, points),
        arrayJoin(points) AS point,
        tupleElement(point, 'time_unix_nano') AS time,
        time BETWEEN earliest AND latest AS time_is_sane,
        time_is_sane OR time = 0 AS time_is_believed

-- data_point_and_exemplar_maps --
-- Attributes of a data point and its exemplars, converted together.
    tupleElement(point, 'exemplars') AS exemplars,
        arrayMap(
            attributes -> attribute_map(attributes),
            arrayConcat([tupleElement(point, 'attributes')], tupleElement(exemplars, 'filtered_attributes'))) AS maps,
        maps[1] AS map

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
    toUInt32(greatest(0, length(map) - max_attributes)) AS DroppedAttributes

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
    arrayMap(m -> mapSort(m), arrayPopFront(maps)) AS `Exemplars.FilteredAttributes`,
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
    ScopeName String,
    ScopeVersion String,
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
