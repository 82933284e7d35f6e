-- What the program that ran tagged its runs with, by agentvigil.tag.* on any span; tags that are given later, by the API, are
-- in agentvigil_run_tags.
ALTER TABLE agent_runs ADD COLUMN IF NOT EXISTS
    Tags Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'tags that the program set, as key=value, sorted'
    AFTER UserId
