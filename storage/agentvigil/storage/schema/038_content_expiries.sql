-- How long each message stays; what the dictionary content_expiry asks.
CREATE VIEW IF NOT EXISTS content_expiries AS
SELECT Project, Hash, max(Expires) AS Expires
FROM content_messages
GROUP BY Project, Hash
