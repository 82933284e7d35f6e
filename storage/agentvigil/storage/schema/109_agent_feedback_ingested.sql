-- What users, people and programs think of runs: events gen_ai.evaluation.result, sent as log records or on spans, by the
-- API, the SDK or anybody's. Filter by StoredAt beside Timestamp: it is what the tables are partitioned by. IngestedAt is
-- when it came in.
CREATE OR REPLACE VIEW agent_feedback AS
SELECT
    Project,
    Timestamp,
    StoredAt,
    IngestedAt,
    KeepDays,
    lower(hex(sipHash128(Timestamp, TraceId, SpanId, ContentKey, toString(said)))) AS FeedbackId,
    if(said['agentvigil.feedback.run_id'] != '', said['agentvigil.feedback.run_id'], TraceId) AS RunId,
    TraceId,
    SpanId,
    if(said['gen_ai.evaluation.name'] != '', said['gen_ai.evaluation.name'], 'feedback') AS Name,
    toFloat64OrNull(
        if(said['agentvigil.feedback.score'] != '',
            said['agentvigil.feedback.score'], said['gen_ai.evaluation.score.value'])) AS sent_score,
    if(isFinite(sent_score), sent_score, NULL) AS Score,
    if(said['agentvigil.feedback.label'] != '',
        said['agentvigil.feedback.label'], said['gen_ai.evaluation.score.label']) AS Label,
    said['agentvigil.feedback.source'] AS Source,
    said['agentvigil.feedback.comment'] AS Comment,
    concat(ContentKey, '.gen_ai.evaluation.result.gen_ai.evaluation.explanation') AS ExplanationKey
FROM
(
    SELECT
        Project,
        Timestamp,
        Timestamp AS StoredAt,
        IngestedAt,
        KeepDays,
        TraceId,
        SpanId,
        CAST(LogAttributes, 'Map(String, String)') AS said,
        concat('logs.', toString(toUnixTimestamp64Nano(Timestamp))) AS ContentKey
    FROM otel_logs
    WHERE EventName = 'gen_ai.evaluation.result'
    UNION ALL
    SELECT
        Project,
        event_time AS Timestamp,
        otel_traces.Timestamp AS StoredAt,
        IngestedAt,
        KeepDays,
        TraceId,
        SpanId,
        CAST(event_said, 'Map(String, String)') AS said,
        concat('events.', toString(event_number)) AS ContentKey
    FROM otel_traces
    ARRAY JOIN
        Events.Timestamp AS event_time,
        Events.Name AS event_name,
        Events.Attributes AS event_said,
        arrayEnumerate(Events.Name) AS event_number
    WHERE has(Events.Name, 'gen_ai.evaluation.result') AND event_name = 'gen_ai.evaluation.result'
)
