-- What all kinds of sums by the hour have in common: which hours wait, and which are done.

-- waiting --
-- Hours that are over and whose rows changed since they were summed, the newest first; those that changed just now last.
SELECT
    changed.Project AS project,
    toUnixTimestamp(changed.Hour) AS hour_s,
    changed.KeepDays AS keep_days,
    changed.Changes AS changes,
    changed.LastChangeAt <= now64(3) - toIntervalSecond({quiet_s:UInt32}) AS is_quiet,
    dateDiff('second', changed.Hour, now('UTC')) - 3600 AS age_s
FROM
(
    SELECT Project, Hour, KeepDays, sum(Changes) AS Changes, max(LastChangeAt) AS LastChangeAt
    FROM {changes_table:Identifier}
    GROUP BY Project, Hour, KeepDays
) AS changed
LEFT JOIN
(
    SELECT Project, Hour, KeepDays, max(Changes) AS Changes
    FROM {made_table:Identifier}
    GROUP BY Project, Hour, KeepDays
) AS made ON changed.Project = made.Project AND changed.Hour = made.Hour AND changed.KeepDays = made.KeepDays
WHERE changed.Changes != made.Changes AND changed.Hour + 3600 <= now()
ORDER BY is_quiet DESC, changed.Hour DESC, project, keep_days

-- made --
-- From now on the sums of these hours count, as long as their rows stay.
INSERT INTO {made_table:Identifier} (Project, Hour, KeepDays, Changes)
SELECT {project:String}, fromUnixTimestamp(hour.1), {keep_days:UInt16}, hour.2
FROM (SELECT arrayJoin(arrayZip({hours:Array(UInt32)}, {changes:Array(UInt64)})) AS hour)
