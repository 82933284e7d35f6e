-- What ClickHouse needs to fetch OTLP from Kafka itself: {{names in braces}} are filled in by storage/kafka.py.
--
-- A message goes from `kafka_<signal>`, which reads the topic, into `kafka_<signal>_read`, a Null table, and from there
-- through views to where requests arrive. Reading begins with the first view on the Kafka table, so that one is made
-- last: what was read before would be gone.

-- errors --
-- What was no OTLP. Of ClickHouse's error only what stands before the first quotation: behind that may be the message's
-- own words.
CREATE TABLE IF NOT EXISTS kafka_errors
(
    ReadAt DateTime,
    Topic LowCardinality(String),
    Partition UInt64,
    Offset UInt64,
    Error String
)
ENGINE = MergeTree
ORDER BY ReadAt
TTL ReadAt + toIntervalDay(30)

-- queue --
-- Messages of up to a megabyte: how many are held at once is bounded by their number.
CREATE TABLE IF NOT EXISTS kafka_{{signal}}
(
    {{columns}}
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = {{brokers}},
    kafka_topic_list = {{topic}},
    kafka_group_name = {{group}},
    kafka_format = 'ProtobufSingle',
    kafka_handle_error_mode = 'stream',
    kafka_max_block_size = 64,
    kafka_poll_max_batch_size = 64,
    kafka_flush_interval_ms = 1000,
    format_schema_source = 'string',
    format_schema = {{schema}},
    format_schema_message_name = {{message}},
    input_format_protobuf_oneof_presence = 1

-- read --
CREATE TABLE IF NOT EXISTS kafka_{{signal}}_read
(
    {{columns}},
    topic LowCardinality(String),
    partition UInt64,
    offset UInt64,
    sent_at Nullable(DateTime64(3)),
    error String
)
ENGINE = Null

-- errors_view --
CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_{{signal}}_errors_mv TO kafka_errors AS
SELECT
    now() AS ReadAt,
    topic AS Topic,
    partition AS Partition,
    offset AS Offset,
    extract(error, '^[^\'"`]*') AS Error
FROM kafka_{{signal}}_read
WHERE error != ''

-- requests_view --
-- Puts the message into our envelope. Its hash is that of its place in Kafka, the same when Kafka hands it out again.
CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_{{arrival}}_mv TO {{arrival}} AS
SELECT
    CAST(tuple({{field}}), {{request}}) AS request,
    toUInt32({{count}}) AS {{count_name}},
    {{project}} AS project,
    toUInt64(toUnixTimestamp64Nano(now64(9))) AS received_at,
    CAST(sipHash128(topic, partition, offset, sent_at), 'String') AS hash,
    toUInt32({{keep_days}}) AS keep_days,
    toUInt32({{max_attributes}}) AS max_attributes,{{limits_of_spans}}
    toUInt32(0) AS content_policy,
    unhex((SELECT HashKey FROM agentvigil_hash_key)) AS hash_key
FROM kafka_{{signal}}_read
WHERE error = ''

-- limits_of_spans --

    toUInt32({{max_events}}) AS max_events,
    toUInt32({{max_links}}) AS max_links,

-- reading_view --
CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_{{signal}}_mv TO kafka_{{signal}}_read AS
{{reading}}

-- reading --
SELECT
    {{field}},
    _topic AS topic,
    _partition AS partition,
    _offset AS offset,
    _timestamp_ms AS sent_at,
    _error AS error
FROM {{rows}}

-- spans_count --
arraySum(
        resource -> arraySum(scope -> length(tupleElement(scope, 'spans')), tupleElement(resource, 'scope_spans')),
        resource_spans)

-- log_records_count --
arraySum(
        resource -> arraySum(scope -> length(tupleElement(scope, 'log_records')), tupleElement(resource, 'scope_logs')),
        resource_logs)

-- data_points_count --
arraySum(
        resource -> arraySum(
            scope -> arraySum(
                metric -> {{lengths}},
                tupleElement(scope, 'metrics')),
            tupleElement(resource, 'scope_metrics')),
        resource_metrics)
