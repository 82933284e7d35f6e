-- Finds provider and prices by name: of a provider's name alone its id in the price list, of id, newline and a model's
-- name the schedule, both in lower case. An empty table makes an empty dictionary, in which nothing has a price.
CREATE DICTIONARY IF NOT EXISTS agentvigil_price_names
(
    regexp String,
    Provider String,
    Schedule UInt64
)
PRIMARY KEY regexp
SOURCE(CLICKHOUSE(TABLE 'agentvigil_price_rules_in_use' {{dictionary_access}}))
LAYOUT(REGEXP_TREE)
LIFETIME(MIN 300 MAX 600)
