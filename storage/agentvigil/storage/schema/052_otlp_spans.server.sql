-- Spans on their way from otlp_traces to otel_traces, decoded and without what the project's policy withholds; a Null
-- table. Beside the columns of otel_traces it has what the typed columns are made of (storage/selects/otlp_spans.sql).
CREATE TABLE IF NOT EXISTS otlp_spans
(
    {{span_columns}},
    sent_keys Array(LowCardinality(String)),
    keys Array(LowCardinality(String)) COMMENT 'of the attributes that stay, in the order that they were sent in',
    key_numbers Array(UInt32) COMMENT 'what each of these keys is (storage/key_numbers.py)',
    texts Array(String),
    special_keys Array(LowCardinality(String)) COMMENT 'of attributes that are looked at more closely',
    special_numbers Array(UInt32),
    special_texts Array(String) COMMENT 'as they were sent',
    sent_rank UInt8 COMMENT 'the most telling key: a place in the order of dialects',
    resource_rank UInt8 COMMENT 'the most telling attribute of the resource',
    sip_key Tuple(UInt64, UInt64) COMMENT 'the installation''s key for hashes'
)
ENGINE = Null
