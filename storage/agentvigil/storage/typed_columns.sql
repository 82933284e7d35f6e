-- How attributes of any dialect become typed columns, step by step; each part is one expression.
-- The view otlp_traces_mv and the columns' own defaults are made of the same parts. The names in them are columns of
-- otel_traces and the parts before. The lists come from the dialects' data (storage/dialect_sql.py).
-- semconv/reference says the same in Python, and tests hold the two against each other.

-- scope_dialect --
-- The scope's name tells the dialect before anything else: as a whole, then by its longest beginning.
transform(
    ScopeName,
    {{dialect_scope_froms}},
    {{dialect_scope_tos}},
    transform(
        extract(ScopeName, {{dialect_scope_prefix_pattern}}),
        {{dialect_scope_prefix_froms}},
        {{dialect_scope_prefix_tos}},
        ''))

-- all_keys --
-- A key whose value was withheld still tells what it belonged to.
{{sent_keys}}

-- marker_rank --
-- The most telling key or value: a place in the order of dialects, {{ai_rank}} for a span about AI in none of them.
least(
    arrayMin(arrayPushBack(
        arrayMap(
            k -> transform(
                k,
                {{marker_key_froms}},
                {{marker_key_tos}},
                transform(substring(k, 1, position(k, '.')), {{marker_family_froms}}, {{marker_family_tos}}, {{no_rank}})),
            all_keys),
        {{no_rank}})),
    {{marked_value_rank}},
    {{marked_resource_rank}})

-- name_dialect --
-- The span's name tells the dialect where nothing else does.
transform(
    SpanName,
    {{dialect_name_froms}},
    {{dialect_name_tos}},
    transform(
        extract(SpanName, {{dialect_name_prefix_pattern}}),
        {{dialect_name_prefix_froms}},
        {{dialect_name_prefix_tos}},
        ''))

-- exception_type --
-- Of the first exception event.
if(
    has(`Events.Name`, 'exception'),
    coalesce(nullIf(`Events.Attributes`[indexOf(`Events.Name`, 'exception')]['exception.type'], ''), '_OTHER'),
    '')

-- dialect --
multiIf(
    scope_dialect != '', scope_dialect,
    marker_rank <= {{dialect_count}}, {{dialects}}[marker_rank],
    name_dialect != '', name_dialect,
    marker_rank = {{ai_rank}}, 'unknown',
    '')

-- derived --
-- Keys that few spans have and that say several things, or have to be changed: (derived key, value) pairs. Counts and
-- names are read from a JSON that itself is content, and nothing else of it.
arrayFlatten(arrayMap(
    k -> arrayConcat(
        if(k IN {{second_keys}}, [(concat(k, ' +'), SpanAttributes[k])], []),
        if(
            k IN {{when_key_froms}},
            [(
                concat(k, ' ', lower(SpanAttributes[transform(k, {{when_key_froms}}, {{when_key_tos}}, '')])),
                SpanAttributes[k])],
            []),
        if(
            k IN {{convert_key_froms}},
            arrayFilter(
                part -> match(part.2, {{derived_text_pattern}}),
                [(concat(k, ' ~'), multiIf(
                    transform(k, {{convert_key_froms}}, {{convert_key_tos}}, '') = 'ms',
                    ifNull(toString(toFloat64OrNull(SpanAttributes[k]) / 1000), ''),
                    transform(k, {{convert_key_froms}}, {{convert_key_tos}}, '') = 'before_dot',
                    if(
                        match(lower({{sent_text}}), {{provider_prefix_pattern}}),
                        trim(TRAILING '.' FROM extract(lower({{sent_text}}), {{provider_prefix_pattern}})),
                        substringIndex({{sent_text}}, '.', 1)),
                    transform(k, {{convert_key_froms}}, {{convert_key_tos}}, '') = 'since_start',
                    if(NOT match({{sent_text}}, '^"?[0-9]{4}-'), '', ifNull(toString(nullIf(greatest(
                        -1,
                        dateDiff('microsecond', Timestamp, parseDateTime64BestEffortOrNull(
                            trim(BOTH '"' FROM {{sent_text}}), 6, 'UTC')) / 1000000), -1)), '')),
                    trim(BOTH '"' FROM {{sent_text}})))]),
            []),
        if(
            k IN {{json_keys}},
            arrayFilter(
                part -> match(part.2, {{derived_text_pattern}}),
                arrayMap(
                    path -> (
                        path,
                        if(
                            isValidJSON({{sent_text}}),
                            trim(BOTH '"' FROM arrayFold(
                                (json, part) -> if(
                                    match(part, '^[0-9]+$'),
                                    JSONExtractRaw(json, toInt32OrZero(part) + 1),
                                    JSONExtractRaw(json, part)),
                                splitByChar('.', substring(path, length(k) + 3)),
                                {{sent_text}})),
                            -- Python's way of printing a dictionary.
                            if(
                                position({{sent_text}}, concat('\'', substring(path, length(k) + 3), '\': ')) = 0,
                                '',
                                extract(
                                    substring(
                                        {{sent_text}},
                                        position({{sent_text}}, concat('\'', substring(path, length(k) + 3), '\': '))
                                            + length(path) - length(k) + 2),
                                    '^[0-9]+')))),
                    arrayFilter(path -> startsWith(path, concat(k, ' .')), {{json_paths}}))),
            [])),
    arrayFilter(k -> k IN {{derived_keys}}, {{sent_keys}})))

