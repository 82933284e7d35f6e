-- Rules and destinations that were made by the API.

-- rules --
-- Those of a project, or of all where none is said, by their names.
SELECT
    toString(Project) AS project, Name AS name, Rule AS said,
    toTimeZone(CreatedAt, 'UTC') AS created_at, toTimeZone(ChangedAt, 'UTC') AS changed_at
FROM agentvigil_alert_rules FINAL
WHERE ({project:String} = '' OR Project = {project:String}) AND NOT IsDeleted
ORDER BY project, name

-- put_rule --
-- Keeps a rule in the place of one of that name. The row counts by number, not by a clock that may have gone back.
INSERT INTO agentvigil_alert_rules (Project, Name, Rule, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT
    {project:String}, {name:String}, {said:String},
    if(countIf(NOT is_deleted) = 0, now64(3), min(created_at)), now64(3), max(version) + 1, 0
FROM
(
    SELECT max(Version) AS version, argMax(IsDeleted, Version) AS is_deleted, argMax(CreatedAt, Version) AS created_at
    FROM agentvigil_alert_rules
    WHERE Project = {project:String} AND Name = {name:String}
    HAVING count() > 0
)

-- remove_rule --
-- Takes a rule away.
INSERT INTO agentvigil_alert_rules (Project, Name, Rule, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT Project, Name, '', CreatedAt, now64(3), Version + 1, 1
FROM agentvigil_alert_rules FINAL
WHERE Project = {project:String} AND Name = {name:String} AND NOT IsDeleted

-- destinations --
-- Those of a project, or of all where none is said, by their names.
SELECT
    toString(Project) AS project, Name AS name, Destination AS said,
    toTimeZone(CreatedAt, 'UTC') AS created_at, toTimeZone(ChangedAt, 'UTC') AS changed_at
FROM agentvigil_alert_destinations FINAL
WHERE ({project:String} = '' OR Project = {project:String}) AND NOT IsDeleted
ORDER BY project, name

-- put_destination --
-- Keeps a destination in the place of one of that name.
INSERT INTO agentvigil_alert_destinations (Project, Name, Destination, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT
    {project:String}, {name:String}, {said:String},
    if(countIf(NOT is_deleted) = 0, now64(3), min(created_at)), now64(3), max(version) + 1, 0
FROM
(
    SELECT max(Version) AS version, argMax(IsDeleted, Version) AS is_deleted, argMax(CreatedAt, Version) AS created_at
    FROM agentvigil_alert_destinations
    WHERE Project = {project:String} AND Name = {name:String}
    HAVING count() > 0
)

-- remove_destination --
-- Takes a destination away, and what it said.
INSERT INTO agentvigil_alert_destinations (Project, Name, Destination, CreatedAt, ChangedAt, Version, IsDeleted)
SELECT Project, Name, '', CreatedAt, now64(3), Version + 1, 1
FROM agentvigil_alert_destinations FINAL
WHERE Project = {project:String} AND Name = {name:String} AND NOT IsDeleted

-- forget_destination --
-- Leaves nothing of what a destination was before, whose secrets would stand in older rows until these are merged.
OPTIMIZE TABLE agentvigil_alert_destinations FINAL
