-- What is the case, and what of it was announced.

-- unsettled --
-- All alerts that are not over, or of which not everything was announced.
SELECT {{columns}} FROM alert_states FINAL WHERE NOT IsSettled ORDER BY Project, Rule, AlertId

-- known --
-- Alerts of a project by their ids.
SELECT {{columns}} FROM alert_states FINAL WHERE Project = {project:String} AND AlertId IN {ids:Array(String)}
