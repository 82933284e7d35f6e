-- How the keys of spans about AI are read: by day, project, scope and dialect, each key, its reading and the names its
-- value is known under then; no values. A reading is mapped, deprecated (mapped, and the sender should use the other
-- name), read (for the operation, an error or a part of a list), ignored (on purpose), unmapped or withheld. A number in
-- a key is N.
CREATE VIEW IF NOT EXISTS mapping_report AS
SELECT
    Project,
    Day,
    ScopeName,
    ScopeVersion,
    Dialect,
    Key,
    splitByChar(' ', reading)[1] AS Reading,
    arrayPopFront(splitByChar(' ', reading)) AS Targets,
    Spans,
    LastSeen
FROM
(
    SELECT
        *,
        multiIf(
            is_withheld, 'withheld',
            transform(
                concat(Dialect, ' ', Key),
                {{mapping_own_froms}},
                {{mapping_own_tos}},
                transform(Key, {{mapping_shared_froms}}, {{mapping_shared_tos}}, '')) AS mapped != '', mapped,
            match(Key, {{mapping_read_pattern}}), 'read',
            match(concat(Dialect, ' ', Key), {{mapping_ignored_pattern}})
                OR match(concat(' ', Key), {{mapping_ignored_pattern}}), 'ignored',
            'unmapped') AS reading
    FROM
    (
        SELECT
            Project,
            toDate(Timestamp) AS Day,
            ScopeName,
            ScopeVersion,
            Dialect,
            arrayJoin(arrayConcat(
                arrayMap(
                    key -> (toString(key), false),
                    arrayDistinct(arrayMap(
                        key -> replaceRegexpAll(key, '[.][0-9]{1,6}\\b', '.N'), mapKeys(SpanAttributes)))),
                arrayMap(key -> (toString(key), true), WithheldKeys))) AS found,
            tupleElement(found, 1) AS Key,
            tupleElement(found, 2) AS is_withheld,
            count() AS Spans,
            max(Timestamp) AS LastSeen
        FROM otel_traces
        WHERE Dialect != ''
        GROUP BY Project, Day, ScopeName, ScopeVersion, Dialect, found
    )
)
