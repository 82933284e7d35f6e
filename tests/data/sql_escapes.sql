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
