-- Values of the dashboards' variables. Each list ends somewhere, since a drop-down of ten thousand helps nobody.

-- project --
SELECT DISTINCT toString(Project) AS value FROM agent_runs WHERE $__timeFilter(Timestamp) ORDER BY value LIMIT 500

-- environment --
SELECT DISTINCT toString(Environment) AS value
FROM agent_runs
WHERE $__timeFilter(Timestamp) AND Environment != '' AND {{chosen project in Project}}
ORDER BY value
LIMIT 500

-- agent --
SELECT toString(RunName) AS value
FROM agent_runs
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}} AND {{chosen environment in Environment}}
GROUP BY value
ORDER BY count() DESC, value
LIMIT 1000

-- agent_of_calls --
-- Where environments are not told apart.
SELECT toString(RunName) AS value
FROM agent_runs
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}}
GROUP BY value
ORDER BY count() DESC, value
LIMIT 1000

-- version --
-- The newest first.
SELECT {{version}} AS value
FROM agent_runs
WHERE $__timeFilter(Timestamp) AND {{of_runs}} AND value != ''
GROUP BY value
ORDER BY min(Timestamp) DESC, value
LIMIT 200

-- model --
SELECT toString(arrayJoin(Models)) AS value
FROM agent_runs
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}}
GROUP BY value
ORDER BY count() DESC, value
LIMIT 500
