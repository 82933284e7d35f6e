-- spans_of_trace --
-- The spans of one trace in order of time, as `agentvigil semconv check` looks at them; values are text, as stored.
SELECT
    TraceId,
    SpanId,
    SpanName,
    SpanKind,
    StatusCode,
    StatusMessage,
    SpanAttributes,
    Events.Name AS EventNames,
    Events.Attributes AS EventAttributes
FROM otel_traces
WHERE TraceId = {trace_id:String}
ORDER BY Timestamp, SpanId
LIMIT {most:UInt64}
