"""The taxonomy of failures as SQL over a span of otel_traces, named ``raw`` in the query.

The expressions use what the statement ``spans`` defines: kind_of_error, http_status, failure_message, is_in_error.
"""

from collections.abc import Iterable, Mapping

from agentvigil.semconv import failures
from agentvigil.semconv.enums import FailureType
from agentvigil.storage.literals import quote, values


def failure_code(taxonomy: failures.Taxonomy) -> str:
    """Return the expression for the code of a span's failure, empty where it did not fail.

    What was said by hand comes first, then what says it all, then the message, then what is vague.
    """
    ignored = _in("kind_of_error", taxonomy.ignored_types)
    by_message = ", ".join(
        f"match(failure_message, {quote(_any_of(rule.messages))}), {quote(rule.code)}"
        for rule in taxonomy.rules
        if rule.messages
    )
    in_error = [
        _lookup("kind_of_error", taxonomy.codes_by_type(vague=False)),
        _lookup("http_status", taxonomy.codes_by_status(vague=False)),
        f"multiIf({by_message}, '')",
        _lookup("kind_of_error", taxonomy.codes_by_type(vague=True)),
        _lookup("http_status", taxonomy.codes_by_status(vague=True)),
        _lookup("toString(raw.FinishReason)", {reason: rule.code for rule in taxonomy.rules for reason in rule.finish}),
        "if(raw.Operation = 'execute_tool', 'tool_error', 'other')",
    ]
    soft = [
        f"raw.FinishReason IN {values(rule.finish)}, {quote(rule.code)}" for rule in taxonomy.rules if rule.finish
    ] + [
        f"raw.RetrievedDocuments = 0 AND {_is_retrieval()}, {quote(rule.code)}"
        for rule in taxonomy.rules
        if rule.no_documents
    ]
    found = ", ".join(f"nullIf({expression}, '')" for expression in in_error)
    return (
        f"multiIf(raw.FailureCode != '', toString(raw.FailureCode), NOT is_in_error, multiIf({', '.join(soft)}, ''), "
        f"raw.FailureType = '' AND {ignored}, '', coalesce({found}))"
    )


def failure_type(type_of_operation: Mapping[str, FailureType] = failures.TYPE_OF_OPERATION) -> str:
    """Return the expression for the type of a span's failure."""
    said = f"raw.FailureType IN {values(FailureType)}"
    by_operation = _lookup("toString(raw.Operation)", type_of_operation, FailureType.ORCHESTRATION)
    return f"if({said}, toString(raw.FailureType), {by_operation})"


def operations_of(kind: FailureType) -> str:
    """Return the list of the operations whose failures are of ``kind``."""
    return values(name for name, value in failures.TYPE_OF_OPERATION.items() if value is kind)


def _is_retrieval() -> str:
    return f"raw.Operation IN {operations_of(FailureType.RETRIEVAL)}"


def _any_of(patterns: Iterable[str]) -> str:
    return "(?i)" + "|".join(f"(?:{pattern})" for pattern in patterns)


def _lookup(value: str, table: Mapping[str, str] | Mapping[int, str], otherwise: str = "") -> str:
    keys = ", ".join(str(key) if isinstance(key, int) else quote(key) for key in table)
    return f"transform({value}, [{keys}], [{', '.join(map(quote, table.values()))}], {quote(otherwise)})"


def _in(value: str, names: Iterable[str]) -> str:
    return f"{value} IN {values(names)}"