-- found --
-- What the span says: (code, text) pairs, the most trusted first. A number that is none says nothing, and neither does a
-- count of more than twelve digits.
arraySort(
    x -> x.1,
    arrayFilter(
        x -> x.1 > 0
            AND x.2 != ''
            AND (x.1 >= {{numbers_below}}
                OR (x.1 < {{counts_below}} AND match(x.2, '^[0-9]{1,12}$'))
                OR (x.1 >= {{counts_below}} AND isFinite(ifNull(toFloat64OrNull(x.2), nan)))),
        arrayZip(
            arrayConcat(
                arrayMap(
                    k -> if(
                        k IN {{own_plain_keys}},
                        transform(
                            concat(dialect, ' ', k),
                            {{own_key_froms}},
                            {{own_key_tos}},
                            transform(k, {{shared_key_froms}}, {{shared_key_tos}}, 0)),
                        transform(k, {{shared_key_froms}}, {{shared_key_tos}}, 0)),
                    mapKeys(SpanAttributes)),
                arrayMap(
                    x -> transform(
                        concat(dialect, ' ', x.1),
                        {{own_key_froms}},
                        {{own_key_tos}},
                        transform(x.1, {{shared_key_froms}}, {{shared_key_tos}}, 0)),
                    derived)),
            arrayConcat(mapValues(SpanAttributes), arrayMap(x -> x.2, derived)))))

-- operation_entries --
-- What attributes that name a kind of span say: places in the list of all such sayings.
arrayFilter(
    entry -> entry > 0,
    arrayMap(
        k -> if(
            operation_condition,
            transform(
                concat(k, '=', lower(trim(BOTH '"' FROM {{sent_text}}))),
                {{operation_conditional_value_froms}},
                {{operation_conditional_value_tos}},
                transform(
                    concat(k, '=', lower(trim(BOTH '"' FROM {{sent_text}}))),
                    {{operation_value_froms}},
                    {{operation_value_tos}},
                    0)),
            transform(
                concat(k, '=', lower(trim(BOTH '"' FROM {{sent_text}}))),
                {{operation_value_froms}},
                {{operation_value_tos}},
                0)),
        arrayFilter(k -> k IN {{operation_sources}}, {{sent_keys}})))

-- operation_condition --
-- What a kind that depends on other keys of the span depends on.
{{operation_condition}}

-- said --
-- The most trusted text of each target; the first one of a key is what a map gives.
mapFromArrays(arrayMap(x -> intDiv(x.1, 64), found), arrayMap(x -> x.2, found))

-- standard_operation --
transform(lower(SpanAttributes['gen_ai.operation.name']), {{operation_word_froms}}, {{operation_word_tos}},
    SpanAttributes['gen_ai.operation.name'])

-- first_operation --
-- What is believed before gen_ai.operation.name: some names, the conventions' own kinds, and a dialect's better kind.
multiIf(
    said[{{target_is_step}}] = 'true', 'step',
    SpanName IN {{first_names}}, transform(concat(dialect, ' ', SpanName), {{first_name_froms}}, {{first_name_tos}}, ''),
    empty(operation_entries), '',
    if(ParentSpanId = '', {{operation_of_root_entry}}, {{operation_of_entry}})[arrayFirst(
        entry -> entry IN {{convention_entries}}
            OR (entry IN {{outranking_entries}} AND {{dialect_of_entry}}[entry] = dialect),
        operation_entries)])

