-- The rules of the newest generation. A generation is one insert, so it is seen whole or not at all. The last rule
-- matches nothing: a dictionary of this layout does not load without any, and then every insert would fail.
CREATE VIEW IF NOT EXISTS agentvigil_price_rules_in_use AS
SELECT id, parent_id, regexp, keys, values
FROM agentvigil_price_rules
WHERE Generation = (SELECT max(Generation) FROM agentvigil_price_rules)
UNION ALL
SELECT 18446744073709551615, 0, '^\n\n$', ['Provider'], ['']
