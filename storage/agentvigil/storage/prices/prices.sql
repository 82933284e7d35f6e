-- stored_inputs --
-- What the prices in use were made of, as generation and inputs; no row before the first load.
SELECT Generation, any(Inputs)
FROM agentvigil_price_rules
GROUP BY Generation
ORDER BY Generation DESC
LIMIT 1

-- older_generations --
-- Generations that a table has and that are not in use any more.
SELECT DISTINCT Generation FROM {table:Identifier} WHERE Generation < {generation:UInt64}

-- drop_generation --
-- Takes a generation away, whole.
ALTER TABLE {table:Identifier} DROP PARTITION ID {generation:String}

-- reload_sizes --
SYSTEM RELOAD DICTIONARY agentvigil_price_sizes

-- reload_times --
SYSTEM RELOAD DICTIONARY agentvigil_price_times

-- reload_names --
SYSTEM RELOAD DICTIONARY agentvigil_price_names

-- overrides --
-- The user's own prices that are set.
SELECT Provider, Model, ServiceTier, Since, InputFrom, Prices
FROM agentvigil_price_overrides FINAL
WHERE NOT Removed
ORDER BY Provider, Model, ServiceTier, Since, InputFrom

-- listed --
-- The prices in use whose provider and model contain these texts; sources are all, or one by its first word.
SELECT
    Source, Provider, Model, ServiceTier, Since, Until, DayFrom, DayUntil, InputFrom,
    InputPrice, OutputPrice, CacheReadPrice, CacheWritePrice, InputAudioPrice, OutputAudioPrice, CacheReadAudioPrice,
    ReasoningPrice, RequestsPrice, OtherPrices
FROM agentvigil_prices
WHERE Generation = (SELECT max(Generation) FROM agentvigil_price_rules)
    AND positionCaseInsensitive(Provider, {provider:String}) > 0
    AND positionCaseInsensitive(Model, {model:String}) > 0
    AND ({source:String} = '' OR splitByChar(' ', Source)[1] = {source:String})
ORDER BY Source = 'user' DESC, Provider, Model, ServiceTier, Since, DayFrom, InputFrom

-- unpriced --
-- Paid calls whose tokens are known and whose model has no price, by model, most calls first; of one project, or of all.
SELECT
    Provider,
    if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
    count() AS Calls,
    sum(ifNull(InputTokens, 0)) AS SumInputTokens,
    sum(ifNull(OutputTokens, 0)) AS SumOutputTokens,
    min(Timestamp) AS FirstSeen,
    max(Timestamp) AS LastSeen
FROM otel_traces
WHERE Billing = 'leaf' AND ListCostUSD IS NULL AND (InputTokens IS NOT NULL OR OutputTokens IS NOT NULL)
    AND Timestamp >= {since:DateTime64(9, 'UTC')} AND ({project:String} = '' OR Project = {project:String})
GROUP BY Provider, Model
ORDER BY Calls DESC, Provider, Model
LIMIT {limit:UInt64}

-- changed_partitions --
-- Where stored list costs differ from what they would be now: partition, spans, traces, and the sums before and after.
SELECT
    _partition_id AS PartitionId,
    count() AS Spans,
    uniqExact(TraceId) AS Traces,
    sum(toDecimal128(ifNull(ListCostUSD, 0), 9)) AS Before,
    sum(toDecimal128(ifNull({{list_cost}} AS NewCostUSD, 0), 9)) AS After
FROM otel_traces
WHERE {{recosted}} AND NOT ListCostUSD <=> NewCostUSD
GROUP BY PartitionId
ORDER BY PartitionId

-- mark_traces --
-- Remembers the traces of a partition whose list costs are about to change.
INSERT INTO agentvigil_recosted_traces (TraceId)
SELECT DISTINCT TraceId
FROM otel_traces
WHERE {{recosted}} AND _partition_id = {partition:String} AND NOT ListCostUSD <=> {{list_cost}}

-- recost_partition --
-- Gives the spans of a partition the list costs of now; parts in which none differs stay as they are.
ALTER TABLE {{rows_of_table}}
    UPDATE ListCostUSD = {{list_cost}}
    IN PARTITION ID {partition:String}
    WHERE {{recosted}} AND NOT ListCostUSD <=> {{list_cost}}
    SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1

-- recosted --
-- Which spans a recost is about: paid calls of a time, all or those of some provider and model.
Billing = 'leaf'
    AND Timestamp >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND Timestamp < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    AND ({provider:String} = '' OR Provider = {provider:String})
    AND ({model:String} = '' OR RequestModel = {model:String} OR ResponseModel = {model:String})

-- changed_traces --
-- Traces whose list costs were changed at or after a time, with the time of the last change.
SELECT TraceId, max(RecostedAt) AS ChangedAt
FROM agentvigil_recosted_traces
WHERE RecostedAt >= {since:DateTime64(3, 'UTC')}
GROUP BY TraceId
