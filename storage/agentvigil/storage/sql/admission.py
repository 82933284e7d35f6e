"""Decides whether a query may run, and returns the exact text that may.

Theory of operation. The text a client sends is never run. The road is:

1. The engine's own formatter prints the query (`_canonical`); it knows one statement only, drops comments and undoes
   every odd spelling. The text travels there as a bound parameter, so it is data until it has been printed.
2. Trailing ``SETTINGS`` and ``FORMAT`` are lifted out (`_lift`). What is left must print as itself again.
3. SHOW, EXISTS, DESCRIBE and EXPLAIN are few: their words are compared one by one, no tree needed. EXPLAIN and
   DESCRIBE of a SELECT go on with that SELECT.
4. A SELECT is printed as a syntax tree (``EXPLAIN AST``). Node types, functions, table functions and tables must each
   be on a list (`_check_nodes`). Nothing is looked for that is bad; everything must be known to be good.
5. The syntax tree does not show where a WITH name is visible, and outside of that the name would be a table; in the
   database ``default`` chDB takes a table it does not know for the name of a file and opens it. So the unresolved
   query tree is read too, and every name that may be a table must be an allowed table or a WITH name visible right
   there (`_check_scopes`).

Doubts, and how they are met: names from the query are printed unquoted into both trees, so quoted names that could
draw a node are refused by the word reader; a WITH name inside its own body, or before its definition, means the table
to the engine, so neither counts as visible here; ``IN name`` may mean a table, so it must be one or a constant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from agentvigil.storage.sql.errors import (
    ACCESS_DENIED,
    BAD_QUERY_PARAMETER,
    READONLY,
    SYNTAX_ERROR,
    UNKNOWN_DATABASE,
    UNKNOWN_FUNCTION,
    UNKNOWN_TABLE,
    EngineError,
    QueryRefused,
    SqlError,
)
from agentvigil.storage.sql.functions import SET_FUNCTIONS, TABLE_FUNCTIONS, may_call
from agentvigil.storage.sql.tokens import Token, quote_name, tokenise
from agentvigil.storage.sql.tree import Node, Scope, read_ast, read_query_tree


class Handle(Protocol):
    """What is used of a chDB connection."""

    def query(self, query: str, format: str = ..., params: dict[str, Any] | None = ...) -> Any:  # noqa: A002 - chDB's name
        """Run one statement."""

    def close(self) -> None:
        """Let go of the connection."""


NODES: Final = frozenset(
    {
        "ArrayJoin",
        "Asterisk",
        "Collation",
        "ColumnsExceptTransformer",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformer::Replacement",
        "ColumnsTransformerList",
        "ExpressionList",
        "Function",
        "Identifier",
        "InterpolateElement",
        "Literal",
        "OrderByElement",
        "QualifiedAsterisk",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "SampleRatio",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "SelectWithUnionQuery",
        "Subquery",
        "TableExpression",
        "TableIdentifier",
        "TableJoin",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "WindowDefinition",
        "WindowListElement",
        "WithElement",
    }
)
"""Node types a SELECT may be made of. Not here: Set (settings below the top), ColumnsApplyTransformer (names a
function the tree does not show), QueryParameter, and every statement but SELECT."""

SYSTEM_TABLES: Final = frozenset(
    {
        "aggregate_function_combinators",
        "build_options",
        "collations",
        "columns",
        "contributors",
        "data_type_families",
        "databases",
        "formats",
        "functions",
        "keywords",
        "licenses",
        "numbers",
        "numbers_mt",
        "one",
        "settings",
        "table_functions",
        "tables",
        "time_zones",
        "zeros",
        "zeros_mt",
    }
)
"""System tables that describe the engine or the schema. Not here: queries, logs, parts, users, disks, servers."""

PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE_SECTIONS: Final = frozenset(
    {"JOIN TREE", "TABLE EXPRESSION", "TABLE EXPRESSIONS", "LEFT TABLE EXPRESSION", "RIGHT TABLE EXPRESSION"}
)
_JOINS: Final = frozenset({"JOIN", "CROSS JOIN", "ARRAY_JOIN"})
_EXPLAINABLE: Final = frozenset({(), ("AST",), ("SYNTAX",), ("PLAN",), ("PIPELINE",), ("ESTIMATE",), ("QUERY", "TREE")})


@dataclass(frozen=True, slots=True)
class Statement:
    """A query cut in its three parts, none of it admitted yet."""

    body: str
    tokens: tuple[Token, ...]
    settings: Mapping[str, str]
    format: str | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A query that may run as it stands. ``select`` tells that ``DESCRIBE (text)`` works on it too."""

    text: str
    select: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules for one database.

    ``allowed_tables`` returns the names of the tables and views a query may read right now. It must return only
    tables that exist: to the engine a table that does not exist may be a file of that name. Who ``is_bound`` to a
    project is not told how much is stored of all.
    """

    database: str
    allowed_tables: Callable[[], frozenset[str]]
    is_bound: bool = False

    def read(self, handle: Handle, text: str) -> Statement:
        """Print the query canonically and lift its SETTINGS and FORMAT out (steps 1 and 2).

        Raises:
            QueryRefused: code 62 for what the engine cannot parse or is more than one statement, 164 for a statement
                that does not read.
        """
        canonical = _canonical(handle, text)
        if canonical is None:
            raise _syntax_error(handle, text)
        tokens = tokenise(canonical)
        if not tokens or tokens[0].text not in ("SELECT", "WITH", "(", "EXPLAIN", "SHOW", "EXISTS", "DESCRIBE"):
            raise QueryRefused(
                READONLY,
                f"{canonical[:40]}: this interface only reads; use SELECT, WITH, EXPLAIN, SHOW, DESCRIBE or EXISTS. "
                "Data comes in by OTLP",
            )
        _refuse_named_parameters(tokens)
        body, settings, output = _lift(canonical, tokens)
        if body != canonical:
            if _canonical(handle, body) != body:
                raise QueryRefused(SYNTAX_ERROR, "SETTINGS and FORMAT must be the last words of the query")
            tokens = tokenise(body)
        return Statement(body, tuple(tokens), settings, output)

    def admit(self, handle: Handle, statement: Statement, parameters: Mapping[str, str]) -> Admitted:
        """Check a query against every list (steps 3 to 5).

        Raises:
            QueryRefused: naming what is not allowed.
            EngineError: if the engine cannot build a tree of it, for want of a parameter for instance.
        """
        tokens = statement.tokens
        if tokens[0].text == "EXPLAIN":
            return self._admit_explain(handle, statement, parameters)
        if tokens[0].text in ("SHOW", "EXISTS", "DESCRIBE"):
            return self._admit_show(handle, statement, parameters)
        self._admit_select(handle, statement.body, tokens, parameters)
        return Admitted(statement.body, select=True)

    def admit_filter(self, handle: Handle, table: str, expression: str) -> tuple[str, str]:
        """Check one entry of ``additional_table_filters``: a condition a client adds to a table.

        Returns the qualified table and the canonical condition.

        Raises:
            QueryRefused: for a table or a condition that no query may hold, or a subquery in it.
        """
        name = table if "." in table else f"{self.database}.{table}"
        if name not in {f"{self.database}.{allowed}" for allowed in self._plain_tables()}:
            raise QueryRefused(UNKNOWN_TABLE, f"additional_table_filters names table {table[:80]}, which is not here")
        prefix = "SELECT 1 WHERE "
        canonical = _canonical(handle, prefix + expression)
        if canonical is None or not canonical.startswith(prefix):
            raise QueryRefused(SYNTAX_ERROR, f"additional_table_filters: {expression[:200]!r} is no condition")
        tokens = tokenise(canonical)
        if _lift(canonical, tokens)[0] != canonical:
            raise QueryRefused(SYNTAX_ERROR, "additional_table_filters takes a condition without SETTINGS or FORMAT")
        tree = self._admit_select(handle, canonical, tokens, {})
        select = tree.children[0].children
        if (
            len(select) != 1
            or select[0].kind != "SelectQuery"
            or len(select[0].children) != 2
            or any(node.kind in ("Subquery", "SelectWithUnionQuery") for node in select[0].walk())
        ):
            raise QueryRefused(ACCESS_DENIED, "additional_table_filters takes one plain condition a table, no subquery")
        return name, canonical.removeprefix(prefix)

    def _plain_tables(self) -> frozenset[str]:
        return frozenset(name for name in self.allowed_tables() if PLAIN_NAME.fullmatch(name))

    def _admit_select(self, handle: Handle, text: str, tokens: Sequence[Token], parameters: Mapping[str, str]) -> Node:
        # A subquery can have neither OUTFILE nor FORMAT: what parses inside of brackets has none.
        if _canonical(handle, f"SELECT * FROM ({text})") is None:  # noqa: S608 - parsed, never run
            raise QueryRefused(
                ACCESS_DENIED, "Only a plain SELECT may run, without INTO OUTFILE, and FORMAT at its end"
            )
        tables = self._plain_tables()
        # `a.b` in quotes is one name, and prints as the qualified name a.b would: it must not pass for that.
        dotted = {token.identifier for token in tokens if token.kind == "name" and "." in token.identifier}
        known = (
            tables | {f"{self.database}.{name}" for name in tables} | {f"system.{name}" for name in SYSTEM_TABLES}
        ) - dotted
        tree = read_ast(_explain(handle, "EXPLAIN AST", text, parameters))
        _check_nodes(tree, tokens)
        visible = _check_scopes(
            read_query_tree(_explain(handle, "EXPLAIN QUERY TREE run_passes = 0", text, parameters)), known
        )
        defined = _with_names(tokens)
        if len(set(defined)) != len(defined) or set(defined) != visible:
            # Which of two equal names the engine means depends on what it is resolving at the time.
            raise QueryRefused(
                ACCESS_DENIED, "Every WITH name may be defined once in a query, without a list of columns; rename one"
            )
        for node in tree.walk():
            if node.kind == "TableIdentifier" and node.text not in known and node.text not in visible:
                raise _unknown_table(node.text)
        return tree

    def _admit_explain(self, handle: Handle, statement: Statement, parameters: Mapping[str, str]) -> Admitted:
        tokens = statement.tokens
        start = next(
            (
                i
                for i, token in enumerate(tokens)
                if token.depth == 0 and (token.is_word("SELECT", "WITH") or token.text == "(")
            ),
            None,
        )
        if start is None:
            raise QueryRefused(READONLY, "EXPLAIN works on SELECT only")
        kind = [token.text for token in tokens[1:start] if token.kind == "word"]
        options = list(tokens[1:start])
        words: list[str] = []
        while options and options[0].is_word("AST", "SYNTAX", "PLAN", "PIPELINE", "ESTIMATE", "QUERY", "TREE"):
            words.append(options.pop(0).text)
        shape = "".join({"word": "w", "number": "n"}.get(token.kind, token.text) for token in options)
        if tuple(words) not in _EXPLAINABLE or not re.fullmatch(r"(?:w=n(?:,w=n)*)?", shape):
            raise QueryRefused(ACCESS_DENIED, f"EXPLAIN {' '.join(kind)[:80]} is not allowed; see EXPLAIN PLAN")
        if self.is_bound and (words == ["ESTIMATE"] or options):
            raise QueryRefused(ACCESS_DENIED, "EXPLAIN ESTIMATE, and options of EXPLAIN, are for keys of every project")
        inner = statement.body[tokens[start].start :]
        if _canonical(handle, inner) != inner:
            raise QueryRefused(SYNTAX_ERROR, "EXPLAIN works on one SELECT")
        self._admit_select(handle, inner, tokenise(inner), parameters)
        return Admitted(statement.body, select=False)

    def _admit_show(self, handle: Handle, statement: Statement, parameters: Mapping[str, str]) -> Admitted:
        tokens = list(statement.tokens)
        words = " ".join(token.text if token.kind == "word" else token.kind for token in tokens)
        if tokens[0].text == "DESCRIBE" and len(tokens) > 3 and (tokens[1].is_sign("(") or tokens[2].is_sign("(")):
            opening = 1 if tokens[1].is_sign("(") else 2
            closes = [i for i, token in enumerate(tokens) if token.is_sign(")") and token.depth == 0]
            if closes == [len(tokens) - 1] and (opening == 1 or tokens[1].is_word("TABLE")):
                inner = statement.body[tokens[opening].start + 1 : tokens[-1].start]
                if _canonical(handle, inner) == inner:
                    self._admit_select(handle, inner, tokenise(inner), parameters)
                    return Admitted(f"DESCRIBE TABLE ({inner})", select=False)
            raise QueryRefused(ACCESS_DENIED, "DESCRIBE works on a table or on a SELECT in brackets")
        if re.fullmatch(r"SHOW DATABASES(?: (?:NOT )?I?LIKE string)?(?: LIMIT number)?", words):
            return Admitted(statement.body, select=False)
        if tokens[0].text == "SHOW" and len(tokens) > 1 and tokens[1].is_word("TABLES"):
            rest = list(tokens[2:])
            if len(rest) > 1 and rest[0].is_word("FROM", "IN") and rest[1].kind in ("word", "name"):
                self._own_database(rest[1].identifier)
                rest = rest[2:]
            tail = " ".join(token.text if token.kind == "word" else token.kind for token in rest)
            if re.fullmatch(r"(?:(?:NOT )?I?LIKE string)?(?: ?LIMIT number)?", tail):
                return Admitted(statement.body, select=False)
        for head in (("SHOW", "CREATE", "TABLE"), ("EXISTS", "TABLE"), ("DESCRIBE", "TABLE")):
            if tuple(token.text for token in tokens[: len(head)]) == head:
                return self._one_table(head, tokens[len(head) :])
        raise QueryRefused(
            ACCESS_DENIED,
            f"{statement.body[:80]}: of these statements, SHOW DATABASES, SHOW TABLES [FROM database] [LIKE pattern], "
            "SHOW CREATE TABLE, DESCRIBE and EXISTS of a table are allowed",
        )

    def _one_table(self, head: tuple[str, ...], tokens: Sequence[Token]) -> Admitted:
        names = [token.identifier for token in tokens[::2]]
        if (
            len(tokens) not in (1, 3)
            or any(token.kind not in ("word", "name") for token in tokens[::2])
            or (len(tokens) == 3 and not tokens[1].is_sign("."))
        ):
            raise QueryRefused(ACCESS_DENIED, f"{' '.join(head)} works on one table of this database")
        database, table = names if len(names) == 2 else (self.database, names[0])
        here = SYSTEM_TABLES if database == "system" else self._plain_tables()
        if database != "system":
            self._own_database(database)
        if table not in here:
            if head[0] == "EXISTS":  # the engine would look for a file
                return Admitted("SELECT toUInt8(0) AS result", select=True)
            raise _unknown_table(".".join(names))
        return Admitted(f"{' '.join(head)} {quote_name(database)}.{quote_name(table)}", select=False)

    def _own_database(self, name: str) -> None:
        if name not in (self.database, "system"):
            raise QueryRefused(
                UNKNOWN_DATABASE, f"Database {name[:80]} does not exist; the one here is {self.database}"
            )


def _check_nodes(tree: Node, tokens: Sequence[Token]) -> None:
    """Check node types, functions and table functions."""
    if tree.kind != "SelectWithUnionQuery":
        raise QueryRefused(READONLY, f"{tree.kind} is not a SELECT; this interface only reads")
    patterns = False
    for node in tree.walk():
        if node.kind not in NODES:
            what = {"ColumnsApplyTransformer": "APPLY", "Set": "SETTINGS below the end of the query"}.get(
                node.kind, node.kind
            )
            raise QueryRefused(ACCESS_DENIED, f"{what} is not allowed here; write the query without it")
        if node.kind == "SelectWithUnionQuery" and [child.kind for child in node.children] != ["ExpressionList"]:
            raise QueryRefused(ACCESS_DENIED, "INTO OUTFILE and FORMAT inside of a query are not allowed")
        if node.kind == "TableExpression":
            source = node.children[0] if node.children else None
            if source is not None and source.kind == "Function" and source.text not in TABLE_FUNCTIONS:
                raise QueryRefused(
                    ACCESS_DENIED,
                    f"Table function {source.text[:80]} is not allowed; use {', '.join(sorted(TABLE_FUNCTIONS))}",
                )
            if any(child.kind == "Function" for child in node.children[1:]):
                raise QueryRefused(ACCESS_DENIED, "A table expression has one source")
        else:
            for child in node.children:
                if child.kind == "Function" and not may_call(child.text):
                    raise QueryRefused(
                        ACCESS_DENIED if PLAIN_NAME.fullmatch(child.text) else UNKNOWN_FUNCTION,
                        f"Function {child.text[:80]} is not allowed here: it is unknown, or reaches files, networks "
                        "or the server itself, or nobody has looked at it yet",
                    )
        patterns |= "Columns" in node.kind and node.kind != "ColumnsTransformerList"
    # The query tree prints the pattern of COLUMNS('…') as it is, line breaks included.
    if patterns and any(token.kind == "string" and re.search(r"[\x00-\x1f]", token.value) for token in tokens):
        raise QueryRefused(
            ACCESS_DENIED, "A query with a COLUMNS or EXCEPT list may not have line breaks in its strings"
        )


def _with_names(tokens: Sequence[Token]) -> list[str]:
    """Names that WITH gives to subqueries, in order: ``name AS (SELECT``. Nothing else in SQL is written so."""
    names = []
    for i, token in enumerate(tokens):
        if not token.is_word("AS") or i == 0:
            continue
        following = [word.text for word in tokens[i + 1 : i + 4] if not word.is_word("MATERIALIZED")]
        if following[:1] == ["("] and following[1:2] in (["SELECT"], ["WITH"], ["("]):
            names.append(tokens[i - 1].identifier)
    return names


def _check_scopes(root: Scope, known: frozenset[str]) -> frozenset[str]:
    """Check that every name which may be a table is a known one, or a WITH name visible where it stands.

    Returns all WITH names of the query.
    """
    defined: set[str] = set()

    def visit(node: Scope, parent: Scope | None, names: frozenset[str], constants: frozenset[str]) -> None:
        attributes = node.attributes
        if "is_recursive_with" in attributes:
            raise QueryRefused(ACCESS_DENIED, "WITH RECURSIVE is not allowed here; join the table with itself instead")
        if node.kind in _TABLE_SECTIONS and node.is_section:
            for source in node.children:
                if source.kind == "IDENTIFIER":
                    name = source.attributes.get("identifier", "")
                    if name not in known and name not in names:
                        raise _unknown_table(name)
                elif source.kind not in ("QUERY", "UNION", "TABLE_FUNCTION", "LIST") and source.kind not in _JOINS:
                    raise _unknown_table(source.kind)
        if node.kind == "LIST" and parent is not None and parent.kind in _TABLE_SECTIONS:
            for source in node.children:
                if source.kind == "IDENTIFIER" and source.attributes.get("identifier", "") not in known | names:
                    raise _unknown_table(source.attributes.get("identifier", ""))
        if node.kind == "FUNCTION" and attributes.get("function_name") in SET_FUNCTIONS:
            section = node.section("ARGUMENTS")
            for right in section.children[0].children[1:] if section is not None else ():
                name = right.attributes.get("identifier", "")
                if right.kind == "IDENTIFIER" and name not in known | names | constants:
                    raise QueryRefused(
                        UNKNOWN_TABLE,
                        f"IN {name[:80]}: the right side must be a list, a subquery, a table of this database or a "
                        "name that WITH gives to a constant; for an array column use has(column, value)",
                    )
        if node.kind in ("QUERY", "UNION"):
            section = node.section("WITH")
            entries = section.children[0].children if section is not None else []
            constants = frozenset(
                entry.attributes["alias"]
                for entry in entries
                if entry.kind == "CONSTANT" and PLAIN_NAME.fullmatch(entry.attributes.get("alias", ""))
            )
            for entry in entries:
                name = entry.attributes.get("cte_name", "") if "is_cte" in entry.attributes else ""
                # In its own body the name means the table, and so it does in what is defined before it.
                visit(entry, None, names - {name}, frozenset())
                if name:
                    if not PLAIN_NAME.fullmatch(name):
                        raise QueryRefused(
                            ACCESS_DENIED, f"WITH name {name[:80]!r}: use letters, digits and underscores"
                        )
                    defined.add(name)
                    names |= {name}
            for child in node.children:
                if child is not section:
                    visit(child, node, names, constants)
            return
        for child in node.children:
            visit(child, node, names, constants)

    visit(root, None, frozenset(), frozenset())
    return frozenset(defined)


def _canonical(handle: Handle, text: str) -> str | None:
    """Print a query with the engine's formatter; None for a syntax error or several statements."""
    answer = _run(handle, "SELECT formatQuerySingleLineOrNull({text:String})", {"text": escape_parameter(text)})
    if answer == b"\\N\n":
        return None
    try:
        return answer.removesuffix(b"\n").decode()
    except UnicodeDecodeError as exc:
        raise QueryRefused(SYNTAX_ERROR, "A literal of the query is not UTF-8; write bytes as unhex('…')") from exc


def _syntax_error(handle: Handle, text: str) -> SqlError:
    """Say what the engine has against a query that its formatter did not take. The handle is spent afterwards."""
    try:
        _run(handle, "SELECT formatQuerySingleLine({text:String})", {"text": escape_parameter(text)})
    except EngineError as exc:
        message = re.sub(r"\s*: In scope SELECT formatQuerySingleLine.*", "", exc.message, flags=re.DOTALL)
        return QueryRefused(SYNTAX_ERROR, message[:2000])
    return QueryRefused(SYNTAX_ERROR, "The query cannot be parsed")


def _explain(handle: Handle, what: str, text: str, parameters: Mapping[str, str]) -> str:
    return _run(handle, f"{what} {text}", dict(parameters)).decode(errors="backslashreplace")


def _run(handle: Handle, text: str, parameters: dict[str, str]) -> bytes:
    try:
        answer = handle.query(text, "TSVRaw", params=parameters).bytes()
    except RuntimeError as exc:
        raise EngineError.from_text(str(exc)) from exc
    return bytes(answer)


def escape_parameter(text: str) -> str:
    """Write a string as the value of a bound parameter, which the engine reads like a TSV field."""
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\0", "\\0")):
        text = text.replace(plain, escaped)
    return text


def _refuse_named_parameters(tokens: Sequence[Token]) -> None:
    """Refuse ``{x:Identifier}``: a parameter that names a table or column is unknown until it is put in."""
    for i, token in enumerate(tokens):
        if not (token.is_sign("{") and i + 2 < len(tokens) and tokens[i + 2].is_sign(":")):
            continue
        for inner in tokens[i + 3 :]:
            if inner.is_sign("}"):
                break
            if inner.kind == "word" and inner.text.lower() == "identifier":
                raise QueryRefused(
                    BAD_QUERY_PARAMETER,
                    f"Parameter {tokens[i + 1].text[:80]} is an Identifier; write names into the query itself",
                )


def _lift(text: str, tokens: Sequence[Token]) -> tuple[str, dict[str, str], str | None]:
    """Take ``SETTINGS a = 1, …`` and ``FORMAT X`` off the end, whichever of the two comes first."""
    end = len(tokens)
    settings: dict[str, str] = {}
    output: str | None = None
    while True:
        # Formats called like a keyword (Null, Values) are printed in quotes.
        if (
            output is None
            and end > 2
            and tokens[end - 2].is_word("FORMAT")
            and tokens[end - 1].kind in ("word", "name")
        ):
            if tokens[end - 2].depth:
                break
            output = tokens[end - 1].identifier
            end -= 2
            continue
        start = next((i for i in range(end - 1, 0, -1) if tokens[i].is_word("SETTINGS") and not tokens[i].depth), None)
        if settings or start is None:
            break
        found = _settings(text, tokens[start + 1 : end])
        if found is None:
            if any(token.is_sign("=") for token in tokens[start + 2 : start + 3]):
                raise QueryRefused(SYNTAX_ERROR, "SETTINGS takes name = value, with plain values")
            break
        settings, end = found, start
    stop = tokens[end - 1].start + len(tokens[end - 1].text) if end else 0
    return text[:stop], settings, output


def _settings(text: str, tokens: Sequence[Token]) -> dict[str, str] | None:
    """Read ``a = 1, b = 'x', c = {…}``; None if it is anything else. A map keeps its text."""
    settings: dict[str, str] = {}
    i = 0
    while i < len(tokens):
        if settings:
            if not tokens[i].is_sign(","):
                return None
            i += 1
        if i + 2 >= len(tokens) or tokens[i].kind != "word" or not tokens[i + 1].is_sign("="):
            return None
        name, i = tokens[i].text, i + 2
        first = tokens[i]
        if first.is_sign("{"):
            close = next((j for j in range(i + 1, len(tokens)) if tokens[j].is_sign("}")), None)
            if close is None:
                return None
            settings[name], i = text[first.start : tokens[close].start + 1], close + 1
        elif first.is_sign("-") and i + 1 < len(tokens) and tokens[i + 1].kind == "number":
            settings[name], i = "-" + tokens[i + 1].text, i + 2
        elif first.kind in ("string", "number") or first.is_word("true", "false"):
            settings[name], i = {"true": "1", "false": "0"}.get(first.value, first.value), i + 1
        else:
            return None
    return settings or None


def read_filters(value: str) -> dict[str, str]:
    """Read a map of strings, as ``additional_table_filters`` is written: ``{'db.table': 'condition', …}``.

    Raises:
        QueryRefused: code 62 for anything else.
    """
    tokens = tokenise(value)
    shape = "".join("s" if token.kind == "string" else token.text for token in tokens)
    if not re.fullmatch(r"\{(?:s:s(?:,s:s)*)?\}", shape):
        raise QueryRefused(SYNTAX_ERROR, "additional_table_filters takes {'table': 'condition', …}")
    strings = [token.value for token in tokens if token.kind == "string"]
    return dict(zip(strings[::2], strings[1::2], strict=True))


def _unknown_table(name: str) -> QueryRefused:
    return QueryRefused(
        UNKNOWN_TABLE, f"Unknown table {name[:120]}: SHOW TABLES lists the tables here; system tables are a short list"
    )
