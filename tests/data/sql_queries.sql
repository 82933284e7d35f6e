-- Queries of clients and dashboards, one a line; every one must pass.
SELECT 1
SELECT version(), timezone()
SELECT 1 AS check
SELECT name, value, readonly FROM system.settings LIMIT 10000
SHOW DATABASES
SHOW TABLES
SHOW TABLES FROM "default"
SHOW TABLES FROM default LIKE 'sp%'
DESC TABLE "default"."spans"
DESCRIBE spans
DESCRIBE (SELECT name FROM spans)
EXISTS TABLE spans
EXISTS TABLE nowhere
SHOW CREATE TABLE spans
DESCRIBE TABLE system.tables
SELECT name, type, table FROM system.columns WHERE database IN ('default') AND table = 'spans'
SELECT name FROM system.databases
SELECT name FROM system.tables
SELECT * FROM system.tables
SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, arguments, returned_value, examples, categories FROM system.functions LIMIT 10000
SELECT DISTINCT arrayJoin(mapKeys("attributes")) AS keys FROM "default"."spans" WHERE "ts" >= now() - INTERVAL 6 HOUR LIMIT 1000
SELECT DISTINCT name FROM spans WHERE mapContains(attributes, 'gen_ai.request.model') LIMIT 1000
SELECT * FROM spans WHERE ts >= toDateTime(1) AND ts <= toDateTime(4000000000) SETTINGS additional_table_filters = {'default.spans': ' name = \'chat\' '}
SELECT toStartOfInterval(toDateTime(ts), INTERVAL 60 second) AS time, count() AS c FROM spans GROUP BY time ORDER BY time
SELECT fromUnixTimestamp64Milli(1) AS t, toStartOfMinute(now())
SELECT count(), sumIf(duration_ns, name = 'chat'), quantiles(0.5, 0.95)(duration_ns), uniqExact(name) FROM spans
SELECT COUNT(*), Sum(duration_ns), AVG(duration_ns) FROM spans
SELECT countMerge(c) FROM (SELECT countState() AS c FROM spans)
SELECT quantileTDigestIfOrNull(0.9)(duration_ns, duration_ns > 1), sumArray([1, 2]), argMax(name, ts), groupArrayIf(name, 1), anyLast(name) FROM spans
SELECT name, count() FROM spans GROUP BY name WITH ROLLUP WITH TOTALS
SELECT name, count() FROM spans GROUP BY GROUPING SETS ((name), ())
SELECT name, ts, row_number() OVER w, lagInFrame(duration_ns) OVER (PARTITION BY name ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM spans WINDOW w AS (ORDER BY ts)
SELECT arrayMap(x -> x + 1, [1, 2]), arrayFilter((k, v) -> v, ['a'], [1]), attributes['k'], mapFilter((k, v) -> 1, attributes) FROM spans
SELECT Events.Name, e FROM spans ARRAY JOIN Events.Name AS e
SELECT "Events.Name"[1], `Events.Timestamp` FROM spans LEFT ARRAY JOIN `Events.Name` AS x
WITH a AS (SELECT * FROM spans), b AS (SELECT name FROM a) SELECT * FROM b WHERE name IN (SELECT name FROM a)
WITH a AS (SELECT name FROM spans), b AS (SELECT name FROM a) SELECT * FROM b WHERE name IN a UNION ALL SELECT * FROM b
WITH (SELECT max(ts) FROM spans) AS last SELECT * FROM spans WHERE ts = last
WITH ['chat'] AS wanted SELECT name FROM spans WHERE name IN wanted
WITH spans AS (SELECT 1 AS a) SELECT * FROM spans
SELECT * FROM spans AS x INNER JOIN spans AS y ON x.trace_id = y.trace_id LEFT JOIN (SELECT trace_id FROM spans) AS z USING (trace_id)
SELECT * FROM spans AS x ASOF JOIN spans AS y ON x.trace_id = y.trace_id AND x.ts >= y.ts
SELECT x.name FROM spans AS x, spans AS y CROSS JOIN numbers(2) AS n WHERE x.ts = y.ts
SELECT * FROM spans ORDER BY ts DESC LIMIT 1 BY name LIMIT 3 OFFSET 1
SELECT * FROM spans ORDER BY ts LIMIT 2 WITH TIES
SELECT DISTINCT ON (name) name, ts FROM spans
SELECT * EXCEPT (attributes) REPLACE (upper(name) AS name) FROM spans
SELECT COLUMNS('na.*|ts'), spans.* FROM spans
SELECT number AS n, n * 2 AS v FROM numbers(5) ORDER BY n WITH FILL FROM 0 TO 9 STEP 2 INTERPOLATE (v AS v + 1)
SELECT * FROM generate_series(1, 10, 3)
SELECT * FROM values('a Int8, b String', (1, 'x'), (2, 'y'))
SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT 3
SELECT 1 INTERSECT SELECT 1 EXCEPT SELECT 2
(SELECT 1) UNION ALL (SELECT 2)
SELECT name FROM spans WHERE (name, ts) IN (SELECT name, ts FROM spans) AND EXISTS(SELECT 1 FROM spans)
SELECT CASE name WHEN 'chat' THEN 1 ELSE 2 END, if(1, 2, 3), multiIf(1, 2, 3), name LIKE 'c%', name IS NOT NULL, toString(ts)::String, ts + INTERVAL 1 DAY, EXTRACT(YEAR FROM ts), TRIM(BOTH ' ' FROM name), SUBSTRING(name FROM 1 FOR 2) FROM spans
SELECT JSONExtractString('{"a":"b"}', 'a'), '{"a":1}'::JSON AS j, j.a, JSONAllPaths(j), tuple(1, 'a').1, CAST((1, 'x'), 'Tuple(a Int8, b String)').a
SELECT 'it''s', 'a\nb', 'tab\t', "name" AS `p95, ms`, name AS "duration (ms)" FROM spans
SELECT 1 AS format, 2 AS settings, 3 AS final ORDER BY format, settings
SELECT 1 /* comment */ -- and another
SELECT 1 ;
SELECT 1 SETTINGS max_threads = 1, output_format_json_quote_64bit_integers = 1 FORMAT JSON
SELECT 1 FORMAT JSONCompact SETTINGS max_execution_time = 3
SELECT 1 SETTINGS readonly = 2, max_execution_time = 100000
SELECT count() FROM spans SETTINGS final = 0
SELECT cosineDistance([1., 2.], [2., 3.]), sipHash64('a'), hex(MD5('a')), generateUUIDv4() != generateUUIDv4(), rand() >= 0
SELECT name FROM spans WHERE match(name, '^c') AND hasToken(name, 'chat') AND multiSearchAny(name, ['a'])
SELECT formatDateTime(ts, '%Y-%m-%d'), dateDiff('second', ts, now()), toTimeZone(ts, 'Europe/Berlin'), date_trunc('hour', ts) FROM spans
EXPLAIN SELECT * FROM spans
EXPLAIN PLAN header = 1, actions = 1 SELECT name FROM spans WHERE name = 'chat'
EXPLAIN PIPELINE SELECT name FROM spans
EXPLAIN SYNTAX SELECT name FROM spans
EXPLAIN AST SELECT name FROM spans
EXPLAIN QUERY TREE SELECT name FROM spans
EXPLAIN ESTIMATE SELECT name FROM spans
SELECT 'a: 1, b: 2, a: 3, alias: x, alias: y', name = 'x (children 3)' FROM spans
-- Ends of queries, for what is written behind them must not change them.
SELECT 1 AS INTO, 2 AS OUTFILE, 3 AS truncate ORDER BY OUTFILE
SELECT name FROM spans AS into ORDER BY ALL
SELECT name, count() AS c FROM spans GROUP BY name WITH TOTALS ORDER BY name
SELECT duration_ns FROM spans ORDER BY duration_ns OFFSET 1 ROW FETCH FIRST 3 ROWS ONLY
SELECT number FROM numbers(5) QUALIFY row_number() OVER (ORDER BY number) < 3
SELECT sum(number) OVER w FROM numbers(3) WINDOW w AS (ORDER BY number)
SELECT 1 WHERE 0 UNION ALL SELECT 2 WHERE 0
SELECT max(duration_ns) FROM spans HAVING 1
SELECT 1 FORMAT Null
SELECT 1 FORMAT Values
