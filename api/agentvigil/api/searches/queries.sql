-- queries --
-- Saved queries of a project, or the one of that name, by their names.
SELECT
    Name AS name, toString(Resource) AS resource, Parameters AS parameters,
    toTimeZone(CreatedAt, 'UTC') AS created_at, toTimeZone(ChangedAt, 'UTC') AS changed_at
FROM agentvigil_saved_queries FINAL
WHERE Project = {project:String} AND ({name:String} = '' OR Name = {name:String}) AND NOT IsDeleted
ORDER BY name

-- put --
-- Saves a query in the place of one of that name. The row counts by number, not by a clock that may have gone back.
INSERT INTO agentvigil_saved_queries (Project, Name, Resource, Parameters, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT
    {project:String},
    {name:String},
    {resource:String},
    {parameters:String},
    if(countIf(NOT is_deleted) = 0, now64(3), min(created_at)),
    now64(3),
    max(version) + 1,
    0
FROM
(
    SELECT
        max(Version) AS version, argMax(IsDeleted, Version) AS is_deleted, argMax(CreatedAt, Version) AS created_at
    FROM agentvigil_saved_queries
    WHERE Project = {project:String} AND Name = {name:String}
    HAVING count() > 0
)

-- remove --
-- Takes a saved query away.
INSERT INTO agentvigil_saved_queries (Project, Name, Resource, Parameters, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT Project, Name, '', '', CreatedAt, now64(3), Version + 1, 1
FROM agentvigil_saved_queries FINAL
WHERE Project = {project:String} AND Name = {name:String} AND NOT IsDeleted