-- kind_operation --
-- What the other kinds say: the span's own dialect first, then all in their order.
if(
    empty(operation_entries),
    '',
    if(ParentSpanId = '', {{operation_of_root_entry}}, {{operation_of_entry}})[arrayMin(
        entry -> entry + if({{dialect_of_entry}}[entry] = dialect, 0, 1000), operation_entries) % 1000])

-- name_operation --
-- What only the span's name tells.
if(
    NOT match(SpanName, {{any_name_pattern}}),
    '',
    transform(
        concat(dialect, ' ', SpanName),
        {{own_name_froms}},
        {{own_name_tos}},
        transform(
            extract(concat(dialect, ' ', SpanName), {{own_name_prefix_pattern}}),
            {{own_name_prefix_froms}},
            {{own_name_prefix_tos}},
            transform(
                SpanName,
                {{shared_name_froms}},
                {{shared_name_tos}},
                transform(
                    extract(SpanName, {{shared_name_prefix_pattern}}),
                    {{shared_name_prefix_froms}},
                    {{shared_name_prefix_tos}},
                    '')))))

-- operation --
transform(
    multiIf(
        first_operation != '', first_operation,
        standard_operation != '', standard_operation,
        kind_operation != '', kind_operation,
        name_operation != '', name_operation,
        said[{{target_step_type}}] != '', 'step',
        ''),
    ['{{no_operation}}'],
    [''])

-- providers --
-- All that stands where a provider should; the name of a framework is none.
arrayMap(x -> x.2, arrayFilter(x -> intDiv(x.1, 64) = {{target_provider}}, found))

-- framework --
if(
    said[{{target_framework}}] != '',
    said[{{target_framework}}],
    transform(
        lower(arrayFirst(provider -> lower(provider) IN {{framework_froms}}, providers)),
        {{framework_froms}},
        {{framework_tos}},
        ''))

-- request_model --
said[{{target_request_model}}]

-- response_model --
said[{{target_response_model}}]

-- provider --
-- As said; where a framework's name hid it, as the model's name tells.
multiIf(
    arrayExists(provider -> lower(provider) NOT IN {{framework_froms}}, providers),
    transform(
        lower(arrayFirst(provider -> lower(provider) NOT IN {{framework_froms}}, providers)),
        {{provider_froms}},
        {{provider_tos}},
        arrayFirst(provider -> lower(provider) NOT IN {{framework_froms}}, providers)),
    empty(providers),
    '',
    arrayFirst(
        provider -> provider != '',
        arrayMap(
            model -> if(
                position(model, '/') > 0 AND substringIndex(model, '/', 1) IN {{provider_froms}},
                transform(substringIndex(model, '/', 1), {{provider_froms}}, {{provider_tos}}, ''),
                transform(
                    extract(
                        replaceRegexpOne(substringIndex(model, '/', -1), '^(?:us|eu|apac|global)\\.', ''),
                        {{model_prefix_pattern}}),
                    {{model_prefix_froms}},
                    {{model_prefix_tos}},
                    '')),
            [lower(request_model), lower(response_model)])))

-- counts --
-- Tokens as they were sent, -1 where nothing was: input, output, cache read, cache write, reasoning, audio in, audio
-- out, audio from the cache, total.
arrayMap(
    target -> toInt64OrDefault(said[target], -1::Int64),
    [{{target_input}}, {{target_output}}, {{target_cache_read}}, {{target_cache_write}}, {{target_reasoning}},
        {{target_audio_input}}, {{target_audio_output}}, {{target_audio_cache_read}}, {{target_total}}])

-- input_code --
-- Which key the input was read from.
arrayFirst(x -> intDiv(x.1, 64) = {{target_input}}, found).1

-- usage --
-- The same without a usage that is nothing but zeros from a sender that writes them for want of a count.
if(
    dialect IN {{zero_usage_unknown}} AND NOT arrayExists(count -> count > 0, arrayPopBack(counts)),
    [-1, -1, -1, -1, -1, -1, -1, -1, -1]::Array(Int64),
    counts)

-- cached --
-- What a cache gave and took.
greatest(usage[3], 0) + greatest(usage[4], 0)

-- reasoning --
greatest(usage[5], 0)

-- declared_input --
-- How the input was counted, as the dialect's data has it: by the key it came from, else by dialect.
transform(
    concat(dialect, ' ', toString(input_code)),
    {{input_convention_by_source_froms}},
    {{input_convention_by_source_tos}},
    transform(dialect, {{input_convention_froms}}, {{input_convention_tos}}, 'unstated'))

