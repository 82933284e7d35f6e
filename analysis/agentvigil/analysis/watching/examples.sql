-- Runs that show a finding, and runs as they were before.

-- runs --
-- Runs of an agent in a time that the condition holds for, those with the greatest value first.
SELECT RunId
FROM
(
    SELECT *
    FROM agent_runs FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp({first_s:UInt32}))
        AND toStartOfMinute(Timestamp) < fromUnixTimestamp({end_s:UInt32})
        AND Timestamp >= fromUnixTimestamp({first_s:UInt32})
        AND Status != 'open' AND DuplicateOfTraceId = ''
        AND ({agent:String} = '' OR RunName = {agent:String})
        AND Environment = {environment:String}
) AS run
WHERE ({{condition}}) = {holds:Bool}
ORDER BY {{value}} DESC, Timestamp DESC, RunId
LIMIT {most:UInt32}

-- steps --
-- The steps in that time and some hours after, of which a run may be known.
SELECT RunId
FROM agent_steps FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp({first_s:UInt32}))
    AND toStartOfMinute(Timestamp) < fromUnixTimestamp({end_s:UInt32} + 21600)

-- any --
-- Nothing more is asked.
1

-- when --
-- The time, where no run is more of an example than another.
toUnixTimestamp64Nano(Timestamp)

-- status --
Status = {key:String}

-- failure --
concat(RootCauseType, '/', RootCauseCode) = {key:String}

-- tool --
has(Tools, {key:String})

-- tool_order --
-- Both tools; which came first is not asked.
hasAll(Tools, splitByChar('>', {key:String}))

-- response_model --
has(Models, {key:String})

-- finish_reason --
RunId IN ({{steps}} AND FinishReason = {key:String})

-- retry --
Retries > 0

-- retrieval --
RunId IN ({{steps}} AND StepType = 'retrieve' AND RetrievedDocuments = 0)

-- unfounded --
Status != 'failure' AND RunId IN ({{steps}} AND (StepType = 'retrieve' AND RetrievedDocuments = 0
    OR Operation = 'execute_tool' AND Status = 'failure'))

-- tool_error --
RunId IN ({{steps}} AND Operation = 'execute_tool' AND Status = 'failure')

-- tool_switch --
length(Tools) > 1 AND RunId IN ({{steps}} AND Operation = 'execute_tool' AND Status = 'failure')

-- cascade --
NestedAgents > 0 AND Status != 'success'

-- duration --
-- Seconds; so is the next.
Duration / 1e9

-- time_to_first_chunk --
ifNull(TimeToFirstChunk, 0)

-- cost --
ifNull(toFloat64(BilledCostUSD), 0)

-- input_tokens --
ifNull(InputTokens, 0)

-- output_tokens --
ifNull(OutputTokens, 0)

-- steps_of_run --
Steps
