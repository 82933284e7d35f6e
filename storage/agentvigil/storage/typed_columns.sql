-- How attributes of any dialect become typed columns, step by step; each part is one expression.
-- The stages' views and the columns' own defaults are made of the same parts. The names in them are columns of
-- otel_traces and the parts before. The lists come from the dialects' data (storage/dialect_sql.py).
-- semconv/reference says the same in Python, and tests hold the two against each other.

-- keys --
-- The first parts are what a row that a Collector writes has instead of what screening found out on the way: its
-- attributes, what each key is (storage/key_numbers.py), and those that are looked at more closely.
mapKeys(SpanAttributes)

-- texts --
mapValues(SpanAttributes)

-- known_numbers --
arrayMap(key -> transform(key, {{known_keys}}, {{known_key_numbers}}, 0), keys)

-- key_numbers --
arrayMap(
    (key, number) -> if(
        number = 0,
        toUInt32(transform(
            extract(key, '^[^.]*[.]'), {{rank_families}}, {{rank_family_numbers}}, {{no_rank_number}})),
        number),
    keys, known_numbers)

-- special_keys --
arrayFilter((key, number) -> bitAnd(number, {{special_flags}}) != 0, keys, key_numbers)

-- special_texts --
arrayFilter((text, number) -> bitAnd(number, {{special_flags}}) != 0, texts, key_numbers)

-- special_numbers --
arrayFilter(number -> bitAnd(number, {{special_flags}}) != 0, key_numbers)

-- sent_rank --
arrayMin(arrayConcat([{{no_rank}}], arrayMap(
    number -> toUInt8(bitAnd(bitShiftRight(number, {{rank_shift}}), 127)), key_numbers)))

-- resource_rank --
-- The most telling attribute of the resource: a place in the order of dialects.
least({{marked_resource_ranks}}, {{no_rank}})

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

-- marker_rank --
-- The most telling key or value: a place in the order of dialects, {{ai_rank}} for a span about AI in none of them.
least(
    sent_rank,
    resource_rank,
    arrayMin(arrayConcat([{{no_rank}}], arrayMap(
        (key, text) -> transform(concat(key, '=', text), {{marked_value_froms}}, {{marked_value_tos}}, {{no_rank}}),
        arrayFilter((key, number) -> bitAnd(number, {{mark_flag}}) != 0, special_keys, special_numbers),
        arrayFilter((text, number) -> bitAnd(number, {{mark_flag}}) != 0, special_texts, special_numbers)))))

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
toLowCardinality(multiIf(
    scope_dialect != '', scope_dialect,
    marker_rank <= {{dialect_count}}, {{dialects}}[marker_rank],
    name_dialect != '', name_dialect,
    marker_rank = {{ai_rank}}, 'unknown',
    ''))

-- derived --
-- Keys that few spans have and that say several things, or have to be changed: (derived key, value) pairs. Each entry
-- of the list is such a key and what is made of it: `+` the value again, `=other` the value if another attribute says
-- so, `~way` the value changed, `.path` a part of its JSON. Counts and names are read from a JSON that itself is
-- content, and nothing else of it.
arrayFlatten(arrayMap(
    (k, text) -> arrayFilter(
        x -> bitOr(NOT match(tupleElement(x, 1), ' [~.]'), match(tupleElement(x, 2), {{derived_text_pattern}})),
        arrayMap(
            (entry, way, path) -> (
                if(startsWith(way, '='), concat(k, ' ', lower(SpanAttributes[path])), entry),
                multiIf(
                    bitOr(way = '+', startsWith(way, '=')), SpanAttributes[k],
                    way = '~ms', ifNull(toString(toFloat64OrNull(SpanAttributes[k]) / 1000), ''),
                    way = '~before_dot', trim(TRAILING '.' FROM extract(text, {{provider_prefix_pattern}})),
                    way = '~since_start', if(NOT match(text, '^"?[0-9]{4}-'), '', ifNull(toString(nullIf(greatest(
                        -1,
                        dateDiff('microsecond', Timestamp, parseDateTime64BestEffortOrNull(
                            trim(BOTH '"' FROM text), 6, 'UTC')) / 1000000), -1)), '')),
                    way = '~unquote', trim(BOTH '"' FROM text),
                    isValidJSON(text), trim(BOTH '"' FROM arrayFold(
                        (json, part) -> if(
                            match(part, '^[0-9]+$'),
                            JSONExtractRaw(json, toInt32OrZero(part) + 1),
                            JSONExtractRaw(json, part)),
                        splitByChar('.', path),
                        text)),
                    -- Python's way of printing a dictionary; there is no text from place 0 on.
                    extract(
                        substring(text, position(text, concat('\'', path, '\': '))),
                        '^\'[^\']*\': ([0-9]+)'))),
            arrayFilter((entry, source) -> source = k, {{derived_entries}}, {{derived_sources}}),
            arrayFilter((way, source) -> source = k, {{derived_ways}}, {{derived_sources}}),
            arrayFilter((path, source) -> source = k, {{derived_paths}}, {{derived_sources}}))),
    arrayFilter((key, number) -> bitAnd(number, {{derived_flag}}) != 0, special_keys, special_numbers),
    arrayFilter((text, number) -> bitAnd(number, {{derived_flag}}) != 0, special_texts, special_numbers)))

