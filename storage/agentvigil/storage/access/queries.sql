-- keys --
-- All keys, or those of one project, or the one with this id, oldest first.
SELECT
    Id, Digest, Name, Project, Scopes,
    toTimeZone(CreatedAt, 'UTC'), toTimeZone(ExpiresAt, 'UTC'), toTimeZone(RevokedAt, 'UTC'),
    toTimeZone(nullIf(uses.LastUsedAt, toDateTime64(0, 3)), 'UTC')
FROM agentvigil_keys FINAL
LEFT JOIN (SELECT KeyId, max(LastUsedAt) AS LastUsedAt FROM agentvigil_key_uses GROUP BY KeyId) AS uses
    ON uses.KeyId = agentvigil_keys.Id
WHERE ({project:String} = '' OR Project = {project:String}) AND ({id:String} = '' OR Id = {id:String})
ORDER BY CreatedAt, Id

-- revoke --
-- Revokes a key that is not revoked yet. Its new row counts by number, not by a clock that may have gone back.
INSERT INTO agentvigil_keys (Id, Digest, Name, Project, Scopes, CreatedAt, ExpiresAt, RevokedAt, Version)
SELECT Id, Digest, Name, Project, Scopes, CreatedAt, ExpiresAt, {now:DateTime64(3, 'UTC')}, Version + 1
FROM agentvigil_keys FINAL
WHERE Id = {id:String} AND RevokedAt IS NULL

-- make_project --
-- Makes a project, or gives one another description.
INSERT INTO agentvigil_projects (Name, Description, CreatedAt, Version)
SELECT
    {name:String},
    {description:String},
    if(count() = 0, {now:DateTime64(3, 'UTC')}, min(CreatedAt)),
    max(Version) + 1
FROM agentvigil_projects
WHERE Name = {name:String}

-- projects --
-- Projects that were made, have keys, or have data: runs of the last 30 days or spans of the last two, which is what can
-- be asked cheaply.
SELECT
    name,
    max(description),
    toTimeZone(max(created_at), 'UTC'),
    sum(usable_keys),
    toTimeZone(max(data_at), 'UTC')
FROM
(
    SELECT Name AS name, Description AS description, toNullable(CreatedAt) AS created_at, 0 AS usable_keys,
        CAST(NULL, 'Nullable(DateTime64(3))') AS data_at
    FROM agentvigil_projects FINAL
    UNION ALL
    SELECT Project, '', NULL, countIf(RevokedAt IS NULL AND (ExpiresAt IS NULL OR ExpiresAt > now64(3))), NULL
    FROM agentvigil_keys FINAL
    WHERE Project != ''
    GROUP BY Project
    UNION ALL
    SELECT toString(Project), '', NULL, 0, toNullable(toDateTime64(max(Timestamp), 3))
    FROM agent_runs
    WHERE Timestamp > now() - INTERVAL 30 DAY
    GROUP BY Project
    UNION ALL
    SELECT toString(Project), '', NULL, 0, toNullable(toDateTime64(max(Timestamp), 3))
    FROM otel_traces
    WHERE Timestamp > now() - INTERVAL 2 DAY
    GROUP BY Project
    UNION ALL
    SELECT 'default', '', NULL, 0, NULL
)
WHERE {only:String} = '' OR name = {only:String}
GROUP BY name
ORDER BY name = 'default' DESC, name

-- tables_of --
-- Those of the names that are tables and hold rows, not views.
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name IN {names:Array(String)}
ORDER BY name
