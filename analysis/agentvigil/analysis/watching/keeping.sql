-- The state of what is watched.

-- baselines --
-- What the agents of a project are compared with.
SELECT
    Environment AS environment, Agent AS agent, Source AS source, Name AS name, AgentVersion AS version,
    intDiv(toUnixTimestamp(FirstHour), 3600) AS first_hour, intDiv(toUnixTimestamp(EndHour), 3600) AS end_hour,
    arrayMap(hours -> (intDiv(toUnixTimestamp(hours.1), 3600), intDiv(toUnixTimestamp(hours.2), 3600)), LeftOut) AS left_out,
    Reason AS reason, intDiv(toUnixTimestamp(ReviewHour), 3600) AS review_hour, Numbers AS numbers,
    arrayMap(part -> (part.1, intDiv(toUnixTimestamp(part.2), 3600), intDiv(toUnixTimestamp(part.3), 3600)), Renewed) AS renewed
FROM drift_baselines FINAL
WHERE Project = {project:String}

-- evidence --
-- How far a project is watched.
SELECT
    intDiv(toUnixTimestamp(NextHour), 3600) AS next_hour, intDiv(toUnixTimestamp(CountedFrom), 3600) AS counted_from,
    intDiv(toUnixTimestamp(CountedTo), 3600) AS counted_to,
    Counted AS counted, Evidence AS evidence, Version AS version
FROM drift_evidence FINAL
WHERE Project = {project:String}
