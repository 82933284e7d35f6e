-- Spans on their way from otlp_traces to otel_traces, decoded and without what the project's policy withholds; a Null
-- table, which stores nothing of what passes through. Beside the columns of otel_traces it has what later stages need
-- and none hands on: the span's own attributes as they were sent, and the content that the policy lets through.
CREATE TABLE IF NOT EXISTS otlp_spans
(
    {{span_columns}},
    sent_keys Array(LowCardinality(String)),
    sent_texts Array(String) COMMENT 'values that are strings, and empty texts for the others',
    sip_key Tuple(UInt64, UInt64) COMMENT 'the installation''s key for hashes',
    contents Array(Array(Tuple(String, String))) COMMENT 'key and text, of the span and of each event and link'
)
ENGINE = Null