-- declared_output --
transform(dialect, {{output_convention_froms}}, {{output_convention_tos}}, 'unstated')

-- beyond --
-- Of a dialect whose totals are right: what the total has more than input and output; -1 if nobody can tell from it.
if(
    dialect IN {{total_decides}}
        AND least(usage[1], usage[2], usage[9]) >= 0
        AND cached != reasoning
        AND has([0, cached, reasoning, cached + reasoning], usage[9] - usage[1] - usage[2]),
    usage[9] - usage[1] - usage[2],
    -1)

-- input_reading --
-- Whether the cache's tokens are yet to be added to the input, and why that is believed.
multiIf(
    usage[1] < 0, (0, ''),
    beyond >= 0 AND cached > 0 AND (beyond >= cached AND beyond != reasoning OR cached <= usage[1]),
        (beyond >= cached AND beyond != reasoning, 'total'),
    declared_input != 'excludes_cache' AND cached > usage[1], (1, 'contradiction'),
    (declared_input = 'excludes_cache', if(declared_input = 'unstated', 'assumed', 'declared')))

-- output_reading --
-- The same of reasoning and output.
multiIf(
    usage[2] < 0, (0, ''),
    beyond >= 0 AND reasoning > 0 AND (beyond >= reasoning AND beyond != cached OR reasoning <= usage[2]),
        (beyond >= reasoning AND beyond != cached, 'total'),
    declared_output != 'excludes_reasoning' AND reasoning > usage[2], (1, 'contradiction'),
    (declared_output = 'excludes_reasoning', if(declared_output = 'unstated', 'assumed', 'declared')))

-- token_convention --
if(
    usage[1] < 0 AND usage[2] < 0,
    '',
    concat(
        if(usage[1] < 0, '', concat(multiIf(
            input_reading.2 = 'assumed', 'unstated', input_reading.1, 'excludes_cache', 'includes_cache'),
            '/', input_reading.2)),
        if(usage[1] < 0 OR usage[2] < 0, '', ' '),
        if(usage[2] < 0, '', concat(multiIf(
            output_reading.2 = 'assumed', 'unstated', output_reading.1, 'excludes_reasoning', 'includes_reasoning'),
            '/', output_reading.2))))

-- input_tokens --
accurateCastOrNull(if(usage[1] < 0, -1, usage[1] + cached * input_reading.1), 'UInt64')

-- output_tokens --
accurateCastOrNull(if(usage[2] < 0, -1, usage[2] + reasoning * output_reading.1), 'UInt64')

-- finish_reason --
-- The first one, in the conventions' word for it.
transform(
    lower(if(
        startsWith(said[{{target_finish_reasons}}], '[') AND isValidJSON(said[{{target_finish_reasons}}]),
        JSONExtractString(said[{{target_finish_reasons}}], 1),
        said[{{target_finish_reasons}}])),
    {{finish_reason_froms}},
    {{finish_reason_tos}},
    if(
        startsWith(said[{{target_finish_reasons}}], '[') AND isValidJSON(said[{{target_finish_reasons}}]),
        JSONExtractString(said[{{target_finish_reasons}}], 1),
        said[{{target_finish_reasons}}]))

-- billing --
-- What usage on the span means.
multiIf(
    dialect = '', '',
    operation IN {{billing_froms}}, transform(operation, {{billing_froms}}, {{billing_tos}}, ''),
    greatest(usage[1], usage[2]) >= 0, 'undecided',
    'none')

-- step_type --
-- As said by hand, else from what the span does and how it ended.
multiIf(
    said[{{target_step_type}}] IN {{step_types}}, said[{{target_step_type}}],
    operation = 'execute_tool', 'tool',
    operation IN ('retrieval', 'embeddings', 'rerank', 'search_memory'), 'retrieve',
    operation = 'plan', 'plan',
    operation IN ('chat', 'generate_content', 'text_completion'), if(finish_reason = 'tool_call', 'plan', 'respond'),
    operation IN ('step', 'invoke_agent', 'invoke_workflow', 'guardrail', 'evaluation', 'decide'), 'other',
    '')

-- reported_cost --
-- What the sender says it cost, if that can be; zero from one that writes zero for want of a price is unknown.
if(
    toFloat64OrZero(said[{{target_cost}}]) BETWEEN if(dialect IN {{zero_cost_unknown}}, 1e-12, 0) AND 999999,
    toDecimal64OrNull(said[{{target_cost}}], 9),
    NULL)

