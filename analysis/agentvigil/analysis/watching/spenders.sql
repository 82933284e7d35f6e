-- Whose costs come out of budgets that each user, or each value of a tag, has for itself.

-- hourly_costs --
-- What each hour cost those who have such a budget and whom an agent ran for since a time: of all their runs that the budget
-- counts, and of the agent's own since then. They are few: those who used most since the period began. A run that only
-- repeats another trace's calls costs nothing.
WITH runs AS
(
    SELECT
        multiIf(
            {per:String} = 'user', UserId,
            {per:String} = 'tag', substring(arrayFirst(tag -> startsWith(tag, {tag:String}), Tags), length({tag:String}) + 1),
            '') AS spender,
        toInt64(intDiv(toUnixTimestamp(Timestamp), 3600)) AS hour,
        toFloat64(ifNull(BilledCostUSD, 0)) AS dollars,
        RunName = {agent:String} AND Environment = {environment:String} AND hour >= {changed_hour:Int64} AS is_own
    FROM agent_runs FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp) >= fromUnixTimestamp({first_hour_s:UInt32})
        AND toStartOfMinute(Timestamp) < fromUnixTimestamp({end_hour_s:UInt32})
        AND DuplicateOfTraceId = ''
        AND (empty({agents:Array(String)}) OR RunName IN {agents:Array(String)})
        AND (empty({environments:Array(String)}) OR Environment IN {environments:Array(String)})
        AND (empty({users:Array(String)}) OR UserId IN {users:Array(String)})
)
SELECT spender, hour, sum(dollars) AS usd, sumIf(dollars, is_own) AS own_usd
FROM runs
WHERE spender IN
(
    SELECT spender
    FROM runs
    WHERE {per:String} = '' OR spender != ''
    GROUP BY spender
    HAVING sumIf(dollars, is_own) > 0
    ORDER BY sumIf(dollars, hour >= {start_hour:Int64}) DESC, spender
    LIMIT {most:UInt32}
)
GROUP BY spender, hour
ORDER BY spender, hour
SETTINGS do_not_merge_across_partitions_select_final = 1
