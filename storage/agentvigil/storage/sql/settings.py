"""Settings a client may change, and how far: everything not named here is refused.

A setting arrives in the URL or in a query's own SETTINGS clause and has the same effect from either. Limits may be
tightened, never widened; settings that only tell a server how to talk to its client change nothing here and are taken
without effect, since clients send them unasked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentvigil.storage.sql.errors import CANNOT_PARSE_NUMBER, SETTING_CONSTRAINT_VIOLATION, QueryRefused
from agentvigil.storage.sql.tokens import quote


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost. Bytes are in memory unless said otherwise."""

    max_execution_time_s: float = 15.0
    """Of the engine. Time in which it waits for a client to take what is ready does not count."""
    max_answer_time_s: float = 600.0
    """From the beginning of a query to the last byte of its answer, whoever is slow."""
    max_stall_s: float = 30.0
    """How long a client may take nothing at all of an answer."""
    max_memory_bytes: int = 2 * 2**30
    max_result_rows: int = 10_000_000
    max_answer_bytes: int = 4 * 2**30
    """Of the answer as the client receives it, before compression."""
    max_held_bytes: int = 64 * 2**20
    """Of an answer that the client wants built before it is sent (``wait_end_of_query``)."""
    max_threads: int = 4
    max_query_bytes: int = 2**20
    max_concurrent: int = 4
    max_wait_s: float = 5.0
    """How long a query waits for a free slot before it is refused."""


IGNORED: Final = frozenset(
    {
        "allow_ddl",
        "cancel_http_readonly_queries_on_client_close",
        "connect_timeout",
        "date_time_input_format",
        "cast_string_to_dynamic_use_inference",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_response_buffer_size",
        "http_zlib_compression_level",
        "insert_deduplicate",
        "interactive_delay",
        "log_comment",
        "log_queries",
        "max_block_size",
        "network_compression_method",
        "readonly",
        "receive_timeout",
        "replace_running_query",
        "send_logs_level",
        "send_progress_in_http_headers",
        "send_timeout",
        "use_query_cache",
        "wait_end_of_query",
    }
)
"""Taken without effect: they steer a transport or a server that is not here."""

_FREE: Final = re.compile(
    r"output_format_(?!schema)[a-z0-9_]+|format_(?:csv|tsv|custom|regexp|binary|json)_[a-z0-9_]+"
    r"|date_time_output_format|bool_(?:true|false)_representation|session_timezone|join_use_nulls|aggregate_functions_null_for_empty"
    r"|group_by_use_nulls|transform_null_in|union_default_mode|intersect_default_mode|except_default_mode|cast_keep_nullable"
    r"|join_default_strictness|any_join_distinct_right_table_keys|prefer_column_name_to_alias|optimize_[a-z0-9_]+"
    r"|final|limit|offset|extremes|totals_mode|distinct_overflow_mode|max_rows_to_group_by|group_by_overflow_mode"
    r"|count_distinct_implementation|enable_named_columns_in_function_tuple|allow_experimental_analyzer"
    r"|short_circuit_function_evaluation|use_skip_indexes|force_primary_key|force_index_by_date"
)
"""Settings that change how a result looks or is computed, and nothing else."""

_LOWERED: Final = frozenset(
    {"max_rows_to_read", "max_bytes_to_read", "max_result_rows", "max_result_bytes", "max_memory_usage"}
)
_OVERFLOW_MODES: Final = frozenset({"result_overflow_mode", "read_overflow_mode"})


def limit_settings(limits: Limits) -> dict[str, str]:
    """Return the engine settings that hold every query to the limits; spilling to disk is off."""
    return {
        "max_execution_time": f"{limits.max_execution_time_s:g}",
        "timeout_before_checking_execution_speed": "0",
        "max_memory_usage": str(limits.max_memory_bytes),
        "max_result_rows": str(limits.max_result_rows),
        "max_result_bytes": str(limits.max_answer_bytes),
        "result_overflow_mode": "throw",
        "timeout_overflow_mode": "throw",
        "max_threads": str(limits.max_threads),
        "max_query_size": str(4 * limits.max_query_bytes),
        "max_bytes_before_external_group_by": "0",
        "max_bytes_before_external_sort": "0",
        "max_bytes_ratio_before_external_group_by": "0",
        "max_bytes_ratio_before_external_sort": "0",
        "allow_introspection_functions": "0",
        "allow_ddl": "0",
        "log_queries": "0",
    }


def admit_settings(wanted: Mapping[str, str], limits: Limits) -> dict[str, str]:
    """Return what of a client's settings the engine is given.

    Raises:
        QueryRefused: code 452 for a setting a client may not change or not that far, 72 for a limit that is no number.
    """
    caps = {
        "max_execution_time": limits.max_execution_time_s,
        "max_threads": limits.max_threads,
        "max_memory_usage": limits.max_memory_bytes,
        "max_result_rows": limits.max_result_rows,
        "max_result_bytes": limits.max_answer_bytes,
    }
    admitted: dict[str, str] = {}
    for name, value in wanted.items():
        if name in IGNORED:
            continue
        if name in _LOWERED or name in caps:
            admitted[name] = _lowered(name, value, caps.get(name))
        elif name in _OVERFLOW_MODES:
            if value not in ("throw", "break"):
                raise QueryRefused(SETTING_CONSTRAINT_VIOLATION, f"Setting {name} takes throw or break, not {value!r}")
            admitted[name] = value
        elif _FREE.fullmatch(name):
            admitted[name] = value
        else:
            raise QueryRefused(
                SETTING_CONSTRAINT_VIOLATION, f"Setting {name[:80]} may not be changed here; leave it out of the query"
            )
    return admitted


def set_statement(settings: Mapping[str, str]) -> str:
    """Write ``SET a = '…', b = '…'``; the engine reads every value from its text."""
    return "SET " + ", ".join(f"{name} = {quote(value)}" for name, value in settings.items())


def _lowered(name: str, value: str, cap: float | None) -> str:
    """Return the tighter of what the client asks and what it may have; 0 means "as much as I may"."""
    if value.startswith("auto") and name == "max_threads":
        return f"{cap:g}"
    if not re.fullmatch(r"[0-9]{1,19}(?:\.[0-9]{1,9})?", value):
        raise QueryRefused(CANNOT_PARSE_NUMBER, f"Setting {name} takes a number, not {value[:40]!r}")
    asked = float(value)
    if cap is not None and (asked == 0 or asked > cap):
        return str(int(cap)) if float(cap).is_integer() else str(cap)
    return value
