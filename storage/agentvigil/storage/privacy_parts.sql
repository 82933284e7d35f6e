-- What the views screen OTLP requests by (docs/privacy.md): parts for schema/, as those of view_parts.sql.

-- screening_lambdas --
-- For a view's WITH: what decides what is kept of an OTLP attribute list, and of names and texts outside of lists
-- (docs/privacy.md). `policy` is 0 off, 1 masked, 2 full; `sip_key` what hashing_key() made of the envelope's key.
    (d -> replaceRegexpOne(
        transform(toString(d), ['nan', 'inf', '-inf'], ['NaN', 'Infinity', '-Infinity']), 'e([0-9])', 'e+\\1'))
        AS double_text,
    (values -> arrayMap(
        (kind, s, b, i, d, strings) -> multiIf(
            kind = 'string_value', s,
            kind = 'int_value', toString(i),
            kind = 'bool_value', toString(b),
            kind = 'double_value', double_text(d),
            kind = 'array_value', concat(
                '[',
                arrayStringConcat(arrayMap(text -> replaceAll(toJSONString(text), '\\/', '/'), strings), ','),
                ']'),
            ''),
        tupleElement(values, 'kind'),
        tupleElement(values, 'string_value'),
        tupleElement(values, 'bool_value'),
        tupleElement(values, 'int_value'),
        tupleElement(values, 'double_value'),
        tupleElement(tupleElement(tupleElement(values, 'array_value'), 'values'), 'string_value')))
        AS value_texts,
    (hash_key -> (reinterpretAsUInt64(substring(hash_key, 1, 8)), reinterpretAsUInt64(substring(hash_key, 9, 8))))
        AS hashing_key,
    -- Without a key, as from a receiver of an older release, a hash could be guessed.
    ((text, sip_key) -> if(sip_key = (0, 0), '~', concat('~', lower(hex(sipHash64Keyed(sip_key, text)))))) AS hashed,
    -- The classes of keys, numbers of semconv's KeyClass. Few keys are not known as they stand; these are looked up by
    -- their family, since a regular expression for all would cost more than the rest of screening.
    (keys -> arrayMap(
        (key, class) -> if(
            class = 255,
            if(
                length(key) BETWEEN 1 AND 128 AND empty(trimLeft(key, {{key_characters}})),
                transform(
                    replaceRegexpOne(key, {{key_family_pattern}}, '\\1\\2\\3'),
                    {{key_families}}, {{key_family_classes}}, 0),
                {{class_not_a_label}}),
            class),
        keys,
        arrayMap(key -> transform(key, {{classed_keys}}, {{key_classes}}, 255), keys)))
        AS key_classes,
    (text -> empty(trimLeft(text, {{label_characters}}))
        AND length(text) <= 64) AS is_label,
    (text -> match(text, {{list_pattern}})) AS is_list,
    -- Up to `words` words, with single spaces between them.
    ((text, words) -> lengthUTF8(text) <= 128
        AND countSubstrings(text, ' ') < words
        AND match(text, {{name_pattern}})) AS is_name,
    -- Numbers that belong together, as in a telephone number, are no error's.
    (text -> substringUTF8(
        replaceRegexpAll(
            arrayStringConcat(arrayMap(
                word -> if(
                    word = ' '
                        OR lower(word) IN {{error_words}}
                        OR (length(word) <= 64 AND match(word, {{error_token_pattern}})),
                    word,
                    '…'),
                extractAll(
                    replaceRegexpAll(
                        replaceRegexpAll(substringUTF8(text, 1, 4096), '\\s+', ' '),
                        {{joined_numbers_pattern}}, '…'),
                    {{error_tokenizer}}))),
            {{gap_pattern}}, '…'),
        1, 256)) AS error_text,
    (text -> arrayStringConcat(
        arrayMap(
            frame -> substring(
                concat(frame[1], frame[5], ':', frame[2], frame[6], ' ', frame[3], frame[4]), 1, 128),
            arraySlice(
                extractAllGroupsVertical(
                    text,
                    {{frame_pattern}}),
                1, 32)),
        '\n')) AS frames,
    -- Of a JSON object, or of what Python prints of one, the members that are numbers, booleans or labels. Where these are
    -- all, the text stays as it is.
    (text -> arrayMap(
        numbers -> if(text = '' OR replaceAll(text, ' ', '') = numbers, text, numbers),
        [concat(
            '{',
            arrayStringConcat(
                arrayMap(
                    member -> concat('"', tupleElement(member, 1), '":', tupleElement(member, 2)),
                    arrayFilter(
                        member -> is_label(tupleElement(member, 1))
                            AND length(tupleElement(member, 2)) <= 66
                            AND match(tupleElement(member, 2), {{json_leaf_pattern}}),
                        if(
                            isValidJSON(text),
                            JSONExtractKeysAndValuesRaw(text),
                            arrayMap(
                                member -> (member[1], lower(member[2])),
                                extractAllGroupsVertical(text, {{python_member_pattern}}))))),
                ','),
            '}')])[1]) AS numbers_text,
    (text -> replaceRegexpAll(
        replaceRegexpAll(
            replaceRegexpAll(
                replaceRegexpAll(text, {{mail_pattern}}, '[mail]'),
                {{known_key_pattern}}, '[key]'),
            {{card_pattern}}, '[card]'),
        {{phone_pattern}}, '[phone]')) AS masked_name,
    -- Long runs of letters and digits are keys as well, but for names and identifiers, which may be such runs themselves.
    (text -> replaceRegexpAll(masked_name(text), {{long_key_pattern}}, '[key]')) AS masked_text,
    -- What of a value may stand in the attribute map. Two bytes that no UTF-8 has stand for other answers: FF for
    -- nothing, FE for a value that has to be looked at more closely, as few have to be.
    ((class, kind, text, policy) -> multiIf(
        class >= {{class_content}} AND NOT (policy = 2 AND class = {{class_not_a_label}}), unhex('FF'),
        kind NOT IN ('string_value', 'array_value') OR text = '' OR policy = 2 OR (policy = 0 AND (
            (class <= {{class_span_name}} AND (is_label(text) OR (kind = 'array_value' AND is_list(text))))
            OR (class IN ({{class_name}}, {{class_span_name}})
                AND is_name(text, if(class = {{class_span_name}} AND match(text, {{name_opening_pattern}}), 4, 3))))),
        text,
        unhex('FE'))) AS glanced_text,
    ((class, text, policy, sip_key) -> multiIf(
        policy = 1, if(
            class IN ({{class_label}}, {{class_name}}, {{class_span_name}}),
            masked_name(text),
            substringUTF8(
                masked_text(text), 1, if(class IN ({{class_free_text}}, {{class_stacktrace}}), 2048, 4294967295))),
        class = {{class_free_text}}, error_text(text),
        class = {{class_numeric_json}}, numbers_text(text),
        class = {{class_stacktrace}}, frames(text),
        class = {{class_trace_state}}, if(length(text) <= 512 AND match(text, {{trace_state_pattern}}), text, ''),
        class = {{class_url}}, if(length(text) <= 256 AND match(text, {{url_pattern}}), text, ''),
        is_list(text), text,
        class = {{class_unknown}}, unhex('FF'),
        class = {{class_span_name}}, concat(extract(text, {{name_opening_pattern}}), hashed(text, sip_key)),
        hashed(text, sip_key))) AS examined_text,
    -- The same key without what may be somebody's words or number, to count what is withheld by.
    (key -> if(
        key IN {{text_names}},
        key,
        replaceRegexpAll(replaceRegexpOne(key, {{not_a_key_pattern}}, '(not a label)'), '[.][0-9]+\\b', '.N')))
        AS withheld_name,
    -- Texts outside of attribute lists as a list of their own, which is screened with the others. Each name says what
    -- its text is; mapValues() of what is kept has the texts in the same order, none of them missing.
    ((names, texts) -> CAST(
        arrayMap((name, text) -> (name, ('string_value', text, false, 0, 0, tuple([]))), names, texts)
        AS {{key_values}})) AS texts_as_list,
    -- For each of `lists`, the attribute lists of a record, a tuple: what is kept as a map, the names of the keys of
    -- which something was withheld, and the content that the policy lets through, as (key, text).
    ((lists, policy, sip_key) -> arrayMap(
        (keys, screening) -> (
            mapFilter((key, text) -> text != unhex('FF'), mapFromArrays(keys, tupleElement(screening, 3))),
            arrayMap(
                key -> withheld_name(key),
                arrayFilter(
                    (key, text, kept) -> text != kept,
                    keys, tupleElement(screening, 2), tupleElement(screening, 3))),
            if(policy = 0, [], arrayFilter(
                (pair, class) -> class = {{class_content}},
                arrayMap(
                    (key, text) -> (toString(key), if(policy = 1, masked_text(text), text)),
                    keys, tupleElement(screening, 2)),
                tupleElement(screening, 1)))),
        tupleElement(lists, 'key'),
        arrayMap(
            glance -> (
                tupleElement(glance, 1),
                tupleElement(glance, 2),
                if(
                    has(tupleElement(glance, 3), unhex('FE')),
                    arrayMap(
                        (class, text, glanced) -> if(
                            glanced = unhex('FE'), examined_text(class, text, policy, sip_key), glanced),
                        tupleElement(glance, 1), tupleElement(glance, 2), tupleElement(glance, 3)),
                    tupleElement(glance, 3))),
            arrayMap(
                (classes, kinds, texts) -> (
                    classes,
                    texts,
                    arrayMap(
                        (class, kind, text) -> glanced_text(class, kind, text, policy), classes, kinds, texts)),
                arrayMap(keys -> key_classes(keys), tupleElement(lists, 'key')),
                tupleElement(tupleElement(lists, 'value'), 'kind'),
                arrayMap(values -> value_texts(values), tupleElement(lists, 'value'))))))
        AS screened

