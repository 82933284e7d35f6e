-- What a call is, and what is summed of calls: of steps as they are, and of those summed by the hour.

-- run_of_step --
-- How far a run that is looked for may have begun from its step: in the hour after the step's, or up to a day before it.
intDiv(toUnixTimestamp(step.Timestamp), 3600) - intDiv(toUnixTimestamp(run.run_timestamp), 3600) BETWEEN -1 AND 24

-- calls_of_models --
-- Embeddings too.
step.Billed

-- calls_of_tools --
step.Operation = 'execute_tool' AND step.BillingNote != 'duplicate'

-- steps_calls --
count()

-- steps_errors --
countIf(Status = 'failure')

-- steps_durations --
-- Nanoseconds at 50, 95 and 99 %.
quantilesExactInclusive(0.5, 0.95, 0.99)(Duration)

-- steps_first_chunks --
-- Seconds at 50 and 95 %.
quantilesExactInclusive(0.5, 0.95)(TimeToFirstChunk)

-- steps_input_tokens --
sumIf(InputTokens, Billed)

-- steps_output_tokens --
sumIf(OutputTokens, Billed)

-- steps_cache_read_tokens --
sumIf(CacheReadTokens, Billed)

-- steps_cache_write_tokens --
sumIf(CacheWriteTokens, Billed)

-- steps_reasoning_tokens --
sumIf(ReasoningTokens, Billed)

-- steps_calls_without_usage --
countIf(Billed AND BillingNote = 'no tokens')

-- steps_cost_usd --
sum(BilledCostUSD)

-- steps_unpriced_calls --
countIf(Billed AND BillingNote = 'no price')

-- steps_retries --
countIf(Attempt > 1)

-- hours_calls --
sum(Calls)

-- hours_errors --
sum(Errors)

-- hours_durations --
quantilesTDigestMergeState(0.5, 0.95, 0.99)(Durations)

-- hours_first_chunks --
quantilesTDigestMergeState(0.5, 0.95)(FirstChunks)

-- hours_input_tokens --
sum(InputTokens)

-- hours_output_tokens --
sum(OutputTokens)

-- hours_cache_read_tokens --
sum(CacheReadTokens)

-- hours_cache_write_tokens --
sum(CacheWriteTokens)

-- hours_reasoning_tokens --
sum(ReasoningTokens)

-- hours_calls_without_usage --
sum(UnknownUsageCalls)

-- hours_cost_usd --
sum(BilledCostUSD)

-- hours_unpriced_calls --
sum(UnpricedCalls)

-- hours_retries --
sum(Retries)