-- key_codes --
-- What each key of the span says, as a code; 0 is nothing.
arrayConcat(
    arrayMap(
        (key, number) -> if(
            bitAnd(number, {{own_flag}}) != 0,
            transform(
                concat(dialect, ' ', key),
                {{own_key_froms}},
                {{own_key_tos}},
                bitAnd(bitShiftRight(number, {{code_shift}}), 4095)),
            bitAnd(bitShiftRight(number, {{code_shift}}), 4095)),
        keys,
        key_numbers),
    arrayMap(
        key -> transform(
            concat(dialect, ' ', key),
            {{own_key_froms}},
            {{own_key_tos}},
            transform(key, {{derived_key_froms}}, {{derived_key_tos}}, 0)),
        tupleElement(derived, 1)))

-- key_texts --
arrayConcat(texts, tupleElement(derived, 2))

-- believed_codes --
-- The same without empty texts, numbers that are none, and counts of more than twelve digits: these say nothing.
arrayMap(
    (code, text) -> multiIf(
        bitOr(code = 0, text = ''), 0,
        code >= {{numbers_below}}, code,
        code < {{counts_below}}, if(bitAnd(length(text) <= 12, empty(trimLeft(text, '0123456789'))), code, 0),
        if(isFinite(toFloat64OrDefault(text, nan)), code, 0)),
    key_codes,
    key_texts)

-- codes --
-- What the span says, the most trusted first.
arraySort(arrayFilter(code -> code > 0, believed_codes))

-- code_texts --
-- The texts in the same order.
arraySort(
    (text, code) -> code,
    arrayFilter((text, code) -> code > 0, key_texts, believed_codes),
    arrayFilter(code -> code > 0, believed_codes))

-- operation_entries --
-- What attributes that name a kind of span say: places in the list of all such sayings.
arrayFilter(
    entry -> entry > 0,
    arrayMap(
        entry -> if(
            operation_condition,
            transform(entry, {{operation_plain_entries}}, {{operation_conditional_entries}}, entry),
            entry),
        arrayMap(
            (key, text) -> transform(
                concat(key, '=', lower(trim(BOTH '"' FROM text))),
                {{operation_value_froms}}, {{operation_value_tos}}, 0),
            arrayFilter((key, number) -> bitAnd(number, {{operation_flag}}) != 0, special_keys, special_numbers),
            arrayFilter((text, number) -> bitAnd(number, {{operation_flag}}) != 0, special_texts, special_numbers))))

-- said_operation_name --
-- As the conventions want it said.
texts[indexOf(keys, 'gen_ai.operation.name')]

-- targets --
-- Of each code the column that it is for.
arrayMap(code -> toUInt8(bitShiftRight(code, 6)), codes)

-- says_more --
-- Whether something is said that few spans say.
hasAny(targets, {{rare_targets}})

-- standard_operation --
transform(lower(said_operation_name), {{operation_word_froms}}, {{operation_word_tos}}, said_operation_name)

-- first_entry --
-- What is believed before gen_ai.operation.name: the conventions' own kinds, and a dialect's better kind.
arrayFirst(
    entry -> bitOr(entry IN {{convention_entries}}, bitAnd(
        entry IN {{outranking_entries}},
        transform(entry, {{operation_entry_numbers}}, {{dialect_of_entry}}, '') = dialect)),
    operation_entries)

-- kind_entry --
-- What the other kinds say: the span's own dialect first, then all in their order.
arrayMin(
    entry -> entry + if(transform(entry, {{operation_entry_numbers}}, {{dialect_of_entry}}, '') = dialect, 0, 1000),
    operation_entries) % 1000

