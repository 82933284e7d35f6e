-- Conversations: runs with one conversation id.

-- of_sessions --
{{runs}} AND ConversationId != ''

-- sessions --
-- Conversations with a run in the time that is shown.
SELECT uniqExact(Project, ConversationId) AS sessions FROM {{of_sessions}}

-- users --
-- People whom runs were for, where runs say it.
SELECT uniqExact(Project, UserId) AS users FROM {{of_sessions}} AND UserId != ''

-- length --
-- Mean number of runs of a conversation, in the time that is shown.
SELECT count() / nullIf(uniqExact(Project, ConversationId), 0) AS runs FROM {{of_sessions}}

-- cost --
-- Mean billed cost of a conversation, in the time that is shown.
SELECT {{cost}} / nullIf(uniqExact(Project, ConversationId), 0) AS cost FROM {{of_sessions}}

-- over_time --
-- Conversations with a run at that time, and how many of them had one that failed.
SELECT
    $__timeInterval(Timestamp) AS time,
    uniqExact(Project, ConversationId) AS sessions,
    uniqExactIf((Project, ConversationId), Status = 'failure') AS with_failure
FROM {{of_sessions}}
GROUP BY time
ORDER BY time

-- lengths --
-- How many conversations have how many runs; the last group is of 10 and more.
SELECT if(runs < 10, toString(runs), '10 and more') AS length, count() AS sessions
FROM (SELECT count() AS runs FROM {{of_sessions}} GROUP BY Project, ConversationId)
GROUP BY length
ORDER BY min(runs)

-- list --
-- Conversations, the newest first. The last run opens in the API, its trace in Explore.
SELECT
    max(Timestamp) AS last_run,
    ConversationId AS session,
    any(UserId) AS user,
    arrayStringConcat(arraySort(groupUniqArray(10)(toString(RunName))), ', ') AS agents,
    count() AS runs,
    countIf(Status = 'failure') AS failed_runs,
    sum({{seconds}}) AS duration,
    {{cost}} AS cost,
    {{tokens}} AS tokens,
    argMax(RunId, agent_runs.Timestamp) AS run,
    argMax(TraceId, agent_runs.Timestamp) AS trace
FROM {{of_sessions}}
GROUP BY Project, session
ORDER BY last_run DESC, session
LIMIT 200

-- people --
-- Who used agents most.
SELECT
    UserId AS user,
    uniqExact(ConversationId) AS sessions,
    count() AS runs,
    {{failed_share}} AS failed,
    {{cost}} AS cost,
    max(Timestamp) AS last_run
FROM {{of_sessions}} AND UserId != ''
GROUP BY user
ORDER BY runs DESC, user
LIMIT 100
