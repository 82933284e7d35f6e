"""Reads the two trees the engine prints of a query: ``EXPLAIN AST`` and ``EXPLAIN QUERY TREE run_passes = 0``.

Both are indented text with one node a line, and names from the query stand in it unquoted. The readers therefore
accept nothing they cannot account for: every indentation must continue its parent's, every announced number of
children must be met, every identity number must follow the last.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from agentvigil.storage.sql.errors import ACCESS_DENIED, QueryRefused

_NAMED: Final = frozenset({"QUERY", "UNION", "IDENTIFIER", "FUNCTION", "CONSTANT"})
"""Nodes of the query tree whose attributes are read; patterns and collations of others are text of the query."""

MAX_DEPTH: Final = 600
"""Lines of the query tree under one another; a subquery takes four to six, a function three."""

MAX_NODES: Final = 50_000
"""ClickHouse's own default of max_ast_elements."""


@dataclass(slots=True)
class Node:
    """One node of ``EXPLAIN AST``: its type, what it is called, and its children in order."""

    kind: str
    text: str
    alias: str | None
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, parents first."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


@dataclass(slots=True)
class Scope:
    """One line of the query tree: a node (``id`` given) or a section (``JOIN TREE``, ``WITH``) of its parent."""

    kind: str
    attributes: dict[str, str]
    children: list["Scope"] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        """Sections only group; they carry no attributes."""
        return not self.attributes

    def section(self, name: str) -> "Scope | None":
        """The section of that name, if this node has one."""
        return next((child for child in self.children if child.kind == name and child.is_section), None)


_AST_LINE: Final = re.compile(
    r"( *)([A-Z][A-Za-z]*(?:::[A-Z][A-Za-z]*)?)(?: (.*?))??(?: \(children (\d+)\))?", re.DOTALL
)
_ALIAS: Final = re.compile(r"(.*?)(?:^| )\(alias (.*)\)", re.DOTALL)
_SCOPE_LINE: Final = re.compile(r"( *)([A-Z][A-Z_ ]*?)(?: id: (\d+)(?:, (.*))?)?", re.DOTALL)
# Sections that repeat text of the query after their name.
_TEXT_LINE: Final = re.compile(r"( *)(?:EXPRESSION .*|REPLACEMENTS \d+|REPLACEMENT NAME .* EXPRESSION)", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"(?:^|, )([a-z_]+): (.*?)(?=, [a-z_]+: |$)", re.DOTALL)


def read_ast(dump: str) -> Node:
    """Read ``EXPLAIN AST``.

    Raises:
        QueryRefused: if any line does not fit exactly where it stands.
    """
    root: Node | None = None
    path: list[tuple[Node, int]] = []  # the open node of each depth, and how many children it still expects
    for line in _lines(dump):
        match = _AST_LINE.fullmatch(line)
        if match is None:
            raise _unreadable(line)
        depth, kind, text, count = len(match[1]), match[2], match[3] or "", int(match[4] or 0)
        alias: str | None = None
        # A literal is printed quoted, so whatever follows its last quote is the engine's; other texts hold no
        # parenthesis of this form, the word reader saw to that.
        if (named := _ALIAS.fullmatch(text)) is not None:
            text, alias = named[1], named[2]
        node = Node(kind, text, alias)
        if root is None:
            if depth:
                raise _unreadable(line)
            root = node
        else:
            while len(path) > depth:
                if path.pop()[1]:
                    raise _unreadable(line)
            if len(path) != depth or not path or path[-1][1] == 0:
                raise _unreadable(line)
            parent, missing = path[-1]
            path[-1] = (parent, missing - 1)
            parent.children.append(node)
        path.append((node, count))
    if root is None or any(missing for _, missing in path):
        raise _unreadable("the end of the tree")
    return root


def read_query_tree(dump: str) -> Scope:
    """Read ``EXPLAIN QUERY TREE run_passes = 0``.

    Raises:
        QueryRefused: if any line does not fit exactly where it stands, or an identity number does not follow the last.
    """
    root: Scope | None = None
    path: list[Scope] = []
    following = 0
    for line in _lines(dump):
        match = _SCOPE_LINE.fullmatch(line)
        if match is None:
            match = _TEXT_LINE.fullmatch(line)
            if match is None:
                raise _unreadable(line)
            kind, identity, rest = "EXPRESSION", None, None
        else:
            kind, identity, rest = match[2].rstrip(), match[3], match[4]
        indent = len(match[1])
        attributes: dict[str, str] = {}
        if identity is not None:
            attributes["id"] = identity
            if kind != "ARGUMENT":  # lambda arguments are numbered on their own
                if int(identity) != following:
                    raise _unreadable(line)
                following += 1
            if kind not in _NAMED:
                rest = ""
            elif kind == "CONSTANT":  # its value is the query's own text, quoted but otherwise free
                rest = (rest or "").partition("constant_value: ")[0].removesuffix(", ")
            for name, value in _ATTRIBUTE.findall(rest or ""):
                if name in attributes:
                    raise _unreadable(line)
                attributes[name] = value
        node = Scope(kind, attributes)
        depth, odd = divmod(indent, 2)
        if depth > MAX_DEPTH:
            raise QueryRefused(ACCESS_DENIED, "The query is nested too deeply; use fewer brackets")
        if odd or depth > len(path) or (root is None) != (depth == 0):
            raise _unreadable(line)
        del path[depth:]
        if root is None:
            root = node
        else:
            path[-1].children.append(node)
        path.append(node)
    if root is None:
        raise _unreadable("the end of the tree")
    return root


def _lines(dump: str) -> list[str]:
    lines = dump.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_NODES:
        raise QueryRefused(ACCESS_DENIED, f"The query has more than {MAX_NODES} parts; split it")
    return lines


def _unreadable(line: str) -> QueryRefused:
    return QueryRefused(
        ACCESS_DENIED,
        f"The syntax tree of the query cannot be checked at {line.strip()[:120]!r}; write it more plainly",
    )