-- first_operation --
-- What is believed before gen_ai.operation.name.
multiIf(
    {{said_is_step}} = 'true', 'step',
    SpanName IN {{first_names}}, transform(concat(dialect, ' ', SpanName), {{first_name_froms}}, {{first_name_tos}}, ''),
    first_entry = 0, '',
    transform(
        first_entry + if(ParentSpanId = '', 1000, 0), {{operation_numbers}}, {{operation_of_numbers}}, ''))

-- said_operation --
-- What attributes and the most telling names say.
multiIf(
    first_operation != '', first_operation,
    standard_operation != '', standard_operation,
    kind_entry = 0, '',
    transform(
        kind_entry + if(ParentSpanId = '', 1000, 0), {{operation_numbers}}, {{operation_of_numbers}}, ''))

-- operation_of_step --
-- What a type of step alone tells.
if({{said_step_type}} != '', 'step', '')

-- operation --
-- Where nothing else tells, the span's name does, as a whole or by its beginning: first as its dialect has it. The
-- expressions are long, so a list keeps them from spans that have said it already.
transform(
    if(
        said_operation != '',
        said_operation,
        arrayMap(
            name -> if(
                NOT match(name, {{any_name_pattern}}),
                operation_of_step,
                transform(
                    extract(concat(dialect, ' ', name), {{own_name_pattern}}),
                    {{own_name_froms}},
                    {{own_name_tos}},
                    transform(
                        extract(name, {{shared_name_pattern}}),
                        {{shared_name_froms}},
                        {{shared_name_tos}},
                        operation_of_step))),
            if(said_operation = '', [toString(SpanName)], []))[1]),
    ['{{no_operation}}'],
    [''])

-- providers --
-- All that stands where a provider should; the name of a framework is none.
arrayFilter((text, target) -> target = {{target_provider}}, code_texts, targets)

-- said_provider --
arrayFirst(provider -> lower(provider) NOT IN {{framework_froms}}, providers)

-- framework --
if(
    {{said_framework}} != '',
    {{said_framework}},
    transform(
        arrayFirst(provider -> provider IN {{framework_froms}}, arrayMap(provider -> lower(provider), providers)),
        {{framework_froms}},
        {{framework_tos}},
        ''))

-- provider --
-- As said; where a framework's name hid it, as the model's name tells.
multiIf(
    said_provider != '',
    transform(lower(said_provider), {{provider_froms}}, {{provider_tos}}, said_provider),
    empty(providers),
    '',
    arrayFirst(
        provider -> provider != '',
        arrayMap(
            model -> if(
                bitAnd(position(model, '/') > 0, substringIndex(model, '/', 1) IN {{provider_froms}}),
                transform(substringIndex(model, '/', 1), {{provider_froms}}, {{provider_tos}}, ''),
                transform(
                    extract(
                        replaceRegexpOne(substringIndex(model, '/', -1), '^(?:us|eu|apac|global)\\.', ''),
                        {{model_prefix_pattern}}),
                    {{model_prefix_froms}},
                    {{model_prefix_tos}},
                    '')),
            [lower({{said_request_model}}), lower({{said_response_model}})])))

-- counts --
-- Tokens as they were sent, -1 where nothing was: input, output, cache read, cache write, reasoning, audio in, audio
-- out, audio from the cache, total.
[
    toInt64OrDefault({{said_input}}, -1::Int64),
    toInt64OrDefault({{said_output}}, -1::Int64),
    toInt64OrDefault({{said_cache_read}}, -1::Int64),
    toInt64OrDefault({{said_cache_write}}, -1::Int64),
    toInt64OrDefault({{said_reasoning}}, -1::Int64),
    toInt64OrDefault({{said_audio_input}}, -1::Int64),
    toInt64OrDefault({{said_audio_output}}, -1::Int64),
    toInt64OrDefault({{said_audio_cache_read}}, -1::Int64),
    toInt64OrDefault({{said_total}}, -1::Int64)
]

-- input_code --
-- Which key the input was read from.
codes[indexOf(targets, {{target_input}})]

-- usage --
-- The same without a usage that is nothing but zeros from a sender that writes them for want of a count.
if(
    bitAnd(dialect IN {{zero_usage_unknown}}, arrayMax(arrayPopBack(counts)) <= 0),
    [-1, -1, -1, -1, -1, -1, -1, -1, -1]::Array(Int64),
    counts)

-- said_reason --
-- The first reason for the end. Rotel writes an array as OTLP's JSON has it.
multiIf(
    bitAnd(startsWith({{said_finish_reasons}} AS said_reasons, '['), isValidJSON(said_reasons)),
    JSONExtractString(said_reasons, 1),
    startsWith(said_reasons, '{"values":['),
    JSONExtractString(said_reasons, 'values', 1, 'stringValue'),
    said_reasons)

