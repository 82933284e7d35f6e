-- The messages that are not there yet, or would go before this span does. A message that several texts of an insert say is
-- written once, since the table's engine merges what an insert brings.
SELECT
    Project,
    tupleElement(message, 1) AS Hash,
    tupleElement(message, 2) AS Body,
    expires AS Expires
FROM
(
    SELECT
        Project,
        toDate(least(toUInt32(toDate(Timestamp)) + KeepDays + 1, 65535)) AS expires,
        arrayJoin(arrayZip(Messages, bodies)) AS message
    FROM {{rows}}
)
WHERE dictGetOrDefault('content_expiry', 'Expires', (toString(Project), Hash), toDate(0)) < Expires
