-- Attempts to get out of the read-only SQL interface, one a line; every one must be refused.
-- The test runs them in a directory with files `secrets`, `secrets.csv`, `x.tsv`, `default.spans` holding a canary.
-- Lines of comment begin with two dashes in the first column. <TAB>, <NL> and <NUL> stand for those characters.
-- scalar functions that reach out
SELECT file('secrets')
SELECT file('secrets', 'no file')
SELECT `file`('secrets')
SELECT FILE('secrets')
SELECT f/**/ile('secrets'), file /* x */ ('secrets')
SELECT arrayMap(x -> file(x), ['secrets'])
SELECT sleep(3)
SELECT sleepEachRow(1) FROM numbers(10)
SELECT dictGet('d', 'a', 1)
SELECT dictGetString('default.d', 'a', toUInt64(1))
SELECT joinGet('default.secret_keys', 'key', 1)
SELECT hostName(), FQDN(), serverUUID(), tcpPort()
SELECT getServerSetting('max_connections')
SELECT getSetting('readonly')
SELECT getMacro('x')
SELECT filesystemAvailable()
SELECT catboostEvaluate('secrets', 1)
SELECT addressToLine(1)
SELECT hasColumnInTable('default', 'secret_keys', 'key')
SELECT aiGenerate('x')
SELECT fileIf('secrets', 1)
SELECT showCertificate()
SELECT structureToProtobufSchema('a String')
SELECT formatRow('Template', 1)
SELECT evalMLMethod(1, 2)
SELECT no_such_function(1)
WITH x -> 1 AS file SELECT file('secrets')
-- APPLY hides the function's name
SELECT * APPLY file FROM spans
SELECT * APPLY(file) FROM (SELECT 'secrets' AS a)
SELECT * APPLY(x -> file(x)) FROM (SELECT 'secrets' AS a)
SELECT COLUMNS('a') APPLY file FROM (SELECT 'secrets' AS a)
SELECT spans.* APPLY(toString) FROM spans
-- writing files
SELECT 1 INTO OUTFILE 'stolen.csv'
SELECT 1 INTO OUTFILE 'stolen.csv' FORMAT CSV
SELECT 1 INTO OUTFILE 'stolen.csv' TRUNCATE AND STDOUT FORMAT CSV
SELECT 1 FORMAT CSV INTO OUTFILE 'stolen.csv'
(SELECT 1) INTO OUTFILE 'stolen.csv'
SELECT 1 UNION ALL SELECT 2 INTO OUTFILE 'stolen.csv'
EXPLAIN SELECT 1 INTO OUTFILE 'stolen.csv'
SHOW DATABASES INTO OUTFILE 'stolen.csv'
DESCRIBE TABLE spans INTO OUTFILE 'stolen.csv'
INSERT INTO FUNCTION file('stolen.csv') SELECT 1
INSERT INTO TABLE FUNCTION file('stolen.csv', 'CSV', 'a Int8') VALUES (1)
-- table functions
SELECT * FROM file('secrets.csv')
SELECT * FROM file('secrets', 'LineAsString')
SELECT * FROM FILE('secrets.csv')
SELECT * FROM `file`('secrets.csv')
SELECT * FROM filesystem('.')
SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')
SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV')
SELECT * FROM remote('127.0.0.1', system.one)
SELECT * FROM remoteSecure('127.0.0.1', 'system', 'one')
SELECT * FROM cluster('default', system.one)
SELECT * FROM clusterAllReplicas('default', system.one)
SELECT * FROM merge('default', '.*')
SELECT * FROM merge('secret')
SELECT * FROM loop('default', 'secret_keys')
SELECT * FROM view(SELECT * FROM secret_keys)
SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))
SELECT * FROM executable('cat secrets', 'TSV', 'a String')
SELECT * FROM input('a String')
SELECT * FROM format('CSV', 'a')
SELECT * FROM python('x')
SELECT * FROM Python(x)
SELECT * FROM sqlite('x.db', 't')
SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')
SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')
SELECT * FROM dictionary('d')
SELECT * FROM deltaLakeLocal('.')
SELECT * FROM icebergLocal('.')
SELECT * FROM mergeTreeIndex('default', 'secret_keys')
SELECT * FROM fuzzQuery('SELECT 1')
SELECT * FROM eval('SELECT 1')
SELECT * FROM numbers(1) AS n JOIN file('secrets.csv') AS f ON 1
SELECT 1 WHERE 1 IN (SELECT c2 FROM file('secrets.csv'))
SELECT (SELECT c1 FROM file('secrets.csv'))
SELECT 1 UNION ALL SELECT c2 FROM file('secrets.csv')
WITH numbers AS (SELECT 1) SELECT * FROM file('secrets.csv'), numbers
WITH x AS (SELECT * FROM file('secrets.csv')) SELECT * FROM x
SELECT 1 EXCEPT SELECT c2 FROM file('secrets.csv')
SELECT 1 ORDER BY (SELECT c1 FROM file('secrets.csv'))
SELECT number FROM numbers((SELECT c2 FROM file('secrets.csv')))
-- names that are files
SELECT * FROM secrets
SELECT * FROM `secrets.csv`
SELECT * FROM "secrets.csv"
SELECT * FROM default.`secrets.csv`
SELECT * FROM `default.spans`
SELECT * FROM `default`.secrets
SELECT * FROM `/etc/passwd`
SELECT * FROM `../../etc/passwd`
SELECT 1 IN secrets
SELECT ('a', 1) IN `secrets.csv`
SELECT ('a', 1) GLOBAL NOT IN `secrets.csv`
SELECT in(('a', 1), `secrets.csv`)
SELECT arrayExists(x -> (x, 1) IN `secrets.csv`, ['a'])
WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets
WITH RECURSIVE secrets AS (SELECT * FROM secrets) SELECT * FROM secrets
WITH a AS (SELECT * FROM secrets), secrets AS (SELECT * FROM a) SELECT * FROM secrets
SELECT (WITH secrets AS (SELECT 1) SELECT 1), * FROM secrets
SELECT * FROM (WITH secrets AS (SELECT 1) SELECT 1) AS q, secrets
WITH a AS (WITH secrets AS (SELECT 1) SELECT 1), b AS (SELECT * FROM secrets) SELECT * FROM b
WITH a AS (WITH a AS (SELECT 1) SELECT * FROM a) SELECT * FROM a
WITH j AS (WITH secrets AS (SELECT 1) SELECT * FROM secrets), secrets AS (SELECT * FROM j) SELECT * FROM secrets
WITH `secrets.csv` AS (SELECT 1) SELECT * FROM `secrets.csv`
SELECT * FROM spans AS secrets WHERE (name, 1) IN secrets
WITH (SELECT 1) AS secrets SELECT 1 IN secrets
WITH 1 AS secrets SELECT (SELECT 1 IN secrets)
SELECT 1 AS secrets, 1 IN secrets
-- names that draw a syntax tree
SELECT * FROM (SELECT 2) AS `x, is_subquery: 1, is_cte: 1, cte_name: secrets`, secrets
WITH (SELECT 1) AS `x, is_cte: 1, cte_name: secrets` SELECT * FROM secrets
SELECT 1 AS `a\n  TableIdentifier spans`
SELECT 1 AS `a (children 2)`
SELECT 1 AS `a (alias b)`
SELECT COLUMNS('x\n  WITH\n    LIST id: 9, nodes: 1\n      QUERY id: 10, is_cte: 1, cte_name: secrets') FROM secrets
SELECT * FROM `secrets (alias spans)`
SELECT * FROM `spans\\`
WITH 'x, alias: secrets, y: ' AS z SELECT 1 IN secrets
WITH 'x, alias: secrets' AS z SELECT 1 IN secrets
WITH ['x, alias: secrets, y: '] AS z SELECT 1 IN secrets
WITH {t:String} AS z, 'is_cte: 1, cte_name: secrets' AS y SELECT * FROM secrets
SELECT COLUMNS('x, is_cte: 1, cte_name: secrets, y: '), 1 IN secrets FROM spans
SELECT 1 FROM spans ORDER BY name COLLATE 'en', 1 IN secrets
WITH 1 AS secrets, a AS (SELECT 1 IN secrets) SELECT * FROM a
-- other tables
SELECT * FROM secret_keys
SELECT * FROM spans JOIN secret_keys ON 1
SELECT * FROM spans, secret_keys
SELECT 1 IN secret_keys
SELECT * FROM system.processes
SELECT * FROM system.query_log
SELECT * FROM system.user_query_log
SELECT * FROM system.parts
SELECT * FROM system.users
SELECT * FROM system.grants
SELECT * FROM system.disks
SELECT * FROM system.stack_trace
SELECT * FROM system.server_settings
SELECT * FROM system.named_collections
SELECT * FROM system.`tables `
SELECT * FROM information_schema.tables
SELECT * FROM other.spans
-- parameters that are names
SELECT * FROM {t:Identifier}
SELECT {t:Identifier} FROM spans
SELECT * FROM default.{t:Identifier}
SELECT * FROM { t : Identifier }
DESCRIBE TABLE {t:Identifier}
-- several statements
SELECT 1; SELECT 2
SELECT 1; DROP TABLE spans
SELECT 1 ;; SELECT 2
SELECT 1; -- x<NL>DROP TABLE spans
EXPLAIN AST SELECT 1; SELECT file('secrets')
EXPLAIN AST SELECT 1; DROP TABLE spans
SELECT 1 PARALLEL WITH SELECT 2
SELECT 1<NUL>; DROP TABLE spans
SELECT 1 -- <NL>; DROP TABLE spans
-- settings
SELECT 1 SETTINGS allow_introspection_functions = 1
SELECT 1 SETTINGS max_threads = 1, dialect = 'prql'
SELECT 1 SETTINGS format_schema = 'secrets'
SELECT 1 SETTINGS output_format_schema = 'stolen.proto'
SELECT 1 SETTINGS format_template_row = 'secrets'
SELECT 1 SETTINGS additional_table_filters = {'default.spans': 'file(\'secrets\') = 1'}
SELECT 1 SETTINGS additional_table_filters = {'system.tables': '1'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1) OR (1'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1 IN (SELECT 1)'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1 UNION ALL SELECT 2'}
SELECT 1 SETTINGS additional_result_filter = 'file(\'secrets\') = 1'
SELECT (SELECT 1 SETTINGS max_execution_time = 0)
SELECT * FROM (SELECT 1 SETTINGS readonly = 0)
SELECT 1 SETTINGS max_memory_usage = 'x'
SET readonly = 0
SET max_execution_time = 0
-- formats
SELECT 1 FORMAT Template
SELECT 1 FORMAT Protobuf
SELECT 1 FORMAT MySQLWire
SELECT 1 FORMAT NoSuchFormat
-- statements
DESCRIBE TABLE file('secrets.csv')
DESCRIBE file('secrets.csv')
DESCRIBE TABLE numbers(1)
DESCRIBE TABLE `secrets.csv`
DESCRIBE (SELECT * FROM file('secrets.csv'))
DESCRIBE TABLE secret_keys
DESCRIBE TABLE system.parts
SHOW CREATE TABLE secret_keys
SHOW CREATE DATABASE default
SHOW TABLES FROM other
SHOW TABLES WHERE file('secrets') = 1
SHOW PROCESSLIST
SHOW GRANTS
SHOW USERS
SHOW SETTINGS LIKE '%'
SHOW DICTIONARIES
SHOW CLUSTERS
SHOW FUNCTIONS
SHOW INDEX FROM secret_keys
SHOW COLUMNS FROM secret_keys
EXISTS DATABASE default
EXPLAIN INSERT INTO spans SELECT 1
EXPLAIN CREATE TABLE stolen (a Int8) ENGINE = Memory
EXPLAIN SELECT file('secrets')
EXPLAIN AST SELECT file('secrets')
EXPLAIN SYNTAX SELECT * FROM `secrets.csv`
EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'd', 't', 'u', 'p') COLUMNS (a Int8)
EXPLAIN CURRENT TRANSACTION
INSERT INTO spans VALUES (1)
INSERT INTO spans SELECT * FROM spans
CREATE TABLE stolen (a Int8) ENGINE = Memory
CREATE TABLE stolen ENGINE = File(CSV) AS SELECT 1
CREATE VIEW stolen AS SELECT * FROM file('secrets.csv')
CREATE DICTIONARY stolen (a UInt64) PRIMARY KEY a SOURCE(FILE(path 'secrets.csv' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)
CREATE FUNCTION stolen AS x -> file(x)
CREATE TEMPORARY TABLE stolen (a Int8)
CREATE DATABASE stolen
CREATE USER stolen
ALTER TABLE spans DELETE WHERE 1
DROP TABLE spans
TRUNCATE TABLE spans
RENAME TABLE spans TO stolen
OPTIMIZE TABLE spans
DELETE FROM spans WHERE 1
UPDATE spans SET name = 'x' WHERE 1
ATTACH TABLE stolen
DETACH TABLE spans
SYSTEM FLUSH LOGS
SYSTEM SHUTDOWN
KILL QUERY WHERE 1
GRANT ALL ON *.* TO default
BACKUP TABLE spans TO File('stolen')
RESTORE TABLE spans FROM File('stolen')
USE system
CHECK TABLE spans
EXECUTE AS default SELECT 1
BEGIN TRANSACTION
-- bytes and spelling
SELECT x'FF'
SELECT 1 AS `<NL>`
ｓｅｌｅｃｔ 1
SELECT * FROM/**/`secrets`/**/
select<TAB>*<TAB>from<TAB>secrets
SELECT "file"('secrets')
SELECT $$secrets$$ AS a, file(a)
-- the same in places that queries seldom have
FROM file('secrets.csv') SELECT *
FROM secrets SELECT *
SELECT * REPLACE (file('secrets') AS name) FROM spans
SELECT * EXCEPT (name) REPLACE (toUInt64(length(file('secrets'))) AS duration_ns) FROM spans
SELECT COLUMNS('name') REPLACE (file('secrets') AS name) FROM spans
SELECT name FROM spans QUALIFY file('secrets') = row_number() OVER ()
SELECT count() OVER (PARTITION BY file('secrets')) FROM spans
SELECT count() OVER w FROM spans WINDOW w AS (ORDER BY file('secrets'))
SELECT name FROM spans ORDER BY ts WITH FILL STEP toUInt64(length(file('secrets')))
SELECT number AS n, 1 AS v FROM numbers(3) ORDER BY n WITH FILL INTERPOLATE (v AS length(file('secrets')))
SELECT 1 LIMIT length(file('secrets'))
SELECT 1 LIMIT 1 OFFSET length(file('secrets'))
SELECT name FROM spans LIMIT length(file('secrets')) BY name
SELECT name FROM spans SAMPLE 1 / length(file('secrets'))
SELECT name FROM spans PREWHERE file('secrets') = name
SELECT name FROM spans GROUP BY name HAVING file('secrets') = name
SELECT name FROM spans GROUP BY GROUPING SETS ((file('secrets')), (name))
SELECT DISTINCT ON (file('secrets')) name FROM spans
SELECT e FROM spans ARRAY JOIN [file('secrets')] AS e
SELECT * FROM spans AS a JOIN spans AS b ON a.name = file('secrets')
SELECT * FROM spans AS a ASOF JOIN spans AS b ON a.name = b.name AND a.ts >= (SELECT ts FROM secrets)
SELECT * FROM spans PASTE JOIN file('secrets.csv')
SELECT * FROM spans ANY LEFT JOIN secrets USING name
SELECT * FROM values('a String', (file('secrets')))
SELECT * FROM values('a String', ('x')), values((SELECT c1 FROM file('secrets.csv')))
SELECT * FROM generate_series(1, length(file('secrets')))
SELECT CASE file('secrets') WHEN 'a' THEN 1 END
SELECT quantileIf(0.5)(1, file('secrets') = '')
SELECT arrayFold(a, x -> file(x), ['secrets'], '')
SELECT (x -> file(x))('secrets')
SELECT 1 ? file('secrets') : 'x'
SELECT EXTRACT(YEAR FROM file('secrets'))
SELECT TRIM(BOTH file('secrets') FROM 'x')
SELECT DATE_ADD(DAY, length(file('secrets')), now())
SELECT INTERVAL length(file('secrets')) DAY
SELECT map(file('secrets'), 1)['x']
SELECT tuple(file('secrets')).1
SELECT untuple(tuple(file('secrets')))
SELECT file('secrets')::String
SELECT CAST(file('secrets') AS String)
SELECT count(file('secrets'))
SELECT count(DISTINCT file('secrets'))
SELECT EXISTS(SELECT * FROM file('secrets.csv'))
SELECT 1 = ANY (SELECT c2 FROM file('secrets.csv'))
SELECT 1 FROM spans WHERE name BETWEEN file('secrets') AND 'z'
SELECT name FROM spans INTERSECT SELECT key FROM secret_keys
SELECT name FROM (SELECT name FROM spans UNION ALL (SELECT key FROM secret_keys))
WITH a AS MATERIALIZED (SELECT * FROM secrets) SELECT * FROM a
WITH a(x) AS (SELECT * FROM secrets) SELECT * FROM a
WITH file('secrets') AS x SELECT x
WITH (SELECT c1 FROM file('secrets.csv')) AS x SELECT x
SELECT APPLY(file)('secrets')
SELECT * APPLY(file) APPLY(toString) FROM (SELECT 'secrets' AS a)
SELECT * EXCEPT (b) APPLY file FROM (SELECT 'secrets' AS a, 1 AS b)
SELECT COLUMNS(a) APPLY (x -> file(x)) FROM (SELECT 'secrets' AS a)
SELECT q.COLUMNS('a') APPLY file FROM (SELECT 'secrets' AS a) AS q
SELECT count() FROM merge(REGEXP('def.*'), '.*')
SELECT * FROM merge(currentDatabase(), 'secret_keys')
SELECT * FROM mergeTreeProjection('default', 'spans', 'p')
SELECT * FROM mergeTreeAnalyzeIndexes('default', 'spans')
SELECT * FROM numbers(1), merge('default', '.*')
SELECT * FROM generateRandom('a String')
SELECT * FROM null('a String')
SELECT * FROM cosn('http://127.0.0.1:1/b/k')
SELECT * FROM gcs('http://127.0.0.1:1/b/k')
SELECT * FROM hdfs('hdfs://127.0.0.1:1/x')
SELECT * FROM azureBlobStorage('http://127.0.0.1:1', 'c', 'b')
SELECT * FROM mongodb('127.0.0.1:1', 'd', 'c', 'u', 'p', 'a String')
SELECT * FROM redis('127.0.0.1:1', 'k', 'k String, v String')
SELECT * FROM odbc('DSN=x', 'd', 't')
SELECT * FROM jdbc('x', 'd', 't')
SELECT * FROM fileCluster('default', 'secrets.csv')
SELECT * FROM urlCluster('default', 'http://127.0.0.1:1/')
SELECT * FROM timeSeriesData('default', 'x')
SELECT * FROM hudi('http://127.0.0.1:1/b/k')
SELECT * FROM arrowFlight('127.0.0.1:1', 'x')
SELECT * FROM ytsaurus('http://127.0.0.1:1', '//x', 't', 'a String')
-- views, dictionaries, and what else has a name
SELECT dictGetOrDefault('d', 'a', 1, 2)
SELECT dictHas('d', 1), dictGetHierarchy('d', 1)
SELECT dictGetAll('d', 'a', 1)
SELECT * FROM dictionary(d)
SELECT joinGetOrNull('secret_keys', 'key', 1)
CREATE OR REPLACE VIEW spans AS SELECT * FROM secret_keys
CREATE MATERIALIZED VIEW stolen ENGINE = File(CSV) AS SELECT * FROM spans
CREATE LIVE VIEW stolen AS SELECT 1
CREATE WINDOW VIEW stolen AS SELECT 1
CREATE OR REPLACE DICTIONARY stolen (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)
CREATE NAMED COLLECTION stolen AS a = 1
CREATE TABLE stolen AS spans
CREATE TABLE stolen CLONE AS spans
CREATE ROW POLICY stolen ON spans USING 1
CREATE SETTINGS PROFILE stolen
CREATE ROLE stolen
CREATE QUOTA stolen
CREATE WORKLOAD stolen
CREATE RESOURCE stolen (READ ANY DISK)
ALTER USER default IDENTIFIED BY 'x'
ALTER TABLE spans ADD COLUMN stolen String
ALTER TABLE spans MODIFY TTL ts
ALTER TABLE spans FREEZE
ALTER TABLE spans ATTACH PARTITION ALL FROM secret_keys
ALTER TABLE spans MODIFY SETTING max_parts_in_total = 1
EXCHANGE TABLES spans AND secret_keys
UNDROP TABLE spans
MOVE USER x TO y
REVOKE ALL ON *.* FROM default
SET ROLE ALL
SET DEFAULT ROLE ALL TO default
COPY spans TO 'stolen.csv'
SHOW CREATE VIEW spans
SHOW CREATE DICTIONARY spans
SHOW CREATE USER default
SHOW TABLES FROM system WHERE name = 'parts' INTO OUTFILE 'stolen.csv'
SHOW FULL TABLES FROM other
SHOW TEMPORARY TABLES
SHOW ENGINES
SHOW ACCESS
SHOW QUOTAS
SHOW POLICIES
SHOW MERGES
SHOW FILESYSTEM CACHES
SHOW SETTING max_threads
SHOW CHANGED SETTINGS
SHOW INDEXES FROM system.parts
EXISTS VIEW spans
EXISTS DICTIONARY spans
EXISTS TEMPORARY TABLE spans
DESCRIBE TABLE file('secrets.csv', 'CSV', 'a String')
DESCRIBE TABLE url('http://127.0.0.1:1/')
DESCRIBE TABLE s3('http://127.0.0.1:1/b/k')
DESCRIBE TABLE merge('default', '.*')
DESCRIBE TABLE values('a Int8', 1)
DESCRIBE TABLE (SELECT * FROM secret_keys)
DESCRIBE TABLE (SELECT 1) SETTINGS describe_compact_output = 1, allow_ddl = 1, dialect = 'prql'
DESCRIBE TABLE (SELECT 1 INTO OUTFILE 'stolen.csv')
DESC (SELECT file('secrets'))
-- statements within statements, and after them
EXPLAIN PLAN SELECT * FROM file('secrets.csv')
EXPLAIN PIPELINE graph = 1 SELECT file('secrets')
EXPLAIN QUERY TREE SELECT * FROM secret_keys
EXPLAIN ESTIMATE SELECT * FROM secret_keys
EXPLAIN indexes = 1 SELECT * FROM secret_keys
EXPLAIN AST DROP TABLE spans
EXPLAIN AST CREATE TABLE stolen ENGINE = File(CSV) AS SELECT 1
EXPLAIN SYNTAX INSERT INTO FUNCTION file('stolen.csv') SELECT 1
EXPLAIN EXPLAIN SELECT file('secrets')
EXPLAIN SELECT 1 SETTINGS allow_ddl = 1, readonly = 0, max_query_size = 0
SELECT * FROM (EXPLAIN SELECT 1)
SELECT * FROM (EXPLAIN AST SELECT file('secrets'))
SELECT * FROM (SHOW TABLES)
SELECT * FROM (DESCRIBE TABLE file('secrets.csv'))
SELECT 1;SELECT file('secrets');
SELECT 1;<NL>SELECT file('secrets')
SELECT 1/*;*/;/**/SELECT 2
SELECT ';' ; DROP TABLE spans
SELECT 1 # comment<NL>; DROP TABLE spans
SELECT 1 #! comment<NL>; DROP TABLE spans
SELECT 1 -- ' <NL>; DROP TABLE spans -- '
SELECT 1 FORMAT CSV; DROP TABLE spans
SELECT 1 SETTINGS max_threads = 1; DROP TABLE spans
SELECT 1 PARALLEL WITH DROP TABLE spans
INSERT INTO spans FORMAT CSV<NL>1
INSERT INTO spans FROM INFILE 'secrets.csv' FORMAT CSV
INSERT INTO secret_keys SELECT 'x'
WITH a AS (SELECT 1) INSERT INTO spans SELECT * FROM a
-- an OUTFILE beside the one that carries the answer
SELECT 1 INTO OUTFILE '/dev/fd/1'
SELECT 1 INTO OUTFILE 'stolen.csv' APPEND
SELECT 1 INTO OUTFILE 'stolen.csv.gz' COMPRESSION 'gzip' LEVEL 1
SELECT 1 INTO DUMPFILE 'stolen.csv'
SELECT 1 UNION ALL (SELECT 2 INTO OUTFILE 'stolen.csv')
SELECT * FROM (SELECT 1 INTO OUTFILE 'stolen.csv')
SELECT (SELECT 1 INTO OUTFILE 'stolen.csv')
WITH a AS (SELECT 1 INTO OUTFILE 'stolen.csv') SELECT * FROM a
SELECT 1 SETTINGS max_threads = 1 INTO OUTFILE 'stolen.csv'
SELECT 1 INTO OUTFILE 'stolen.csv' SETTINGS max_threads = 1
EXISTS TABLE spans INTO OUTFILE 'stolen.csv'
SHOW TABLES INTO OUTFILE 'stolen.csv'
SHOW CREATE TABLE spans INTO OUTFILE 'stolen.csv'
EXPLAIN AST SELECT 1 INTO OUTFILE 'stolen.csv'
DESCRIBE TABLE (SELECT 1) INTO OUTFILE 'stolen.csv'
-- settings
SELECT 1 SETTINGS into_outfile_create_parent_directories = 1
SELECT 1 SETTINGS storage_file_read_method = 'read'
SELECT 1 SETTINGS user_files_path = '/'
SELECT 1 SETTINGS engine_file_allow_create_multiple_files = 1
SELECT 1 SETTINGS implicit_select = 1
SELECT 1 SETTINGS allow_experimental_kusto_dialect = 1, dialect = 'kusto'
SELECT 1 SETTINGS output_format_schema = 'stolen', format_schema_source = 'string'
SELECT 1 SETTINGS format_schema_path = '/'
SELECT 1 SETTINGS format_custom_result_before_delimiter = 'x', format_template_resultset = 'secrets'
SELECT 1 SETTINGS query_cache_nondeterministic_function_handling = 'save'
SELECT 1 SETTINGS max_execution_time = 'infinity'
SELECT 1 SETTINGS max_execution_time = -1
SELECT 1 SETTINGS max_execution_time = DEFAULT
SELECT 1 SETTINGS max_result_bytes = 1e30
SELECT 1 SETTINGS profile = 'default'
SELECT 1 SETTINGS additional_table_filters = {'spans': '1 APPLY file'}
SELECT 1 SETTINGS additional_table_filters = {'default.secret_keys': '1'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1 -- '}, additional_result_filter = '1'
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1; DROP TABLE spans'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': 'name IN secret_keys'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1 SETTINGS readonly = 0'}
SELECT 1 SETTINGS additional_table_filters = {'default.spans': '1 INTO OUTFILE \'stolen.csv\''}
SELECT 1 SETTINGS `readonly` = 0, `allow_ddl` = 1, `x` = 1
SELECT 1 SETTINGS param_t = 'secrets'
SELECT * FROM spans SETTINGS (max_threads = 1)
SET param_t = 'secrets'
-- bytes and spelling
SELECT fi<NL>le('secrets')
SELECT file<TAB>('secrets')
SELECT file--x<NL>('secrets')
SELECT `fi\x6ce`('secrets')
SELECT `\x66ile`('secrets')
SELECT "fi\u006ce"('secrets')
SELECT fıle('secrets')
SELECT ﬁle('secrets')
SELECT file​('secrets')
SELECT file ('secrets')
SELECT * FROM `secrets​`
SELECT * FROM sеcrets
SELECT * FROM ``
SELECT * FROM `./secrets`
SELECT * FROM `file://secrets`
SELECT * FROM 'secrets.csv'
SELECT * FROM $$secrets.csv$$
SELECT * FROM "default"."secrets.csv"
SELECT * FROM `default.secrets.csv`
SELECT * FROM default . secrets
SELECT * FROM default.default.secrets
SELECT * FROM default.`spans`.secrets
SELECT * FROM system.one, `secrets.csv`
SELECT * FROM spans FINAL, secrets FINAL
SELECT secrets.* FROM secrets
SELECT 1 GLOBAL IN secrets
SELECT nullIn(1, secrets), globalNotNullIn(1, secrets)
SELECT inIgnoreSet(1, secrets)
SELECT 1 IN (secrets)
SELECT 1 IN default.secrets
SELECT tuple(1) IN (SELECT * FROM secrets)
SELECT arrayMap(x -> x IN secrets, [1])
SELECT if(1, 1 IN secrets, 0)
SELECT countIf(1 IN secrets)
SELECT 1 FROM spans WHERE (name IN secrets) OR 1
SELECT X'FF' AS a
SELECT b'11111111' AS a
SELECT '<NUL>'
SELECT 1 /* unclosed
SELECT 'unclosed
SELECT `unclosed
SELECT ((((1)
SELECT 1)
SELECT {t:Identifier}.name FROM spans
WITH {t:Identifier} AS x SELECT 1
SELECT {t:Nullable(Identifier)}
SELECT * FROM { t : identifier }
SHOW TABLES FROM {t:Identifier}
EXISTS TABLE {t:Identifier}
