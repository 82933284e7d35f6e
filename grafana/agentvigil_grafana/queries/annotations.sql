-- What happened, as marks over the charts.

-- versions --
-- A version of an agent that was not seen before, in the time that is shown.
SELECT time, text, tags
FROM (
    SELECT
        min(Timestamp) AS time,
        concat(RunName, ' runs in version ', {{version}} AS version) AS text,
        toString(RunName) AS tags,
        row_number() OVER (PARTITION BY Project, RunName ORDER BY time) AS place
    FROM {{runs}} AND version != ''
    GROUP BY Project, RunName, version
)
WHERE place > 1
ORDER BY time
LIMIT 200

-- findings --
-- When what was found began, critical and major ones.
SELECT
    ifNull(ChangedAt, FoundAt) AS time,
    Explanation AS text,
    concat(Severity, ',', Kind) AS tags
FROM {{findings}} AND time >= $__fromTime AND time <= $__toTime AND Severity IN ('critical', 'major')
ORDER BY time
LIMIT 200
