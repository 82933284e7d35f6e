-- The state of what is watched.

-- baselines --
-- What the agents of a project are compared with.
SELECT
    Environment AS environment, Agent AS agent, Source AS source, Name AS name, AgentVersion AS version,
    intDiv(toUnixTimestamp(FirstHour), 3600) AS first_hour, intDiv(toUnixTimestamp(EndHour), 3600) AS end_hour,
    arrayMap(hours -> (intDiv(toUnixTimestamp(hours.1), 3600), intDiv(toUnixTimestamp(hours.2), 3600)), LeftOut) AS left_out,
    Reason AS reason, intDiv(toUnixTimestamp(ReviewHour), 3600) AS review_hour, Numbers AS numbers
FROM drift_baselines FINAL
WHERE Project = {project:String}

-- keep_baseline --
-- From now on an agent is compared with this.
INSERT INTO drift_baselines
(
    Project, Environment, Agent, Source, Name, AgentVersion, FirstHour, EndHour, LeftOut, Reason, Runs, ReviewHour,
    Numbers, Version
)
SELECT
    {project:String}, {environment:String}, {agent:String}, {source:String}, {name:String}, {version:String},
    fromUnixTimestamp({first_hour:UInt64} * 3600), fromUnixTimestamp({end_hour:UInt64} * 3600),
    arrayMap(
        (first, end) -> (fromUnixTimestamp(first * 3600, 'UTC'), fromUnixTimestamp(end * 3600, 'UTC')),
        {left_out_first:Array(UInt64)}, {left_out_end:Array(UInt64)}),
    {reason:String}, {runs:UInt64}, fromUnixTimestamp({review_hour:UInt64} * 3600), {numbers:String},
    toUnixTimestamp64Micro(now64(6))

-- evidence --
-- How far a project is watched.
SELECT
    intDiv(toUnixTimestamp(NextHour), 3600) AS next_hour, intDiv(toUnixTimestamp(CountedFrom), 3600) AS counted_from,
    Counted AS counted, Evidence AS evidence
FROM drift_evidence FINAL
WHERE Project = {project:String}

-- keep_evidence --
-- How far a project is watched now.
INSERT INTO drift_evidence (Project, NextHour, CountedFrom, Counted, Evidence, Version)
SELECT
    {project:String}, fromUnixTimestamp({next_hour:UInt64} * 3600), fromUnixTimestamp({counted_from:UInt64} * 3600),
    mapFromArrays({counted_of:Array(String)}, {counted:Array(UInt64)}), {evidence:String},
    toUnixTimestamp64Micro(now64(6))
