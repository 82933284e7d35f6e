-- Hours that are compared before anybody summed them.

-- not_counted --
-- Hours whose runs changed since they were counted last, the newest first; the hour that goes on is one of them.
SELECT toUnixTimestamp(changed.Hour) AS hour_s, changed.KeepDays AS keep_days, changed.Changes AS changes
FROM
(
    SELECT Hour, KeepDays, sum(Changes) AS Changes
    FROM agent_run_changes
    WHERE Project = {project:String}
        AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
    GROUP BY Hour, KeepDays
) AS changed
LEFT JOIN
(
    SELECT Hour, KeepDays, max(Changes) AS Changes
    FROM
    (
        SELECT Hour, KeepDays, Changes
        FROM agent_feature_hours_made
        WHERE Project = {project:String}
            AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
        UNION ALL
        SELECT Hour, KeepDays, Changes
        FROM agent_feature_hours
        WHERE Project = {project:String}
            AND Hour >= fromUnixTimestamp({first_hour_s:UInt32}) AND Hour < fromUnixTimestamp({end_hour_s:UInt32})
    )
    GROUP BY Hour, KeepDays
) AS counted ON changed.Hour = counted.Hour AND changed.KeepDays = counted.KeepDays
WHERE changed.Changes != counted.Changes
ORDER BY hour_s DESC, keep_days
