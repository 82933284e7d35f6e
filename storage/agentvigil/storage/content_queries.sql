-- contents_of_span --
-- Every text of a span; NULL for one that is not whole.
SELECT Key, Text
FROM span_content
WHERE Project = {project:String} AND TraceId = {trace_id:String} AND SpanId = {span_id:String}
ORDER BY Key

-- delete_contents --
-- What a project says, in one of the tables that hold it; gone from the disk when the statement returns, and not only
-- from sight. Another project that says the same has rows of its own.
ALTER TABLE {{rows_of_table}} DELETE WHERE Project = {project:String} SETTINGS mutations_sync = 2
