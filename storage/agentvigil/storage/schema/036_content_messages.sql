-- Messages that projects let be stored, each once: agents send a conversation's whole history with every turn. A message
-- is known by its hash within its project, under the installation's key, so that no other text can be made to fit it.
-- It stays as long as the last span that says it; by week of its end, so that what ends is never merged with the rest.
CREATE TABLE IF NOT EXISTS content_messages
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Hash UUID CODEC(NONE) COMMENT 'keyed hash of the body',
    Body SimpleAggregateFunction(any, String) CODEC(ZSTD(3)) COMMENT 'element of a list, or a whole text',
    Expires SimpleAggregateFunction(max, Date) CODEC(ZSTD(1)) COMMENT 'first day on which no span says it any more'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(Expires)
ORDER BY (Project, Hash)
TTL Expires
SETTINGS index_granularity = 256
