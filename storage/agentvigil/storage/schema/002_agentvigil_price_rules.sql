-- Which names mean which prices, as a tree of regular expressions: source of the dictionary agentvigil_price_names.
CREATE TABLE IF NOT EXISTS agentvigil_price_rules
(
    Generation UInt64 COMMENT 'see agentvigil_prices; one insert writes all rules of a generation, as its last',
    Inputs String COMMENT 'what the generation was made of: version of the package, hash of the overrides',
    id UInt64,
    parent_id UInt64,
    regexp String,
    keys Array(String),
    values Array(String)
)
ENGINE = MergeTree
PARTITION BY Generation
ORDER BY id