-- finish_reason --
-- In the conventions' word for it.
transform(lower(said_reason), {{finish_reason_froms}}, {{finish_reason_tos}}, said_reason)

-- cached --
-- What a cache gave and took.
greatest(usage[3], 0) + greatest(usage[4], 0)

-- reasoning --
greatest(usage[5], 0)

-- declared --
-- How input and output were counted, as the dialect's data has it, the input by the key it came from or else by
-- dialect: readings of the list below.
[
    transform(
        concat(dialect, ' ', toString(input_code)),
        {{input_convention_by_source_froms}},
        {{input_convention_by_source_tos}},
        transform(dialect, {{input_convention_froms}}, {{input_convention_tos}}, 4)),
    transform(dialect, {{output_convention_froms}}, {{output_convention_tos}}, 4)
]

-- beyond --
-- What the total of a dialect whose totals are right has more than input and output: 1 nothing, 2 what was cached,
-- 3 reasoning, 4 both; 0 if nobody can tell from it.
if(
    bitAnd(dialect IN {{total_decides}}, bitAnd(least(usage[1], usage[2], usage[9]) >= 0, cached != reasoning)),
    indexOf([0, cached, reasoning, cached + reasoning], usage[9] - usage[1] - usage[2]),
    0)

-- said_cost --
toFloat64OrZero({{said_cost}})

-- readings --
-- Of input and output: whether a part of it, what a cache has or reasoning, is yet to be added, and why that is
-- believed. 1 no, by the total; 2 yes, by the total; 3 yes, since the part is greater than the whole; 4 no, as is
-- assumed; 5 yes, as declared; 6 no, as declared; 0 nothing was said.
arrayMap(
    (count, part, declaration, is_beyond) -> multiIf(
        count < 0, 0,
        bitAnd(bitAnd(beyond > 0, part > 0), bitOr(is_beyond, part <= count)), if(is_beyond, 2, 1),
        bitAnd(declaration != 5, part > count), 3,
        declaration),
    arraySlice(usage, 1, 2),
    [cached, reasoning],
    declared,
    [beyond IN (2, 4), beyond IN (3, 4)])

-- token_convention --
trim(BOTH ' ' FROM concat(
    ['', 'includes_cache/total', 'excludes_cache/total', 'excludes_cache/contradiction', 'unstated/assumed',
        'excludes_cache/declared', 'includes_cache/declared'][readings[1] + 1],
    ' ',
    ['', 'includes_reasoning/total', 'excludes_reasoning/total', 'excludes_reasoning/contradiction', 'unstated/assumed',
        'excludes_reasoning/declared', 'includes_reasoning/declared'][readings[2] + 1]))

-- tokens --
-- The counts with what was yet to be added, NULL where nothing was said.
arrayMap(
    (count, part, reading) -> accurateCastOrNull(if(reading IN (2, 3, 5), count + part, count), 'UInt64'),
    arrayPopBack(usage),
    [cached, reasoning, 0, 0, 0, 0, 0, 0],
    arrayResize(readings, 8))

-- billing --
-- What usage on the span means.
if(
    dialect = '',
    '',
    transform(
        operation,
        {{billing_froms}},
        {{billing_tos}},
        if(greatest(usage[1], usage[2]) >= 0, 'undecided', 'none')))

-- step_type --
-- As said by hand, else from what the span does and how it ended.
if(
    {{said_step_type}} IN {{step_types}},
    {{said_step_type}},
    transform(
        if(bitAnd(finish_reason = 'tool_call', operation IN {{call_operations}}), 'plan', operation),
        {{step_type_froms}},
        {{step_type_tos}},
        ''))

-- reported_cost --
-- What the sender says it cost, if that can be; zero from one that writes zero for want of a price is unknown.
if(
    bitAnd(said_cost >= if(dialect IN {{zero_cost_unknown}}, 1e-12, 0), said_cost <= 999999),
    toDecimal64OrNull({{said_cost}}, 9),
    NULL)

-- error_type --
-- error.type, or the error that something else on the span means.
multiIf(
    {{said_error_type}} != '', {{said_error_type}},
    StatusCode = 'Ok', '',
    arrayExists(number -> bitAnd(number, {{error_flag}}) != 0, special_numbers), multiIf({{error_rules}} exception_type),
    exception_type)

-- Dialect --
dialect

-- Operation --
operation

-- IsStep --
bitOr(operation = 'step', {{said_is_step}} = 'true')

-- Billing --
billing

-- StepType --
step_type

-- StepName --
{{said_step_name}}

