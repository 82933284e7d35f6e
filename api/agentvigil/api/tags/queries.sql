-- put --
-- Gives a run a tag, for as long as the run is kept. The row counts by its time, which never goes back.
INSERT INTO agentvigil_run_tags (Project, RunId, Tag, ChangedAt, IsDeleted, KeepDays)
SELECT
    {project:String},
    {run_id:String},
    {tag:String},
    greatest(now64(6), max(ChangedAt) + toIntervalMicrosecond(1)),
    0,
    (
        SELECT max(KeepDays)
        FROM agent_runs
        WHERE Project = {project:String} AND TraceId = {trace_id:String} AND RunId = {run_id:String}
    )
FROM agentvigil_run_tags
WHERE Project = {project:String} AND RunId = {run_id:String} AND Tag = {tag:String}

-- remove --
-- Takes a tag off a run, if it is there.
INSERT INTO agentvigil_run_tags (Project, RunId, Tag, ChangedAt, IsDeleted, KeepDays)
SELECT
    {project:String}, {run_id:String}, {tag:String}, greatest(now64(6), ChangedAt + toIntervalMicrosecond(1)), 1, KeepDays
FROM agentvigil_run_tags FINAL
WHERE Project = {project:String} AND RunId = {run_id:String} AND Tag = {tag:String} AND NOT IsDeleted

-- tags --
-- Tags and how many runs have each, by their names.
SELECT toString(Tag) AS tag, count() AS runs
FROM agentvigil_run_tags FINAL
WHERE Project = {project:String} AND NOT IsDeleted AND Tag > {after:String}
GROUP BY tag
ORDER BY tag
LIMIT {limit:UInt32}
