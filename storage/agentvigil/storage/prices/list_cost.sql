-- list_cost --
-- What a call costs by the price list, in USD, as Nullable(Decimal(18, 9)); NULL if it has no price, if no tokens are
-- known, or if the counts contradict each other (a part that is greater than its whole). Of input and output, one that
-- is not known counts nothing. Reads Timestamp, Provider, RequestModel, ResponseModel, ServiceTier and the counts.
-- Evaluated for each name and not for each span where that is possible: a name with a dictionary of its own
-- (LowCardinality) is looked up once per block. No lambdas, and every part once: ClickHouse plans this at each insert.
accurateCastOrNull(
    if(
        (isNull(InputTokens) AND isNull(OutputTokens))
            OR (toFloat64(ifNull(CacheReadTokens, 0)) AS price_cache_read)
                + (toFloat64(ifNull(CacheWriteTokens, 0)) AS price_cache_write)
                > (toFloat64(ifNull(InputTokens, 0)) AS price_input)
            OR (toFloat64(ifNull(InputAudioTokens, 0)) AS price_input_audio) > price_input
            OR (toFloat64(ifNull(CacheReadAudioTokens, 0)) AS price_cache_read_audio)
                > least(price_cache_read, price_input_audio)
            OR (toFloat64(ifNull(OutputAudioTokens, 0)) AS price_output_audio)
                > (toFloat64(ifNull(OutputTokens, 0)) AS price_output),
        nan,
        5e-10)
    + dotProduct(
        dictGet(
            'agentvigil_price_sizes',
            ('Requests', 'Input', 'CacheRead', 'CacheWrite', 'InputAudio', 'CacheReadAudio', 'Output', 'OutputAudio', 'Reasoning'),
            dictGet(
                'agentvigil_price_times',
                'Rates',
                (if(
                    (dictGet('agentvigil_price_names', 'Schedule', toLowCardinality(concat(
                        dictGet('agentvigil_price_names', 'Provider', lower(Provider)) AS price_provider, '\n', lower(ResponseModel))))
                        AS price_of_response) != 0,
                    price_of_response,
                    dictGet('agentvigil_price_names', 'Schedule', toLowCardinality(concat(price_provider, '\n', lower(RequestModel)))))
                    AS price_schedule)
                    + transform(ServiceTier, ['batch', 'default', 'fast', 'flex', 'priority'], [1, 2, 3, 4, 5], 0)
                    + if(bitTest(price_schedule, 3), toUInt64(16 * intDiv(positiveModulo(price_time, 86400), 1800)), 0),
                intDiv(toUnixTimestamp64Nano(Timestamp), 1000000000) AS price_time),
            ifNull(InputTokens, 0)),
        (
            1.,
            price_input,
            price_cache_read,
            price_cache_write,
            price_input_audio,
            price_cache_read_audio,
            price_output,
            price_output_audio,
            least(toFloat64(ifNull(ReasoningTokens, 0)), price_output))),
    'Decimal(18, 9)')
