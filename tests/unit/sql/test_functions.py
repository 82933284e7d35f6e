"""The list of functions holds what the engine has and nothing that reaches out."""

import re
from collections.abc import Callable

import pytest
from chdb.state.sqlitelike import Connection

from agentvigil.storage.sql.functions import COMBINATORS, SET_FUNCTIONS, TABLE_FUNCTIONS, allowed_functions, may_call


@pytest.fixture(scope="module")
def functions(open_handle: Callable[[], Connection]) -> dict[str, tuple[bool, bool]]:
    handle = open_handle()
    rows = handle.query("SELECT name, case_insensitive, is_aggregate FROM system.functions", "TSV").bytes().decode()
    handle.close()
    return {name: (ci == "1", agg == "1") for name, ci, agg in (row.split("\t") for row in rows.splitlines())}


def test_every_listed_function_exists_in_the_engine(functions: dict[str, tuple[bool, bool]]) -> None:
    """A name of no function is a misprint, or a function that was renamed under us."""
    exact, any_case = allowed_functions()

    assert exact <= functions.keys()
    assert any_case == {name.lower() for name in exact if functions[name][0]}


def test_every_aggregate_function_is_listed(functions: dict[str, tuple[bool, bool]]) -> None:
    aggregates = {name for name, (_, aggregate) in functions.items() if aggregate}

    assert {name for name in aggregates if not may_call(name)} <= {"naiveBayesNgrams", "array_concat_agg"}


def test_all_spellings_of_in_are_known(functions: dict[str, tuple[bool, bool]]) -> None:
    """The right side of each may be a table, so none may be overlooked."""
    spelled = {
        name for name in functions if re.fullmatch(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", name.lower())
    }

    assert spelled == SET_FUNCTIONS


@pytest.mark.parametrize(
    "name",
    [
        "file",
        "FILE",
        "url",
        "s3",
        "dictGet",
        "dictGetString",
        "dictHas",
        "dictIsIn",
        "joinGet",
        "joinGetOrNull",
        "sleep",
        "sleepEachRow",
        "getMacro",
        "getServerSetting",
        "getSetting",
        "getClientHTTPHeader",
        "hostName",
        "hostname",
        "FQDN",
        "fullHostName",
        "serverUUID",
        "tcpPort",
        "getServerPort",
        "catboostEvaluate",
        "executable",
        "addressToLine",
        "addressToSymbol",
        "demangle",
        "trap",
        "filesystemAvailable",
        "filesystemCapacity",
        "shardNum",
        "shardCount",
        "zookeeperSessionUptime",
        "initialQueryID",
        "displayName",
        "structureToProtobufSchema",
        "structureToCapnProtoSchema",
        "mergeTreePartInfo",
        "hasColumnInTable",
        "evalMLMethod",
        "naiveBayesClassifier",
        "regionToName",
        "aiGenerate",
        "AIGenerate",
        "logTrace",
        "showCertificate",
        "fuzzQuery",
        "generateSerialID",
        "formatRow",
        "transactionID",
        "lemmatize",
        "synonyms",
        "chdb",
        "__getScalar",
        "__applyFilter",
        "fileIf",
        "dictGetIf",
        "sleepState",
    ],
)
def test_dangerous_functions_are_absent(name: str) -> None:
    assert not may_call(name)


@pytest.mark.parametrize(
    "name", ["sumIf", "quantileTDigestIfOrNull", "countStateIf", "avgMergeState", "COUNTIf", "uniqArrayIf"]
)
def test_combinators_are_taken_off(name: str) -> None:
    assert may_call(name)


def test_the_combinators_are_the_engines(open_handle: Callable[[], Connection]) -> None:
    handle = open_handle()
    names = handle.query("SELECT name FROM system.aggregate_function_combinators", "TSV").bytes().decode().split()
    handle.close()

    assert set(names) == set(COMBINATORS)


def test_no_table_function_reads_anything() -> None:
    assert {
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generateSeries",
        "generate_series",
        "values",
    } == TABLE_FUNCTIONS