-- policy_of_envelope --
-- What the receiver said of the project.
    toUInt8(content_policy) AS policy,
                    hashing_key(hash_key) AS sip_key

-- screened_around --
-- Resource and scope, of which the lists stand first in `screened`: their attributes, and what is text of them.
    tupleElement(screened[1], 1) AS maps_around,
                mapSort(maps_around[1]) AS ResourceAttributes,
                maps_around[1]['service.name'] AS ServiceName,
                mapSort(maps_around[2]) AS ScopeAttributes,
                mapValues(maps_around[3]) AS texts_around,
                texts_around[1] AS ResourceSchemaUrl,
                texts_around[2] AS ScopeName,
                texts_around[3] AS ScopeVersion,
                texts_around[4] AS ScopeSchemaUrl,
                arrayFlatten(tupleElement(screened[1], 2)) AS withheld_around

-- metric_lists --
-- The lists of resource, scope and metric.
    [
                            tupleElement(tupleElement(resource_metric, 'resource'), 'attributes'),
                            tupleElement(tupleElement(scope_metric, 'scope'), 'attributes'),
                            texts_as_list(
                                [
                                    '(schema url)', '(scope name)', '(scope version)', '(schema url)',
                                    '(metric name)', '(metric description)', '(metric unit)'
                                ],
                                [
                                    tupleElement(resource_metric, 'schema_url'),
                                    tupleElement(tupleElement(scope_metric, 'scope'), 'name'),
                                    tupleElement(tupleElement(scope_metric, 'scope'), 'version'),
                                    tupleElement(scope_metric, 'schema_url'),
                                    tupleElement(metric, 'name'),
                                    tupleElement(metric, 'description'),
                                    tupleElement(metric, 'unit')
                                ])
                        ]

