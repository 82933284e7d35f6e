-- Findings and incidents as people ask for them; what a finding is made of stands beside the findings themselves.

-- page --
-- A page of the findings that were found between two times.
SELECT {{columns}}, {{value}} AS value
FROM findings FINAL
WHERE Project = {project:String}
    AND FoundAt >= fromUnixTimestamp64Nano({from_ns:Int64}) AND FoundAt < fromUnixTimestamp64Nano({to_ns:Int64})
    {{conditions}}
ORDER BY value {{direction}}, found_ns {{direction}}, FindingId {{direction}}
LIMIT {limit:UInt32}

-- after --
-- Only what comes after the last item of the page before; pages go down.
AND ({{value}}, toUnixTimestamp64Nano(FoundAt), FindingId) < ({value:Int64}, {found_ns:Int64}, {finding_id:String})

-- before --
-- Only what comes after the last item of the page before; pages go up.
AND ({{value}}, toUnixTimestamp64Nano(FoundAt), FindingId) > ({value:Int64}, {found_ns:Int64}, {finding_id:String})

-- value_time --
-- The time is ordered by in any case.
toInt64(0)

-- value_urgent --
-- How soon somebody should look at it.
toInt64(
    4 * (State != 'resolved')
    + if(Kind = 'anomaly' AND Severity = 'minor', 0, indexOf(['minor', 'major', 'critical'], toString(Severity))))

-- where_kind --
Kind IN {kind:Array(String)}

-- where_state --
State IN {state:Array(String)}

-- where_severity --
Severity IN {severity:Array(String)}

-- where_agent --
Agent IN {agent:Array(String)} OR SubjectType = 'agent' AND Subject IN {agent:Array(String)}

-- where_environment --
Environment IN {environment:Array(String)}

-- where_detector --
Detector IN {detector:Array(String)}

-- where_feature --
Feature IN {feature:Array(String)}

-- where_subject --
Subject IN {subject:Array(String)}

-- where_model --
hasAny(Models, {model:Array(String)})

-- where_incident --
if(IncidentId = '', FindingId, IncidentId) IN {incident:Array(String)}

-- where_id_prefix --
startsWith(FindingId, {id_prefix:String})

-- one --
-- A finding.
SELECT {{columns}}
FROM findings FINAL
WHERE Project = {project:String} AND FindingId = {finding_id:String}

-- history --
-- What happened to a finding, the first thing first.
SELECT toString(What) AS what, toUnixTimestamp64Nano(At) AS at_ns, toString(KeyId) AS key_id, Value AS value
FROM finding_events FINAL
WHERE Project = {project:String} AND FindingId = {finding_id:String}
ORDER BY FindingVersion, at_ns, what

-- others --
-- The other findings of an incident, the first one first.
SELECT {{columns}}
FROM findings FINAL
WHERE Project = {project:String} AND if(IncidentId = '', FindingId, IncidentId) = {incident_id:String}
    AND FindingId != {finding_id:String}
ORDER BY found_ns, FindingId
LIMIT {limit:UInt32}

-- incidents --
-- The ids of a page of the incidents that were found between two times.
SELECT if(IncidentId = '', FindingId, IncidentId) AS incident_id, toUnixTimestamp64Nano(min(FoundAt)) AS first_ns
FROM findings FINAL
WHERE Project = {project:String}
GROUP BY incident_id
HAVING first_ns >= {from_ns:Int64} AND first_ns < {to_ns:Int64}
    {{conditions}}
    {{after}}
ORDER BY first_ns DESC, incident_id DESC
LIMIT {limit:UInt32}

-- after_incident --
-- Only what comes after the last incident of the page before.
AND (first_ns, incident_id) < ({first_ns:Int64}, {incident_id:String})

-- incident_where_state --
max(State != 'resolved') = ({state:String} = 'unresolved')

-- incident_where_severity --
max(indexOf(['minor', 'major', 'critical'], toString(Severity)))
    IN (SELECT indexOf(['minor', 'major', 'critical'], arrayJoin({severity:Array(String)})))

-- incident_where_agent --
max(Agent IN {agent:Array(String)} OR SubjectType = 'agent' AND Subject IN {agent:Array(String)})

-- incident_where_environment --
max(Environment IN {environment:Array(String)})

-- of_incidents --
-- The findings of some incidents, the first one first.
SELECT {{columns}}
FROM findings FINAL
WHERE Project = {project:String} AND if(IncidentId = '', FindingId, IncidentId) IN {incident_ids:Array(String)}
ORDER BY found_ns, FindingId

-- mutes_of --
-- The mutes of some stable keys that hold now.
SELECT StableKey, toUnixTimestamp64Milli(Until) * 1000000 AS until_ns
FROM finding_mutes FINAL
WHERE Project = {project:String} AND StableKey IN {keys:Array(String)} AND NOT IsDeleted
    AND (Until IS NULL OR Until > now64(3))

-- mutes --
-- All mutes of a project that hold now, the newest first.
SELECT
    StableKey, toUnixTimestamp64Milli(Until) * 1000000 AS until_ns, toUnixTimestamp64Milli(MutedAt) * 1000000 AS muted_ns,
    toString(KeyId) AS key_id, FindingId, toString(Kind) AS Kind, toString(Detector) AS Detector,
    toString(Environment) AS Environment, toString(SubjectType) AS SubjectType, Subject, toString(Agent) AS Agent,
    toString(Feature) AS Feature
FROM finding_mutes FINAL
WHERE Project = {project:String} AND NOT IsDeleted AND (Until IS NULL OR Until > now64(3))
ORDER BY muted_ns DESC, StableKey
LIMIT {limit:UInt32}
