-- The database and its three users, each with the rights it needs and no more. docs/clickhouse.md says how to run it; the
-- passwords come as parameters of clickhouse-client:
--
--   clickhouse-client --user ADMINISTRATOR --password ... --param_admin_password=... --param_ingest_password=... \
--     --param_read_password=... --queries-file deploy/clickhouse/users.sql

CREATE DATABASE IF NOT EXISTS agentvigil;

-- agentvigil migrate, api and analyze. The materialized views and the dictionaries work as this user, so it has to stay.
-- What is granted on all databases can not be granted on one.
CREATE USER IF NOT EXISTS agentvigil_admin IDENTIFIED WITH sha256_password BY {admin_password:String} DEFAULT DATABASE agentvigil;
GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, dictGet ON agentvigil.* TO agentvigil_admin;
GRANT SYSTEM RELOAD DICTIONARY, CLUSTER ON *.* TO agentvigil_admin;
GRANT TABLE ENGINE ON * TO agentvigil_admin;

-- agentvigil receiver, and collectors that write tables themselves. It finds and takes back its own requests, sees which
-- keys there are, and notes which were used.
CREATE USER IF NOT EXISTS agentvigil_ingest IDENTIFIED WITH sha256_password BY {ingest_password:String} DEFAULT DATABASE agentvigil;
GRANT INSERT ON agentvigil.otlp_* TO agentvigil_ingest;
GRANT SELECT, INSERT, ALTER DELETE ON agentvigil.otel_* TO agentvigil_ingest;
GRANT SELECT ON agentvigil.agentvigil_migrations TO agentvigil_ingest;
GRANT SELECT ON agentvigil.agentvigil_hash_key TO agentvigil_ingest;
GRANT SELECT ON agentvigil.agentvigil_keys TO agentvigil_ingest;
GRANT SELECT, INSERT ON agentvigil.agentvigil_key_uses TO agentvigil_ingest;
GRANT dictGet ON agentvigil.* TO agentvigil_ingest;
GRANT CLUSTER ON *.* TO agentvigil_ingest;

-- People, and Grafana: what was sent and what was made of it, of every project. Not keys, nor where alerts go.
CREATE USER IF NOT EXISTS agentvigil_read IDENTIFIED WITH sha256_password BY {read_password:String} DEFAULT DATABASE agentvigil
    SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
GRANT SELECT ON agentvigil.otel_* TO agentvigil_read;
GRANT SELECT ON agentvigil.agent_* TO agentvigil_read;
GRANT SELECT ON agentvigil.finding* TO agentvigil_read;
GRANT SELECT ON agentvigil.anomaly_* TO agentvigil_read;
GRANT SELECT ON agentvigil.drift_* TO agentvigil_read;
GRANT SELECT ON agentvigil.run_anomalies TO agentvigil_read;
GRANT SELECT ON agentvigil.alert_* TO agentvigil_read;
GRANT SELECT ON agentvigil.span_content* TO agentvigil_read;
GRANT SELECT ON agentvigil.content_* TO agentvigil_read;
GRANT SELECT ON agentvigil.withheld_attributes TO agentvigil_read;
GRANT SELECT ON agentvigil.mapping_report TO agentvigil_read;
GRANT SELECT ON agentvigil.agentvigil_price* TO agentvigil_read;
GRANT SELECT ON agentvigil.agentvigil_run_tags TO agentvigil_read;
GRANT dictGet ON agentvigil.* TO agentvigil_read;
