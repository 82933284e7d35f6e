-- Prices each call that is paid for.
SELECT * EXCEPT span, {{span_unpacked}}, if(Billing = 'leaf', {{list_cost}}, NULL) AS ListCostUSD
FROM {{rows}}
