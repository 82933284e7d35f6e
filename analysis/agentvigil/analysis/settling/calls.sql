-- Which spans stand for one and the same call of a provider. Of several sightings of a call the one with the highest
-- rank is billed, so exactly one is, whatever the order in which they arrive.

-- calls --
-- The spans of the batch that may be calls, each with its rank: one that knows its tokens before one that does not, one
-- inside an agent's run before one outside, the inner before the outer, the one with more token detail.
CREATE TABLE {calls:Identifier} ENGINE = Memory AS
SELECT
    span.Node AS Node, span.Project AS Project, span.TraceId AS TraceId, span.SpanId AS SpanId,
    span.ServiceName AS ServiceName, span.Start AS Start, span.End AS End, span.ResponseId AS ResponseId, span.ModelFamily AS ModelFamily,
    span.InputTokens AS InputTokens, span.OutputTokens AS OutputTokens, span.ReasoningTokens AS ReasoningTokens,
    cityHash64(span.Dialect, span.ScopeName) AS Scope,
    toUInt32(
        span.HasUsage * 16777216 + placed.IsInAgent * 8388608 + least(placed.CallsAbove, 65535) * 16
        + (span.CacheReadTokens IS NOT NULL) + (span.CacheWriteTokens IS NOT NULL) + (span.ReasoningTokens IS NOT NULL)
        + (span.ResponseId != '') + (span.ListCostUSD IS NOT NULL)) AS Rank,
    -- Directly inside another call, with no tool or agent between the two.
    if(placed.NearActor = placed.NearCall, placed.NearCall, 0) AS OuterCall,
    -- What is not known to be a call is none where there is one inside it.
    span.Billing = 'undecided' AND span.Node IN (
        SELECT inner.NearCall
        FROM {placed:Identifier} AS inner
        INNER JOIN {spans:Identifier} AS inner_span ON inner.Node = inner_span.Node
        WHERE inner_span.IsCall) AS IsSum
FROM {spans:Identifier} AS span
INNER JOIN {placed:Identifier} AS placed ON span.Node = placed.Node
WHERE span.IsCall

-- count_calls --
-- How many there are, and how many of them are directly inside another one.
SELECT count() AS calls, countIf(OuterCall != 0) AS inner_calls FROM {calls:Identifier}

-- losers --
-- The calls of the batch that another sighting of the same call is ranked above, with each such sighting.
CREATE TABLE {losers:Identifier}
(
    Node UInt32,
    WinnerRank UInt32,
    WinnerTraceId String,
    WinnerSpanId String,
    IsNested Bool
)
ENGINE = Memory

-- nested_losers --
-- A call directly inside a call is the same one, unless the provider's ids or the models say otherwise: the lower ranked
-- one is the loser.
INSERT INTO {losers:Identifier} (Node, WinnerRank, WinnerTraceId, WinnerSpanId, IsNested)
WITH (inner.Rank, inner.SpanId) > (outer.Rank, outer.SpanId) AS inner_wins
SELECT
    if(inner_wins, outer.Node, inner.Node),
    if(inner_wins, inner.Rank, outer.Rank),
    inner.TraceId,
    if(inner_wins, inner.SpanId, outer.SpanId),
    true
FROM {calls:Identifier} AS inner
INNER JOIN {calls:Identifier} AS outer ON inner.OuterCall = outer.Node
WHERE NOT inner.IsSum AND NOT outer.IsSum
    AND (inner.ModelFamily = outer.ModelFamily OR inner.ModelFamily = '' OR outer.ModelFamily = '')
    AND (inner.ResponseId = outer.ResponseId OR inner.ResponseId = '' OR outer.ResponseId = '')

-- sightings --
-- The calls of the batch, and those settled before in other traces at about the same time that may be the same; Node is
-- 0 for the latter. Calls are left out that another one of their trace, nested with them, stands for. Sightings of one
-- call share a Key: they have the provider's id of the answer (odd keys), or they are of one service, have the same
-- input tokens and ended within two seconds of each other (even keys).
CREATE TABLE {sightings:Identifier} ENGINE = Memory AS
WITH
    (
        SELECT (fromUnixTimestamp64Nano(min(Start) - {window_ns:Int64}), fromUnixTimestamp64Nano(max(End) + {window_ns:Int64}))
        FROM {calls:Identifier}
    ) AS range,
    here AS
    (
        SELECT
            Node, Project, TraceId, SpanId, Start, End, ResponseId, ModelFamily, InputTokens, OutputTokens, ReasoningTokens,
            Scope, Rank, true AS WasBilled, (toUInt32(0), '', '') AS WasDuplicateOf,
            {{sighting_keys}} AS Keys
        FROM {calls:Identifier}
        WHERE NOT IsSum AND Node NOT IN (SELECT Node FROM {losers:Identifier})
    ),
    elsewhere AS
    (
        SELECT
            toUInt32(0) AS Node, Project, TraceId, SpanId,
            toUnixTimestamp64Nano(Timestamp) AS Start, Start + toInt64(Duration) AS End,
            ResponseId, ModelFamily, InputTokens, OutputTokens, ReasoningTokens,
            cityHash64(Dialect, ScopeName) AS Scope, SightingRank AS Rank, Billed AS WasBilled,
            (DuplicateOfRank, DuplicateOfTraceId, DuplicateOfSpanId) AS WasDuplicateOf,
            {{sighting_keys}} AS Keys
        FROM agent_steps FINAL
        WHERE toStartOfMinute(Timestamp) >= toStartOfMinute(range.1) AND toStartOfMinute(Timestamp) <= range.2
            AND Project IN (SELECT Project FROM {batch:Identifier})
            AND SightingRank > 0
            AND (Project, TraceId) NOT IN (SELECT Project, TraceId FROM {batch:Identifier})
    )
