-- Where OTLP trace requests arrive; a Null table, which stores nothing of what passes through.
CREATE TABLE IF NOT EXISTS otlp_traces
(
    {{otlp_traces_columns}}
)
ENGINE = Null
