-- Makes rows of content_messages out of those of otlp_contents_split; see storage/selects/content_messages.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS content_messages_mv TO content_messages AS
{{select_content_messages_from_otlp_contents_split}}
