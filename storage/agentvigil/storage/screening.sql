-- What the views screen OTLP requests by (docs/privacy.md): lambdas for their WITH, and steps as nested SELECTs.
-- semconv/screening.py says the same in Python, and tests hold the two against each other.
--
-- bitAnd and bitOr stand for AND and OR here, and in all that is made of requests: ClickHouse looks for a better form of
-- each AND and OR, and to do so hashes what their columns come from, down to the innermost SELECT. That took longer than
-- all other planning.

-- screening_lambdas --
-- `policy` is 0 off, 1 masked, 2 full; `sip_key` what hashing_key() made of the envelope's key; `number` a key's number
-- (storage/key_numbers.py), `class` its lowest four bits. A value is an AnyValue as it was sent, still in bytes.
    -- Which field of the oneof is in the value: 10 string, 16 bool, 24 int, 33 double, 42 array; 0 if there is none.
    (value -> toUInt8(ascii(value))) AS tag_of,
    -- The bytes after the tag and a length that is as short as it can be; admission sees to that.
    (value -> substring(value, 3 + (length(value) > 129) + (length(value) > 16386) + (length(value) > 2097155)))
        AS content_of,
    -- Seven bits of each byte; few numbers have more than four.
    (value -> toString(if(
        length(value) < 6,
        toInt64(
            bitAnd(reinterpretAsUInt32(substring(value, 2)), 127)
            + bitAnd(bitShiftRight(reinterpretAsUInt32(substring(value, 2)), 1), 16256)
            + bitAnd(bitShiftRight(reinterpretAsUInt32(substring(value, 2)), 2), 2080768)
            + bitAnd(bitShiftRight(reinterpretAsUInt32(substring(value, 2)), 3), 266338304)),
        reinterpretAsInt64(arraySum(arrayMap(
            place -> bitShiftLeft(toUInt64(reinterpretAsUInt8(substring(value, place + 2, 1)) % 128), 7 * place),
            range(length(value) - 1)))))))
        AS int_text,
    -- A double as the Collector writes it: words for what JSON has no number for, and a sign before an exponent.
    (value -> transform(
        replaceOne(replaceOne(toString(reinterpretAsFloat64(substring(value, 2))), 'e', 'e+'), 'e+-', 'e-'),
        ['nan', 'inf', '-inf'], ['NaN', 'Infinity', '-Infinity']))
        AS double_text,
    -- An array of strings as JSON. Each element is 10, its length, 10, the length of its text, and that; lengths are of
    -- one byte. Any other array was rewritten at admission.
    (value -> concat(
        '[',
        arrayStringConcat(
            arrayMap(
                text -> replaceAll(toJSONString(text), '\\/', '/'),
                tupleElement(
                    arrayFold(
                        (taken, step) -> if(
                            tupleElement(taken, 1) = '',
                            taken,
                            (
                                substring(
                                    tupleElement(taken, 1),
                                    5 + reinterpretAsUInt8(substring(tupleElement(taken, 1), 4, 1))),
                                arrayPushBack(
                                    tupleElement(taken, 2),
                                    substring(
                                        tupleElement(taken, 1),
                                        5,
                                        reinterpretAsUInt8(substring(tupleElement(taken, 1), 4, 1)))))),
                        range(least(64, countSubstrings(value, '\n') DIV 2)),
                        (content_of(value), CAST([] AS Array(String)))),
                    2)),
            ','),
        ']'))
        AS array_text,
    ((value, tag) -> multiIf(
        tag = 10, content_of(value),
        tag = 24, int_text(value),
        tag = 33, double_text(value),
        tag = 16, if(endsWith(value, '\0'), 'false', 'true'),
        tag = 42, array_text(value),
        ''))
        AS text_of,
    (key -> transform(key, {{known_keys}}, {{known_key_numbers}}, 0)) AS known_number,
    -- Of a key that is not known as it stands: its class is that of its family, one that is no key has none.
    ((key, number) -> if(
        number = 0,
        if(
            bitAnd(bitAnd(notEmpty(key), length(key) <= 128), empty(trimLeft(key, {{key_characters}}))),
            transform(
                replaceRegexpOne(key, {{key_family_pattern}}, '\\1\\2\\3'),
                {{key_families}}, {{key_family_classes}}, 0),
            {{class_not_a_label}})
            + transform(extract(key, '^[^.]*[.]'), {{rank_families}}, {{rank_family_numbers}}, {{no_rank_number}})
            + if(startsWith(key, 'llm.tools.'), {{prompt_flag}}, 0)
            + if(
                bitOr(startsWith(key, 'retrieval.documents.'), startsWith(key, 'reranker.output_documents.')),
                {{document_flag}}, 0),
        number))
        AS number_of,
    (hash_key -> (reinterpretAsUInt64(substring(hash_key, 1, 8)), reinterpretAsUInt64(substring(hash_key, 9, 8))))
        AS hashing_key,
    -- Without a key, as from a receiver of an older release, a hash could be guessed.
    ((text, sip_key) -> if(
        sip_key = (0, 0), '~', concat('~', leftPad(lower(hex(sipHash64Keyed(sip_key, text))), 16, '0'))))
        AS hashed,
    (text -> bitAnd(length(text) <= 64, empty(trimLeft(text, {{label_characters}})))) AS is_label,
    (text -> match(text, {{list_pattern}})) AS is_list,
    -- Up to `words` words, with single spaces between them.
    ((text, words) -> bitAnd(
        bitAnd(lengthUTF8(text) <= 128, countSubstrings(text, ' ') < words), match(text, {{name_pattern}})))
        AS is_name,
    -- What names keep as they are. Looked up once for each name of a block, since names have dictionaries.
    (text -> bitOr(bitOr(is_label(text), is_name(text, 3)), is_list(text))) AS is_plain_name,
    (text -> bitOr(is_plain_name(text), bitAnd(match(text, {{name_opening_pattern}}), is_name(text, 4))))
        AS is_plain_span_name,
    -- Numbers that belong together, as in a telephone number, are no error's.
    (text -> substringUTF8(
        replaceRegexpAll(
            arrayStringConcat(arrayMap(
                word -> if(
                    bitOr(
                        lower(word) IN {{error_words}},
                        bitAnd(length(word) <= 64, match(word, {{error_token_pattern}}))),
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
        numbers -> if(bitOr(text = '', replaceAll(text, ' ', '') = numbers), text, numbers),
        [concat(
            '{',
            arrayStringConcat(
                arrayMap(
                    member -> concat('"', tupleElement(member, 1), '":', tupleElement(member, 2)),
                    arrayFilter(
                        member -> bitAnd(
                            is_label(tupleElement(member, 1)),
                            bitAnd(
                                length(tupleElement(member, 2)) <= 66,
                                match(tupleElement(member, 2), {{json_leaf_pattern}}))),
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
    -- What stays of an attribute's text that is no label; FF, a byte that no UTF-8 has, for nothing.
    ((class, text, policy, sip_key) -> multiIf(
        policy = 1, if(
            class IN ({{class_label}}, {{class_name}}, {{class_span_name}}),
            masked_name(text),
            substringUTF8(
                masked_text(text), 1, if(class IN ({{class_free_text}}, {{class_stacktrace}}), 2048, 4294967295))),
        class = {{class_free_text}}, error_text(text),
        class = {{class_numeric_json}}, numbers_text(text),
        class = {{class_stacktrace}}, frames(text),
        is_list(text), text,
        bitAnd(class = {{class_name}}, is_name(text, 3)), text,
        class = {{class_unknown}}, unhex('FF'),
        hashed(text, sip_key)))
        AS examined_text,
    -- Texts that are no attributes; `plain` says that the default policy keeps a name as it is.
    ((text, plain, policy, sip_key) -> multiIf(
        bitOr(bitOr(text = '', policy = 2), bitAnd(plain, policy = 0)), text,
        policy = 1, masked_name(text),
        hashed(text, sip_key)))
        AS screened_name,
    ((text, policy) -> multiIf(
        bitOr(text = '', policy = 2), text,
        policy = 1, substringUTF8(masked_text(text), 1, 2048),
        error_text(text)))
        AS screened_error,
    ((text, policy) -> if(
        bitOr(bitOr(text = '', policy = 2), bitAnd(length(text) <= 512, match(text, {{trace_state_pattern}}))), text, ''))
        AS screened_trace_state,
    ((text, policy) -> if(
        bitOr(bitOr(text = '', policy = 2), bitAnd(length(text) <= 256, match(text, {{url_pattern}}))), text, ''))
        AS screened_url,
    -- Of attributes one after the other, the first `count` that stay as a map, in the order they were sent in; and the
    -- lists behind them, each as a sorted map, by how many attributes each has.
    ((keys, texts, stays, count) -> mapFromArrays(
        arrayFilter((key, stays, place) -> bitAnd(stays, place <= count), keys, stays, arrayEnumerate(stays)),
        arrayFilter((text, stays, place) -> bitAnd(stays, place <= count), texts, stays, arrayEnumerate(stays))))
        AS own_map,
    ((keys, texts, stays, before, counts) -> arrayMap(
        (count, end) -> mapSort(mapFromArrays(
            arrayFilter(
                (key, stays) -> stays,
                arraySlice(keys, before + end - count + 1, count), arraySlice(stays, before + end - count + 1, count)),
            arrayFilter(
                (text, stays) -> stays,
                arraySlice(texts, before + end - count + 1, count), arraySlice(stays, before + end - count + 1, count)))),
        counts, arrayCumSum(counts)))
        AS maps_of,
    -- The same key without what may be somebody's words or number, to count what is withheld by.
    (key -> replaceRegexpAll(replaceRegexpOne(key, {{not_a_key_pattern}}, '(not a label)'), '[.][0-9]+\\b', '.N'))
        AS withheld_name

-- tags --
-- Of `sent_keys` and `sent_values`, attributes of a record one after the other.
arrayMap(value -> tag_of(value), sent_values)

-- known_numbers --
arrayMap(key -> known_number(key), sent_keys)

-- sent_texts --
arrayMap((value, tag) -> text_of(value, tag), sent_values, tags)

-- numbers --
-- Few records have keys that are not known as they stand.
if(
    has(known_numbers, 0),
    arrayMap((key, number) -> number_of(key, number), sent_keys, known_numbers),
    known_numbers)

-- labels --
-- Which texts are labels; this is found out of all texts, and lists of labels are asked for apart, since conditions that
-- need it of some only take longer.
arrayMap(text -> is_label(text), sent_texts)

-- lists_are_plain --
NOT has(
    arrayMap(text -> is_list(text), arrayFilter((text, tag) -> tag = 42, sent_texts, tags)),
    0)

-- verdicts --
-- Whether an attribute stays as it is: 0 yes, 1 it goes, 2 its text has to be looked at, as few have to be.
arrayMap(
    (number, tag, text, is_label) -> multiIf(
        bitAnd(
            bitAnd(number, 15) >= {{class_content}},
            bitOr(policy != 2, bitAnd(number, 15) != {{class_not_a_label}})), 1,
        bitOr(bitOr(text = '', policy = 2), bitAnd(tag != 10, tag != 42)), 0,
        bitAnd(
            bitAnd(policy = 0, bitAnd(number, 15) <= {{class_span_name}}),
            bitOr(is_label, bitAnd(tag = 42, lists_are_plain))), 0,
        2),
    numbers, tags, sent_texts, labels)

-- kept_texts --
-- And few have texts that have to be looked at.
if(
    has(verdicts, 2),
    arrayMap(
        (number, text, verdict) -> if(verdict = 2, examined_text(bitAnd(number, 15), text, policy, sip_key), text),
        numbers, sent_texts, verdicts),
    sent_texts)

-- stays --
arrayMap((text, verdict) -> bitAnd(verdict != 1, text != unhex('FF')), kept_texts, verdicts)

-- withheld --
-- The names of the keys of which something was withheld.
arrayMap(
    key -> withheld_name(key),
    arrayFilter(
        (key, verdict, stays, text, kept) -> bitAnd(verdict != 0, bitOr(NOT stays, text != kept)),
        sent_keys, verdicts, stays, sent_texts, kept_texts))