SELECT *, arrayJoin(Keys) AS Key FROM here
UNION ALL
SELECT * FROM (SELECT *, arrayJoin(Keys) AS Key FROM elsewhere) WHERE Key IN (SELECT arrayJoin(Keys) FROM here)

-- shared --
-- The keys that several sightings share. Of these only the highest ranked are compared, so that a sender who gives a
-- million calls one id makes no pairs of all with all.
CREATE TABLE {shared:Identifier} ENGINE = Memory AS
SELECT
    Key,
    arraySlice(arrayReverseSort(groupArray((
        Rank, TraceId, SpanId, Node, Project, Start, End, ResponseId, ModelFamily,
        ifNull(toInt64(InputTokens), -1), ifNull(toInt64(OutputTokens), -1), ifNull(toInt64(ReasoningTokens), 0),
        Scope, WasBilled, WasDuplicateOf))), 1, 32) AS ranked
FROM {sightings:Identifier}
GROUP BY Key
HAVING count() > 1 AND (bitTest(Key, 0) OR uniq(Scope) > 1)

-- count_shared --
-- How many they are.
SELECT count() FROM {shared:Identifier}

-- pairs --
-- Every two sightings of one call, the lower ranked one as the loser. With the same id they overlap, give or take two
-- seconds of clocks; without an id one lies within the other, of another instrumentation, and their output tokens are
-- equal but for one that a stream may count twice, or for the reasoning.
CREATE TABLE {pairs:Identifier} ENGINE = Memory AS
SELECT
    loser.4 AS LoserNode, loser.5 AS Project, loser.2 AS LoserTraceId, loser.3 AS LoserSpanId,
    loser.14 AS LoserWasBilled, loser.15 AS LoserWasDuplicateOf,
    winner.4 AS WinnerNode, winner.2 AS WinnerTraceId, winner.3 AS WinnerSpanId, winner.1 AS WinnerRank,
    winner.15 AS WinnerWasDuplicateOf
FROM
(
    SELECT Key, place, winner, arrayJoin(arraySlice(ranked, place + 1)) AS loser
    FROM (SELECT Key, ranked, arrayJoin(arrayEnumerate(ranked)) AS place, ranked[place] AS winner FROM {shared:Identifier})
)
WHERE (winner.4 != 0 OR loser.4 != 0)
    AND (winner.9 = loser.9 OR winner.9 = '' OR loser.9 = '')
    AND if(
        bitTest(Key, 0),
        winner.6 <= loser.7 + 2000000000 AND loser.6 <= winner.7 + 2000000000,
        (winner.8 = '' OR loser.8 = '') AND winner.13 != loser.13
        AND if(winner.6 <= loser.6, loser.7 <= winner.7 + 50000000, winner.7 <= loser.7 + 50000000)
        AND winner.10 = loser.10
        AND (abs(winner.11 - loser.11) <= 1
            OR abs(winner.11 - loser.11 - winner.12) <= 1 OR abs(loser.11 - winner.11 - loser.12) <= 1))

-- paired_losers --
-- The losers among them that are of the batch.
INSERT INTO {losers:Identifier} (Node, WinnerRank, WinnerTraceId, WinnerSpanId, IsNested)
SELECT LoserNode, WinnerRank, WinnerTraceId, WinnerSpanId, false FROM {pairs:Identifier} WHERE LoserNode != 0

-- duplicates --
-- The calls of the batch that are billed elsewhere, and where. What is nested in another sighting has its winner there.
CREATE TABLE {duplicates:Identifier} ENGINE = Memory AS
SELECT
    Node,
    max((WinnerRank, WinnerTraceId, WinnerSpanId)) AS winner,
    winner.1 AS DuplicateOfRank,
    winner.2 AS DuplicateOfTraceId,
    winner.3 AS DuplicateOfSpanId,
    max(loser.IsNested) AS IsNested
FROM {losers:Identifier} AS loser
GROUP BY Node

-- affected --
-- Traces settled before that this batch proves wrong: they bill a call that is billed here, would rather leave it to the
-- one here than to the one they name, or leave a call to one here that does not win any more.
SELECT Project, TraceId
FROM
(
    SELECT
        Project,
        LoserTraceId AS TraceId,
        max((WinnerRank, WinnerTraceId, WinnerSpanId)) AS winner,
        any(LoserWasDuplicateOf) AS was
    FROM {pairs:Identifier}
    WHERE LoserNode = 0
    GROUP BY Project, LoserTraceId, LoserSpanId
    HAVING any(LoserWasBilled) OR winner > was
        OR (winner != was AND (Project, was.2) IN (SELECT Project, TraceId FROM {batch:Identifier}))
    UNION ALL
    SELECT Project, WinnerTraceId, (0, '', ''), WinnerWasDuplicateOf
    FROM {pairs:Identifier}
    WHERE WinnerNode = 0 AND WinnerWasDuplicateOf.2 = LoserTraceId AND WinnerWasDuplicateOf.3 = LoserSpanId
)
GROUP BY Project, TraceId
