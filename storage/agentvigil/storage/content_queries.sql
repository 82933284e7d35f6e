-- contents_of_span --
-- Every text of a span; NULL for one that is not whole.
SELECT Key, Text
FROM span_content
WHERE Project = {project:String} AND TraceId = {trace_id:String} AND SpanId = {span_id:String}
ORDER BY Key

-- delete_span_contents --
-- Which messages a project's spans say; gone from the disk when the statement returns, and not only from sight.
ALTER TABLE span_contents DELETE WHERE Project = {project:String} SETTINGS mutations_sync = 2

-- delete_content_messages --
-- What its messages are. Another project that says the same has rows of its own.
ALTER TABLE content_messages DELETE WHERE Project = {project:String} SETTINGS mutations_sync = 2
