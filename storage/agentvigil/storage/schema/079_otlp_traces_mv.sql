-- The last stage prices each call and writes otel_traces. It was the only one before: in this one step intake changes
-- over from it to the chain of stages.
ALTER TABLE otlp_traces_mv MODIFY QUERY
SELECT * EXCEPT span, {{span_unpacked}}, if(Billing = 'leaf', {{list_cost}}, NULL) AS ListCostUSD
FROM otlp_spans_counted
