"""Columns of numbers and texts are read out of ClickHouse's Native format as the engine wrote them."""

import pytest

from agentvigil.analysis.features.cells import Words
from agentvigil.analysis.features.native_columns import read_columns
from agentvigil.storage.embedded import EmbeddedStore


def test_blocks_become_whole_columns(empty_store: EmbeddedStore) -> None:
    """Every block has a dictionary of its own; more than 255 texts need wider places in it."""
    sql = (
        "SELECT toInt32(number) AS a, toLowCardinality(if(number % 700 = 0, '', toString(number % 700))) AS b, "
        "toFloat64(number) / 3 AS c, toInt16(-number % 9) AS d, toUInt32(number) AS e "
        "FROM numbers(3000) SETTINGS max_block_size = 1000"
    )
    words = Words()
    words.code("5")

    columns = read_columns(empty_store.native(sql), words)

    texts = list(words)
    assert columns["a"].tolist() == list(range(3000))
    assert [texts[code] for code in columns["b"]] == [str(n % 700) if n % 700 else "" for n in range(3000)]
    assert columns["c"].tolist() == [n / 3 for n in range(3000)]
    assert columns["d"].tolist() == [-(n % 9) for n in range(3000)]
    assert columns["b"][0] == 0
    assert columns["b"][5] == 1


def test_any_text_keeps_apart_from_others(empty_store: EmbeddedStore) -> None:
    """What is no UTF-8 too."""
    words = Words()
    sql = "SELECT toLowCardinality(arrayJoin(['\\xff', '\\xfe', 'ä', '\\0', '\\xff'])) AS a"
    assert len(set(read_columns(empty_store.native(sql), words)["a"].tolist())) == 4


def test_an_answer_without_rows_has_no_columns(empty_store: EmbeddedStore) -> None:
    assert read_columns(empty_store.native("SELECT toLowCardinality('') AS a WHERE 0"), Words()) == {}


def test_another_type_is_refused_by_its_name(empty_store: EmbeddedStore) -> None:
    with pytest.raises(ValueError, match="column a is Nullable"):
        read_columns(empty_store.native("SELECT toNullable(1) AS a"), Words())