-- Attempt --
toUInt16OrZero({{said_attempt}})

-- Provider --
provider

-- RequestModel --
{{said_request_model}}

-- ResponseModel --
{{said_response_model}}

-- ResponseId --
{{said_response_id}}

-- FinishReason --
finish_reason

-- AgentName --
{{said_agent_name}}

-- AgentVersion --
{{said_agent_version}}

-- WorkflowName --
{{said_workflow_name}}

-- ToolName --
{{said_tool_name}}

-- ToolCallId --
{{said_tool_call_id}}

-- ConversationId --
{{said_conversation}}

-- UserId --
{{said_user}}

-- Framework --
framework

-- InputTokens --
tokens[1]

-- OutputTokens --
tokens[2]

-- CacheReadTokens --
tokens[3]

-- CacheWriteTokens --
tokens[4]

-- ReasoningTokens --
tokens[5]

-- InputAudioTokens --
tokens[6]

-- OutputAudioTokens --
tokens[7]

-- CacheReadAudioTokens --
tokens[8]

-- TokenConvention --
token_convention

-- ServiceTier --
lower(if({{said_response_tier}} != '', {{said_response_tier}}, {{said_request_tier}}))

-- ReportedCostUSD --
reported_cost

-- TimeToFirstChunk --
toFloat64OrNull({{said_first_chunk}})

-- ErrorType --
error_type

-- FailureType --
{{said_failure_type}}

-- FailureCode --
{{said_failure_code}}

-- document_numbers --
-- Documents that a retrieval brought, where their keys are numbered.
arrayMap(
    key -> toUInt32OrZero(extract(key, {{document_number_pattern}})),
    arrayFilter(
        (key, number) -> bitAnd(bitAnd(number, {{document_flag}}) != 0, key NOT IN {{document_keys}}),
        special_keys, special_numbers))

-- system_messages --
-- The keys of numbered messages that are the system's.
arrayMap(
    key -> transform(key, {{message_role_keys}}, {{message_text_keys}}, ''),
    arrayFilter((key, text) -> bitAnd(text = 'system', key IN {{message_role_keys}}), special_keys, special_texts))

-- prompt_texts --
-- What makes an agent the one it is: its instructions and its tools, whole.
arrayFilter(
    text -> text != '',
    arrayMap(
        (key, text) -> multiIf(
            key IN {{message_role_keys}}, '',
            key IN {{message_text_keys}}, if(has(system_messages, key), text, ''),
            key IN {{message_list_keys}},
            if(JSONExtractString(text, 1, 'role') = 'system', JSONExtractRaw(text, 1), ''),
            text),
        arrayFilter((key, number) -> bitAnd(number, {{prompt_flag}}) != 0, special_keys, special_numbers),
        arrayFilter((text, number) -> bitAnd(number, {{prompt_flag}}) != 0, special_texts, special_numbers)))

-- RetrievedDocuments --
-- As they are counted, by their numbers, or by the length of their list.
multiIf(
    has(special_keys, 'agentvigil.retrieval.document.count'),
        toUInt32OrNull(special_texts[indexOf(special_keys, 'agentvigil.retrieval.document.count')]),
    notEmpty(document_numbers), toUInt32(arrayMax(document_numbers) + 1),
    has(special_keys, 'gen_ai.retrieval.documents'),
        toUInt32(JSONLength(special_texts[indexOf(special_keys, 'gen_ai.retrieval.documents')])),
    NULL)

-- AgentFingerprint --
-- With a key, since a short prompt could be guessed from a plain hash.
if(
    empty(prompt_texts),
    '',
    lower(hex(sipHash128Keyed(
        sip_key,
        arrayStringConcat(
            arrayConcat(
                prompt_texts,
                arrayFilter((text, number) -> bitAnd(number, {{model_flag}}) != 0, special_texts, special_numbers)),
            '\n')))))

-- operation_condition --
-- What a kind that depends on other keys of the span depends on.
if(
    has(special_keys, {{operation_condition_has}}),
    NOT arrayExists(key -> startsWith(key, {{operation_condition_lacks}}), sent_keys),
    false)

-- packed_span --
-- Where the stages begin: what they read, and the whole span as one tuple, since each column costs in every level.
(
SELECT
    Timestamp, ParentSpanId, SpanName, ResourceAttributes, ScopeName, SpanAttributes, StatusCode, `Events.Name`,
    `Events.Attributes`, sent_keys, keys, key_numbers, texts, special_keys, special_numbers, special_texts, sent_rank,
    resource_rank, sip_key,
    tuple({{span_names}}) AS span
FROM {{rows}}
)
