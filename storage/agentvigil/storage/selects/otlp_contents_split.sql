-- Takes texts apart into the elements of a list of JSON objects, be it the whole text or deeper in it. They are cut where
-- a comma stands between two objects, outside of strings and no deeper than any other such comma (`marked`). What is cut
-- comes together again exactly, whatever JSON the text is or is not; one that is not cut is one message.
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
                        FROM {{rows}}
                    )
                )
            )
        )
    )
)
