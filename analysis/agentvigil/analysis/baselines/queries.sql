-- baselines --
-- What is pinned in a project: of an agent, and under a name, if they are said. The newest comes first.
SELECT
    toString(Environment) AS environment, toString(Agent) AS agent, Name AS name,
    intDiv(toUnixTimestamp(FromHour), 3600) AS first_hour, intDiv(toUnixTimestamp(ToHour), 3600) AS end_hour,
    AgentVersion AS version, PinnedBy AS pinned_by, toTimeZone(PinnedAt, 'UTC') AS pinned_at
FROM agent_baselines FINAL
WHERE Project = {project:String}
    AND ({agent:String} = '' OR Agent = {agent:String})
    AND ({name:String} = '' OR Name = {name:String})
    AND NOT IsDeleted
ORDER BY pinned_at DESC, environment, agent, name

-- count --
-- How many a project has.
SELECT count() AS baselines
FROM agent_baselines FINAL
WHERE Project = {project:String} AND NOT IsDeleted

-- pin --
-- Pins a baseline in the place of one of that name. The row counts by number, not by a clock that may have gone back.
INSERT INTO agent_baselines
(
    Project, Environment, Agent, Name, FromHour, ToHour, AgentVersion, PinnedBy, PinnedAt, Version, IsDeleted
)
SELECT
    {project:String}, {environment:String}, {agent:String}, {name:String},
    fromUnixTimestamp({first_hour:UInt32} * 3600), fromUnixTimestamp({end_hour:UInt32} * 3600),
    {version:String}, {pinned_by:String}, now64(3), max(Version) + 1, 0
FROM agent_baselines
WHERE Project = {project:String} AND Environment = {environment:String} AND Agent = {agent:String} AND Name = {name:String}

-- drop --
-- Drops a baseline.
INSERT INTO agent_baselines
(
    Project, Environment, Agent, Name, FromHour, ToHour, AgentVersion, PinnedBy, PinnedAt, Version, IsDeleted
)
SELECT Project, Environment, Agent, Name, FromHour, ToHour, '', '', now64(3), Version + 1, 1
FROM agent_baselines FINAL
WHERE Project = {project:String} AND Environment = {environment:String} AND Agent = {agent:String} AND Name = {name:String}
    AND NOT IsDeleted
