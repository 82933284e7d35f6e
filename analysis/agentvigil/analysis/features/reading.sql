-- Reading what is counted by the hour.

-- counting --
-- Which rows count: those of the newest Changes of their hour. Mostly agent_feature_hours_made says which these are. Where
-- it does not hold, there may be newer ones: the row that says so was not written yet, or its process died. All rows of an
-- hour come at once, so these are whole as well.
(Hour, KeepDays, Changes) IN
(
    WITH
        made AS
        (
            SELECT Hour, KeepDays, max(Changes) AS Changes
            FROM agent_feature_hours_made
            WHERE Project = {project:String}
                AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
            GROUP BY Hour, KeepDays
        )
    SELECT Hour, KeepDays, max(Changes)
    FROM
    (
        SELECT Hour, KeepDays, Changes FROM made
        UNION ALL
        SELECT Hour, KeepDays, Changes
        FROM agent_feature_hours
        WHERE Project = {project:String} AND (Hour, KeepDays) IN
        (
            SELECT Hour, KeepDays
            FROM agent_run_changes
            WHERE Project = {project:String}
                AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
            GROUP BY Hour, KeepDays
            HAVING (Hour, KeepDays, sum(Changes)) NOT IN (SELECT Hour, KeepDays, Changes FROM made)
        )
    )
    GROUP BY Hour, KeepDays
)

-- cells --
-- The rows of some hours, of all agents and features or of some. All that PREWHERE asks is of the key, so FINAL finds the
-- same among fewer rows.
SELECT
    toInt32(intDiv(toUnixTimestamp(Hour), 3600)) AS hour,
    KeepDays AS keep_days,
    Environment AS environment, Agent AS agent, InputClass AS input_class, AgentVersion AS version, Model AS model,
    Feature AS feature, Key AS key, Bin AS bin, N AS n {{sums}}
FROM agent_feature_hours FINAL
PREWHERE Project = {project:String}
    AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
    {{asked}}
WHERE {{counting}}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- sums --
-- Sums as well.
, S AS s

-- some_subjects --
-- Agents of these names in these environments, which may be more than are asked for: each of the two is looked for in the
-- few distinct texts of its column, where pairs would be made of each row.
AND Agent IN {agents:Array(String)}
    AND Environment IN {environments:Array(String)}

-- some_features --
-- These features alone.
AND Feature IN {features:Array(String)}

-- runs --
-- How many finished runs each agent had in some hours, and the first of these that it had any in. Of rows that are there
-- twice one counts, without FINAL, which would go through the rows of all features.
SELECT environment, agent, sum(n) AS runs, toUInt32(intDiv(toUnixTimestamp(min(Hour)), 3600)) AS first_hour
FROM
(
    SELECT DISTINCT
        Hour, KeepDays, Environment AS environment, Agent AS agent, InputClass, AgentVersion, Model, N AS n
    FROM agent_feature_hours
    WHERE Project = {project:String}
        AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
        AND Feature = 'status' AND Key = ''
        AND {{counting}}
)
GROUP BY environment, agent
ORDER BY environment, agent

-- costs --
-- What the finished runs of some agents, or of all, cost in each of some hours that any ran in.
SELECT toInt64(intDiv(toUnixTimestamp(Hour), 3600)) AS hour, sum(S) AS usd
FROM agent_feature_hours FINAL
WHERE Project = {project:String}
    AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
    AND Feature = 'cost'
    AND (empty({agents:Array(String)}) OR Agent IN {agents:Array(String)})
    AND (empty({environments:Array(String)}) OR Environment IN {environments:Array(String)})
    AND {{counting}}
GROUP BY hour
ORDER BY hour
SETTINGS do_not_merge_across_partitions_select_final = 1

-- projects --
-- Projects that have or had runs.
SELECT DISTINCT Project FROM agent_run_changes ORDER BY Project

-- waiting_hours --
-- Hours from one on that have runs and whose counts do not hold, the first one first; the hour that goes on is one.
SELECT DISTINCT toUInt32(intDiv(toUnixTimestamp(changed.Hour), 3600)) AS hour
FROM
(
    SELECT Hour, KeepDays, sum(Changes) AS Changes
    FROM agent_run_changes
    WHERE Project = {project:String} AND Hour >= fromUnixTimestamp({first_hour_s:UInt32})
    GROUP BY Hour, KeepDays
) AS changed
LEFT JOIN
(
    SELECT Hour, KeepDays, max(Changes) AS Changes
    FROM agent_feature_hours_made
    WHERE Project = {project:String} AND Hour >= fromUnixTimestamp({first_hour_s:UInt32})
    GROUP BY Hour, KeepDays
) AS made ON changed.Hour = made.Hour AND changed.KeepDays = made.KeepDays
WHERE changed.Changes != made.Changes
ORDER BY hour

-- changes --
-- How often runs of the hours before one were written.
SELECT sum(Changes)
FROM agent_run_changes
WHERE Project = {project:String} AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