-- screened_points --
-- Those lists, and those of each data point and its exemplars, screened together.
arrayMap(
                    lists -> screened(lists, policy, sip_key),
                    arrayConcat(
                        [{{metric_lists}}],
                        arrayMap(
                            point -> arrayConcat(
                                [tupleElement(point, 'attributes')],
                                tupleElement(tupleElement(point, 'exemplars'), 'filtered_attributes')),
                            points))) AS screened

-- screened_metric --
-- A row for each metric of a scope, with its data points and what is kept of them.
    * EXCEPT (metric, points, screened),
            arrayZip(points, arrayPopFront(screened)) AS entries,
            {{screened_around}},
            texts_around[5] AS MetricName,
            texts_around[6] AS MetricDescription,
            texts_around[7] AS MetricUnit

-- screened_data_point --
-- A row for each data point of a metric.
    * EXCEPT (entries, maps_around, texts_around),
        arrayJoin(entries) AS entry,
        tupleElement(entry, 1) AS point,
        tupleElement(tupleElement(entry, 2), 1) AS maps,
        maps[1] AS map,
        tupleElement(tupleElement(entry, 2), 2) AS withheld,
        tupleElement(point, 'time_unix_nano') AS time,
        time BETWEEN earliest AND latest AS time_is_sane,
        time_is_sane OR time = 0 AS time_is_believed

-- screened_data_point_columns --
-- The columns that data points of all kinds have, and of what something was withheld.
    {{data_point_columns}},
    arrayDistinct(arrayConcat(withheld_around, arrayFlatten(withheld))) AS WithheldKeys