-- error_type --
-- error.type, or the error that something else on the span means.
multiIf(
    said[{{target_error_type}}] != '', said[{{target_error_type}}],
    StatusCode = 'Ok', '',
    {{error_rules}}
    exception_type)

-- Dialect --
dialect

-- Operation --
operation

-- IsStep --
operation = 'step' OR said[{{target_is_step}}] = 'true'

-- Billing --
billing

-- StepType --
step_type

-- StepName --
said[{{target_step_name}}]

-- Attempt --
toUInt16OrZero(said[{{target_attempt}}])

-- Provider --
provider

-- RequestModel --
said[{{target_request_model}}]

-- ResponseModel --
said[{{target_response_model}}]

-- ResponseId --
said[{{target_response_id}}]

-- FinishReason --
finish_reason

-- AgentName --
said[{{target_agent_name}}]

-- AgentVersion --
said[{{target_agent_version}}]

-- WorkflowName --
said[{{target_workflow_name}}]

-- ToolName --
said[{{target_tool_name}}]

-- ToolCallId --
said[{{target_tool_call_id}}]

-- ConversationId --
said[{{target_conversation}}]

-- UserId --
said[{{target_user}}]

-- Framework --
framework

-- InputTokens --
input_tokens

-- OutputTokens --
output_tokens

-- CacheReadTokens --
accurateCastOrNull(usage[3], 'UInt64')

-- CacheWriteTokens --
accurateCastOrNull(usage[4], 'UInt64')

-- ReasoningTokens --
accurateCastOrNull(usage[5], 'UInt64')

-- InputAudioTokens --
accurateCastOrNull(usage[6], 'UInt64')

-- OutputAudioTokens --
accurateCastOrNull(usage[7], 'UInt64')

-- CacheReadAudioTokens --
accurateCastOrNull(usage[8], 'UInt64')

-- TokenConvention --
token_convention

-- ServiceTier --
lower(if(said[{{target_response_tier}}] != '', said[{{target_response_tier}}], said[{{target_request_tier}}]))

-- ReportedCostUSD --
reported_cost

-- TimeToFirstChunk --
toFloat64OrNull(said[{{target_first_chunk}}])

-- ErrorType --
error_type

-- FailureType --
said[{{target_failure_type}}]

-- FailureCode --
said[{{target_failure_code}}]

-- document_numbers --
-- Documents that a retrieval brought, where their keys are numbered.
arrayMap(
    key -> toUInt32OrZero(extract(key, {{document_number_pattern}})),
    arrayFilter(
        key -> startsWith(key, 'retrieval.documents.') OR startsWith(key, 'reranker.output_documents.'), sent_keys))

-- prompt_texts --
-- What makes an agent the one it is: its instructions and its tools, whole.
arrayFilter(
    text -> text != '',
    arrayMap(
        (key, text) -> multiIf(
            key IN {{prompt_keys}} OR startsWith(key, 'llm.tools.'), text,
            key = 'llm.input_messages.0.message.content',
                if(sent_texts[indexOf(sent_keys, 'llm.input_messages.0.message.role')] = 'system', text, ''),
            key = 'gen_ai.prompt.0.content',
                if(sent_texts[indexOf(sent_keys, 'gen_ai.prompt.0.role')] = 'system', text, ''),
            key IN {{message_list_keys}},
                if(JSONExtractString(text, 1, 'role') = 'system', JSONExtractRaw(text, 1), ''),
            ''),
        sent_keys,
        sent_texts))

-- RetrievedDocuments --
-- By their numbers, or by the length of their list.
multiIf(
    notEmpty(document_numbers), toUInt32(arrayMax(document_numbers) + 1),
    has(sent_keys, 'gen_ai.retrieval.documents'),
        toUInt32(JSONLength(sent_texts[indexOf(sent_keys, 'gen_ai.retrieval.documents')])),
    NULL)

-- AgentFingerprint --
-- With a key, since a short prompt could be guessed from a plain hash.
if(
    empty(prompt_texts),
    '',
    lower(hex(sipHash128Keyed(
        sip_key,
        arrayStringConcat(
            arrayConcat(prompt_texts, arrayFilter((text, key) -> key IN {{model_keys}}, sent_texts, sent_keys)), '\n')))))
