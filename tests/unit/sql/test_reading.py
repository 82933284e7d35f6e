"""Words, trees, settings and error texts, without an engine."""

import pytest

from agentvigil.storage.sql.admission import read_filters
from agentvigil.storage.sql.errors import EngineError, QueryRefused
from agentvigil.storage.sql.formats import CONTENT_TYPES, empty_native_block, format_named
from agentvigil.storage.sql.http_status import http_status
from agentvigil.storage.sql.settings import Limits, admit_settings, set_statement
from agentvigil.storage.sql.tokens import quote, tokenise
from agentvigil.storage.sql.tree import read_ast, read_query_tree


def test_words_carry_their_depth_and_value() -> None:
    tokens = tokenise(r"SELECT f(`a b`, 'it\'s\n') FORMAT JSON")

    assert [(token.kind, token.depth) for token in tokens] == [
        ("word", 0),
        ("word", 0),
        ("sign", 0),
        ("name", 1),
        ("sign", 1),
        ("string", 1),
        ("sign", 0),
        ("word", 0),
        ("word", 0),
    ]
    assert tokens[3].identifier == "a b"
    assert tokens[5].value == "it's\n"


@pytest.mark.parametrize(
    "text", ["SELECT (1", "SELECT 1)", "SELECT 'x", "SELECT `a\nb`", "SELECT ;", "SELECT `x (children 1)`", "SELECT é"]
)
def test_what_cannot_be_read_exactly_is_refused(text: str) -> None:
    with pytest.raises(QueryRefused):
        tokenise(text)


def test_a_string_literal_reads_back() -> None:
    text = "it's \\ a\nb\0"

    assert tokenise(quote(text))[0].value == text


@pytest.mark.parametrize(
    "dump",
    [
        "",
        " A",
        "A (children 1)",
        "A\n B",
        "A (children 1)\n B\n C",
        "A (children 2)\n B",
        "A (children 1)\n  B",
        "A (children 1)\n B\nC",
        "lower",
        "A (children 1)\n B\n\n C",
    ],
)
def test_a_syntax_tree_with_a_line_out_of_place_is_refused(dump: str) -> None:
    with pytest.raises(QueryRefused):
        read_ast(dump)


def test_a_syntax_tree_is_read_with_aliases() -> None:
    tree = read_ast(
        "ExpressionList (children 2)\n Function f (alias x) (children 1)\n  ExpressionList\n Literal 'a (b'\n"
    )

    assert [(node.kind, node.text, node.alias) for node in tree.walk()] == [
        ("ExpressionList", "", None),
        ("Function", "f", "x"),
        ("ExpressionList", "", None),
        ("Literal", "'a (b'", None),
    ]


@pytest.mark.parametrize(
    "dump",
    [
        "",
        "  QUERY id: 0",
        "QUERY id: 1",
        "QUERY id: 0\n  WITH\n    LIST id: 2",
        "QUERY id: 0\n    LIST id: 1",
        "QUERY id: 0\nQUERY id: 1",
        "QUERY id: 0\n   LIST id: 1",
        "QUERY id: 0\n  what is this",
        "QUERY id: 0, alias: a, alias: b",
    ],
)
def test_a_query_tree_with_a_line_out_of_place_is_refused(dump: str) -> None:
    with pytest.raises(QueryRefused):
        read_query_tree(dump)


def test_the_value_of_a_constant_gives_no_attributes() -> None:
    """A string that spells ``alias: secrets`` must not name a constant that ``IN secrets`` could then mean."""
    tree = read_query_tree(
        "CONSTANT id: 0, alias: z, constant_value: 'x, alias: secrets, y: ', constant_value_type: String"
    )

    assert tree.attributes == {"id": "0", "alias": "z"}


def test_limits_can_be_tightened_and_not_widened() -> None:
    limits = Limits(max_execution_time_s=15, max_threads=4)

    admitted = admit_settings(
        {
            "max_execution_time": "60",
            "max_threads": "2",
            "max_result_rows": "0",
            "max_rows_to_read": "7",
            "readonly": "0",
        },
        limits,
    )

    assert admitted == {
        "max_execution_time": "15",
        "max_threads": "2",
        "max_result_rows": str(limits.max_result_rows),
        "max_rows_to_read": "7",
    }


@pytest.mark.parametrize(
    "name",
    [
        "allow_introspection_functions",
        "format_schema",
        "format_template_row",
        "output_format_schema",
        "dialect",
        "allow_ddlx",
        "additional_result_filter",
        "max_query_size",
        "user_files_path",
        "param_x",
        "custom_x",
        "timeout_overflow_mode",
    ],
)
def test_settings_off_the_list_are_refused(name: str) -> None:
    with pytest.raises(QueryRefused) as refusal:
        admit_settings({name: "1"}, Limits())

    assert refusal.value.code == 452


def test_a_setting_value_cannot_leave_its_quotes() -> None:
    statement = set_statement({"session_timezone": "UTC', readonly = '0"})

    assert statement == "SET session_timezone = 'UTC\\', readonly = \\'0'"


def test_filters_are_read_as_a_map_of_strings() -> None:
    assert read_filters("{'d.t':' a = \\'x\\' ','u':'1'}") == {"d.t": " a = 'x' ", "u": "1"}
    assert read_filters("{}") == {}
    with pytest.raises(QueryRefused):
        read_filters("{'a':f('b')}")


def test_format_names_ignore_case_and_unknown_ones_are_code_73() -> None:
    assert format_named("jsoneachrow") == "JSONEachRow"
    with pytest.raises(QueryRefused) as refusal:
        format_named("Protobuf")
    assert refusal.value.code == 73
    assert not {"Template", "Protobuf", "AvroConfluent", "MySQLWire"} & CONTENT_TYPES.keys()


def test_an_empty_native_block_names_its_columns() -> None:
    assert empty_native_block([("a", "UInt8"), ("b" * 200, "String")]) == (
        b"\x02\x00\x01a\x05UInt8\xc8\x01" + b"b" * 200 + b"\x06String"
    )


@pytest.mark.parametrize(
    ("text", "code", "name", "message"),
    [
        ("Code: 60. DB::Exception: No table x. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "No table x"),
        (
            "Code: 73. DB::Exception: Code: 73. DB::Exception: No. (UNKNOWN_FORMAT) (version 26.9). (UNKNOWN_FORMAT)",
            73,
            "UNKNOWN_FORMAT",
            "No",
        ),
        ("something else", 1002, "UNKNOWN_EXCEPTION", "something else"),
        ("", 1002, "UNKNOWN_EXCEPTION", "the engine gave no reason"),
    ],
)
def test_engine_errors_keep_their_code_and_name(text: str, code: int, name: str, message: str) -> None:
    error = EngineError.from_text(text)

    assert (error.code, error.name, error.message.rstrip(".")) == (code, name, message)
    assert str(error) == f"Code: {code}. DB::Exception: {message}. ({name})"


def test_codes_have_http_statuses() -> None:
    assert [http_status(code) for code in (62, 60, 516, 202, 159, 241)] == [400, 404, 403, 503, 408, 500]
