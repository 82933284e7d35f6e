-- The views that store content (docs/content.md). No migration makes them: planning them costs every insert, and most
-- installations let no content be stored.

-- otlp_contents_mv --
-- A row for each text. This much is planned for spans without content too, and the views after it are not.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_contents_mv TO otlp_contents AS
SELECT * EXCEPT (pair), tupleElement(pair, 1) AS Key, tupleElement(pair, 2) AS text
FROM
(
    SELECT
        Project,
        TraceId,
        SpanId,
        Timestamp,
        KeepDays,
        IngestedAt,
        sip_key,
        arrayJoin(arrayFlatten(arrayMap(
            (prefix, pairs) -> arrayMap(pair -> (concat(prefix, tupleElement(pair, 1)), tupleElement(pair, 2)), pairs),
            arrayConcat(
                ['', ''],
                arrayMap(
                    (name, place) -> concat('events.', toString(place), '.', name, '.'),
                    `Events.Name`, arrayEnumerate(`Events.Name`)),
                arrayMap(place -> concat('links.', toString(place), '.'), arrayEnumerate(`Links.SpanId`))),
            contents))) AS pair
    FROM otlp_spans
)

-- otlp_contents_split_mv --
-- Takes texts apart into the elements of a list of JSON objects, be it the whole text or deeper in it. They are cut where
-- a comma stands between two objects, outside of strings and no deeper than any other such comma (`marked`). What is cut
-- comes together again exactly, whatever JSON the text is or is not; one that is not cut is one message.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_contents_split_mv TO otlp_contents_split AS
SELECT
    * EXCEPT (sip_key, text, inner, marked, pieces, depths, shallowest, groups),
    arrayConcat(
        [arrayStringConcat(groups[1])],
        arrayMap(group -> substring(arrayStringConcat(group), 1 + length(Separator)), arrayPopFront(groups))) AS bodies,
    arrayMap(body -> reinterpretAsUUID(sipHash128Keyed(sip_key, body)), bodies) AS Messages
FROM
(
    SELECT
        *,
        if(
            Separator = '',
            [[inner]],
            arraySplit(
                (piece, depth) -> depth = shallowest AND startsWith(piece, Separator),
                pieces, arrayResize(arrayPushFront(depths, 0), length(pieces)))) AS groups
    FROM
    (
        SELECT
            *,
            arrayMin(depths) AS shallowest,
            -- Elements of a few bytes are not worth a row each.
            if(length(inner) < 32 * length(pieces), '', arraySort(extractAll(marked, '\x01(\\s*,\\s*)'))[1]) AS Separator
        FROM
        (
            SELECT
                *,
                splitByChar('\x01', marked) AS pieces,
                -- How many brackets are open after each piece but the last.
                arrayPopBack(arrayCumSum(arrayMap(
                    piece -> 2 * countSubstrings(piece, '{') - length(piece),
                    splitByChar(
                        '\x01',
                        translate(
                            replaceRegexpAll(marked, '"(?:[^"\\\\]|\\\\.)*"|[^"{}\\[\\]\x01]', ''),
                            '[]"', '{}')))))
                    AS depths
            FROM
            (
                SELECT
                    *,
                    if(
                        position(inner, '\x01') > 0,
                        '',
                        replaceAll(
                            replaceRegexpAll(inner, '("(?:[^"\\\\]|\\\\.)*")|(\\})(\\s*,\\s*\\{)', '\\1\\2\x01\\3'),
                            '"\x01', '"')) AS marked
                FROM
                (
                    SELECT
                        *,
                        substring(text, 1 + length(Opening), length(text) - length(Opening) - length(Closing)) AS inner
                    FROM
                    (
                        SELECT
                            *,
                            extract(substring(text, 1, 256), '^(\\s*(?:\\{[^{}\\[\\]]*)?\\[\\s*)\\{') AS Opening,
                            extract(right(text, 256), '\\}(\\s*\\][^{\\[\\]]*)$') AS Closing
                        FROM otlp_contents
                    )
                )
            )
        )
    )
)

-- content_messages_mv --
-- Writes the messages that are not there yet, or would go before this span does.
CREATE MATERIALIZED VIEW IF NOT EXISTS content_messages_mv TO content_messages AS
SELECT
    Project,
    tupleElement(message, 1) AS Hash,
    any(tupleElement(message, 2)) AS Body,
    max(expires) AS Expires
FROM
(
    SELECT
        Project,
        toDate(least(toUInt32(toDate(Timestamp)) + KeepDays + 1, 65535)) AS expires,
        arrayJoin(arrayZip(Messages, bodies)) AS message
    FROM otlp_contents_split
)
GROUP BY Project, Hash
HAVING dictGetOrDefault('content_expiry', 'Expires', (toString(Project), Hash), toDate(0)) < Expires

-- span_contents_mv --
-- Writes which messages a text is made of.
CREATE MATERIALIZED VIEW IF NOT EXISTS span_contents_mv TO span_contents AS
SELECT * EXCEPT (bodies)
FROM otlp_contents_split
