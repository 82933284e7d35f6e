-- columns --
-- A finding as `finding_of` takes it; times in nanoseconds since 1970.
Project, FindingId, Version, KeepDays, StableKey, IncidentId, Kind, Detector, Environment, SubjectType, Subject, Agent, Feature, Stream,
Direction, Models, State, Resolution, Severity, Judgement, ReopenedTimes,
toUnixTimestamp64Nano(FoundAt) AS found_ns,
toUnixTimestamp64Nano(LastSeenAt) AS last_seen_ns,
toUnixTimestamp64Nano(ChangedAt) AS changed_ns,
toUnixTimestamp64Nano(ChangedFrom) AS changed_from_ns,
toUnixTimestamp64Nano(ChangedTo) AS changed_to_ns,
toUnixTimestamp64Nano(EarliestChange) AS earliest_change_ns,
toUnixTimestamp64Nano(WindowStart) AS window_start_ns,
toUnixTimestamp64Nano(WindowEnd) AS window_end_ns,
toUnixTimestamp64Nano(BaselineStart) AS baseline_start_ns,
toUnixTimestamp64Nano(BaselineEnd) AS baseline_end_ns,
toUnixTimestamp64Nano(ResolvedAt) AS resolved_ns,
toUnixTimestamp64Nano(AcknowledgedAt) AS acknowledged_ns,
toUnixTimestamp64Nano(InsideSince) AS inside_since_ns,
BaselineValue, WindowValue, WindowLow, WindowHigh, Unit, Statistic, Threshold, EvidenceLevel, EffectSize, Runs, UsdPerDay,
FailedRunsPerDay, Explanation, ExampleRuns, TypicalRuns

-- with_details --
-- All that a detector said.
, Details

-- without_details --
-- What is enough for a list.
, '' AS Details

-- of_keys --
-- All findings of some stable keys.
SELECT {{columns}}
FROM findings FINAL
WHERE Project IN {projects:Array(String)} AND StableKey IN {keys:Array(String)}
ORDER BY found_ns, FindingId

-- of_ids --
-- Some findings.
SELECT {{columns}}
FROM findings FINAL
WHERE Project IN {projects:Array(String)} AND FindingId IN {ids:Array(String)}

-- unresolved --
-- Findings that nobody resolved, of one project or of all.
SELECT {{columns}}
FROM findings FINAL
WHERE ({project:String} = '' OR Project = {project:String}) AND State != 'resolved'
ORDER BY Project, found_ns, FindingId

-- resolved_since --
-- Findings that were resolved at or after a time, in that order.
SELECT {{columns}}
FROM findings FINAL
WHERE ({project:String} = '' OR Project = {project:String})
    AND State = 'resolved' AND ResolvedAt >= fromUnixTimestamp64Nano({since_ns:Int64})
ORDER BY resolved_ns, Project, FindingId

-- members --
-- What is known of findings that began in a time, for incidents.
SELECT
    Project, FindingId, IncidentId, Environment, SubjectType, Subject, Agent,
    Models AS models,
    toUnixTimestamp64Nano(coalesce(ChangedFrom, ChangedAt, WindowStart)) AS from_ns,
    toUnixTimestamp64Nano(coalesce(ChangedTo, ChangedAt, WindowEnd)) AS to_ns
FROM findings FINAL
WHERE Project IN {projects:Array(String)}
    AND to_ns >= {from_ns:Int64} AND from_ns <= {to_ns:Int64}

-- mutes --
-- Mutes of some stable keys, ended ones too.
SELECT Project, StableKey, toUnixTimestamp64Milli(Until) * 1000000 AS until_ns
FROM finding_mutes FINAL
WHERE Project IN {projects:Array(String)} AND StableKey IN {keys:Array(String)} AND NOT IsDeleted

-- put_mute --
-- Mutes the key of a finding, in the place of another mute of it. The row counts by number, not by a clock that may have gone
-- back.
INSERT INTO finding_mutes
(
    Project, StableKey, Until, MutedAt, KeyId, FindingId, Kind, Detector, Environment, SubjectType, Subject, Agent, Feature,
    Version, IsDeleted
)
SELECT
    {project:String}, {stable_key:String}, fromUnixTimestamp64Milli({until_ms:Nullable(Int64)}),
    fromUnixTimestamp64Milli({at_ms:Int64}), {key_id:String},
    {finding_id:String}, {kind:String}, {detector:String}, {environment:String}, {subject_type:String}, {subject:String},
    {agent:String}, {feature:String}, max(Version) + 1, 0
FROM finding_mutes
WHERE Project = {project:String} AND StableKey = {stable_key:String}

-- remove_mute --
-- Takes a mute back, if there is one.
INSERT INTO finding_mutes (Project, StableKey, Version, IsDeleted)
SELECT Project, StableKey, Version + 1, 1
FROM finding_mutes FINAL
WHERE Project = {project:String} AND StableKey = {stable_key:String} AND NOT IsDeleted

-- judgements --
-- How many findings of each detector were found since a time and judged so.
SELECT toString(Kind) AS kind, toString(Detector) AS detector, toString(Judgement) AS judgement, count() AS findings
FROM findings FINAL
WHERE Project = {project:String} AND FoundAt >= fromUnixTimestamp64Nano({since_ns:Int64})
GROUP BY kind, detector, judgement
ORDER BY kind, detector, judgement
