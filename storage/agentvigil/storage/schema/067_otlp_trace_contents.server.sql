-- Where OTLP trace requests of projects that let content be stored arrive once more, before they arrive at otlp_traces.
CREATE TABLE IF NOT EXISTS otlp_trace_contents
(
    {{otlp_traces_columns}}
)
ENGINE = Null
