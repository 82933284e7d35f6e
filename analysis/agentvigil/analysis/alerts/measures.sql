-- Sums over runs as rules see them.

-- sums --
-- Runs that started in a time, each once, without those that only repeat another trace's calls, summed for each of what
-- they are grouped by; where that is not said of a run, it is left out. An open run counts, and its duration does not.
SELECT
    subject,
    count() AS runs,
    countIf(Status = 'failure') AS failures,
    failures / nullIf(countIf(Status != 'open'), 0) AS failure_rate,
    toFloat64(ifNull(sum(BilledCostUSD), 0)) AS cost_usd,
    quantileExactInclusiveIf(0.95)(Duration, Status != 'open') / 1e6 AS duration_p95_ms,
    toFloat64(ifNull(sum(InputTokens), 0) + ifNull(sum(OutputTokens), 0)) AS tokens
FROM
(
    SELECT
        multiIf(
            {per:String} = 'agent', toString(RunName),
            {per:String} = 'user', UserId,
            {per:String} = 'environment', toString(Environment),
            {per:String} = 'tag', substring(arrayFirst(tag -> startsWith(tag, {tag:String}), Tags), length({tag:String}) + 1),
            '') AS subject,
        Status, Duration, BilledCostUSD, InputTokens, OutputTokens
    FROM agent_runs FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Milli({since_ms:Int64}))
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Milli({until_ms:Int64})
        AND Timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}) AND Timestamp < fromUnixTimestamp64Milli({until_ms:Int64})
        AND DuplicateOfTraceId = ''
        AND (empty({agents:Array(String)}) OR RunName IN {agents:Array(String)})
        AND (empty({environments:Array(String)}) OR Environment IN {environments:Array(String)})
        AND (empty({users:Array(String)}) OR UserId IN {users:Array(String)})
)
WHERE {per:String} = '' OR subject != ''
GROUP BY subject
ORDER BY
    if({is_below:Bool}, -1, 1) * multiIf(
        {measure:String} = 'failure_rate', ifNull(failure_rate, 0),
        {measure:String} = 'failures', toFloat64(failures),
        {measure:String} = 'cost_usd', cost_usd,
        {measure:String} = 'duration_p95_ms', ifNotFinite(duration_p95_ms, 0),
        {measure:String} = 'tokens', tokens,
        toFloat64(runs)) DESC,
    subject
LIMIT {limit:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1
