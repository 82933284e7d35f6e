-- Traces in which a list cost was changed after it was stored: what was made of their spans has to be made again. A row is
-- written before the change, so that no death in between leaves a trace forgotten.
CREATE TABLE IF NOT EXISTS agentvigil_recosted_traces
(
    TraceId String,
    RecostedAt DateTime64(3) DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (RecostedAt, TraceId)
TTL toDateTime(RecostedAt) + toIntervalDay(30)
SETTINGS ttl_only_drop_parts = 1
