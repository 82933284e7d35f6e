-- What moved or goes wrong in a known way.

-- critical --
-- Critical findings that nobody resolved, whenever they were found.
SELECT count() AS findings FROM {{findings}} AND State != 'resolved' AND Severity = 'critical'

-- major --
-- Major findings that nobody resolved, whenever they were found.
SELECT count() AS findings FROM {{findings}} AND State != 'resolved' AND Severity = 'major'

-- incidents --
-- What happened once and is not over: findings that began together are one incident.
SELECT uniqExact(IncidentId) AS incidents FROM {{findings}} AND State != 'resolved'

-- dollars --
-- What all that is not resolved costs more a day, as far as that is known.
SELECT sum(UsdPerDay) AS cost FROM {{findings}} AND State != 'resolved'

-- by_kind --
-- Findings by when they were found.
SELECT $__timeInterval(FoundAt) AS time, toString(Kind) AS kind, count() AS findings
FROM {{findings}} AND $__timeFilter(FoundAt)
GROUP BY time, kind
ORDER BY time, kind

-- tools --
-- Runs that used a tool, of an agent's runs, from hourly sums: the shares that the drift of tools is found in. Choose
-- one agent.
SELECT time, tool, runs / of AS share
FROM (
    SELECT
        $__timeInterval(Hour) AS time,
        toString(Key) AS tool,
        sum(N) AS runs,
        max(sumIf(N, Key = '')) OVER (PARTITION BY time) AS of
    FROM agent_feature_hours FINAL
    WHERE Hour >= $__fromTime AND Hour <= $__toTime AND Feature = 'tool'
        AND {{chosen project in Project}} AND {{chosen environment in Environment}} AND {{chosen agent in Agent}}
        AND (Project, Hour, KeepDays, Changes) IN (
            SELECT Project, Hour, KeepDays, max(Changes)
            FROM agent_feature_hours_made
            WHERE Hour >= $__fromTime AND Hour <= $__toTime AND {{chosen project in Project}}
            GROUP BY Project, Hour, KeepDays)
    GROUP BY time, tool
)
WHERE tool != '' AND of > 0
ORDER BY time, tool
LIMIT 20000

-- unresolved --
-- What was found and nobody resolved, the most urgent first. Its id opens it in the API.
SELECT
    FoundAt AS found, toString(Severity) AS severity, toString(Kind) AS kind, toString(State) AS state,
    toString(Agent) AS agent, Subject AS subject, toString(Feature) AS feature, BaselineValue AS before,
    WindowValue AS now, toString(Unit) AS unit, UsdPerDay AS cost_per_day, Explanation AS explanation,
    FindingId AS finding
FROM {{findings}} AND State != 'resolved'
ORDER BY {{urgency}}
LIMIT 200

-- resolved --
-- What is over, the newest first, and what people said of it.
SELECT
    ResolvedAt AS resolved, toString(Severity) AS severity, toString(Kind) AS kind, toString(Agent) AS agent,
    toString(Feature) AS feature, toString(Resolution) AS resolution, Explanation AS explanation, FindingId AS finding
FROM {{findings}} AND State = 'resolved' AND ResolvedAt >= $__fromTime AND ResolvedAt <= $__toTime
ORDER BY ResolvedAt DESC, finding
LIMIT 200

-- history --
-- What happened to findings, step by step.
SELECT At AS at, toString(What) AS what, Value AS value, FindingId AS finding
FROM finding_events FINAL
WHERE $__timeFilter(At) AND {{chosen project in Project}}
ORDER BY at DESC, FindingVersion DESC, what
LIMIT 200

-- anomalies --
-- Runs far from the others of their agent, those too that were not told because their agent had its share of the day.
SELECT
    Day AS day,
    toString(Agent) AS agent,
    toString(Kind) AS kind,
    Excess AS excess,
    IsTold AS is_told,
    AnomalyId AS run
FROM run_anomalies FINAL
WHERE $__dateFilter(Day) AND Kind != '' AND {{chosen project in Project}}
    AND {{chosen environment in Environment}} AND {{chosen agent in Agent}}
ORDER BY day DESC, excess DESC, run
LIMIT 200
